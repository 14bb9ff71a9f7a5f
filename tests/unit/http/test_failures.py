"""Nothing foreign gets through: what a transport raises comes out as ours."""

import errno
import gzip
import itertools
import socket
import ssl
import traceback

import anyio
import httpcore2
import httpx
import pytest
import raw_server
import wire

from databricks_serving._core.phases import Phases
from databricks_serving._http.causes import cause_of
from databricks_serving._http.connections import Connections
from databricks_serving._http.sender import Sender
from databricks_serving.errors import (
    APIConnectionError,
    APITimeoutError,
    InvalidRequestError,
    InvalidResponseError,
    ResponseTooLargeError,
    ServingError,
)
from databricks_serving.options import Timeouts

REQUEST = httpx.Request("POST", wire.HOST)


def make(kind, text="why"):
    if kind is httpx.HTTPStatusError:
        return kind(text, request=REQUEST, response=httpx.Response(500))
    if kind in {httpx.StreamConsumed, httpx.StreamClosed}:
        return kind()
    if kind in {httpx.ResponseNotRead, httpx.RequestNotRead}:
        return kind()
    return kind(text)


def kinds_of(module):
    return {
        f"{module.__name__}.{name}": kind
        for name, kind in vars(module).items()
        if isinstance(kind, type) and issubclass(kind, BaseException)
    }


FOREIGN = {
    **kinds_of(httpx),
    **kinds_of(httpcore2),
    "OSError": OSError,
    "ssl.SSLError": ssl.SSLError,
    "EOFError": EOFError,
    "TimeoutError": TimeoutError,
    "anyio.EndOfStream": anyio.EndOfStream,
}
NOT_SENT = {
    "ConnectError",
    "ConnectTimeout",
    "PoolTimeout",
    "ProxyError",
    "WriteError",
    "WriteTimeout",
}
REFUSED = {"LocalProtocolError", "UnsupportedProtocol", "InvalidURL"}
PHASES = {
    "PoolTimeout": "pool",
    "ConnectTimeout": "connect",
    "WriteTimeout": "write",
    "ReadTimeout": "first_byte",
    "TimeoutException": "first_byte",
}


def raising(error):
    def answer(_=None):
        raise error

    return answer


def over(kit, answer):
    """Make a sender over a transport that answers so."""
    handler = answer if callable(answer) else lambda _: answer
    return kit.sender(httpx.MockTransport(handler))


def failed(kit, answer, request, kind=ServingError):
    with pytest.raises(kind) as caught:
        kit.call(over(kit, answer), request)
    assert type(caught.value).__module__ == "databricks_serving.errors"
    return caught.value


@pytest.fixture
def request_out(build):
    return build(wire.HOST)


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_raised_while_sending_comes_out_as_ours(kit, request_out, name):
    error = failed(kit, raising(make(FOREIGN[name])), request_out)
    kind = name.rpartition(".")[2]
    assert error.maybe_executed is (kind not in NOT_SENT | REFUSED | {"SSLError"})
    assert error.retryable is (kind in NOT_SENT)


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("before", [b"", b'{"choices": '])
def test_what_is_raised_while_reading_comes_out_as_ours(kit, request_out, name, before):
    response = wire.pieces(before, make(FOREIGN[name]), content_type=None, x_request_id="r-1")
    error = failed(kit, response, request_out)
    assert error.request_id == "r-1"
    assert response.stream.closed == 1


@pytest.mark.parametrize("kind", [httpx.CloseError, httpcore2.ReadError, OSError])
def test_what_is_raised_while_closing_is_nobodys_business(kit, request_out, kind):
    class Stuck(wire.Body):
        def close(self):
            raise make(kind)

        async def aclose(self):
            raise make(kind)

    class Transport(httpx.MockTransport):
        def close(self):
            raise make(kind)

        async def aclose(self):
            raise make(kind)

    sender = kit.sender(Transport(lambda _: httpx.Response(200, stream=Stuck(b"{}"))))
    assert kit.call(sender, request_out).body == b"{}"
    kit.wait(sender.close())


@pytest.mark.parametrize("library", [httpx, httpcore2])
@pytest.mark.parametrize("name", PHASES)
def test_a_timeout_says_in_which_phase(kit, request_out, library, name):
    error = failed(kit, raising(make(getattr(library, name))), request_out, APITimeoutError)
    assert error.phase == PHASES[name]
    assert f"(phase {error.phase})" in str(error)


@pytest.mark.parametrize("name", PHASES)
def test_a_timeout_names_the_limit_of_the_call_where_that_was_nearer(kit, build, name):
    request = build(wire.HOST, timeouts=Timeouts(total=1))
    error = failed(kit, raising(make(getattr(httpx, name))), request, APITimeoutError)
    expected = "total" if PHASES[name] != "connect" else "connect"
    assert error.phase in {expected, "total"}
    assert error.maybe_executed is (name not in NOT_SENT)


def test_a_timeout_within_a_body_is_idle(kit, request_out):
    response = wire.pieces(b"a", make(httpx.ReadTimeout), content_type=None)
    error = failed(kit, response, request_out, APITimeoutError)
    assert error.phase == "idle"


def test_a_transport_of_the_users_is_given_what_is_left(kit, build):
    seen = []

    def answer(request):
        seen.append(request.extensions["timeout"])
        assert request.content == b'{"a": 1}'
        assert request.headers["host"] == "workspace.example.com"
        return httpx.Response(200)

    limits = Timeouts(pool=1, connect=2, write=3, first_byte=9, total=8)
    kit.call(over(kit, answer), build(wire.HOST, timeouts=limits))
    (given,) = seen
    assert {name: round(value) for name, value in given.items()} == {
        "pool": 1,
        "connect": 2,
        "write": 3,
        "read": 8,
    }


def test_without_limits_none_are_given(kit, build):
    seen = []

    def answer(request):
        seen.extend(request.extensions["timeout"].values())
        return httpx.Response(200)

    names = ("pool", "connect", "write", "first_byte", "idle", "total")
    kit.call(over(kit, answer), build(wire.HOST, timeouts=Timeouts(**dict.fromkeys(names))))
    assert seen == [None] * 4


def test_the_time_of_a_body_is_watched_over_any_transport(kit, build):
    ticks = itertools.count()
    request = build(wire.HOST, timeouts=Timeouts(total=30))
    phases = Phases(request.timeouts, 30, lambda: next(ticks) * 1.0)
    body = wire.pieces(*[b"a"] * 100, content_type=None)
    with pytest.raises(APITimeoutError) as caught:
        kit.call(over(kit, body), request, phases)
    assert caught.value.phase == "total"
    assert 2 < body.stream.given < 20


def test_a_body_that_cannot_be_unpacked_is_invalid(kit, request_out):
    for pieces in ([b"no gzip"], [b"\x1f\x8b"]):
        response = wire.pieces(*pieces, content_type=None, content_encoding="gzip")
        error = failed(kit, response, request_out, InvalidResponseError)
        assert error.garbled
        assert error.status_code == 200


def test_a_body_past_the_limit_is_not_read_on(kit, build):
    response = wire.pieces(*[b"a" * 10] * 100, content_type=None)
    request = build(wire.HOST, limit=25)
    error = failed(kit, response, request, ResponseTooLargeError)
    assert "larger than 25 bytes" in str(error)
    assert (response.stream.given, response.stream.closed) == (3, 1)


def test_a_body_that_the_transport_has_read_itself_is_read_again(kit, request_out):
    class Reads(httpx.MockTransport):
        def handle_request(self, request):
            response = super().handle_request(request)
            response.read()
            return response

        async def handle_async_request(self, request):
            response = await super().handle_async_request(request)
            await response.aread()
            return response

    def answer(_):
        packed = gzip.compress(b"{}")
        return wire.pieces(packed, content_type=None, content_encoding="gzip")

    assert kit.call(kit.sender(Reads(answer)), request_out).body == b"{}"


def test_a_change_of_protocol_is_refused(kit, request_out):
    response = httpx.Response(101, stream=wire.Body(b""))
    error = failed(kit, response, request_out, APIConnectionError)
    assert "changed the protocol" in str(error)
    assert response.stream.closed == 1


def test_a_url_that_httpx_does_not_take_is_a_bad_argument(kit, build):
    with pytest.raises(InvalidRequestError, match="no valid URL"):
        kit.call(kit.sender(), build("http://a:b:c"))


def test_an_own_error_of_the_users_while_closing_passes(kit, request_out):
    class Transport(httpx.MockTransport):
        def close(self):
            raise LookupError

        async def aclose(self):
            raise LookupError

    sender = kit.sender(Transport(lambda _: httpx.Response(200)))
    kit.call(sender, request_out)
    with pytest.raises(LookupError):
        kit.wait(sender.close())
    assert sender.closed


def test_a_call_without_time_is_not_sent_over_any_transport(kit, build):
    request = build(wire.HOST, timeouts=Timeouts(total=1e-9))
    error = failed(kit, raising(AssertionError()), request, APITimeoutError)
    assert (error.phase, error.maybe_executed) == ("total", False)


def test_an_invalid_url_is_a_bad_argument(kit, request_out):
    error = failed(kit, raising(httpx.InvalidURL("why")), request_out, InvalidRequestError)
    assert "valid URL: why" in str(error)


@pytest.mark.parametrize(
    "kind",
    [httpx.LocalProtocolError, httpx.WriteError, httpx.ReadError, httpcore2.LocalProtocolError],
    ids=lambda kind: f"{kind.__module__}.{kind.__name__}",
)
def test_no_traceback_shows_the_headers(kit, request_out, kind):
    def send(event):
        raise ValueError(f"illegal header value {event}")

    def answer(request):
        try:
            # What a transport holds while it sends.
            send(list(request.headers.raw))
        except ValueError as error:
            text = str(error) if "LocalProtocol" in kind.__name__ else "why"
            raise kind(text) from error

    error = failed(kit, answer, request_out, APIConnectionError)
    trace = traceback.TracebackException.from_exception(error, capture_locals=True)
    seen = [error, error.__cause__, error.__context__]
    shown = "".join(trace.format()) + "".join(f"{e} {e!r}" for e in seen)
    assert wire.TOKEN not in shown
    assert type(error.__cause__) is kind
    assert error.__cause__.__cause__ is None


def test_no_traceback_shows_the_headers_over_real_connections(kit, serve, build):
    server = serve(then=raw_server.reset)
    bad = build(server.host, headers={"authorization": f"Bearer {wire.TOKEN}\n"})
    for request in (build(server.host), bad, build("http://127.0.0.1:1")):
        with pytest.raises(APIConnectionError) as caught:
            kit.call(kit.sender(), request)
        error = caught.value
        trace = traceback.TracebackException.from_exception(error, capture_locals=True)
        seen = [error, error.__cause__, error.__context__]
        shown = "".join(trace.format()) + "".join(f"{e} {e!r}" for e in seen)
        own = [line for line in shown.splitlines() if "bad = " not in line]
        assert wire.TOKEN not in "\n".join(own)
    assert error.__cause__.__traceback__ is None


def test_what_is_not_the_transports_passes_unchanged(kit, request_out):
    class Odd(Exception):  # noqa: N818 - somebody's own
        pass

    errors = [Odd("own"), MemoryError(), RuntimeError("own")]
    if kit.name != "trio":
        # It would end the thread that runs trio here.
        errors.append(KeyboardInterrupt())
    for error in errors:
        for answer in (raising(error), wire.pieces(error, content_type=None)):
            with pytest.raises(type(error)) as caught:
                kit.call(over(kit, answer), request_out)
            assert caught.value is error


def test_what_is_raised_of_an_own_kind_while_closing_passes(kit, request_out):
    class Stuck(wire.Body):
        def close(self):
            raise LookupError

        async def aclose(self):
            raise LookupError

    with pytest.raises(LookupError):
        kit.call(over(kit, httpx.Response(200, stream=Stuck(b""))), request_out)


@pytest.mark.parametrize("kind", [httpx.ConnectError, httpx.ReadError])
def test_the_error_names_the_cause_without_its_frames(kit, request_out, kind):
    cause = failed(kit, raising(kind("why")), request_out).__cause__
    assert (type(cause), str(cause), cause.__traceback__) == (kind, "why", None)


def test_an_error_of_the_system_is_the_cause(kit, build):
    error = failed_over_socket(kit, build)
    assert type(error.__cause__) is ConnectionRefusedError
    assert error.__cause__.__traceback__ is None


def failed_over_socket(kit, build):
    with pytest.raises(APIConnectionError) as caught:
        kit.call(kit.sender(), build("http://127.0.0.1:1"))
    return caught.value


def test_too_many_open_files_are_called_that(serve, build, phases, monkeypatch):
    real, refuse = socket.socket, [True]

    class Full(real):
        def __init__(self, *arguments, **options):
            if refuse[0]:
                raise OSError(errno.EMFILE, "Too many open files")
            super().__init__(*arguments, **options)

    server = serve(then=b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    sender, request = Sender(None, Connections()), build(server.host)
    monkeypatch.setattr(socket, "socket", Full)
    with pytest.raises(APIConnectionError, match="too many open files") as caught:
        sender.send(request, phases(request))
    assert not caught.value.maybe_executed
    refuse[0] = False
    assert sender.send(request, phases(request)).read().body == b"{}"
    sender.close()


REASONS = {
    "NO_APPLICATION_PROTOCOL": "does not speak HTTP/1.1",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "wants a client certificate",
    "WRONG_VERSION_NUMBER": "does not speak TLS",
    "ODD": "TLS failed: ODD",
}


@pytest.mark.parametrize("reason", REASONS)
def test_what_openssl_says_is_put_in_words(reason):
    error = ssl.SSLError(1, reason)
    error.reason = reason
    text, transient, _ = cause_of(error, "host")
    assert REASONS[reason] in text
    assert not transient


def test_a_connection_cut_in_tls_may_pass():
    assert cause_of(ssl.SSLEOFError(8, "EOF"), "host").transient
