"""A fake that stands in for the network of a process."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from databricks_serving._core.clocks import OwnTime
from databricks_serving._http.scripted import ScriptedTransport
from databricks_serving._http.stand_ins import StandIn, installed, standing
from databricks_serving.auth._profile import FILE_VARIABLE, PROFILE_VARIABLE
from databricks_serving.auth._values import VARIABLES
from databricks_serving.testing._errors import RecordingError
from databricks_serving.testing._guarding import Guard

if TYPE_CHECKING:
    from databricks_serving.testing._fake import FakeServing

_LOGINS: Final = frozenset(
    {PROFILE_VARIABLE, FILE_VARIABLE, *(name for names in VARIABLES.values() for name in names)}
)

_BOTH: Final = (
    "a fake and a cassette cannot serve the same clients: let the test use serving_fake or "
    "serving_cassette, not both; clients that fake.client() makes may be used within a cassette"
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
    kit = _StandIn(fake)
    refuse_both(kit)
    with installed(kit), logged_in(fake.host, fake.token):
        yield fake


def refuse_both(kit: StandIn) -> None:
    """Refuse a fake within a cassette, and a cassette within a fake.

    A client keeps the login that it has from the one, and the other's workspace refuses it.

    Raises:
        RecordingError: When one of the other kind is installed.
    """
    for other in standing():
        if isinstance(other, Guard):
            continue
        if isinstance(other, _StandIn) is not isinstance(kit, _StandIn):
            raise RecordingError(_BOTH)


@contextmanager
def logged_in(host: str, token: str) -> Generator[None]:
    """Have the environment name a workspace and a token, and no other login, for a while."""
    before = {name: os.environ.pop(name) for name in _LOGINS if name in os.environ}
    os.environ.update({"DATABRICKS_HOST": host, "DATABRICKS_TOKEN": token})
    try:
        yield
    finally:
        for name in _LOGINS:
            os.environ.pop(name, None)
        os.environ.update(before)
