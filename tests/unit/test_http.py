"""Nothing of httpx gets through: what it raises comes out as ours."""

import traceback

import httpx
import pytest
import wire

from databricks_serving.errors import (
    APIConnectionError,
    APITimeoutError,
    InvalidRequestError,
    InvalidResponseError,
    ServingError,
    StreamInterruptedError,
)

REQUEST = httpx.Request("POST", wire.HOST)


def make(kind, text="why"):
    if kind is httpx.HTTPStatusError:
        return kind(text, request=REQUEST, response=httpx.Response(500))
    if kind in {httpx.StreamConsumed, httpx.StreamClosed}:
        return kind()
    if kind in {httpx.ResponseNotRead, httpx.RequestNotRead}:
        return kind()
    return kind(text)


FOREIGN = {
    name: kind
    for name, kind in vars(httpx).items()
    if isinstance(kind, type) and issubclass(kind, BaseException)
}
NOT_SENT = {
    "ConnectError",
    "ConnectTimeout",
    "PoolTimeout",
    "ProxyError",
    "WriteError",
    "WriteTimeout",
}
REFUSED = {"LocalProtocolError", "UnsupportedProtocol"}
PHASES = {
    "PoolTimeout": "pool",
    "ConnectTimeout": "connect",
    "WriteTimeout": "write",
    "ReadTimeout": "read",
    "TimeoutException": "read",
}


def call(shell, client, **arguments):
    arguments = {"model": "m", "messages": wire.USER} | arguments
    return shell.wait(client.chat.completions.create(**arguments))


def raising(error):
    def answer(_=None):
        raise error

    return answer


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_raised_while_connecting_comes_out_as_ours(shell, name):
    client = shell.client(raising(make(FOREIGN[name])), max_retries=1)
    with pytest.raises(ServingError) as caught:
        call(shell, client)
    error = caught.value
    assert type(error).__module__ == "databricks_serving.errors"
    tries = 2 if name in NOT_SENT else 1
    assert len(shell.transport.requests) == error.attempts == tries
    assert error.endpoint == "m"
    assert error.retryable is (name in NOT_SENT)
    expected = name not in NOT_SENT | REFUSED | {"InvalidURL"}
    assert error.maybe_executed is expected


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("before", [b"", b'{"choices": '])
def test_what_is_raised_while_reading_comes_out_as_ours(shell, name, before):
    response = wire.pieces(before, make(FOREIGN[name]), content_type=None, x_request_id="r-1")
    client = shell.client(response)
    with pytest.raises(ServingError) as caught:
        call(shell, client)
    assert type(caught.value).__module__ == "databricks_serving.errors"
    assert caught.value.request_id == "r-1"
    assert response.stream.closed == 1


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_raised_while_streaming_comes_out_as_ours(shell, name):
    pieces = (wire.sse(wire.chunk("The ")), make(FOREIGN[name]))
    response = wire.pieces(*pieces)
    stream = call(shell, shell.client(response), stream=True)
    assert shell.next(stream).text == "The "
    with pytest.raises(StreamInterruptedError) as caught:
        shell.items(stream)
    assert caught.value.partial.text == "The "
    assert response.stream.closed == 1


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_raised_while_reading_an_error_comes_out_as_ours(shell, name):
    body = wire.Body(b'{"message"', make(FOREIGN[name]))
    client = shell.client(httpx.Response(400, stream=body))
    with pytest.raises(ServingError) as caught:
        call(shell, client)
    assert type(caught.value).__module__ == "databricks_serving.errors"
    assert body.closed == 1


@pytest.mark.parametrize("kind", [httpx.CloseError, httpx.ReadError, httpx.StreamClosed])
def test_what_is_raised_while_closing_is_nobodys_business(shell, kind):
    class Stuck(wire.Body):
        def close(self):
            raise make(kind)

        async def aclose(self):
            raise make(kind)

    body = Stuck(wire.sse(wire.chunk("a", "stop"), "[DONE]"))
    headers = {"content-type": "text/event-stream"}
    response = httpx.Response(200, headers=headers, stream=body)
    client = shell.client(response)
    with shell.opened(call(shell, client, stream=True)) as stream:
        assert shell.next(stream).text == "a"
    shell.transport.close = shell.transport.aclose = raising(make(kind))
    shell.wait(client.close())


@pytest.mark.parametrize("name", PHASES)
def test_a_timeout_says_in_which_phase(shell, name):
    client = shell.client(raising(make(FOREIGN[name])), max_retries=0)
    with pytest.raises(APITimeoutError) as caught:
        call(shell, client)
    assert caught.value.phase == PHASES[name]
    assert caught.value.phase in str(caught.value) or name == "TimeoutException"


def test_a_refused_connection_says_why(shell):
    error = httpx.ConnectError("[Errno 111] Connection refused")
    client = shell.client(raising(error), max_retries=0)
    with pytest.raises(APIConnectionError, match=r"no connection: .* Connection refused"):
        call(shell, client)
    client = shell.client(raising(httpx.ReadError("")))
    with pytest.raises(APIConnectionError, match="broke before the answer was whole: ReadError"):
        call(shell, client)


def test_a_connection_error_is_tried_again_after_growing_waits(shell):
    client = shell.client(raising(httpx.ConnectError("no")), rand=1.0)
    with pytest.raises(APIConnectionError):
        call(shell, client)
    assert shell.clock.slept == [0.5, 1.0]


def test_a_body_that_cannot_be_unpacked_is_invalid(shell):
    for pieces in ([b"no gzip"], [b"\x1f\x8b"], []):
        response = wire.pieces(*pieces, content_type=None, content_encoding="gzip")
        with pytest.raises(InvalidResponseError):
            call(shell, shell.client(response))


def test_an_invalid_url_is_a_bad_argument(shell):
    with pytest.raises(InvalidRequestError, match="valid URL: why"):
        call(shell, shell.client(raising(httpx.InvalidURL("why"))))


@pytest.mark.parametrize("kind", [httpx.LocalProtocolError, httpx.WriteError, httpx.ReadError])
def test_no_traceback_shows_the_headers(shell, kind):
    def send(event):
        raise ValueError(f"illegal header value {event}")

    def answer(request):
        try:
            # What a transport holds while it sends.
            send(list(request.headers.raw))
        except ValueError as error:
            text = str(error) if kind is httpx.LocalProtocolError else "why"
            raise kind(text) from error

    client = shell.client(answer, max_retries=0)
    with pytest.raises(APIConnectionError) as caught:
        call(shell, client)
    error = caught.value
    trace = traceback.TracebackException.from_exception(error, capture_locals=True)
    seen = [error, error.__cause__, error.__context__]
    shown = "".join(trace.format()) + "".join(f"{e} {e!r}" for e in seen)
    assert wire.TOKEN not in shown
    assert type(error.__cause__) is kind
    assert error.__cause__.__cause__ is None


def test_what_is_not_of_httpx_passes_unchanged(shell):
    class Odd(Exception):  # noqa: N818 - somebody's own
        pass

    for error in (Odd("own"), KeyboardInterrupt()):
        with pytest.raises(type(error)) as caught:
            call(shell, shell.client(raising(error)))
        assert caught.value is error


@pytest.mark.parametrize("kind", [httpx.ConnectError, httpx.ReadError])
def test_the_error_names_the_cause_without_its_frames(shell, kind):
    with pytest.raises(APIConnectionError) as caught:
        call(shell, shell.client(raising(kind("why")), max_retries=0))
    cause = caught.value.__cause__
    assert (type(cause), str(cause), cause.__traceback__) == (kind, "why", None)
