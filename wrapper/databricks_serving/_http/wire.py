"""What connections of all kinds have in common."""

import ipaddress
import select
from typing import Final, Protocol

import httpcore2

# The most that small pieces of a request are put together to.
TOGETHER: Final = 64 * 1024
# How much of an answer tells TLS from HTTP.
FIRST: Final = 2


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
