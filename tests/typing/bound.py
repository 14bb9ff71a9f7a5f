"""Handles for one endpoint, as a user's type checker sees them; never run."""

# pyright: strict

from typing import Any, TypedDict, assert_type

import pandas as pd

from databricks_serving import (
    AsyncEventStream,
    AsyncServingClient,
    EventStream,
    ParsedCompletion,
    ParsedStream,
    PartialVectors,
    Prediction,
    PredictionStream,
    ServingClient,
    ToolRun,
    ToolStream,
    Vectors,
)
from databricks_serving.bound import (
    AgentEndpoint,
    AnyReply,
    AsyncChatEndpoint,
    AsyncTextEndpoint,
    ChatEndpoint,
    CompletionEndpoint,
    EmbeddingEndpoint,
    InferredEndpoint,
    PredictionEndpoint,
    ResponsesEndpoint,
    TextEndpoint,
)
from databricks_serving.events import ChatEvent
from databricks_serving.models import (
    AgentReply,
    ChatCompletion,
    ChatCompletionChunk,
    Completion,
    EmbeddingResponse,
    ResponsesReply,
)
from databricks_serving.params import BoundChatArguments, MessageDict

HI: list[MessageDict] = [{"role": "user", "content": "Hi"}]


def concise(**request: Any) -> dict[str, Any]:
    return {**request, "max_tokens": 20}


def text_of(reply: ChatCompletion) -> str:
    return reply.text


def first(reply: EmbeddingResponse) -> list[float]:
    return reply.vectors[0]


def chat(client: ServingClient) -> None:
    endpoint = client.endpoint("m")
    assert_type(endpoint, ChatEndpoint[ChatCompletion])
    assert_type(endpoint.invoke("Hi"), ChatCompletion)
    assert_type(endpoint.invoke(HI, temperature=0.1, timeout=3), ChatCompletion)
    assert_type(
        endpoint.stream("Hi", max_tokens=3),
        EventStream[ChatCompletion, ChatCompletionChunk, ChatEvent],
    )
    assert_type(endpoint.name, str)
    assert_type(endpoint.task, str)
    shared: BoundChatArguments = {"temperature": 0.1, "deadline": 30}
    texts = client.endpoint(
        "m",
        task="chat",
        defaults=shared,
        served_model="a",
        route="openai",
        transform_input=concise,
        transform_output=text_of,
    )
    assert_type(texts, ChatEndpoint[str])
    assert_type(texts.invoke("Hi"), str)
    assert_type(texts.invoke(messages=HI, stop=["."]), str)
    lengths = client.endpoint("m", transform_output=lambda reply: len(reply.choices))
    assert_type(lengths.invoke("Hi"), int)


def other_tasks(client: ServingClient) -> None:
    completions = client.endpoint("m", task="completions", defaults={"max_tokens": 9})
    assert_type(completions, CompletionEndpoint[Completion])
    assert_type(completions.invoke(["a", "b"], stop="."), Completion)
    embeddings = client.endpoint("m", task="embeddings", transform_output=first)
    assert_type(embeddings, EmbeddingEndpoint[list[float]])
    assert_type(embeddings.invoke("a lake", instruction="Find it."), list[float])
    assert_type(embeddings.embed_query("a lake", dimensions=8), list[float])
    assert_type(embeddings.embed_documents(["a"], batch_size=9), Vectors)
    assert_type(embeddings.embed_documents(["a"], fail_on_error=False), PartialVectors)
    responses = client.endpoint("m", task="responses")
    assert_type(responses, ResponsesEndpoint[ResponsesReply])
    assert_type(responses.invoke("Hi", custom_inputs={"a": 1}), ResponsesReply)
    agents = client.endpoint("m", task="agents")
    assert_type(agents, AgentEndpoint[AgentReply])
    assert_type(agents.invoke("Hi", idempotent=False), AgentReply)


def custom(client: ServingClient, frame: pd.DataFrame) -> None:
    endpoint = client.endpoint("m", task="custom", defaults={"params": {"scale": 2}})
    assert_type(endpoint, PredictionEndpoint[Prediction])
    assert_type(endpoint.invoke(frame), Prediction)
    assert_type(endpoint.invoke([[1, 2]], form="instances"), Prediction)
    assert_type(endpoint.stream([{"a": 1}]), PredictionStream)
    series = client.endpoint("m", task="custom", transform_output=lambda it: it.to_frame())
    assert_type(series.invoke(frame), pd.DataFrame)


def legacy(client: ServingClient) -> None:
    text = client.endpoint("m", task="text")
    assert_type(text, TextEndpoint[str])
    assert_type(text.invoke("Hi", stop=["."], temperature=0), str)
    bare = client.endpoint("m", task="text", wrap=None, transform_output=lambda reply: [reply])
    assert_type(bare.invoke("Hi"), list[Any])
    app = client.endpoint(cluster_id="0101-000000-abcdefgh", port=7777, path="/generate")
    assert_type(app, TextEndpoint[str])
    loud = client.endpoint(cluster_id="c", port=7777, org_id="1", transform_output=str.upper)
    assert_type(loud, TextEndpoint[str])


def infer(client: ServingClient) -> None:
    endpoint = client.endpoint("m", task="infer")
    assert_type(endpoint, InferredEndpoint[AnyReply])
    match endpoint.invoke("Hi", temperature=0):
        case ChatCompletion() as reply:
            assert_type(reply.text, str)
        case Prediction() as prediction:
            assert_type(prediction.value, Any)
        case _:
            pass


async def asynchronous(client: AsyncServingClient) -> None:
    endpoint = client.endpoint("m")
    assert_type(endpoint, AsyncChatEndpoint[ChatCompletion])
    assert_type(await endpoint.invoke("Hi"), ChatCompletion)
    assert_type(
        endpoint.stream("Hi"), AsyncEventStream[ChatCompletion, ChatCompletionChunk, ChatEvent]
    )
    text = client.endpoint("m", task="text", transform_output=len)
    assert_type(text, AsyncTextEndpoint[int])
    assert_type(await client.endpoint("m", task="infer").invoke("Hi"), AnyReply)


class River(TypedDict):
    name: str


def length() -> str:
    return "652 km"


def beyond_calls(client: ServingClient) -> None:
    rivers = client.endpoint("m")
    answer = rivers.parse(response_format=River, messages=HI)
    assert_type(answer, ParsedCompletion[River])
    assert_type(
        rivers.parse(response_format={"type": "object"}, messages=HI),
        ParsedCompletion[dict[str, Any]],
    )
    assert_type(rivers.parse_stream(response_format=River, messages=HI), ParsedStream[River])
    assert_type(rivers.run_tools(messages=HI, tools=[length]), ToolRun)
    assert_type(rivers.stream_tools(messages=HI, tools=[length]), ToolStream)
