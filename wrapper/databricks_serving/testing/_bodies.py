"""Answers of models and agents as they are on the wire, whole and as events."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from databricks_serving._core.operations import (
    AGENT,
    CHAT,
    COMPLETION,
    EMBEDDING,
    PREDICTION,
    RESPONSES,
    Operation,
)
from databricks_serving._core.subjects import count_answers, count_completions
from databricks_serving.testing._requests import RecordedRequest, TaskName
from databricks_serving.testing._said import CREATED, Call, Said

Json = dict[str, Any]
Whole = Callable[[Said, RecordedRequest], Json]
Events = Callable[[Said, RecordedRequest], Iterator[Json]]


def _nothing(_said: Said, _request: RecordedRequest) -> Any:
    """Say nothing: for answers that are made otherwise, and only checked."""
    return iter(())


@dataclass(frozen=True, slots=True)
class Form:
    """How answers to a task look.

    Attributes:
        task: The task of the requests.
        operation: What the client reads them by.
        sample: The least body of a request.
        whole: Makes the body of a whole answer.
        events: Makes the events of a stream.
        marked: Whether streams have an end mark.
    """

    task: TaskName
    operation: Operation[Any]
    sample: Mapping[str, Any]
    whole: Whole = _nothing
    events: Events = _nothing
    marked: bool = True

    def made_by(self, whole: Whole, events: Events) -> "Form":
        """Return one whose answers are made in another way."""
        return replace(self, whole=whole, events=events)

    def check(self, body: Json) -> None:
        """Check a whole answer as the client does; raises InvalidResponseError."""
        operation = self.operation
        operation.check(body, operation.count_parts(self.sample))
        operation.parse(body)

    def check_event(self, body: Any) -> None:
        """Check an event as the client does; raises InvalidResponseError."""
        operation: Any = self.operation
        operation.check_event(body)
        operation.parse_event(body)


def chat_body(said: Said, request: RecordedRequest) -> Json:
    """Return a whole answer of a chat."""
    message: Json = {"role": "assistant", "content": said.text or None}
    if said.reasoning is not None:
        message["content"] = [_thought(said.reasoning), {"type": "text", "text": said.text}]
    if said.refusal is not None:
        message["refusal"] = said.refusal
    if said.calls:
        message["tool_calls"] = [_call(call) for call in said.calls]
    elif message["content"] is None and said.refusal is None:
        message["content"] = ""
    choice = {"message": message, "finish_reason": said.finish_reason, "logprobs": None}
    choices = [{"index": index, **choice} for index in range(count_answers(request.body))]
    return {
        **_envelope("chat.completion", request),
        "choices": choices,
        "usage": said.usage_for(request),
    }


def chat_events(said: Said, request: RecordedRequest) -> Iterator[Json]:
    """Yield the chunks of a chat's answer."""
    envelope = _envelope("chat.completion.chunk", request)
    usage = said.usage_for(request)
    choices = range(count_answers(request.body))

    def chunk(index: int, delta: Json, reason: str | None = None) -> Json:
        choice = {"index": index, "delta": delta, "finish_reason": reason}
        counted = usage if reason is not None and index == choices[-1] else None
        return {**envelope, "choices": [choice], "usage": counted}

    for index in choices:
        yield chunk(index, {"role": "assistant", "content": ""})
        for delta in _deltas(said):
            yield chunk(index, delta)
        yield chunk(index, {"content": ""}, said.finish_reason)


def _deltas(said: Said) -> Iterator[Json]:
    if said.reasoning is not None:
        yield {"content": [_thought(said.reasoning)]}
    for piece in said.pieces:
        yield {"content": piece}
    if said.refusal is not None:
        yield {"refusal": said.refusal}
    for index, call in enumerate(said.calls):
        half = len(call.arguments) // 2
        begun = _call(Call(call.id, call.name, ""))
        yield {"tool_calls": [{"index": index, **begun}]}
        for part in (call.arguments[:half], call.arguments[half:]):
            yield {"tool_calls": [{"index": index, "function": {"arguments": part}}]}


def completion_body(said: Said, request: RecordedRequest) -> Json:
    """Return a whole completion: as many as there are prompts, all alike."""
    choice = {"text": said.text, "finish_reason": said.finish_reason, "logprobs": None}
    choices = [{"index": index, **choice} for index in range(count_completions(request.body))]
    return {
        **_envelope("text_completion", request),
        "choices": choices,
        "usage": said.usage_for(request),
    }


def completion_events(said: Said, request: RecordedRequest) -> Iterator[Json]:
    """Yield the chunks of a completion."""
    envelope = _envelope("text_completion", request)
    for index in range(count_completions(request.body)):
        for piece in said.pieces:
            choice = {"index": index, "text": piece, "finish_reason": None}
            yield {**envelope, "choices": [choice]}
        last = {"index": index, "text": "", "finish_reason": said.finish_reason}
        yield {**envelope, "choices": [last], "usage": said.usage_for(request)}


def response_body(said: Said, request: RecordedRequest) -> Json:
    """Return a whole answer on the Responses API."""
    usage = said.usage_for(request)
    return {
        "id": "resp_fake",
        "object": "response",
        "created_at": CREATED,
        "model": request.endpoint,
        "status": "completed",
        "output": response_items(said),
        "usage": {
            "input_tokens": usage["prompt_tokens"],
            "output_tokens": usage["completion_tokens"],
            "total_tokens": usage["total_tokens"],
        },
    }


def response_items(said: Said) -> list[Json]:
    """Return what an agent puts out: its thought, its calls, what it says."""
    items: list[Json] = []
    if said.reasoning is not None:
        items.append(_thought(said.reasoning) | {"id": "rs_1"})
    items += [
        {
            "type": "function_call",
            "id": f"fc_{position + 1}",
            "call_id": call.id,
            "name": call.name,
            "arguments": call.arguments,
        }
        for position, call in enumerate(said.calls)
    ]
    if said.pieces or not items:
        part = {"type": "output_text", "text": said.text, "annotations": list[Json]()}
        items.append({"type": "message", "id": "msg_1", "role": "assistant", "content": [part]})
    return items


def response_events(said: Said, _request: RecordedRequest) -> Iterator[Json]:
    """Yield the events of an agent's stream."""
    for item in response_items(said):
        if item["type"] == "message":
            for piece in said.pieces:
                delta = {"item_id": item["id"], "delta": piece}
                yield {"type": "response.output_text.delta", **delta}
        yield {"type": "response.output_item.done", "item": item}


def agent_body(said: Said, request: RecordedRequest) -> Json:
    """Return a whole answer of an agent of the older kind."""
    message: Json = {"role": "assistant", "content": said.text, "id": "m1"}
    return {
        "id": "agent-fake",
        "messages": [message],
        "finish_reason": said.finish_reason,
        "usage": said.usage_for(request),
    }


def agent_events(said: Said, _request: RecordedRequest) -> Iterator[Json]:
    """Yield the events of such an agent's stream."""
    for piece in said.pieces:
        yield {"id": "agent-fake", "delta": {"role": "assistant", "content": piece, "id": "m1"}}


def _envelope(kind: str, request: RecordedRequest) -> Json:
    return {"id": "fake-1", "object": kind, "created": CREATED, "model": request.endpoint}


def _thought(text: str) -> Json:
    return {"type": "reasoning", "summary": [{"type": "summary_text", "text": text}]}


def _call(call: Call) -> Json:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


_HI: Final = [{"role": "user", "content": "Hi"}]
CHAT_FORM: Final = Form("chat", CHAT, {"messages": _HI}, chat_body, chat_events)
COMPLETION_FORM: Final = Form(
    "completions", COMPLETION, {"prompt": "Hi"}, completion_body, completion_events
)
RESPONSE_FORM: Final = Form("responses", RESPONSES, {"input": _HI}, response_body, response_events)
AGENT_FORM: Final = Form("chat", AGENT, {"messages": _HI}, agent_body, agent_events, marked=False)
PREDICTION_FORM: Final = Form("predictions", PREDICTION, {"inputs": []}, marked=False)
EMBEDDING_FORM: Final = Form("embeddings", EMBEDDING, {"input": "Hi"})
