"""What can go wrong with an answer of a fake, as both clients see it."""

from math import inf

import pytest
from kit import HI, ask, client_of, read

from databricks_serving import ColdStart, RetryPolicy, Timeouts, errors
from databricks_serving.testing import FakeServing

PIECES = ["One ", "two ", "three."]


@pytest.fixture
def fake():
    return FakeServing()


@pytest.fixture
def client(shell, fake):
    return client_of(shell, fake, max_retries=0)


def broken(shell, client, error=errors.StreamInterruptedError):
    """Read a stream that breaks, and return the error."""
    with pytest.raises(error) as caught:
        read(shell, client)
    return caught.value


# Events are counted with the first, which tells the role alone.
@pytest.mark.parametrize(
    ("fault", "kept"),
    [
        ({"cut_after": 2}, "One "),
        ({"reset_after": 3}, "One two "),
        ({"malformed_after": 2}, "One "),
        ({"ends_after": 3}, "One two "),
        ({"garbage_after": 2}, "One "),
        ({"cut_at_byte": 700}, "One two "),
        ({"cut_after": 4, "split": 7}, "One two three."),
        ({"cut_after": 5}, "One two three."),
    ],
)
def test_a_stream_that_breaks_keeps_what_had_come(shell, fake, client, fault, kept):
    fake.chat_stream(PIECES, **fault)
    error = broken(shell, client, errors.ServingError)
    if "cut_at_byte" not in fault:
        assert error.partial.text == kept
    assert kept.startswith(error.partial.text)


def test_a_stream_can_be_cut_at_any_byte(shell, fake, client):
    size = 400
    for position in range(size):
        fake.chat_stream(["One ", "two"], cut_at_byte=position)
        error = broken(shell, client, errors.ServingError)
        partial = getattr(error, "partial", None)
        assert "One two".startswith(partial.text if partial else "")
    fake.assert_all_used()


def test_a_stream_that_stalls_ends_at_the_limit(shell, fake):
    fake.chat_stream(PIECES, stall_after=2)
    error = broken(shell, client_of(shell, fake, timeout=Timeouts(idle=20)))
    assert isinstance(error, errors.StreamTimeoutError)
    assert error.partial.text == "One "
    assert fake.time.monotonic() == pytest.approx(20)


@pytest.mark.parametrize("error", [{"error_code": "X", "message": "Sorry."}, '{"error": "Sorry."}'])
def test_a_server_reports_an_error_in_a_stream(shell, fake, client, error):
    fake.chat_stream(PIECES, error_after=2, error=error)
    raised = broken(shell, client, errors.StreamServerError)
    assert "Sorry." in str(raised)
    assert raised.partial.text == "One "


def test_an_error_in_a_stream_needs_no_words(shell, fake, client):
    fake.chat_stream(PIECES, error_after=3)
    assert broken(shell, client, errors.StreamServerError).error_code == "INTERNAL_ERROR"


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("split", [1, 3, 1000])
def test_a_stream_is_the_same_however_it_is_cut(shell, fake, client, line_end, split):
    fake.chat_stream(["Ä", "é\n", "漢"], line_end=line_end, split=split)
    assert "".join(chunk.text for chunk in read(shell, client)) == "Äé\n漢"


def test_an_end_mark_may_be_missing(shell, fake, client):
    fake.chat_stream(PIECES, done=False)
    with shell.opened(client.chat.completions.stream(model="m", messages=HI)) as stream:
        shell.items(stream)
        assert not stream.chunks.terminated_cleanly


def test_pieces_drip(shell, fake, client):
    fake.chat_stream(PIECES, delay=10, drip=2)
    read(shell, client)
    assert fake.time.slept == [10] + [2] * 5


def test_a_whole_answer_drips_too(shell, fake, client):
    fake.chat("word " * 40, delay=1, drip=0.5)
    assert ask(shell, client).text == "word " * 40
    assert fake.time.slept[:2] == [1, 0.5]
    assert len(fake.time.slept) > 5


@pytest.mark.parametrize("fault", ["cut_after", "reset_after", "malformed_after"])
def test_a_whole_answer_breaks_after_some_bytes(shell, fake, client, fault):
    fake.chat("One two three.", **{fault: 20})
    with pytest.raises(errors.ServingError) as caught:
        ask(shell, client)
    assert caught.value.maybe_executed


def test_a_whole_answer_stalls(shell, fake):
    fake.chat("One two three.", stall_after=20)
    client = client_of(shell, fake, timeout=Timeouts(idle=7), max_retries=0)
    with pytest.raises(errors.APITimeoutError) as caught:
        ask(shell, client)
    assert caught.value.phase == "idle"
    assert fake.time.monotonic() == pytest.approx(7)


def test_comments_keep_a_stream_alive_before_its_first_event(shell, fake):
    fake.chat_stream(PIECES, first_event_after=30, keep_alive=8)
    client = client_of(shell, fake, timeout=Timeouts(first_byte=60))
    assert "".join(chunk.text for chunk in read(shell, client)) == "One two three."
    assert fake.time.slept == [8, 8, 8, 6]


def test_comments_for_ever_end_at_the_limit_of_the_call(shell, fake):
    fake.chat_stream(PIECES, first_event_after=inf)
    client = client_of(shell, fake, max_retries=0, timeout=Timeouts(total=60))
    with pytest.raises(errors.APITimeoutError):
        read(shell, client)
    assert fake.time.monotonic() <= 65


def test_a_server_that_never_answers_is_given_up(shell, fake):
    fake.no_answer(delay=3)
    client = client_of(shell, fake, timeout=Timeouts(first_byte=30), max_retries=0)
    with pytest.raises(errors.APITimeoutError) as caught:
        ask(shell, client)
    assert caught.value.phase == "first_byte"
    assert fake.time.monotonic() == pytest.approx(30)


@pytest.mark.parametrize("kind", ["refused", "connect_timeout", "reset", "closed", "malformed"])
def test_a_connection_fails(shell, fake, client, kind):
    fake.connection_error(kind)
    with pytest.raises(errors.APIConnectionError) as caught:
        ask(shell, client)
    assert caught.value.maybe_executed is (kind not in {"refused", "connect_timeout"})


def test_a_call_is_tried_again_without_a_wait(shell, fake):
    fake.error(429, retry_after=20)
    fake.error(503)
    fake.chat("At last.")
    assert ask(shell, client_of(shell, fake)).text == "At last."
    assert [request.attempt for request in fake.requests] == [1, 2, 3]
    assert len(fake.time.slept) == 2
    assert fake.time.slept[0] >= 20


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (400, errors.BadRequestError, "BAD_REQUEST"),
        (401, errors.AuthenticationError, "UNAUTHENTICATED"),
        (403, errors.PermissionDeniedError, "PERMISSION_DENIED"),
        (404, errors.NotFoundError, "RESOURCE_DOES_NOT_EXIST"),
        (409, errors.ConflictError, "RESOURCE_CONFLICT"),
        (418, errors.APIStatusError, "UNKNOWN"),
        (429, errors.RateLimitError, "REQUEST_LIMIT_EXCEEDED"),
        (500, errors.InternalServerError, "INTERNAL_ERROR"),
        (503, errors.InternalServerError, "TEMPORARILY_UNAVAILABLE"),
        (504, errors.InternalServerError, "DEADLINE_EXCEEDED"),
    ],
)
def test_an_error_has_its_status_and_its_code(shell, fake, client, status, kind, code):
    fake.error(status)
    with pytest.raises(kind) as caught:
        ask(shell, client)
    assert (caught.value.status_code, caught.value.error_code) == (status, code)
    assert caught.value.request_id == "00000000-0000-4000-8000-000000000001"


def test_an_error_says_what_it_was_told_to(shell, fake, client):
    fake.error(429, "Slow down.", error_code="MINE", retry_after=1.5)
    with pytest.raises(errors.RateLimitError, match="Slow down") as caught:
        ask(shell, client)
    assert (caught.value.error_code, caught.value.retry_after) == ("MINE", 1.5)


def test_a_gateway_sends_a_page(shell, fake, client):
    fake.html(504, "Gateway Time-out")
    with pytest.raises(errors.InternalServerError, match="Gateway Time-out"):
        ask(shell, client)
    fake.html(200, "Log in")
    with pytest.raises(errors.InvalidResponseError, match="web page"):
        ask(shell, client)


def test_an_answer_can_be_given_to_the_byte(shell, fake, client):
    fake.reply(307, headers={"location": "https://elsewhere.example/"})
    with pytest.raises(errors.ServingError, match="redirect"):
        ask(shell, client)
    events = {"content-type": "text/event-stream"}
    fake.reply(200, [b"data: {", b'"choices": []}\n\n', "data: [DONE]\n\n"], headers=events)
    assert len(read(shell, client)) == 1
    fake.reply(200, [b"\xef\xbb\xbf", b"data: [DONE]\n\n"], headers=events, cut_after=1)
    with pytest.raises(errors.ServingError):
        read(shell, client)
    fake.reply(body="", headers={"content-type": "application/json"})
    with pytest.raises(errors.InvalidResponseError):
        ask(shell, client)


def test_an_endpoint_scales_up_from_zero(shell, fake):
    told: list[ColdStart] = []
    fake.cold_start(60)
    fake.chat("Good morning.")
    policy = RetryPolicy(cold_start_timeout=300, on_cold_start=told.append)
    assert ask(shell, client_of(shell, fake, retry=policy)).text == "Good morning."
    assert 60 <= fake.time.monotonic() < 90
    assert len(told) == len(fake.requests) - 1 > 3


def test_an_endpoint_that_sleeps_too_long_is_an_error(shell, fake, client):
    fake.cold_start(60, endpoint="rivers")
    fake.chat("Good morning.", times=2)
    with pytest.raises(errors.EndpointNotReadyError):
        ask(shell, client)
    assert ask(shell, client, model="lakes").text == "Good morning."
    fake.time.advance(60)
    assert ask(shell, client).text == "Good morning."


def test_stream_faults_are_for_streams_alone(shell, fake, client):
    fake.chat("One two.", ends_after=2)
    with pytest.raises(AssertionError, match="it is a stream, and a whole answer is asked for"):
        ask(shell, client)
    assert broken(shell, client).partial.text == "One"


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (lambda f: f.chat("a", tmies=2), "unknown parameter 'tmies'; did you mean 'times'"),
        (lambda f: f.chat("a", finish_reson="x"), "did you mean 'finish_reason'"),
        (lambda f: f.chat("a", cut_afer=1), "did you mean 'cut_after'"),
        (lambda f: f.embedding(dims=1), "did you mean 'dim'"),
        (lambda f: f.embedding(ends_after=1), "unknown parameter 'ends_after'"),
        (lambda f: f.error(429, retry_afer=1), "did you mean 'retry_after'"),
        (
            lambda f: f.chat(7),
            "text must be a text, or a dict or list that stands as JSON, not int",
        ),
        (lambda f: f.chat(None, finish_reason=7), "finish_reason must be a text, not int"),
        (lambda f: f.chat({"a": {1}}), "text is not JSON: a is of type set"),
        (lambda f: f.chat("a", usage={"prompt_tokens": "7"}), "must be a whole number"),
        (lambda f: f.chat("a", usage=[1]), "usage must be a dict of token counts, not list"),
        (lambda f: f.chat("a", usage={"prompt_tokens_details": 1}), "does not fit the contract"),
        (lambda f: f.chat("a", times=0), "times must be at least 1, not 0"),
        (lambda f: f.chat("a", times="2"), "times must be a whole number, not str"),
        (lambda f: f.chat("a", delay=-1), "delay must be seconds, from 0, not -1"),
        (lambda f: f.chat("a", drip=float("nan")), "drip must be seconds"),
        (lambda f: f.chat("a", endpoint=7), "endpoint must be a text, not int"),
        (lambda f: f.chat("a", when="a"), "when must be a function of the request or a part"),
        (lambda f: f.chat("a", line_end="x"), "line_end must be one of"),
        (lambda f: f.chat("a", cut_after=1, stall_after=2), "ends in one way, not by"),
        (lambda f: f.chat("a", error={"a": 1}), "error= is what error_after= reports"),
        (lambda f: f.chat("a", keep_alive=0), "keep_alive must be more than 0"),
        (lambda f: f.chat_stream("abc"), "pieces must be a list of texts, not str"),
        (lambda f: f.chat_stream(["a", 7]), r"pieces\[1\] must be a text, not int"),
        (lambda f: f.chat_stream(["a"], cut_after=9), "cut_after=9: the stream has 3 events"),
        (lambda f: f.prediction_stream([1], ends_after=2), "the stream has 1 events"),
        (lambda f: f.prediction_stream([{1}]), r"values\[0\] is not JSON"),
        (lambda f: f.tool_calls([]), "calls must have at least one"),
        (lambda f: f.tool_calls([("a", 7)]), r"calls\[0\] must be the name of a function"),
        (lambda f: f.tool_call(7), "must be the name of a function"),
        (lambda f: f.embedding(dim=0), "dim must be at least 1"),
        (lambda f: f.embedding(dim="8"), "dim must be a whole number, not str"),
        (lambda f: f.embedding([[1], ["a"]]), r"data\[1\].embedding\[0\] is not a finite number"),
        (lambda f: f.embedding([[1], [1, 2]]), "has 2 numbers"),
        (lambda f: f.embedding("a"), "vectors must be a list"),
        (lambda f: f.predictions("a"), "values must be a list or a dict, not str"),
        (lambda f: f.response(output="a"), "output must be a list of items"),
        (lambda f: f.response("a", output=[]), "output must be a list of items, without text"),
        (lambda f: f.response(output=[{"type": 7}]), r"output\[0\].type is not a text"),
        (lambda f: f.agent(messages=[{"content": 7}]), r"messages\[0\].content is not a text"),
        (lambda f: f.agent("a", messages=[]), "messages must be a list of messages, without text"),
        (lambda f: f.error(200), "status must be a whole number from 400 to 599"),
        (lambda f: f.error(429, retry_after="2"), "retry_after must be a number of seconds"),
        (lambda f: f.html(99), "status must be a whole number from 100"),
        (lambda f: f.reply(200, 7), "body must be bytes, a text or a list of bytes, not int"),
        (lambda f: f.respond("a"), "function must be a function of the request, not str"),
        (lambda f: f.recording("no-such.json"), "source cannot be read: FileNotFoundError"),
        (lambda f: f.recording({}), "source must have a body"),
        (lambda f: f.connection_error("broken"), "kind must be one of refused"),
        (lambda f: f.cold_start("1"), "seconds must be a number of seconds, not str"),
        (lambda f: f.cold_start(1, endpoint={}), "endpoint must be a text, not dict"),
        (lambda f: f.error(500, task="chats"), "task must be one of chat, completions"),
        (lambda f: f.no_answer(cut_after=2), "unknown parameter 'cut_after'"),
        (lambda f: f.chat("a", headers={"x-a": 1}), r"headers\['x-a'\] must be a text, not int"),
        (lambda f: f.endpoint("a", ready=[]), "ready must be True, False, or a list"),
        (lambda f: f.endpoint("a", description={"state": 7}), "state is not an object"),
        (lambda f: f.endpoint("a", openapi={}), "openapi is not a version of OpenAPI"),
        (lambda f: f.endpoint(7), "name must be a text, not int"),
        (lambda f: f.default("eco"), "default must be 'echo'"),
    ],
)
def test_what_cannot_be_sent_is_refused_when_it_is_scripted(fake, script, told):
    with pytest.raises(errors.InvalidRequestError, match=told):
        script(fake)
    fake.assert_all_used()
