"""What connections of all kinds have in common."""

import ipaddress
import select
import ssl
from typing import Any, Final, Generic, Protocol, TypeVar

from databricks_serving._http.breaks import ConnectError, ConnectTimeout
from databricks_serving._http.watch import Watch

# The most that small pieces of a request are put together to.
TOGETHER: Final = 64 * 1024
# How much of an answer tells TLS from HTTP.
FIRST: Final = 2
_INTERIM: Final = b"HTTP/1.1 1"
_HEAD_END: Final = b"\r\n\r\n"


class Kept(Protocol):
    """A connection that a pool keeps."""

    distrusted: bool
    """Whether it is not to be used again."""

    def close(self) -> None:
        """Close it, without waiting."""
        ...


StreamT = TypeVar("StreamT", bound=Kept)


class Backend(Generic[StreamT]):
    """Opens connections, and knows which are open.

    Args:
        layers: How many handshakes of TLS lead through a proxy; none without a proxy.
    """

    def __init__(self, layers: int) -> None:
        self.streams: set[StreamT] = set()
        self.closed = False
        """Whether no more are to be opened."""
        self._layers = layers

    def begin(self, watch: Watch, host: str, port: int) -> None:
        """Take note that a try opens a connection, and where to."""
        self.check_open()
        watch.peer, watch.at_proxy = (host, port), self._layers > 0

    def check_open(self) -> None:
        """Refuse a connection that was made while the client was closed."""
        if self.closed:
            error = ConnectionAbortedError("the client was closed")
            raise ConnectError(error)

    def close(self) -> None:
        """Close all connections and wake whoever waits on one."""
        self.closed = True
        for stream in list(self.streams):
            stream.close()

    def distrust(self) -> None:
        """Use no connection again that is open now."""
        for stream in list(self.streams):
            stream.distrusted = True


class _HasNumber(Protocol):
    def fileno(self) -> int: ...


def is_readable(sock: _HasNumber) -> bool:
    """Tell whether a read would return at once, as it would on a socket that was closed."""
    return sock.fileno() < 0 or wait_for(sock, 0.0, write=False)


def wait_for(sock: _HasNumber, seconds: float | None, *, write: bool) -> bool:
    """Wait until a read, or a write where asked for, would return at once; False in vain."""
    number = sock.fileno()
    if not hasattr(select, "poll"):
        ready = select.select([number], [number] if write else [], [], seconds)
        return bool(ready[0] or ready[1])
    poll = select.poll()
    poll.register(number, select.POLLIN | (select.POLLOUT if write else 0))
    return bool(poll.poll(None if seconds is None else seconds * 1000))


def has_begun(data: bytes) -> bool:
    """Tell whether what came is the beginning of an answer, interim ones aside."""
    while data.startswith(_INTERIM) and _HEAD_END in data:
        data = data.partition(_HEAD_END)[2]
    return not _INTERIM.startswith(data[: len(_INTERIM)])


def holds_more(tls: Any) -> bool:
    """Tell whether an idle layer of TLS has data or an end that nobody has read.

    One that has is of no more use, so that nothing is lost by reading.
    """
    try:
        tls.read(1)
    except ssl.SSLWantReadError:
        return False
    except (OSError, ValueError):
        return True
    return True


def is_address(host: str) -> bool:
    """Tell an IP address from a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def ran_out(error: BaseException) -> bool:
    """Tell a limit of ours from the system's own ETIMEDOUT, which is a broken connection."""
    return isinstance(error, TimeoutError) and error.errno is None


def connect_error(error: BaseException) -> BaseException:
    """Return what to raise for an error while connecting."""
    if not isinstance(error, OSError | ValueError):
        return error
    return (ConnectTimeout if ran_out(error) else ConnectError)(error)
