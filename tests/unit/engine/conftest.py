"""A call without a transport: its clock, its chance and its log are a test's."""

import pytest

from databricks_serving._core.call import Call, Shared, World
from databricks_serving._core.requests import Request
from databricks_serving._core.secret import Hidden
from databricks_serving.options import RetryPolicy, Timeouts


class Bench:
    """Makes calls in a world where time passes only when told."""

    def __init__(self):
        self.now = 100.0
        self.rand = 1.0
        self.tries = []
        self.shared = Shared()
        self.world = World(lambda: self.now, lambda: self.rand, self.tries.append)

    def call(self, policy=None, *, endpoint="rivers", timeouts=None, **known):
        request = Request(
            endpoint=endpoint,
            method="POST",
            url=f"https://w.example.com/serving-endpoints/{endpoint}/invocations?a=secret",
            headers=Hidden(
                {"idempotency-key": "k-1", "authorization": "Bearer dapi-canary", "x-a": "b"}
            ),
            content=Hidden(b"{}"),
            timeouts=timeouts or Timeouts(),
            limit=1000,
            **known,
        )
        return Call(request, policy or RetryPolicy(), self.shared, self.world)

    def run(self, call, *errors):
        """Let tries end with errors, one after the other; return the waits, None at the end."""
        waits = []
        for error in errors:
            self.settle(call)
            call.phases()
            if not call.again(error):
                return [*waits, None]
            waits.append(call.pause())
        return waits

    def settle(self, call):
        """Let the time pass that a call waits."""
        while (pause := call.pause()) > 0:
            self.now += pause


@pytest.fixture
def bench():
    return Bench()
