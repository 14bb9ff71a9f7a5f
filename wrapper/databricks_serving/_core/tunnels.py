"""What a proxy is told so that it leads to a host: dialogues without I/O.

A dialogue yields what is to be written, maybe nothing, and is sent what was read after that.
"""

import base64
from collections.abc import Callable, Generator
from typing import Any, Final

from databricks_serving._core.http1 import AnswerReader, request_bytes
from databricks_serving._core.proxies import Proxy

Dialogue = Generator[bytes, bytes, None]

_REFUSED: Final = 300
# How much of an answer of SOCKS tells its length.
_TELLING: Final = 5
# What SOCKS servers say, by RFC 1928.
_REPLIES: Final = {
    1: "general failure",
    2: "connection not allowed by its rules",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "time to live expired",
    7: "command not supported",
    8: "address type not supported",
}


class TunnelError(Exception):
    """The proxy does not lead to the host."""


def tunnel_through(proxy: Proxy, host: str, port: int) -> Dialogue:
    """Return the dialogue that has a proxy lead to a host."""
    if proxy.url.startswith("socks"):
        return _socks(proxy, host, port)
    return _connect(proxy, host, port)


def _connect(proxy: Proxy, host: str, port: int) -> Dialogue:
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    headers = [("Host", target), ("Accept", "*/*"), *_authorization(proxy)]
    reader = AnswerReader(tunnel=True)
    words = request_bytes(f"CONNECT {target} HTTP/1.1", headers)
    while reader.head is None:
        heard = yield words
        words = b""
        if heard:
            reader.feed(heard)
        else:
            reader.end()
    if reader.head.status >= _REFUSED:
        raise TunnelError(f"{reader.head.status} {reader.head.reason}")
    if not reader.reusable:
        raise TunnelError("the proxy sent data of its own")


def _authorization(proxy: Proxy) -> list[tuple[str, str]]:
    if proxy.user is None or proxy.password is None:
        return []
    pair = f"{proxy.user.reveal()}:{proxy.password.reveal()}".encode()
    return [("Proxy-Authorization", f"Basic {base64.b64encode(pair).decode()}")]


def _socks(proxy: Proxy, host: str, port: int) -> Dialogue:
    import socksio.socks5 as socks  # noqa: PLC0415 - an extra, without which no such proxy is taken

    connection: Any = socks.SOCKS5Connection()
    method = socks.SOCKS5AuthMethod.NO_AUTH_REQUIRED
    if proxy.user is not None and proxy.password is not None:
        method = socks.SOCKS5AuthMethod.USERNAME_PASSWORD
    connection.send(socks.SOCKS5AuthMethodsRequest([method]))
    offer = yield from _exchange(connection, _short)
    if offer.method != method:
        raise TunnelError("the proxy wants another way of logging in")
    if proxy.user is not None and proxy.password is not None:
        user, password = proxy.user.reveal().encode(), proxy.password.reveal().encode()
        connection.send(socks.SOCKS5UsernamePasswordRequest(user, password))
        login = yield from _exchange(connection, _short)
        if not login.success:
            raise TunnelError("invalid user name or password")
    command = socks.SOCKS5CommandRequest.from_address(
        socks.SOCKS5Command.CONNECT, (host.encode(), port)
    )
    connection.send(command)
    reply = yield from _exchange(connection, _with_address)
    if reply.reply_code != socks.SOCKS5ReplyCode.SUCCEEDED:
        code = reply.reply_code.value[0]
        raise TunnelError(f"the proxy could not connect: {_REPLIES.get(code, code)}")


def _exchange(connection: Any, size_of: Callable[[bytes], int]) -> Generator[bytes, bytes, Any]:
    """Say what is to be said, and return the answer once it is whole, however it is cut."""
    words, heard = connection.data_to_send(), b""
    while len(heard) < size_of(heard):
        piece = yield words
        if not piece:
            raise TunnelError("the proxy closed the connection")
        words, heard = b"", heard + piece
    if len(heard) > size_of(heard):
        raise TunnelError("the proxy sent data of its own")
    return connection.receive_data(heard)


def _short(_: bytes) -> int:
    return 2


def _with_address(heard: bytes) -> int:
    """Return the length of an answer that names an address, as far as its beginning tells."""
    if len(heard) < _TELLING:
        return _TELLING
    # fact: RFC 1928, 5 and 6: an address of IPv4 or IPv6, or a name after its length.
    return {1: 10, 4: 22}.get(heard[3], 7 + heard[4])
