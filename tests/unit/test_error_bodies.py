"""Error bodies in every envelope, and in none."""

import json
import time

import chance
import pytest

from databricks_serving._core.error_bodies import ErrorFacts, find_event_error, read_error_body

BODIES = [
    ({"error_code": "BAD_REQUEST", "message": "no"}, ("no", "BAD_REQUEST")),
    ({"error_code": "BAD_REQUEST", "message": "BAD_REQUEST: no"}, ("no", "BAD_REQUEST")),
    ({"error_code": 401, "message": "no"}, ("no", "401")),
    ({"error_code": 0, "code": "X", "message": "no"}, ("no", "0")),
    ({"error_code": None, "message": "no"}, ("no", None)),
    ({"message": "no", "code": "X"}, ("no", "X")),
    ({"error_code": "X"}, ("X", "X")),
    ({"error_code": "X", "message": ""}, ("X", "X")),
    ({"error_code": "X", "message": 7, "detail": "why"}, ("why", "X")),
    ({"error": {"message": "no", "type": "t", "code": None}}, ("no", "t")),
    ({"error": {"message": "no", "type": "t", "code": "c"}}, ("no", "c")),
    ({"error": {"message": "no", "code": 400, "status": "INVALID"}}, ("no", "INVALID")),
    ({"error": {"message": "no", "code": 400, "type": "t"}}, ("no", "t")),
    ({"error": {"message": "no", "code": 400}}, ("no", "400")),
    ({"error": {"message": ["a", 1]}}, ('["a", 1]', None)),
    ({"error": {"code": "c"}}, ("c", "c")),
    ({"error": {}}, ("no message", None)),
    ({"error": {"message": "inner"}, "message": "outer"}, ("inner", None)),
    ({"error_code": "X", "error": {"message": "inner"}, "message": "outer"}, ("outer", "X")),
    ({"error_code": "X", "error": {"message": "inner", "code": "c"}}, ("inner", "c")),
    ({"error": "boom"}, ("boom", None)),
    ({"error": "Bad Request", "message": "the reason"}, ("the reason", None)),
    ({"error": "", "message": "no"}, ("no", None)),
    ({"error": "outer", "external_model_message": "text"}, ("outer", None)),
    (
        {"error": "outer", "external_model_message": {"error": {"message": "in", "code": "c"}}},
        ("outer: in", "c"),
    ),
    ({"detail": "why"}, ("why", None)),
    ({"detail": [{"msg": "why"}]}, ('[{"msg": "why"}]', None)),
    ({"message": '{"message": "inner"}'}, ("inner", None)),
    ({"message": '{"error": {"message": "inner"}}', "error_code": "X"}, ("inner", "X")),
    ({"message": '{"finishReason": "guard"}'}, ("guard", None)),
    ({"message": '{"finishReason": 7}'}, ('{"finishReason": 7}', None)),
    ({"message": '{"a": 1}'}, ('{"a": 1}', None)),
    ({"message": "{no json"}, ("{no json", None)),
    ({"message": "two\n  lines\t"}, ("two lines", None)),
    ({"message": "x" * 900}, ("x" * 500, None)),
    ({"error_code": "x" * 900, "message": "no"}, ("no", "x" * 100)),
    ({"error_code": "two\nlines", "message": "no"}, ("no", "two lines")),
    ("boom", ("boom", None)),
    ("", ("Internal Server Error (empty body)", None)),
    ([], ("[]", None)),
    (None, ("null", None)),
    ({}, ("{}", None)),
]
TEXTS = [
    (b"", "Internal Server Error (empty body)"),
    (b" \r\n", "Internal Server Error (empty body)"),
    (b"upstream\nfailed", "upstream failed"),
    (b"\xff\xfe", "\ufffd\ufffd"),
    (b"a < b and c > d", "a < b and c > d"),
    (b"expected <end of input", "expected <end of input"),
    (b"<html><head><style>a{b}</style></head><h1>502</h1>nginx</html>", "502 nginx"),
    (b"<script>if (a < b) x()</script><p>Busy</p>", "Busy"),
    (b"<p>Busy</p><script>never closed", "Busy"),
    (b"<!DOCTYPE html><br/>", "Internal Server Error (empty body)"),
    (b"<p>" + b"x" * 900 + b"</p>", "x" * 200),
    (b"{broken", "{broken"),
]


@pytest.mark.parametrize(("body", "expected"), BODIES, ids=lambda value: str(value)[:60])
def test_an_envelope_is_read(body, expected):
    facts, decoded = read_error_body(json.dumps(body).encode(), 500)
    assert (facts.message, facts.code) == expected
    assert decoded == body


@pytest.mark.parametrize(("body", "message"), TEXTS, ids=lambda value: repr(value)[:60])
def test_a_text_or_a_page_is_read(body, message):
    facts, decoded = read_error_body(body, 500)
    assert facts == ErrorFacts(message)
    assert decoded == body.decode("utf-8", "replace").strip()


def test_a_code_at_the_head_of_a_text_is_found():
    facts, _ = read_error_body(b"MALFORMED_REQUEST: a\nspace", 400)
    assert facts == ErrorFacts("a space", "MALFORMED_REQUEST")


def test_an_empty_body_at_an_unknown_status_is_said_to_be_empty():
    assert read_error_body(b"", 599)[0].message == "empty body"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(15, 15.0), (0.5, 0.5), (0, None), (-1, None), (True, None), ("15", None), (1e300, None)],
)
def test_a_wait_in_the_body_is_a_positive_number_or_nothing(value, seconds):
    body = {"error": {"message": "no", "retry_after": value}}
    assert read_error_body(json.dumps(body).encode(), 429)[0].retry_after == seconds


def test_numbers_that_no_float_holds_do_no_harm():
    body = b'{"error": {"message": NaN, "code": 4' + b"0" * 400 + b', "retry_after": Infinity}}'
    facts, _ = read_error_body(body, 429)
    assert facts.retry_after is None
    assert len(facts.code) == 100


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"error_code": "X", "message": "no"}, ErrorFacts("no", "X")),
        ({"error_code": 429, "message": "no"}, ErrorFacts("no", "429", 429)),
        ({"error": {"message": "no", "status_code": 400}}, ErrorFacts("no", None, 400)),
        ({"error": {"message": "no", "code": 503}}, ErrorFacts("no", "503", 503)),
        ({"error": {"message": "no", "code": 7}}, ErrorFacts("no", "7")),
        ({"error": "boom", "choices": []}, ErrorFacts("boom")),
        ({"type": "error", "message": "no"}, ErrorFacts("no")),
        ({"type": "error"}, ErrorFacts("the server reported an error without a message")),
        ({"error": True}, ErrorFacts("the server reported an error without a message")),
        ({"error": 0.25}, None),
        ({"error": 1, "type": "error", "message": "no"}, ErrorFacts("no")),
        ({"predictions": [], "error": "of the fit"}, None),
        ({"outputs": [], "error_code": "X"}, None),
        ({"predictions": [], "databricks_output": {"error": {"message": "no"}}}, ErrorFacts("no")),
        (
            {"databricks_output": {"error": {"error_code": "X", "message": "no"}}, "choices": [1]},
            ErrorFacts("no", "X"),
        ),
        (
            {"databricks_output": {"error": {"odd": 1}}},
            ErrorFacts("the server reported an error without a message"),
        ),
        ({"databricks_output": {"error": None, "trace": {}}}, None),
        ({"databricks_output": "x"}, None),
        ({"error_code": None, "choices": []}, None),
        ({"error": None, "choices": []}, None),
        ({"error": {"message": "no"}, "choices": [{"index": 0}]}, None),
        ({"message": "just a key"}, None),
        ({}, None),
    ],
    ids=lambda value: str(value)[:60],
)
def test_an_error_inside_a_reply_is_found(event, expected):
    assert find_event_error(event) == expected


def test_no_body_is_too_odd():
    source = chance.source(1)
    for _ in range(20_000):
        value = chance.json_value(source, 4)
        data = json.dumps(value).encode()
        cut = data[: source.randrange(len(data) + 1)] if source.random() < 0.2 else data
        facts, _ = read_error_body(cut, source.choice((400, 500, 599)))
        found = find_event_error(value) if isinstance(value, dict) else None
        for seen in (facts, found or facts):
            assert seen.message
            assert "\n" not in seen.message
            assert len(seen.message) <= 500
            assert seen.code is None or (seen.code and len(seen.code) <= 100)
            assert seen.status is None or 400 <= seen.status < 600


ENFORCE = "Failed to enforce schema "
TABLE = "     depth\n0   'x'. \nError: 1"


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (f"Failed to predict data '{TABLE}'. \nError: it is wide.", "it is wide."),
        (
            f"Failed to predict data '{TABLE}'. \nError: {ENFORCE}of data '{TABLE}' with schema s",
            "Failed to enforce schema s",
        ),
        (f"No JSON.\nInput: \n{TABLE}", "No JSON."),
        ("Failed to predict data 'a", None),
        ("\nInput: \n", "Input:"),
        ("Input: is missing", "Input: is missing"),
    ],
    ids=str,
)
def test_a_message_does_not_repeat_the_rows(message, said):
    body = {"error_code": "X", "message": message}
    facts, kept = read_error_body(json.dumps(body).encode(), 400)
    assert facts.message == (" ".join(message.split()) if said is None else said)
    assert kept == body


@pytest.mark.parametrize("piece", ["schema of data '", "' with schema ", "\nInput: \n"])
def test_a_hostile_echo_is_read_in_linear_time(piece):
    began = time.perf_counter()
    message = "Failed to predict data '" + piece * (2_000_000 // len(piece))
    read_error_body(json.dumps({"message": message}).encode(), 400)
    assert time.perf_counter() - began < 3


def test_bodies_within_bodies_come_to_an_end():
    body = {"message": "core"}
    for _ in range(120):
        body = {"error": "e", "external_model_message": body}
    assert read_error_body(json.dumps(body).encode(), 400)[0].message == "e: e"
    text = "core"
    for _ in range(14):
        text = json.dumps({"message": text})
    assert read_error_body(text.encode(), 400)[0].message == "core"


@pytest.mark.parametrize("piece", [b"<", b"<a", b"<script>", b"<script", b"A_", b"{", b"< ", b"<!"])
def test_a_hostile_page_is_read_in_linear_time(piece):
    began = time.perf_counter()
    read_error_body(piece * (2_000_000 // len(piece)), 502)
    assert time.perf_counter() - began < 3


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"type": "response.failed"}, ErrorFacts("the server reported an error without a message")),
        ({"type": "response.failed", "response": None, "message": "no"}, ErrorFacts("no")),
        (
            {"type": "error", "code": "rate_limit_exceeded", "message": "no"},
            ErrorFacts("no", "rate_limit_exceeded", 429),
        ),
        (
            {"type": "error", "code": None, "message": None},
            ErrorFacts("the server reported an error without a message"),
        ),
        ({"type": "mcp_call", "error": "the tool failed", "output": None}, None),
        ({"type": "function_call_output", "call_id": "c", "error": {"message": "no"}}, None),
        ({"type": "response.output_item.done", "error": None, "item": {"error": "no"}}, None),
        ({"type": "response.completed", "response": {"error": None}, "error": ""}, None),
    ],
)
def test_events_of_agents_tell_failures_of_their_own_from_those_of_tools(event, expected):
    assert find_event_error(event) == expected
