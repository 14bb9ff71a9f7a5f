"""Agents, as a user's type checker sees them; never run."""

# pyright: strict

from typing import assert_never, assert_type

from databricks_serving import (
    AsyncEventStream,
    AsyncServingClient,
    ChunkStream,
    EventStream,
    RawResponse,
    ServingClient,
)
from databricks_serving.events import AgentEvent, ResponsesStreamEvent
from databricks_serving.models import (
    AgentChunk,
    AgentMessage,
    AgentReply,
    McpApprovalRequest,
    McpApprovalResponse,
    OtherItem,
    ResponsesEvent,
    ResponsesFunctionCall,
    ResponsesFunctionCallOutput,
    ResponsesInputMessage,
    ResponsesMessage,
    ResponsesReasoning,
    ResponsesReply,
    ResponsesUsage,
)


def respond(client: ServingClient) -> None:
    reply = client.responses.create(model="m", input="Hi", custom_inputs={"a": 1}, timeout=3)
    assert_type(reply, ResponsesReply)
    assert_type(reply.text, str)
    assert_type(reply.trace_id, str | None)
    assert_type(reply.usage, ResponsesUsage | None)
    assert_type(reply.function_calls, list[ResponsesFunctionCall])
    assert_type(
        client.responses.create(model="m", input="Hi", stream=True),
        ChunkStream[ResponsesReply, ResponsesEvent, ResponsesStreamEvent],
    )
    assert_type(
        client.responses.stream(model="m", input="Hi"),
        EventStream[ResponsesReply, ResponsesEvent, ResponsesStreamEvent],
    )
    assert_type(
        client.responses.with_raw_response.create(model="m", input="Hi"),
        RawResponse[ResponsesReply],
    )
    client.responses.create(
        model="m",
        input=[
            {"role": "user", "content": "Hi"},
            {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
            {"type": "function_call_output", "call_id": "c", "output": "1"},
            ResponsesInputMessage(role="user", content="Hi"),
        ],
    )
    client.responses.create(model="m", input=[*reply.to_input()])


def items(reply: ResponsesReply) -> str:
    for item in reply.output:
        match item:
            case ResponsesMessage():
                return item.text
            case ResponsesFunctionCall():
                return item.arguments
            case ResponsesFunctionCallOutput() | ResponsesReasoning() | OtherItem():
                return item.type_
            case McpApprovalRequest() | McpApprovalResponse():
                return item.type_
            case _:
                assert_never(item)
    return ""


async def ask_older(client: AsyncServingClient) -> None:
    reply = await client.agents.create(
        model="m",
        messages=[{"role": "user", "content": "Hi"}],
        context={"conversation_id": "c", "user_id": "u"},
    )
    assert_type(reply, AgentReply)
    assert_type(reply.messages, list[AgentMessage])
    stream = client.agents.stream(model="m", messages=[{"role": "user", "content": "Hi"}])
    assert_type(stream, AsyncEventStream[AgentReply, AgentChunk, AgentEvent])
    async with stream:
        async for event in stream:
            if event.type == "text.delta":
                assert_type(event.text, str)
