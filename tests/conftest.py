"""No test leaves this machine; each test of behaviour is written once for both clients."""

import ipaddress
import sys
from collections.abc import Iterator

import pytest
from shells import AsyncShell, SyncShell


def refuse_other_machines(event, arguments):
    if event == "socket.connect":
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    name = host.decode() if isinstance(host, bytes) else host
    if name not in {None, "", "localhost"} and not is_loopback(name):
        raise AssertionError(f"a test wants to reach {name}")


def is_loopback(name):
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


sys.addaudithook(refuse_other_machines)


@pytest.fixture(params=[SyncShell, AsyncShell], ids=lambda kind: kind.name)
def shell(request) -> Iterator[SyncShell]:
    """One of the two clients under the same verbs."""
    shell = request.param()
    yield shell
    shell.finish()
