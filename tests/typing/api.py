"""The package as a user's type checker sees it; checked by mypy and pyright, never run."""

# pyright: strict

import ssl
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack, assert_never, assert_type

import httpx
import numpy as np
import pandas as pd
import polars as pl
import pydantic

from databricks_serving import (
    AsyncChunkStream,
    AsyncEventStream,
    AsyncParsedStream,
    AsyncPredictionStream,
    AsyncServingClient,
    CallOptions,
    ChunkStream,
    ColdStart,
    EventStream,
    Limits,
    ParsedCompletion,
    ParsedStream,
    Prediction,
    PredictionStream,
    RawResponse,
    RetryPolicy,
    ServingClient,
    ServingError,
    Timeouts,
    auth,
    errors,
    events,
    tool,
    tools,
)
from databricks_serving.models import (
    AssistantMessage,
    ChatCompletion,
    ChatCompletionChunk,
    Completion,
    CompletionChunk,
    DatabricksOutput,
    DeveloperMessage,
    EmbeddingResponse,
    FinishReason,
    FunctionDefinition,
    ImagePart,
    ImageUrl,
    JsonSchemaFormat,
    OtherPart,
    ReasoningPart,
    ReplyMeta,
    ResponseFormatJsonObject,
    ResponseFormatJsonSchema,
    ResponseMessage,
    ResponseTextPart,
    SystemMessage,
    TextPart,
    Thinking,
    Tool,
    ToolCall,
    ToolMessage,
    Usage,
    UserMessage,
)
from databricks_serving.params import (
    AssistantMessageDict,
    ChatArguments,
    ChatParams,
    CompletionArguments,
    ContentPartDict,
    EmbeddingArguments,
    FrameLike,
    MessageDict,
    PredictionArguments,
    ResponseFormatDict,
    ToolChoiceDict,
    ToolDict,
)


def clients(transport: httpx.BaseTransport, handler: httpx.AsyncBaseTransport) -> None:
    assert_type(ServingClient(), ServingClient)
    with ServingClient("host", "token") as client:
        assert_type(client, ServingClient)
    ServingClient(host="h", token="t", timeout=3, max_retries=0, transport=transport)
    ServingClient(timeout=Timeouts(first_byte=None), default_headers={"x-team": "rivers"})
    assert_type(client.with_options(timeout=1.5, max_retries=1), ServingClient)
    client.with_options(default_headers={"a": "b"}).close()
    AsyncServingClient("h", "t", transport=handler, timeout=Timeouts(connect=1, pool=None))
    policy = RetryPolicy(max_retries=5, cold_start_timeout=300, on_cold_start=watch)
    AsyncServingClient("h", "t", retry=policy, limits=Limits(connections=5), deadline=30)
    ServingClient("h", "t", ssl_context=ssl.create_default_context(), proxy="http://p:1")
    assert_type(client.with_options(retry=policy, deadline=5), ServingClient)


async def fetch() -> auth.Token:
    return auth.Token("t", expires_in=60)


class Login(httpx.Auth):
    """A user's own."""


class OfficialConfig:
    """As the Config of databricks-sdk."""

    def authenticate(self) -> dict[str, str]:
        return {}


class OfficialClient:
    """As the WorkspaceClient of databricks-sdk."""

    def __init__(self) -> None:
        self.config = OfficialConfig()


def logins(client: ServingClient) -> None:
    ServingClient("h", auth=auth.OAuthClientCredentials("id", "secret"))
    ServingClient("h", auth=lambda: "token")
    AsyncServingClient("h", auth=fetch)
    ServingClient("h", auth=Login())
    ServingClient(auth=OfficialConfig())
    ServingClient(auth=OfficialClient(), profile="work", auth_type="pat")
    assert_type(ServingClient.from_workspace_client(OfficialClient()), ServingClient)
    assert_type(AsyncServingClient.from_workspace_client(OfficialClient()), AsyncServingClient)
    assert_type(client.with_options(auth=auth.AccessToken("t")), ServingClient)
    assert_type(client.auth.describe(), str)
    assert_type(client.host, str | None)


async def login(client: AsyncServingClient) -> None:
    assert_type(await client.auth.describe(), str)


def watch(progress: ColdStart) -> None:
    assert_type(progress.elapsed, float)


def knowledge(error: ServingError) -> None:
    assert_type(error.history, tuple[errors.Attempt, ...])
    assert_type(error.history[0].wait, float | None)
    assert_type(error.to_curl(), str | None)
    assert_type(error.hint, str | None)
    assert_type(error.retry_stopped_by, str | None)
    assert_type(error.idempotency_key, str | None)


def limits_of_calls(client: ServingClient) -> None:
    client.embeddings.create(model="m", input="a", deadline=5, idempotent=False)
    stream = client.chat.completions.create(model="m", messages=[], stream=True)
    assert_type(stream.get_final_completion(), ChatCompletion)


class OwnClient(ServingClient):
    """A user's own client keeps its type."""


def own_client(client: OwnClient) -> None:
    assert_type(client.with_options(timeout=1), OwnClient)
    with client as entered:
        assert_type(entered, OwnClient)


def chat_replies(client: ServingClient) -> None:
    reply = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}])
    assert_type(reply, ChatCompletion)
    assert_type(reply.text, str)
    assert_type(reply.reasoning, str)
    assert_type(reply.message, ResponseMessage | None)
    assert_type(reply.tool_calls, list[ToolCall])
    assert_type(reply.usage, Usage | None)
    assert_type(reply.meta, ReplyMeta | None)
    assert_type(reply.request_id, str | None)
    assert_type(reply.to_request_message(), AssistantMessageDict)
    assert_type(reply.to_dict(), dict[str, Any])
    assert_type(ChatCompletion.from_dict({}), ChatCompletion)
    reason: FinishReason | str | None = reply.finish_reason
    print(reason == "stop", reply.served_model_name)
    for choice in reply.choices:
        assert_type(choice.index, int)
        assert_type(choice.message, ResponseMessage)
        for part in choice.message.content if isinstance(choice.message.content, list) else ():
            match part:
                case ResponseTextPart(text=text):
                    assert_type(text, str)
                case ReasoningPart(summary=summary):
                    print(summary)
                case OtherPart(type_=kind):
                    assert_type(kind, str)
    for call in reply.tool_calls:
        assert_type(call.id, str)
        assert_type(call.function.name, str)
        assert_type(call.function.arguments, str)
    if reply.usage is not None:
        assert_type(reply.usage.prompt_tokens, int | None)
        assert_type(reply.usage.cached_tokens, int)


def streams_by_overload(client: ServingClient, flag: bool) -> None:
    messages: list[MessageDict] = [{"role": "user", "content": "Hi"}]
    create = client.chat.completions.create
    assert_type(create(model="m", messages=messages, stream=False), ChatCompletion)
    chunks = create(model="m", messages=messages, stream=True)
    assert_type(chunks, ChunkStream[ChatCompletion, ChatCompletionChunk, events.ChatEvent])
    either = create(model="m", messages=messages, stream=flag)
    if isinstance(either, ChatCompletion):
        assert_type(either, ChatCompletion)
    with chunks:
        for chunk in chunks:
            assert_type(chunk, ChatCompletionChunk)
            assert_type(chunk.text, str)
    assert_type(chunks.snapshot, ChatCompletion)
    assert_type(chunks.terminated_cleanly, bool)
    assert_type(chunks.meta, ReplyMeta)
    texts = client.completions.create(model="m", prompt="Rain", stream=True)
    assert_type(texts, ChunkStream[Completion, CompletionChunk, events.CompletionEvent])
    assert_type(next(texts), CompletionChunk)
    whole = client.completions.create(model="m", prompt=["Rain", "Sun"], echo=True)
    assert_type(whole, Completion)
    assert_type(whole.choices[0].text, str)


def events_by_match(client: ServingClient) -> None:
    with client.chat.completions.stream(model="m", messages=[UserMessage(content="Hi")]) as stream:
        assert_type(stream, EventStream[ChatCompletion, ChatCompletionChunk, events.ChatEvent])
        for event in stream:
            by_class(event)
            by_type(event)
        assert_type(stream.get_final_completion(), ChatCompletion)
        assert_type(stream.snapshot, ChatCompletion)
        assert_type(stream.text_stream, Iterator[str])
    with client.completions.stream(model="m", prompt="Rain") as words:
        assert_type(words.get_final_completion(), Completion)
        for word in words:
            assert_type(word, events.CompletionEvent)


def by_class(event: events.ChatEvent) -> None:
    match event:
        case events.ChunkEvent(chunk):
            print(chunk.id)
        case events.TextDeltaEvent(text, choice):
            assert_type(text, str)
            assert_type(choice, int)
        case events.ReasoningDeltaEvent(text) | events.RefusalDeltaEvent(text):
            assert_type(text, str)
        case events.ToolCallDeltaEvent(arguments=arguments, id=id_):
            assert_type(arguments, str)
            assert_type(id_, str)
        case events.ToolCallDoneEvent(tool_call):
            assert_type(tool_call, ToolCall)
        case events.FinishEvent(finish_reason=reason):
            print(reason)
        case _:
            assert_never(event)


def by_type(event: events.ChatEvent) -> None:
    if event.type == "text.delta":
        assert_type(event, events.TextDeltaEvent)
    elif event.type == "tool_call.done":
        assert_type(event.tool_call, ToolCall)
    elif event.type == "finish":
        assert_type(event.choice, int)


def dict_messages(client: ServingClient) -> None:
    image: ContentPartDict = {"type": "image_url", "image_url": {"url": "data:,", "detail": "low"}}
    client.chat.completions.create(
        model="m",
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What?", "cache_control": {"type": "x"}},
                    image,
                ],
            },
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}],
            },
            {"role": "tool", "content": "4", "tool_call_id": "c"},
        ],
    )


def model_messages(client: ServingClient, reply: ChatCompletion) -> None:
    mixed: Sequence[MessageDict] = (
        SystemMessage(content="Be brief."),
        DeveloperMessage(content="Be brief."),
        UserMessage(content=[TextPart(text="a"), ImagePart(image_url=ImageUrl(url="data:,"))]),
        {"role": "user", "content": [TextPart(text="a"), {"type": "text", "text": "b"}]},
        AssistantMessage(content=None),
        reply.to_request_message(),
        ToolMessage(content="4", tool_call_id="c"),
    )
    client.chat.completions.create(model="m", messages=mixed)
    client.chat.completions.create(model="m", messages=[SystemMessage(content="x"), *mixed])


def tools_and_formats(client: ServingClient) -> None:
    schema: Mapping[str, Any] = {"type": "object"}
    tool: ToolDict = {
        "type": "function",
        "function": {"name": "f", "parameters": {"type": "object"}},
    }
    choice: ToolChoiceDict = {"type": "function", "function": {"name": "f"}}
    create = client.chat.completions.create
    messages: list[MessageDict] = [UserMessage(content="Hi")]
    create(model="m", messages=messages, tools=[tool], tool_choice=choice)
    create(model="m", messages=messages, tools=[tool], tool_choice="auto", parallel_tool_calls=True)
    model = Tool(function=FunctionDefinition(name="f", parameters={"type": "object"}))
    create(model="m", messages=messages, tools=[model, tool])
    formats: list[ResponseFormatDict] = [
        {"type": "text"},
        {"type": "json_object"},
        {"type": "json_schema", "json_schema": {"name": "n", "schema": schema, "strict": True}},
        ResponseFormatJsonObject(),
        ResponseFormatJsonSchema(json_schema=JsonSchemaFormat(name="n", schema={"type": "object"})),
    ]
    create(model="m", messages=messages, response_format=formats[0])
    create(model="m", messages=messages, reasoning_effort="low", stop=["a"], stream_options=None)
    create(model="m", messages=messages, thinking={"type": "enabled", "budget_tokens": 1024})
    create(model="m", messages=messages, thinking=Thinking(type_="adaptive"), temperature=None)


@dataclass
class River:
    name: str


class Town(TypedDict):
    name: str


class Lake(pydantic.BaseModel):
    name: str


def structured_output(client: ServingClient) -> None:
    parse = client.chat.completions.parse
    hi: list[MessageDict] = [{"role": "user", "content": "Hi"}]
    river = parse(model="m", messages=hi, response_format=River)
    assert_type(river, ParsedCompletion[River])
    assert_type(river.parsed, River)
    assert_type(river.completion, ChatCompletion)
    assert_type(river.usage, Usage | None)
    assert_type(parse(model="m", messages=hi, response_format=Town).parsed, Town)
    assert_type(parse(model="m", messages=hi, response_format=Lake).parsed, Lake)
    assert_type(parse(model="m", messages=hi, response_format=list[River]).parsed, list[River])
    assert_type(
        parse(model="m", messages=hi, response_format=dict[str, int]).parsed, dict[str, int]
    )
    schema: dict[str, Any] = {"type": "object"}
    assert_type(parse(model="m", messages=hi, response_format=schema).parsed, dict[str, Any])
    either: ParsedCompletion[Any] = parse(
        model="m", messages=hi, response_format=River | Town, max_reasks=2, strict=False
    )
    print(either.parsed)
    stream = client.chat.completions.parse_stream
    with stream(model="m", messages=hi, response_format=River, tools=[tide]) as events_:
        assert_type(events_, ParsedStream[River])
        for event in events_:
            if event.type == "parsed.delta":
                print(event.partial)
            elif event.type == "text.delta":
                assert_type(event.text, str)
        assert_type(events_.get_final_parsed().parsed, River)


async def asynchronous_structured_output(client: AsyncServingClient) -> None:
    hi: list[MessageDict] = [{"role": "user", "content": "Hi"}]
    chat = client.chat.completions
    parsed = await chat.parse(model="m", messages=hi, response_format=list[Lake], deadline=3)
    assert_type(parsed.parsed, list[Lake])
    async with chat.parse_stream(model="m", messages=hi, response_format=Town) as stream:
        assert_type(stream, AsyncParsedStream[Town])
        assert_type((await stream.get_final_parsed()).parsed, Town)


def structured_errors(error: errors.StructuredOutputError) -> None:
    assert_type(error.completion, ChatCompletion | None)
    assert_type(error.text, str)
    assert_type(error.usage, Usage | None)
    assert_type(error.replies, tuple[ChatCompletion, ...])
    if isinstance(error, errors.ParseError):
        assert_type(error.path, str | None)


@tool
def tide(port: str, days: int = 1) -> list[float]:
    return [float(days)] * len(port)


@tool(name="ebb", strict=True)
async def ebb(port: str) -> str:
    return port


def plain(port: str) -> str:
    return port


def function_tools(client: ServingClient) -> None:
    assert_type(tide("Brest", days=2), list[float])
    assert_type(tool(plain)("Brest"), str)
    assert_type(tide.name, str)
    assert_type(tide.definition, ToolDict)
    assert_type(tide.parameters, dict[str, Any])
    other: ToolDict = {"type": "function", "function": {"name": "f"}}
    chat = client.chat.completions
    hi: list[MessageDict] = [{"role": "user", "content": "Hi"}]
    chat.create(model="m", messages=hi, tools=[tide, tool(plain), other])
    run = chat.run_tools(
        model="m",
        messages=hi,
        tools=[tide, plain, other],
        max_turns=3,
        parallel=False,
        on_step=lambda step: print(step.reply.text),
        on_tool_error=lambda call, error: f"{call.id}: {error}",
        deadline=30,
        temperature=0,
    )
    assert_type(run, tools.ToolRun)
    assert_type(run.text, str)
    assert_type(run.reply, ChatCompletion)
    assert_type(run.messages, list[MessageDict])
    assert_type(run.usage, Usage | None)
    assert_type(run.pending, tuple[ToolCall, ...])
    assert_type(run.steps[0].results, tuple[tools.ToolResult, ...])
    chat.create(model="m", messages=run.messages)
    with chat.stream_tools(model="m", messages=hi, tools=[tide], on_tool_error="raise") as stream:
        for event in stream:
            if event.type == "tool.result":
                assert_type(event.result, tools.ToolResult)
            elif event.type == "text.delta":
                assert_type(event.text, str)
        assert_type(stream.text_stream, Iterator[str])
        assert_type(stream.get_final_run(), tools.ToolRun)


async def asynchronous_tools(client: AsyncServingClient) -> None:
    assert_type(await ebb("Brest"), str)
    hi: list[MessageDict] = [{"role": "user", "content": "Hi"}]
    run = await client.chat.completions.run_tools(model="m", messages=hi, tools=[ebb, tide])
    assert_type(run, tools.ToolRun)
    async with client.chat.completions.stream_tools(model="m", messages=hi, tools=[ebb]) as stream:
        assert_type(stream.text_stream, AsyncIterator[str])
        async for event in stream:
            if event.type == "tool.step":
                assert_type(event.step, tools.ToolStep)
        assert_type(await stream.get_final_run(), tools.ToolRun)


def options(client: ServingClient) -> None:
    shared: CallOptions = {"timeout": 3, "extra_headers": {"a": "b"}}
    params: ChatParams = {"messages": [{"role": "user", "content": "Hi"}], "temperature": 1}
    arguments: ChatArguments = {"messages": [UserMessage(content="Hi")], "timeout": None}
    client.chat.completions.create(model="m", **params, **shared)
    client.chat.completions.create(model="m", **arguments)
    client.embeddings.create(model="m", input="a", extra_body={"new": None}, extra_query={"a": "b"})
    prompt: CompletionArguments = {"prompt": "Rain", "max_tokens": 3}
    client.completions.create(model="m", **prompt)
    texts: EmbeddingArguments = {"input": ("a", "b"), "dimensions": 8, "encoding_format": "base64"}
    vectors = client.embeddings.create(model="m", **texts)
    assert_type(vectors, EmbeddingResponse)
    assert_type(vectors.vectors, list[list[float]])


def raw_responses(client: ServingClient) -> None:
    chat = client.chat.completions.with_raw_response.create(
        model="m", messages=[{"role": "user", "content": "Hi"}]
    )
    assert_type(chat, RawResponse[ChatCompletion])
    assert_type(chat.parse(), ChatCompletion)
    assert_type(chat.json(), dict[str, Any])
    assert_type(chat.content, bytes)
    assert_type(chat.headers, Mapping[str, str])
    text = client.completions.with_raw_response.create(model="m", prompt="Rain")
    assert_type(text.parse(), Completion)
    vectors = client.embeddings.with_raw_response.create(model="m", input="a")
    assert_type(vectors.parse(), EmbeddingResponse)


def predictions(client: ServingClient, table: pd.DataFrame, other: pl.DataFrame) -> None:
    reply = client.predict("m", dataframe_split=table, params={"k": 1}, timeout=3)
    assert_type(reply, Prediction)
    client.predict(endpoint="m", dataframe_records=other, client_request_id="c")
    client.predict("m", dataframe_split={"columns": ["a"], "data": [[1]]})
    client.predict("m", dataframe_records=[{"a": 1}], served_model="v2", idempotent=False)
    client.predict("m", instances=np.ones((2, 2)), databricks_options={"return_trace": True})
    client.predict("m", inputs={"messages": [{"role": "user", "content": "Hi"}]})
    assert_type(reply.predictions, Any)
    assert_type(reply.value, Any)
    assert_type(reply["choices"], Any)
    assert_type(reply.to_dict(), dict[str, Any])
    assert_type(reply.to_frame(), pd.DataFrame)
    assert_type(reply.to_polars(), pl.DataFrame)
    print(reply.to_series().mean())
    assert_type(reply.request_id, str | None)
    assert_type(reply.databricks_output, DatabricksOutput | None)
    with client.predict_stream("m", dataframe_records=table) as stream:
        assert_type(stream, PredictionStream)
        for event in stream:
            assert_type(event, Any)
        assert_type(stream.request_id, str | None)


def score(client: ServingClient, frame: FrameLike, **given: Unpack[PredictionArguments]) -> None:
    """A user's own function passes on what it was given."""
    client.predict("m", dataframe_split=frame, **given)


def failures(client: ServingClient) -> None:
    try:
        client.embeddings.create(model="m", input="a")
    except errors.RateLimitError as error:
        assert_type(error.retry_after, float | None)
    except errors.APIStatusError as error:
        assert_type(error.status_code, int)
        assert_type(error.error_code, str | None)
        assert_type(error.headers, dict[str, str])
    except errors.APITimeoutError as error:
        assert_type(error.phase, str)
    except errors.StreamError as error:
        if error.partial is not None:
            assert_type(error.partial.text, str)
    except ServingError as error:
        assert_type(error.endpoint, str | None)
        assert_type(error.maybe_executed, bool)


async def asynchronous(client: AsyncServingClient, flag: bool) -> None:
    messages: list[MessageDict] = [{"role": "user", "content": "Hi"}]
    async with client as entered:
        assert_type(entered, AsyncServingClient)
    create = client.chat.completions.create
    assert_type(await create(model="m", messages=messages), ChatCompletion)
    chunks = await create(model="m", messages=messages, stream=True)
    assert_type(chunks, AsyncChunkStream[ChatCompletion, ChatCompletionChunk, events.ChatEvent])
    print(await create(model="m", messages=messages, stream=flag))
    async with chunks:
        async for chunk in chunks:
            assert_type(chunk, ChatCompletionChunk)
    async with client.chat.completions.stream(model="m", messages=messages) as stream:
        assert_type(stream, AsyncEventStream[ChatCompletion, ChatCompletionChunk, events.ChatEvent])
        async for event in stream:
            assert_type(event, events.ChatEvent)
        assert_type(stream.text_stream, AsyncIterator[str])
        assert_type(await stream.get_final_completion(), ChatCompletion)
    assert_type(await client.completions.create(model="m", prompt="Rain"), Completion)
    async with client.completions.stream(model="m", prompt="Rain") as words:
        assert_type(await words.get_final_completion(), Completion)
    assert_type(await client.embeddings.create(model="m", input=["a"]), EmbeddingResponse)
    raw = await client.embeddings.with_raw_response.create(model="m", input="a")
    assert_type(raw, RawResponse[EmbeddingResponse])
    assert_type(await client.predict("m", inputs=[1]), Prediction)
    async with client.predict_stream("m", inputs=[1]) as values:
        assert_type(values, AsyncPredictionStream)
        async for value in values:
            assert_type(value, Any)
    assert_type(client.with_options(max_retries=0), AsyncServingClient)
    await client.close()
