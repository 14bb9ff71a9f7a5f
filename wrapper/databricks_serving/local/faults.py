"""Faults: what an endpoint does wrong because a test wants it to."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from http import HTTPStatus
from threading import Lock
from typing import Any, Final, Literal, TypeAlias, get_args

from databricks_serving.local.checks import Reader, any_text, number, record, text, whole, wrong
from databricks_serving.local.errors import BrokenOffError, RefusedError, code_for, retry_header
from databricks_serving.local.messages import HttpReply
from databricks_serving.local.pace import Pace

FaultKind: TypeAlias = Literal[
    "status", "html", "close", "reset", "slow_first_byte", "stall", "drip", "cut", "malformed"
]
_SECONDS: Final = number(0, 86_400)
_BORDER: Final[Mapping[str, Reader]] = {
    "after_bytes": whole(0, 10**9),
    "after_events": whole(0, 10**9),
}
_ERROR: Final[Mapping[str, Reader]] = {"status": whole(400, 599), "retry_after": _SECONDS}
_FIELDS: Final[Mapping[str, Mapping[str, Reader]]] = {
    "status": {**_ERROR, "error_code": text(), "message": any_text},
    "html": _ERROR,
    "close": {},
    "reset": _BORDER,
    "slow_first_byte": {"seconds": _SECONDS},
    "stall": {**_BORDER, "seconds": _SECONDS},
    "drip": {"seconds": _SECONDS},
    "cut": _BORDER,
    "malformed": {"after_events": _BORDER["after_events"]},
}
_COMMON: Final[Mapping[str, Reader]] = {
    "fault": text(*get_args(FaultKind)),
    "times": whole(1, 1_000_000),
    "endpoint": text(),
}
_ALL: Final = {**_COMMON, **{key: one for given in _FIELDS.values() for key, one in given.items()}}
_MOST: Final = 1000
# A whole body that drips comes in so many pieces.
_DRIPS: Final = 10
_PAGE: Final = (
    b"<html><head><title>Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        fault: What it is; see `LocalEndpoint.fail_next`.
        times: How many calls it befalls.
        endpoint: The endpoint whose calls those are; None for any.
        status: HTTP status, of `status` (503 by default) and `html` (502).
        error_code: The code of the error.
        message: The text of the error.
        retry_after: Seconds that the answer asks to wait.
        seconds: How long it takes: before the reply, while it stalls, or before each piece.
        after_bytes: After how many bytes of the body it happens.
        after_events: After how many events of a stream.
    """

    fault: str
    times: int = 1
    endpoint: str | None = None
    status: int | None = None
    error_code: str | None = None
    message: str | None = None
    retry_after: float | None = None
    seconds: float = 1.0
    after_bytes: int | None = None
    after_events: int | None = None


def read_fault(value: Any, place: str) -> Fault:
    """Read a fault.

    Raises:
        ConfigError: It makes no sense; the message names the place.
    """
    given = record(_ALL, "fault")(value, place)
    allowed = _FIELDS[given["fault"]]
    for key in given.keys() - _COMMON.keys():
        if key not in allowed:
            where = f"{place}.{key}" if place else key
            raise wrong(where, f"the fault {given['fault']!r} does not take it")
    if "after_bytes" in given and "after_events" in given:
        raise wrong(place, "give after_bytes or after_events, not both")
    return Fault(**given)


class FaultBox:
    """The faults that are still to come, in order."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: deque[list[Any]] = deque()

    def add(self, fault: Fault) -> None:
        """Let a fault come after those that wait already.

        Raises:
            ConfigError: Too many are waiting.
        """
        with self._lock:
            if len(self._waiting) >= _MOST:
                raise wrong("", f"{_MOST} faults are waiting already")
            self._waiting.append([fault, fault.times])

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._waiting.clear()

    def take(self, endpoint: str | None) -> Fault | None:
        """Return the fault that befalls a call of an endpoint; None if all goes well."""
        with self._lock:
            for entry in self._waiting:
                fault: Fault = entry[0]
                if fault.endpoint in {None, endpoint}:
                    entry[1] -= 1
                    if not entry[1]:
                        self._waiting.remove(entry)
                    return fault
        return None


def strike(fault: Fault, answer: Callable[[], HttpReply], pace: Pace) -> HttpReply:
    """Answer with a fault.

    Args:
        fault: What goes wrong.
        answer: Gives the answer without it; not called where nothing of it is needed.
        pace: For waits.

    Raises:
        RefusedError: The fault is an error of the endpoint.
        BrokenOffError: Nothing is answered at all.
    """
    match fault.fault:
        case "status":
            status: int = fault.status or HTTPStatus.SERVICE_UNAVAILABLE
            raise RefusedError(
                status,
                fault.error_code or code_for(status),
                "The local endpoint was told to fail." if fault.message is None else fault.message,
                headers=retry_header(fault.retry_after),
            )
        case "html":
            headers = retry_header(fault.retry_after)
            return HttpReply(fault.status or HTTPStatus.BAD_GATEWAY, "text/html", _PAGE, headers)
        case "close":
            raise BrokenOffError
        case "reset" if fault.after_bytes is None and fault.after_events is None:
            raise BrokenOffError(reset=True)
        case "slow_first_byte":
            pace.wait(fault.seconds)
            return answer()
        case _:
            return _spoilt(fault, answer(), pace)


def _spoilt(fault: Fault, reply: HttpReply, pace: Pace) -> HttpReply:
    if not isinstance(reply.body, bytes):
        return replace(reply, body=_pass_on(reply.body, fault, pace))
    if fault.fault == "malformed":
        return replace(reply, body=reply.body[: len(reply.body) // 2])
    pieces = _pass_on(_whole(reply.body, fault), fault, pace)
    return replace(reply, body=pieces, length=len(reply.body))


def _pass_on(
    pieces: Generator[bytes, None, None], fault: Fault, pace: Pace
) -> Generator[bytes, None, None]:
    return (_dripping if fault.fault == "drip" else _broken)(pieces, fault, pace)


def _whole(body: bytes, fault: Fault) -> Generator[bytes, None, None]:
    """Cut a body where the fault happens: in its middle, unless that says where."""
    size = -(-len(body) // _DRIPS) if fault.fault == "drip" else -(-len(body) // 2)
    return (body[start : start + size] for start in range(0, len(body), max(size, 1)))


def _dripping(
    pieces: Generator[bytes, None, None], fault: Fault, pace: Pace
) -> Generator[bytes, None, None]:
    with closing(pieces):
        for piece in pieces:
            pace.wait(fault.seconds)
            yield piece


def _broken(
    pieces: Generator[bytes, None, None], fault: Fault, pace: Pace
) -> Generator[bytes, None, None]:
    """Pass on pieces until the fault happens, which is at the end if not before."""
    happened = False
    with closing(pieces):
        for piece, after in _marked(pieces, fault):
            if after and not happened:
                happened = True
                yield _happen(fault, pace)
            yield piece
    if not happened:
        yield _happen(fault, pace)


def _happen(fault: Fault, pace: Pace) -> bytes:
    """Do what the fault is, and return what it sends."""
    if fault.fault == "malformed":
        return b'data: {"choices": [\n\n'
    if fault.fault == "stall":
        pace.wait(fault.seconds)
        return b""
    raise BrokenOffError(reset=fault.fault == "reset")


def _marked(pieces: Iterable[bytes], fault: Fault) -> Generator[tuple[bytes, bool], None, None]:
    """Yield pieces, and whether they come after the border; the one on the border in two."""
    if fault.after_bytes is None:
        events = 1 if fault.after_events is None else fault.after_events
        yield from ((piece, count >= events) for count, piece in enumerate(pieces))
        return
    left = fault.after_bytes
    for piece in pieces:
        if 0 < left < len(piece):
            yield piece[:left], False
            yield piece[left:], True
        else:
            yield piece, left <= 0
        left -= len(piece)
