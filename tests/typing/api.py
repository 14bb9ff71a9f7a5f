"""The public API as a user writes it. Never run: mypy and pyright check it, strictly."""

from typing import assert_type

from databricks_serving import (
    AsyncChunkStream,
    AsyncEventStream,
    AsyncServingClient,
    ChunkStream,
    EventStream,
    RawResponse,
    ServingClient,
    Timeouts,
    errors,
)
from databricks_serving.events import (
    ChatEvent,
    ChunkEvent,
    CompletionEvent,
    FinishEvent,
    ReasoningDeltaEvent,
    RefusalDeltaEvent,
    TextDeltaEvent,
    ToolCallDeltaEvent,
    ToolCallDoneEvent,
)
from databricks_serving.models import (
    AssistantMessage,
    ChatCompletion,
    ChatCompletionChunk,
    Completion,
    CompletionChunk,
    EmbeddingResponse,
    FinishReason,
    SystemMessage,
    TextPart,
    ToolCall,
    Usage,
    UserMessage,
)
from databricks_serving.params import AssistantMessageDict, MessageDict, ToolDict

client = ServingClient("https://example.com", "token", timeout=30, max_retries=1)
ask: MessageDict = {"role": "user", "content": "Hello?"}


def chat() -> None:
    reply = client.chat.completions.create(
        model="e",
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Hello?"}]},
            {"role": "assistant", "content": None, "tool_calls": []},
            {"role": "tool", "content": "7", "tool_call_id": "c1"},
        ],
        max_tokens=7,
        temperature=0.5,
        stop=["a", "b"],
        reasoning_effort="high",
        response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": {}}},
        tool_choice={"type": "function", "function": {"name": "f"}},
        extra_body={"anything": [1, None]},
        extra_headers={"x-team": "blue"},
        timeout=Timeouts(read=5),
    )
    assert_type(reply, ChatCompletion)
    assert_type(reply.text, str)
    assert_type(reply.reasoning, str)
    assert_type(reply.tool_calls, list[ToolCall])
    assert_type(reply.finish_reason, FinishReason | str | None)
    assert_type(reply.request_id, str | None)
    assert_type(reply.usage, Usage | None)
    assert_type(reply.choices[0].message.text, str)
    assert_type(reply.to_request_message(), AssistantMessageDict)


def messages_as_models_and_dicts_mixed() -> None:
    history: list[MessageDict] = [ask]
    reply = client.chat.completions.create(model="e", messages=history)
    history.append(reply.to_request_message())
    client.chat.completions.create(
        model="e",
        messages=[
            SystemMessage(content="Be brief."),
            UserMessage(content=[TextPart(text="Hello?")]),
            AssistantMessage(content="Yes?"),
            ask,
        ],
    )


def tools() -> None:
    tool: ToolDict = {"type": "function", "function": {"name": "f", "parameters": {}}}
    reply = client.chat.completions.create(model="e", messages=[ask], tools=[tool])
    for call in reply.tool_calls:
        assert_type(call.function.arguments, str)
        assert_type(call.id, str)


def stream_overloads(choice: bool) -> None:
    chunks = client.chat.completions.create(model="e", messages=[ask], stream=True)
    assert_type(chunks, ChunkStream[ChatCompletion, ChatCompletionChunk, ChatEvent])
    for chunk in chunks:
        assert_type(chunk, ChatCompletionChunk)
        assert_type(chunk.text, str)
    whole = client.chat.completions.create(model="e", messages=[ask], stream=False)
    assert_type(whole, ChatCompletion)
    either = client.chat.completions.create(model="e", messages=[ask], stream=choice)
    assert_type(
        either, ChatCompletion | ChunkStream[ChatCompletion, ChatCompletionChunk, ChatEvent]
    )
    texts = client.completions.create(model="e", prompt="a", stream=True)
    assert_type(texts, ChunkStream[Completion, CompletionChunk, CompletionEvent])


def events() -> None:
    with client.chat.completions.stream(model="e", messages=[ask]) as stream:
        assert_type(stream, EventStream[ChatCompletion, ChatCompletionChunk, ChatEvent])
        for event in stream:
            match event:
                case ChunkEvent():
                    assert_type(event.chunk, ChatCompletionChunk)
                case TextDeltaEvent() | ReasoningDeltaEvent() | RefusalDeltaEvent():
                    print(event.text)
                case ToolCallDeltaEvent():
                    print(event.arguments, event.position)
                case ToolCallDoneEvent():
                    assert_type(event.tool_call, ToolCall)
                case FinishEvent():
                    assert_type(event.finish_reason, FinishReason | str)
        assert_type(stream.get_final_completion(), ChatCompletion)
        assert_type(stream.snapshot, ChatCompletion)
        for text in stream.text_stream:
            assert_type(text, str)


def completions_and_embeddings() -> None:
    completion = client.completions.create(model="e", prompt=["a", "b"], max_tokens=3)
    assert_type(completion, Completion)
    embedding = client.embeddings.create(model="e", input=["a"], encoding_format="base64")
    assert_type(embedding, EmbeddingResponse)
    assert_type(embedding.vectors, list[list[float]])


def raw() -> None:
    response = client.chat.completions.with_raw_response.create(model="e", messages=[ask])
    assert_type(response, RawResponse[ChatCompletion])
    assert_type(response.parse(), ChatCompletion)
    assert_type(client.with_options(timeout=1.5, max_retries=0), ServingClient)


def what_went_wrong() -> None:
    try:
        client.chat.completions.create(model="e", messages=[ask])
    except errors.RateLimitError as error:
        assert_type(error.retry_after, float | None)
    except errors.StreamError as error:
        if error.partial is not None:
            assert_type(error.partial.text, str)
    except errors.ServingError as error:
        assert_type(error.maybe_executed, bool)


async def asynchronous() -> None:
    async with AsyncServingClient() as other:
        reply = await other.chat.completions.create(model="e", messages=[ask])
        assert_type(reply, ChatCompletion)
        chunks = await other.chat.completions.create(model="e", messages=[ask], stream=True)
        assert_type(chunks, AsyncChunkStream[ChatCompletion, ChatCompletionChunk, ChatEvent])
        async for chunk in chunks:
            assert_type(chunk, ChatCompletionChunk)
        async with other.completions.stream(model="e", prompt="a") as stream:
            assert_type(stream, AsyncEventStream[Completion, CompletionChunk, CompletionEvent])
            async for text in stream.text_stream:
                assert_type(text, str)
            assert_type(await stream.get_final_completion(), Completion)
        assert_type(await other.embeddings.create(model="e", input="a"), EmbeddingResponse)
