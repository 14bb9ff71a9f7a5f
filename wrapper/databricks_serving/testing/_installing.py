"""A fake that stands in for the network of a process."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from databricks_serving._core.clocks import OwnTime
from databricks_serving._http.scripted import ScriptedTransport
from databricks_serving._http.stand_ins import installed
from databricks_serving.auth._profile import FILE_VARIABLE, PROFILE_VARIABLE
from databricks_serving.auth._values import VARIABLES

if TYPE_CHECKING:
    from databricks_serving.testing._fake import FakeServing

_LOGINS: Final = frozenset(
    {PROFILE_VARIABLE, FILE_VARIABLE, *(name for names in VARIABLES.values() for name in names)}
)


class _StandIn:
    replaces = True

    def __init__(self, transport: ScriptedTransport) -> None:
        self._transport = transport

    @property
    def own_time(self) -> OwnTime | None:
        return self._transport.own_time

    def blocking(self, inner: object) -> ScriptedTransport:  # noqa: ARG002 - replaced
        return self._transport

    def asynchronous(self, inner: object) -> ScriptedTransport:  # noqa: ARG002 - replaced
        return self._transport


@contextmanager
def standing_in(fake: "FakeServing") -> "Generator[FakeServing]":
    """Have all clients without a transport of their own use a fake, with a login to it."""
    with installed(_StandIn(fake)), _logged_in(fake.host, fake.token):
        yield fake


@contextmanager
def _logged_in(host: str, token: str) -> Generator[None]:
    before = {name: os.environ.pop(name) for name in _LOGINS if name in os.environ}
    os.environ.update({"DATABRICKS_HOST": host, "DATABRICKS_TOKEN": token})
    try:
        yield
    finally:
        for name in _LOGINS:
            os.environ.pop(name, None)
        os.environ.update(before)
