"""What a client's connections are doing."""

from typing import Any


def busy(client: Any) -> list[str]:
    """Return the connections of a client that a request holds, and requests that wait for one."""
    held: list[str] = []
    for pool in pools_of(client):
        held += [repr(one) for one in pool.connections if not (one.is_idle() or one.is_closed())]
        held += [f"a request waits: {waiting!r}" for waiting in pool._requests]
    return held


def fresh(client: Any) -> list[Any]:
    """Return the connections of a client on which nothing has come, not even their end."""
    return [one for pool in pools_of(client) for one in pool.connections if not one.has_expired()]


def pools_of(client: Any) -> list[Any]:
    """Return the pools of a client: one, or one for each event loop."""
    sender = client._caller.sender
    if hasattr(sender, "_homes"):
        return [home.transport.pool for home in sender._homes.values()]
    return [pool.pool for pool in sender._pools.values()]
