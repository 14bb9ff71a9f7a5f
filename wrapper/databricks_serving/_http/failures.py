"""Whatever transports and sockets raise, as our errors."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from databricks_serving._http.causes import TLS_ALERT, Cause, cause_of
from databricks_serving._http.watch import Watch
from databricks_serving._http.wire import ran_out
from databricks_serving.errors import (
    APIConnectionError,
    APITimeoutError,
    ClientClosedError,
    InvalidRequestError,
    InvalidResponseError,
    ServingError,
)

_LIBRARIES: Final = frozenset({"anyio", "h11", "httpcore", "httpcore2", "httpx", "socksio", "trio"})
_TEST_KIT: Final = "databricks_serving.testing"
# How transports say that a server went away.
_CUT_OFF: Final = "without sending"
_TIMEOUTS: Final = {
    "PoolTimeout": "pool",
    "ConnectTimeout": "connect",
    "WriteTimeout": "write",
    "ReadTimeout": "read",
}


@dataclass(frozen=True, slots=True)
class Scene:
    """Where something failed."""

    watch: Watch
    host: str
    closed: bool
    """Whether the client was closed meanwhile."""
    answered: bool = False
    """Whether the head of the answer was there."""
    usage: str = ""
    """How many connections are in use."""
    received: str = ""
    """How much of the body has come."""


def failure(error: Exception, scene: Scene) -> ServingError | None:
    """Return the error of ours for one that was caught; None if it is to go on as it is.

    What a user's own transport raises of its own goes on; all that is known comes out as ours.
    """
    if isinstance(error, ServingError):
        return error
    if not is_foreign(error, own=scene.watch.own):
        return None
    if scene.closed:
        when = "the client was closed while the answer was read"
        return ClientClosedError(when if scene.answered else "the client is closed")
    if _is_timeout(error):
        return _timeout(error, scene)
    ours = _httpx_error(error) or _connection_error(error, scene)
    if isinstance(ours, APIConnectionError):
        ours.stale = scene.watch.own and not scene.answered and scene.watch.is_stale
    return ours


def is_foreign(error: Exception, *, own: bool) -> bool:
    """Tell whether an error is the transport's, and not one of a user's own kinds.

    What the test kit says to a test is for the test, whatever transport it listens to.
    """
    if isinstance(error, MemoryError) or type(error).__module__ == _TEST_KIT:
        return False
    return own or _is_known(error)


def bared(error: BaseException) -> BaseException:
    """Return the innermost cause without its frames, which hold headers.

    The text of a `LocalProtocolError` goes too: it quotes the header at fault, maybe the token.
    """
    cause = error
    for cause in _wrapped(error):
        cause.__cause__ = cause.__context__ = None
        cause.__traceback__ = None
        if type(cause).__name__ == "LocalProtocolError":
            cause.args = ()
    return cause


def _wrapped(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that it was made of, from the outside to the inside."""
    yield error
    while error.args and isinstance(error.args[0], BaseException):
        error = error.args[0]
        yield error


def _is_known(error: Exception) -> bool:
    if isinstance(error, OSError | EOFError):
        return True
    return any(kind.__module__.partition(".")[0] in _LIBRARIES for kind in type(error).__mro__)


def _is_timeout(error: Exception) -> bool:
    return ran_out(error) or "TimeoutException" in _names_of(error)


def _timeout(error: Exception, scene: Scene) -> APITimeoutError:
    phases = scene.watch.phases
    if not scene.watch.own:
        phase = _TIMEOUTS.get(type(error).__name__, "read")
        if phase == "read":
            # Tells the first piece from later ones, and the limit of the whole call.
            phases.read()
        else:
            phases.phase, phases.sent = scene.watch.limited_by.get(phase, "pool"), False
    ours = phases.error()
    if ours.phase == "pool" and scene.usage:
        return _with_detail(ours, scene.usage)
    if ours.phase == "connect" and scene.watch.peer:
        return _with_detail(ours, _address(scene))
    return ours


def _with_detail(error: APITimeoutError, detail: str) -> APITimeoutError:
    return APITimeoutError(f"{error.args[0]}: {detail}", phase=error.phase, maybe_executed=False)


def _address(scene: Scene) -> str:
    """Return where a connection was to lead."""
    if scene.watch.peer is None:
        return scene.host
    host, port = scene.watch.peer
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _httpx_error(error: Exception) -> ServingError | None:
    """Return the error for what only a user's transport raises."""
    names = _names_of(error)
    if "DecodingError" in names:
        return InvalidResponseError(f"the body cannot be decompressed: {error}", garbled=True)
    if "InvalidURL" in names:
        return InvalidRequestError(f"the request has no valid URL: {error}")
    if names & {"UnsupportedProtocol", "LocalProtocolError"}:
        message = f"the request cannot be sent: {type(error).__name__}"
        return APIConnectionError(message, maybe_executed=False, retryable=False)
    plain = "HTTPError" in names and "TransportError" not in names
    if plain or names & {"StreamError", "CookieConflict"}:
        return APIConnectionError(f"the response cannot be read: {error}", retryable=False)
    return None


def _connection_error(error: Exception, scene: Scene) -> APIConnectionError:
    *_, inner = _wrapped(error)
    names, watch = _names_of(error), scene.watch
    cause = cause_of(inner, watch.peer[0] if watch.peer else scene.host, at_proxy=watch.at_proxy)
    if watch.at_proxy or "ProxyError" in names:
        at = f" {_address(scene)}" if watch.at_proxy else ""
        return APIConnectionError(
            f"no connection through the proxy{at}: {cause.text}",
            maybe_executed=False,
            # Its message begins with the status that the proxy gave.
            retryable=cause.transient and not cause.text.startswith("4"),
        )
    if watch.first == TLS_ALERT:
        text = "no connection: the port speaks TLS: does host begin with http instead of https?"
        return APIConnectionError(text, maybe_executed=False, retryable=False)
    sent = _was_sent(error, scene, names) and not cause.refused
    if not sent:
        text = f"no connection to {_address(scene)}: {cause.text}"
        return APIConnectionError(text, maybe_executed=False, retryable=cause.transient)
    return APIConnectionError(_broken_off(cause, names, scene), retryable=cause.transient)


def _names_of(error: Exception) -> set[str]:
    """Return what kinds of error it is: our own and those of httpx have the same names."""
    return {kind.__name__ for kind in type(error).__mro__}


def _was_sent(error: Exception, scene: Scene, names: set[str]) -> bool:
    if scene.answered:
        return True
    if names & {"ConnectError", "ProxyError", "WriteError"}:
        return False
    return scene.watch.phases.sent if scene.watch.own else not isinstance(error, ssl.SSLError)


def _broken_off(cause: Cause, names: set[str], scene: Scene) -> str:
    if "RemoteProtocolError" in names and _CUT_OFF not in cause.text:
        return f"the server broke the rules of HTTP: {cause.text}"
    received = f" ({scene.received} came)" if scene.received else ""
    return f"the connection broke before the answer was whole{received}: {cause.text}"
