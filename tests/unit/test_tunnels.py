"""What is said to a proxy, and what its answers come to, without a connection."""

import pytest

from databricks_serving._core.http1 import ProtocolError
from databricks_serving._core.proxies import Proxy
from databricks_serving._core.secret import Secret
from databricks_serving._core.tunnels import TunnelError, tunnel_through

PLAIN = Proxy("http://proxy:3128")
SOCKS = Proxy("socks5://proxy:1080", Secret("user"), Secret("word"))
BOUND = b"\x05\0\0\x01\x7f\0\0\x01\0\0"


def converse(proxy, *answers, size=4096):
    """Return what a proxy is told that answers so, each answer in pieces of some size."""
    dialogue = tunnel_through(proxy, "host.example", 443)
    said, leads = [next(dialogue)], False
    for answer in answers:
        # The end of the connection is a piece too.
        for start in range(0, max(len(answer), 1), size):
            assert not leads
            try:
                words = dialogue.send(answer[start : start + size])
            except StopIteration:
                leads = True
            else:
                said += [words] if words else []
    assert leads
    return said


@pytest.mark.parametrize("size", [1, 7, 4096])
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.0 200 Connection established\r\nProxy-agent: x\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
    ],
)
def test_a_proxy_of_http_leads_on(answer, size):
    assert converse(PLAIN, answer, size=size) == [
        b"CONNECT host.example:443 HTTP/1.1\r\nHost: host.example:443\r\nAccept: */*\r\n\r\n"
    ]


@pytest.mark.parametrize("size", [1, 3, 4096])
@pytest.mark.parametrize(
    "reply",
    [
        BOUND,
        b"\x05\0\0\x04" + b"\0" * 18,
        b"\x05\0\0\x03\x09localhost\0\x50",
    ],
)
def test_a_proxy_of_socks_leads_on_however_its_answers_are_cut(reply, size):
    assert converse(SOCKS, b"\x05\x02", b"\x01\0", reply, size=size) == [
        b"\x05\x01\x02",
        b"\x01\x04user\x04word",
        b"\x05\x01\0\x03\x0chost.example\x01\xbb",
    ]


REFUSED = {
    "status": (PLAIN, [b"HTTP/1.1 403 Forbidden\r\n\r\n"], "403 Forbidden"),
    "early data": (PLAIN, [b"HTTP/1.1 200 OK\r\n\r\nSSH-2.0"], "data of its own"),
    "other protocol": (PLAIN, [b"HTTP/1.1 101 Switching\r\n\r\n"], "data of its own"),
    "end": (PLAIN, [b"HTTP/1.1 200", b""], "disconnected"),
    "socks end": (SOCKS, [b"\x05", b""], "closed the connection"),
    "method": (SOCKS, [b"\x05\0"], "another way of logging in"),
    "login": (SOCKS, [b"\x05\x02", b"\x01\x01"], "invalid user name"),
    "socks early data": (SOCKS, [b"\x05\x02", b"\x01\0", BOUND + b"x"], "data of its own"),
    "code": (SOCKS, [b"\x05\x02", b"\x01\0", b"\x05\x05" + BOUND[2:]], "connection refused"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_says_why(name):
    proxy, answers, words = REFUSED[name]
    with pytest.raises((TunnelError, ProtocolError), match=words):
        converse(proxy, *answers)
