"""What connections of all kinds have in common."""

import ipaddress
import select
from typing import Final, Generic, Protocol, TypeVar

import httpcore2

from databricks_serving._http.watch import Watch

# The most that small pieces of a request are put together to.
TOGETHER: Final = 64 * 1024
# How much of an answer tells TLS from HTTP.
FIRST: Final = 2


class Distrusted(Protocol):
    """A connection that may be marked as not to be used again."""

    distrusted: bool


StreamT = TypeVar("StreamT", bound=Distrusted)


class Backend(Generic[StreamT]):
    """Opens connections, and knows which are open.

    Args:
        layers: How many handshakes of TLS lead through a proxy; none without a proxy.
    """

    def __init__(self, layers: int) -> None:
        self.streams: set[StreamT] = set()
        self._layers = layers

    def begin(self, watch: Watch) -> None:
        """Take note that a try opens a connection."""
        watch.fresh, watch.at_proxy = True, self._layers > 0

    def distrust(self) -> None:
        """Use no connection again that is open now."""
        for stream in list(self.streams):
            stream.distrusted = True


class _HasNumber(Protocol):
    def fileno(self) -> int: ...


def is_readable(sock: _HasNumber) -> bool:
    """Tell whether a read would return at once, as it would on a socket that was closed."""
    number = sock.fileno()
    if number < 0:
        return True
    if not hasattr(select, "poll"):
        return bool(select.select([number], [], [], 0)[0])
    poll = select.poll()
    poll.register(number, select.POLLIN)
    return bool(poll.poll(0))


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
    return (httpcore2.ConnectTimeout if ran_out(error) else httpcore2.ConnectError)(error)
