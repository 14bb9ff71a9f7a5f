"""Every recording, over a real connection, through both clients."""

import pytest
import recordings
from contract import ERROR, EVENT, REPLY, REQUEST, violations
from expected import (
    events,
    exact,
    in_order,
    only_filled,
    outcome,
    streamed_calls,
    streamed_text,
    text_of,
)
from recordings import ANY, NO_SHARED, SHARED, TASKS, Recording

from databricks_serving import Prediction, errors
from databricks_serving._core.statuses import error_class
from databricks_serving.models import (
    AgentChunk,
    AgentReply,
    ChatCompletion,
    ChatCompletionChunk,
    Completion,
    CompletionChunk,
    EmbeddingResponse,
    ErrorBody,
    PredictionResponse,
    ResponsesEvent,
    ResponsesReply,
)

OWN = recordings.own()
ALL = [*OWN, *recordings.shared()]
REPLIES = {
    "chat": ChatCompletion,
    "completions": Completion,
    "embeddings": EmbeddingResponse,
    "predictions": PredictionResponse,
    "responses": ResponsesReply,
    "agents": AgentReply,
}
# What the client returns instead of the model.
WRAPPED = {"predictions": Prediction}
CHUNKS = {
    "chat": ChatCompletionChunk,
    "completions": CompletionChunk,
    "responses": ResponsesEvent,
    "agents": AgentChunk,
}


def only(condition):
    return pytest.mark.parametrize(
        "recording", [r for r in ALL if condition(r)], ids=lambda r: r.name
    )


def is_event_stream(recording: Recording) -> bool:
    return recording.stream and recording.dispatched is None


def is_typed_stream(recording: Recording) -> bool:
    return is_event_stream(recording) and recording.task in CHUNKS


def is_reply(recording: Recording) -> bool:
    return recording.is_json and recording.status == 200 and recording.task in TASKS


def is_error(recording: Recording) -> bool:
    return recording.status >= 400


def is_foreign(recording: Recording) -> bool:
    """Agents, which no typed operation reads yet."""
    return recording.status == 200 and recording.task not in TASKS and not recording.dispatched


def reports_error(recording: Recording) -> bool:
    return "error_code" in recording.body or "error" in recording.body


def is_whole(recording: Recording) -> bool:
    refused = "error" in recording.expect
    return is_reply(recording) and not reports_error(recording) and not refused


def test_there_are_enough_recordings_and_their_number_is_shown(capsys):
    extra = len(ALL) - len(OWN)
    with capsys.disabled():
        print(f"\ncontract: {len(OWN)} own recordings, {extra or NO_SHARED} beside the checkout")
    assert len(OWN) >= 60
    assert len({r.name for r in ALL}) == len(ALL)


@pytest.mark.skipif(not SHARED.is_dir(), reason=NO_SHARED)
def test_every_recording_beside_the_checkout_falls_in_a_tested_class():
    classes = (is_event_stream, is_reply, is_error, is_foreign, lambda r: r.dispatched is not None)
    assert [r.name for r in recordings.shared() if not any(c(r) for c in classes)] == []


@only(lambda r: r.request and r.status == 200)
def test_a_recorded_request_fits_the_contract(recording):
    assert violations(REQUEST, recording.request) == []


@only(is_reply)
def test_a_recorded_reply_fits_the_contract(recording):
    pointer = ERROR if reports_error(recording) else REPLY
    assert violations(pointer, recording.body) == []


@only(is_event_stream)
def test_every_recorded_event_fits_the_contract(recording):
    for event in events(recording):
        assert violations(EVENT, event) == []


@only(lambda r: is_error(r) and r.is_json)
def test_a_recorded_error_fits_the_contract_and_loses_nothing(recording):
    assert violations(ERROR, recording.body) == []
    assert exact(ErrorBody.from_dict(recording.body).to_dict()) == exact(recording.body)


@only(is_reply)
def test_a_model_loses_nothing_of_a_reply(recording):
    model = REPLIES[recording.task].from_dict(recording.body)
    assert exact(model.to_dict()) == exact(recording.body)


@only(is_typed_stream)
def test_a_model_loses_nothing_of_an_event(recording):
    for event in events(recording):
        assert exact(CHUNKS[recording.task].from_dict(event).to_dict()) == exact(event)


@only(lambda r: is_whole(r) and not r.request.get("stream"))
def test_a_client_reads_a_reply(server, connect, recording):
    reply = connect(server).create(recording.task, server.add(recording), recording.sendable)
    assert type(reply) is {**REPLIES, **WRAPPED}[recording.task]
    assert only_filled(in_order(recording.body), reply.to_dict())
    assert reply.request_id == recording.headers.get("x-request-id")
    if recording.task == "embeddings":
        assert [len(v) > 0 or v == [] for v in reply.vectors] == [True] * len(
            recording.body["data"]
        )
    elif recording.body.get("choices"):
        first = recording.body["choices"][0]
        assert reply.text == first.get("text", text_of(first.get("message") or {}))


@only(lambda r: r.status == 200 and r.request and r.task in TASKS)
def test_a_client_sends_the_recorded_request(server, connect, recording):
    endpoint = server.add(recording)
    connect(server).attempt(recording.task, endpoint, recording.request)
    wire = {k: v for k, v in recording.request.items() if k not in {"model", "stream"}}
    sent = {k: v for k, v in server.received[endpoint].items() if k != "stream"}
    assert exact(sent) == exact(wire)


@only(is_typed_stream)
def test_a_client_reads_a_stream(server, connect, recording):
    seen = connect(server).stream(recording.task, server.add(recording), recording.sendable)
    expected = outcome(recording)
    assert seen.text == streamed_text(recording)
    kinds = {
        "finished": type(None),
        "interrupted": errors.StreamInterruptedError,
        "failed": errors.StreamServerError,
    }
    assert type(seen.error) is kinds[expected]
    snapshot = seen.final if seen.error is None else seen.error.partial
    assert snapshot is None or snapshot.text == seen.text
    if recording.task == "chat" and snapshot is not None:
        calls = [[c.id, c.function.name, c.function.arguments] for c in snapshot.tool_calls]
        assert calls == streamed_calls(recording)
    wire = events(recording)[: len(seen.chunks)]
    assert all(only_filled(e, c.to_dict()) for e, c in zip(wire, seen.chunks, strict=True))


@only(lambda r: is_event_stream(r) and r.task == "predictions")
def test_a_client_reads_the_json_of_a_stream_that_has_no_end_mark(server, connect, recording):
    seen = connect(server).stream(recording.task, server.add(recording), recording.sendable)
    wire = events(recording)
    failed = outcome(recording) == "failed"
    assert type(seen.error) is (errors.StreamServerError if failed else type(None))
    assert exact(seen.chunks) == exact(wire[:-1] if failed else wire)


@only(lambda r: is_foreign(r) and r.is_json)
def test_a_reply_of_another_task_is_an_error_that_names_what_is_missing(server, connect, recording):
    error = connect(server).failure("chat", server.add(recording), ANY["chat"])
    assert type(error) is errors.InvalidResponseError
    assert "choices" in str(error)


@only(lambda r: is_foreign(r) and r.stream)
def test_a_stream_of_another_task_ends_as_its_events_say(server, connect, recording):
    seen = connect(server).stream("chat", server.add(recording), ANY["chat"])
    expected = outcome(recording)
    assert (type(seen.error) is errors.StreamServerError) == (expected == "failed")
    assert (seen.error is None) == (expected == "finished")
    wire = events(recording)[: len(seen.chunks)]
    assert all(only_filled(e, c.to_dict()) for e, c in zip(wire, seen.chunks, strict=True))


@only(is_error)
def test_an_error_is_typed_by_its_status(server, connect, recording):
    error = connect(server).failure("chat", server.add(recording), ANY["chat"])
    assert isinstance(error, errors.APIStatusError)
    assert error.status_code == recording.status
    assert type(error) is error_class(recording.status)
    assert error.message
    assert "<" not in error.message or not recording.content.lstrip().startswith(b"<")
    assert error.request_id == recording.headers.get("x-request-id")


@pytest.mark.parametrize("recording", OWN, ids=lambda r: r.name)
def test_an_own_recording_comes_to_what_it_says(server, connect, recording):
    client = connect(server)
    endpoint = server.add(recording)
    expect = dict(recording.expect)
    name = expect.pop("error", None)
    if recording.stream or recording.request.get("stream"):
        seen = client.stream(recording.task, endpoint, recording.request)
        subject, error, partial = seen.final, seen.error, expect.pop("partial", None)
        if expect.pop("terminated_cleanly", True) is False:
            assert seen.terminated_cleanly is False
        if partial is not None:
            assert error.partial.text == partial
    else:
        # The client refuses by itself what a server was once asked to refuse.
        subject, error = client.attempt(
            recording.task, endpoint, recording.request, unchecked=is_error(recording)
        )
    assert (type(error).__name__ if error else None) == name
    check_error(error, expect) if name else check_reply(subject, expect)


def check_error(error, expect):
    if "message_has" in expect:
        assert expect.pop("message_has") in str(error)
    retried = expect.pop("retried", None)
    assert retried is None or error.retryable is retried
    assert {key: getattr(error, key) for key in expect} == expect


def check_reply(reply, expect):
    if "predictions_text" in expect:
        # NaN is unlike itself.
        assert str(reply.predictions) == expect.pop("predictions_text")
    calls = expect.pop("tool_calls", None)
    if calls is not None:
        seen = [[c.id, c.function.name, c.function.arguments] for c in reply.tool_calls]
        assert seen == calls
    if "texts" in expect:
        texts = [getattr(c, "text", None) or c.message.text for c in reply.choices]
        assert texts == expect.pop("texts")
    if "finish_reasons" in expect:
        assert [c.finish_reason for c in reply.choices] == expect.pop("finish_reasons")
    if "logprobs" in expect:
        assert len(reply.choices[0].logprobs.content) == expect.pop("logprobs")
    if "choices" in expect:
        assert len(reply.choices) == expect.pop("choices")
    if "request_message" in expect:
        assert reply.to_request_message() == expect.pop("request_message")
    for key, value in expect.pop("usage", {}).items():
        assert getattr(reply.usage, key) == value
    assert {key: getattr(reply, key) for key in expect} == expect
