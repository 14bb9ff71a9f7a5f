"""Mistakes that a type checker must report: each line fails when its error goes away."""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

import io

from databricks_serving import (
    AsyncServingClient,
    RetryPolicy,
    ServingClient,
    Timeouts,
    errors,
    parts,
    tool,
)
from databricks_serving.local import LocalEndpoint
from databricks_serving.models import ChatCompletion, TextPart, UserMessage
from databricks_serving.params import ChatParams, MessageDict, ToolDict
from databricks_serving.testing import FakeServing

HI: list[MessageDict] = [{"role": "user", "content": "Hi"}]


def calls(client: ServingClient) -> None:
    create = client.chat.completions.create
    create(messages=HI)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    create(model="m")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    create("m", messages=HI)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    create(model=7, messages=HI)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    create(model="m", messages="Hi")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    create(model="m", messages=HI, temprature=1)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    create(model="m", messages=HI, temperature="hot")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    create(model="m", messages=HI, max_tokens=1.5)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    create(model="m", messages=HI, prompt="Rain")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    create(model="m", messages=HI, timeout="3")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    create(model="m", messages=HI, extra_headers={"a": 1})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
    create(model="m", messages=HI, stream="yes")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    client.chat.completions.stream(model="m", messages=HI, stream=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.chat.completions.with_raw_response.create(model="m", messages=HI, stream=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.completions.create(model="m", prompt=7)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    client.embeddings.create(model="m", input="a", temperature=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.embeddings.embed_query(["a"], model="m")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.embeddings.embed_query("a", model="m", document_params={})  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.embeddings.embed_documents([b"a"], model="m")  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    client.embeddings.embed_documents(["a"], model="m", chunk_size=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    client.embeddings.create(model="m", input=[1])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]


def predictions(client: ServingClient) -> None:
    client.predict(inputs=[1])  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    client.predict("m")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    client.predict("m", inputs=[1], instances=[1])  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    client.predict("m", inputs=[1], param={})  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    client.predict(model="m", inputs=[1])  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    client.predict("m", inputs=[1], stream=True)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    client.predict("m", dataframe_split=7)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    client.predict("m", dataframe_records={"a": 1})  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    client.predict_stream("m")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]


def handles(client: ServingClient) -> None:
    client.endpoint()  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    client.endpoint("m", task="chats")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    client.endpoint("m", wrap=None)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    client.endpoint("m", temperature=1)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    client.endpoint("m", defaults={"temprature": 1})  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    client.endpoint("m", defaults={"messages": HI})  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    client.endpoint("m", task="embeddings", defaults={"temperature": 1})  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    client.endpoint("m", transform_output="upper")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    client.endpoint(cluster_id="c")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    client.endpoint("m", cluster_id="c", port=7777)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    client.endpoint(cluster_id="c", port=7777, served_model="a")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    chat = client.endpoint("m")
    chat.invoke(7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    chat.invoke("Hi", temprature=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    chat.invoke("Hi", messages=HI)  # type: ignore[misc]  # pyright: ignore[reportCallIssue]
    chat.invoke("Hi", model="m")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    chat.name = "n"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    client.endpoint("m", task="embeddings").stream("Hi")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    client.endpoint("m", task="text").invoke(["Hi"])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.endpoint("m", task="custom").invoke([1], form="rows")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def messages() -> None:
    no_role: MessageDict = {"content": "Hi"}  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    other_role: MessageDict = {"role": "usr", "content": "Hi"}  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    no_content: MessageDict = {"role": "user"}  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    other_key: MessageDict = {"role": "user", "content": "Hi", "text": "Hi"}  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    other_part: MessageDict = {"role": "user", "content": [{"type": "txt", "text": "Hi"}]}  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    no_call_id: MessageDict = {"role": "tool", "content": "4"}  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    tool: ToolDict = {"type": "function", "function": {"nme": "f"}}  # type: ignore[typeddict-item]  # pyright: ignore[reportAssignmentType]
    print(no_role, other_role, no_content, other_key, other_part, no_call_id, tool)
    UserMessage("Hi")  # type: ignore[arg-type, call-arg]  # pyright: ignore[reportCallIssue]
    UserMessage(contents="Hi")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    TextPart(text=7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def made_parts() -> None:
    parts.image(7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    parts.image(b"", detail="sharp")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    parts.image(io.StringIO())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    message: MessageDict = {"role": "user", "content": parts.text("a")}  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    print(message)


def function_tools(client: ServingClient) -> None:
    @tool
    def tide(port: str) -> str:
        return port

    tide(7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    run_tools = client.chat.completions.run_tools
    run_tools(model="m", messages=HI)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    run_tools(model="m", messages=HI, tools=tide)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    run_tools(model="m", messages=HI, tools=[tide], max_turn=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    run_tools(model="m", messages=HI, tools=[tide], on_tool_error="drop")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def structured_output(client: ServingClient) -> None:
    parse = client.chat.completions.parse
    parse(model="m", messages=HI, response_format="River")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    parse(model="m", messages=HI)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    parse(model="m", messages=HI, response_format=int, max_reask=1)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    print(parse(model="m", messages=HI, response_format=int).parsed.name)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownArgumentType, reportUnknownMemberType]


def options() -> None:
    Timeouts(idle="1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ServingClient(max_retries="2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ServingClient(retry=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ServingClient(limits={})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    RetryPolicy(retries=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    ServingClient("h", auth="token")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ServingClient("h", auth=len)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ServingClient(transport="direct")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    params: ChatParams = {"temperature": 1}  # type: ignore[typeddict-item]  # pyright: ignore[reportAssignmentType]
    print(params)


def replies(client: ServingClient, reply: ChatCompletion) -> None:
    print(reply.txt)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownArgumentType, reportUnknownMemberType]
    print(reply.usage.total_tokens)  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
    print(reply.message.content)  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
    list(client.chat.completions.create(model="m", messages=HI))  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    for event in client.chat.completions.stream(model="m", messages=HI):
        print(event.text)  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownArgumentType, reportUnknownMemberType]
    print(client.session)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownArgumentType, reportUnknownMemberType]
    errors.RateLimitError(status=429)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def local_endpoint(local: LocalEndpoint) -> None:
    local.set_state("m", "tired")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    local.fail_next(fault="explode")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LocalEndpoint(config={"tokens": "a"})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def asynchronous(client: AsyncServingClient) -> None:
    print(client.embeddings.create(model="m", input="a").vectors)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownArgumentType, reportUnknownMemberType]
    anext(client.chat.completions.create(model="m", messages=HI, stream=True))  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    with client:  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues]
        pass


def scripts(fake: FakeServing) -> None:
    fake.chat("a", tmies=2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    fake.chat(7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    fake.chat("a", cut_after="2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    fake.embedding(ends_after=2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    fake.connection_error("broken")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    fake.default("eco")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    fake.last.body["a"] = 1  # type: ignore[index]  # pyright: ignore[reportIndexIssue]
