"""How connections break, by the names that httpx has for it.

Transports of httpx's kind raise its own errors of these names, so both are told by name. Its own
classes would make every program load httpx, which most never use.
"""


class TransportError(Exception):
    """Something between here and the server failed."""


class TimeoutException(TransportError):  # noqa: N818 - as httpx has it
    """A limit ran out."""


class PoolTimeout(TimeoutException):
    """No connection came free in time."""


class ConnectTimeout(TimeoutException):
    """No connection was made in time."""


class WriteTimeout(TimeoutException):
    """The request was not taken in time."""


class ReadTimeout(TimeoutException):
    """The answer, or more of it, did not come in time."""


class NetworkError(TransportError):
    """A connection failed."""


class ConnectError(NetworkError):
    """No connection was made."""


class WriteError(NetworkError):
    """The connection broke while the request was written."""


class ReadError(NetworkError):
    """The connection broke while the answer was read."""


class ProxyError(TransportError):
    """The proxy does not lead to the host."""


class LocalProtocolError(TransportError):
    """The request is not one of HTTP."""


class RemoteProtocolError(TransportError):
    """The answer is not one of HTTP."""


class InvalidURL(Exception):  # noqa: N818 - as httpx has it
    """An address is none."""
