"""What a client's connections are doing."""

from typing import Any


def busy(client: Any) -> list[str]:
    """Return what a client's requests hold, and wait for."""
    held: list[str] = []
    for pool in pools_of(client):
        held += ["a connection is in use"] * pool.slots.in_use
        held += [f"a request waits: {waiting!r}" for waiting in pool.slots.waiting]
    return held


def fresh(client: Any) -> list[Any]:
    """Return the connections of a client on which nothing has come, not even their end."""
    return [one for pool in pools_of(client) for one in pool.backend.streams if not one.is_spent()]


def pools_of(client: Any) -> list[Any]:
    """Return the pools of a client: one, or one for each event loop."""
    sender = client._caller.sender
    if hasattr(sender, "_homes"):
        return [home.pool for home in sender._homes.values()]
    return list(sender._pools.values())
