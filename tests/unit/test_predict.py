"""Calls of custom models, through both clients."""

import json
import math

import httpx
import numpy as np
import pandas as pd
import polars as pl
import pytest
import wire

from databricks_serving import Prediction
from databricks_serving.errors import (
    APIConnectionError,
    BadRequestError,
    InternalServerError,
    InvalidRequestError,
    InvalidResponseError,
    RateLimitError,
    StreamInterruptedError,
    StreamServerError,
    StreamUseError,
)

FRAME = pd.DataFrame({"depth": [1.5, np.nan], "kind": ["sea", "lake"]}, index=["x", "y"])
MESSAGES = {"messages": wire.USER}


def reply(shell, answer, endpoint="m", **arguments):
    """Call a model that answers with one body; return the prediction."""
    client = shell.client(answer if callable(answer) else wire.json_reply(answer))
    arguments = arguments or {"inputs": [1]}
    return shell.wait(client.predict(endpoint, **arguments))


def sent(shell, answer=None, **arguments):
    """Return the body that a call sends."""
    reply(shell, {"predictions": []} if answer is None else answer, **arguments)
    return shell.transport.bodies[0]


def refusal(shell, *places, **arguments):
    client = shell.client(wire.json_reply({"predictions": []}))
    with pytest.raises(InvalidRequestError) as caught:
        shell.wait(client.predict(*places, **arguments))
    assert shell.transport.requests == []
    return str(caught.value)


def stream_of(shell, response, **arguments):
    return shell.client(response).predict_stream("m", **(arguments or {"inputs": [1]}))


@pytest.mark.parametrize(
    ("rows", "body"),
    [
        (
            {"dataframe_split": FRAME},
            {
                "dataframe_split": {
                    "index": ["x", "y"],
                    "columns": ["depth", "kind"],
                    "data": [[1.5, "sea"], [None, "lake"]],
                }
            },
        ),
        (
            {"dataframe_records": FRAME},
            {
                "dataframe_records": [
                    {"depth": 1.5, "kind": "sea"},
                    {"depth": None, "kind": "lake"},
                ]
            },
        ),
        ({"instances": np.ones((1, 2))}, {"instances": [[1.0, 1.0]]}),
        ({"inputs": {"a": [1]}}, {"inputs": {"a": [1]}}),
        ({"inputs": [1], "params": {"k": 1}}, {"inputs": [1], "params": {"k": 1}}),
        (
            {"inputs": [1], "client_request_id": "c", "databricks_options": {"return_trace": True}},
            {"inputs": [1], "client_request_id": "c", "databricks_options": {"return_trace": True}},
        ),
        ({"inputs": [1], "instances": None, "params": None}, {"inputs": [1]}),
        ({"inputs": [1], "extra_body": {"mood": "good"}}, {"inputs": [1], "mood": "good"}),
    ],
    ids=["split", "records", "instances", "named", "params", "options", "none", "extra"],
)
def test_rows_are_sent_in_the_form_that_was_asked_for(shell, rows, body):
    assert sent(shell, **rows) == body
    request = shell.transport.requests[0]
    assert request.url.path == "/serving-endpoints/m/invocations"
    assert request.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "whole",
    [
        {**MESSAGES, "max_tokens": 20},
        {"prompt": "Rain", "n": 2},
        {"dataframe_split": {"columns": ["a"], "data": [[1]]}, "params": {}},
        {"dataframe_records": [{"a": 1}]},
        {"instances": [1]},
        {"inputs": {"input": "named"}},
        {"input": "text"},
        {"input": ["text", "other"]},
        {"input": [{"role": "user", "content": "Hi"}]},
        {"input": [{"type": "function_call_output"}], "custom_inputs": {}},
    ],
    ids=str,
)
def test_a_whole_request_is_sent_as_it_is(shell, whole):
    assert sent(shell, inputs=whole) == whole


@pytest.mark.parametrize(
    "tensors",
    [
        {"a": [1]},
        {"input": [[0.5, 1.5]]},
        {"input": [1, 2]},
        {"input": []},
        {"input": {"a": 1}},
        {"message": "Hi"},
        {},
        [{"messages": []}],
        "text",
    ],
    ids=str,
)
def test_anything_else_is_the_value_of_inputs(shell, tensors):
    assert sent(shell, inputs=tensors) == {"inputs": tensors}


def test_a_frame_in_a_whole_request_is_written_like_any_other(shell):
    body = sent(shell, inputs={"dataframe_records": FRAME[["kind"]], "stream": False})
    assert body == {"dataframe_records": [{"kind": "sea"}, {"kind": "lake"}]}
    seen = reply(shell, {"predictions": [1, 2]}, inputs={"dataframe_split": FRAME})
    assert list(seen.to_series().index) == ["x", "y"]


def test_a_request_is_not_changed(shell):
    whole = {"dataframe_records": [{"a": np.int8(1)}], "stream": False}
    reply(shell, {"predictions": [1]}, inputs=whole, extra_body={"b": 1})
    assert whole == {"dataframe_records": [{"a": np.int8(1)}], "stream": False}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "give one of dataframe_split=, dataframe_records=, instances=, inputs="),
        ({"inputs": None}, "there is nothing to predict from"),
        ({"inputs": 1, "instances": [1]}, "not instances and inputs"),
        ({"inputs": {"inputs": 1, "instances": [1]}}, "not instances and inputs"),
        ({"inputs": {**MESSAGES, 1: 2}}, "inputs has a key of type int"),
        ({"inputs": {"inputs": 1, "params": {}}, "params": {"a": 1}}, "params is given twice"),
        ({"inputs": MESSAGES, "extra_body": [1]}, "extra_body must be a dict, not list"),
        ({"inputs": 1, "extra_body": {"instances": []}}, "instances= instead of extra_body"),
        ({"inputs": 1, "stream": True}, "predict_stream() stream without it"),
        ({"inputs": 1, "param": {}}, "unknown parameter 'param'; did you mean 'params'?"),
        ({"inputs": 1, "params": [1]}, "params must be a dict, not list"),
        ({"dataframe_split": 7}, "dataframe_split: must be a frame"),
        ({"inputs": 1, "model": "m"}, "the name of the endpoint comes first, as endpoint"),
        ({"inputs": 1, "timeout": -1}, "timeout"),
    ],
    ids=str,
)
def test_what_cannot_be_sent_is_refused_by_name(shell, arguments, said):
    assert said in refusal(shell, "m", **arguments)
    with (
        pytest.raises(InvalidRequestError) as caught,
        shell.opened(stream_of(shell, None, **{"inputs": None, **arguments})),
    ):
        pass
    assert said in str(caught.value)
    assert shell.transport.requests == []


def test_a_whole_request_that_streams_is_for_the_other_method(shell):
    said = refusal(shell, "m", inputs={**MESSAGES, "stream": True})
    assert said == "inputs must not set stream: use predict_stream"


def test_the_endpoint_is_asked_for_by_its_name_here(shell):
    assert "comes first, as endpoint" in refusal(shell, model="m", inputs=[1])
    assert refusal(shell, inputs=[1]).startswith("endpoint must be the name of a serving endpoint")
    assert refusal(shell, "a/b", inputs=[1]).startswith("endpoint must be the name")
    client = shell.client()
    with pytest.raises(InvalidRequestError, match="the endpoint is named by model="):
        shell.wait(client.chat.completions.create(model="m", endpoint="m", messages=wire.USER))


def test_a_served_model_has_its_route(shell):
    reply(shell, {"predictions": [1]}, inputs=[1], served_model="v2")
    assert shell.transport.requests[0].url.path == (
        "/serving-endpoints/m/served-models/v2/invocations"
    )


def test_a_prediction_knows_its_response(shell):
    headers = {"x_request_id": "r-1", "served_model_name": "v2"}
    answer = {"predictions": [1], "databricks_output": {"trace": {"a": 1}}, "mood": None}
    seen = reply(shell, lambda _: wire.json_reply(answer, **headers))
    assert type(seen) is Prediction
    assert (seen.request_id, seen.served_model_name) == ("r-1", "v2")
    assert seen.meta.status_code == 200
    assert seen.predictions == seen.value == seen["predictions"] == [1]
    assert seen.outputs is None
    assert seen.databricks_output.trace == {"a": 1}
    assert seen.to_dict() == dict(seen) == answer
    assert sorted(seen) == sorted(seen.keys()) == sorted(answer)
    assert "mood" in seen
    assert "outputs" not in seen
    assert seen.get("outputs", 7) == 7
    with pytest.raises(KeyError):
        seen["outputs"]
    assert repr(seen) == (
        "Prediction(keys=[mood, predictions, databricks_output], request_id='r-1')"
    )


def test_outputs_stand_for_predictions(shell):
    seen = reply(shell, {"outputs": [{"a": 1}]})
    assert seen.value == seen.outputs == [{"a": 1}]
    assert seen.predictions is None
    assert reply(shell, {"predictions": None, "outputs": [1]}).value is None


def test_a_reply_without_predictions_is_refused_where_rows_were_sent(shell):
    with pytest.raises(InvalidResponseError, match="neither predictions nor outputs"):
        reply(shell, {"answer": 1})
    seen = reply(shell, wire.chat("Hi"), inputs=MESSAGES)
    assert seen["choices"][0]["message"]["content"] == "Hi"
    with pytest.raises(InvalidResponseError, match=r"but .*choices.*: see to_dict\(\)"):
        _ = seen.value


def test_numbers_that_json_lacks_are_floats(shell):
    body = b'{"predictions": [NaN, Infinity, -Infinity, 1]}'
    seen = reply(shell, lambda _: httpx.Response(200, content=body)).predictions
    assert math.isnan(seen[0])
    assert seen[1:] == [math.inf, -math.inf, 1]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"error_code": "BAD_REQUEST", "message": "no"}, BadRequestError),
        ({"error": {"message": "no", "code": 429}}, RateLimitError),
    ],
)
@pytest.mark.parametrize("inputs", [[1], MESSAGES], ids=["rows", "whole"])
def test_an_error_at_status_200_is_found(shell, answer, kind, inputs):
    client = shell.client(wire.json_reply(answer), max_retries=0)
    with pytest.raises(kind):
        shell.wait(client.predict("m", inputs=inputs))


def test_a_prediction_may_hold_what_looks_like_an_error(shell):
    answer = {"predictions": [1], "error": {"message": "of the fit"}, "type": "error"}
    assert reply(shell, answer).to_dict() == answer


@pytest.mark.parametrize(("idempotent", "tries"), [(None, 2), (False, 1)])
def test_a_model_that_may_have_run_is_asked_again_as_the_caller_says(shell, idempotent, tries):
    client = shell.client(lambda _: httpx.Response(500))
    with pytest.raises(InternalServerError):
        shell.wait(client.predict("m", inputs=[1], idempotent=idempotent))
    assert len(shell.transport.requests) == tries


def test_an_exception_of_the_model_keeps_its_stack_out_of_the_message(shell):
    body = {"error_code": "BAD_REQUEST", "message": "It failed.", "stack_trace": "in predict\nno"}
    client = shell.client(wire.json_reply(body, status=400))
    with pytest.raises(BadRequestError) as caught:
        shell.wait(client.predict("m", inputs=[1]))
    assert caught.value.body["stack_trace"] == "in predict\nno"
    assert "\n" not in str(caught.value)
    assert "error.body['stack_trace'] shows where" in caught.value.hint


VALUES = ["a", None, 0.5, [1], {"error": 0.25}, {"id": 1}, True, 0]


def test_a_stream_yields_the_json_of_each_event(shell):
    events = [json.dumps(value) for value in VALUES]
    stream = stream_of(shell, wire.stream(*events, x_request_id="r-1"))
    with shell.opened(stream) as opened:
        assert opened is stream
        assert opened.request_id == "r-1"
        assert opened.meta.status_code == 200
        assert shell.items(opened) == VALUES
    assert shell.transport.bodies == [{"inputs": [1], "stream": True}]
    assert shell.transport.requests[0].headers["accept"] == "text/event-stream"


def test_a_whole_request_streams_too(shell):
    stream = stream_of(shell, wire.stream("1"), inputs={**MESSAGES, "stream": True})
    with shell.opened(stream) as opened:
        assert shell.items(opened) == [1]
    assert shell.transport.bodies == [{**MESSAGES, "stream": True}]


@pytest.mark.parametrize("end", [[], ["[DONE]"]], ids=["closed", "marked"])
def test_a_stream_needs_no_end_mark(shell, end):
    with shell.opened(stream_of(shell, wire.stream('{"a": 1}', *end))) as opened:
        assert shell.items(opened) == [{"a": 1}]
    with shell.opened(stream_of(shell, wire.stream(*end))) as opened:
        assert shell.items(opened) == []


def test_events_have_any_name_and_may_come_whole(shell):
    named = wire.stream(
        b'event: output\ndata: {"a": 1}\n\n', b": ping\n\n", b"event: x\ndata: y\n\n"
    )
    with shell.opened(stream_of(shell, named)) as opened:
        assert shell.items(opened) == [{"a": 1}]
    with shell.opened(stream_of(shell, wire.json_reply({"predictions": [1]}))) as opened:
        assert shell.items(opened) == [{"predictions": [1]}]


def test_a_connection_that_breaks_is_no_end(shell):
    broken = wire.pieces(wire.sse('{"a": 1}', '"b"'), httpx.ReadError("reset"))
    with (
        shell.opened(stream_of(shell, broken)) as opened,
        pytest.raises(StreamInterruptedError) as caught,
    ):
        shell.items(opened)
    assert caught.value.partial.predictions == [{"a": 1}, "b"]
    assert caught.value.partial.text == '[{"a": 1}, "b"]'
    assert isinstance(caught.value.__cause__, APIConnectionError)


def test_an_event_that_is_no_json_interrupts(shell):
    with (
        shell.opened(stream_of(shell, wire.stream('"a"', "so"))) as opened,
        pytest.raises(StreamInterruptedError, match="event 2 is not JSON"),
    ):
        shell.items(opened)


@pytest.mark.parametrize(
    "event",
    [
        '{"error_code": "BAD_REQUEST", "message": "no"}',
        '{"error": {"message": "no"}}',
        b"event: error\ndata: no\n\n",
    ],
)
def test_an_error_inside_a_stream_is_raised(shell, event):
    with (
        shell.opened(stream_of(shell, wire.stream('"a"', '"b"', event))) as opened,
        pytest.raises(StreamServerError) as caught,
    ):
        shell.items(opened)
    assert caught.value.message == "no"
    assert caught.value.partial.text == "ab"


def test_a_stream_is_used_as_streams_are(shell):
    stream = stream_of(shell, wire.stream("1"))
    with pytest.raises(StreamUseError, match="not open"):
        _ = stream.meta
    with shell.opened(stream) as opened:
        shell.items(opened)
        with pytest.raises(StreamUseError, match="iterated before"):
            shell.items(opened)
        shell.wait(opened.close())


def test_an_endpoint_that_cannot_stream_says_so_on_entry(shell):
    answer = wire.json_reply({"error_code": "BAD_REQUEST", "message": "no predict_stream"}, 400)
    with pytest.raises(BadRequestError), shell.opened(stream_of(shell, answer)):
        pass


def test_polars_comes_back_as_polars(shell):
    seen = reply(shell, {"predictions": [0.5, None]}, dataframe_split=pl.DataFrame({"a": [1, 2]}))
    assert seen.to_polars().to_dict(as_series=False) == {"predictions": [0.5, None]}
    assert list(seen.to_frame().index) == [0, 1]
