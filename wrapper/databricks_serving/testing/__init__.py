"""Tests of code that calls model-serving endpoints, without an endpoint.

from databricks_serving.testing import FakeServing

fake = FakeServing()
fake.chat("Four.")
client = fake.client()
reply = client.chat.completions.create(
    model="any", messages=[{"role": "user", "content": "What is two and two?"}]
)
assert reply.text == "Four."
fake.assert_called(endpoint="any", text="What is two and two?")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from databricks_serving.testing._errors import UnexpectedRequestError
    from databricks_serving.testing._fake import FakeServing
    from databricks_serving.testing._options import (
        AnyReplyOptions,
        AnyStreamOptions,
        FailureOptions,
        MatchOptions,
        ReplyOptions,
        StreamOptions,
    )
    from databricks_serving.testing._requests import RecordedRequest
    from databricks_serving.testing._time import FakeTime
else:
    # The pytest plugin is loaded wherever pytest runs: it must not cost an HTTP stack.
    _HOMES = {
        "AnyReplyOptions": "_options",
        "AnyStreamOptions": "_options",
        "FailureOptions": "_options",
        "FakeServing": "_fake",
        "FakeTime": "_time",
        "MatchOptions": "_options",
        "RecordedRequest": "_requests",
        "ReplyOptions": "_options",
        "StreamOptions": "_options",
        "UnexpectedRequestError": "_errors",
    }

    def __getattr__(name: str) -> Any:
        """Import a public name when it is first asked for."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        """List the public names, imported or not."""
        return sorted({*globals(), *__all__})


__all__ = [
    "AnyReplyOptions",
    "AnyStreamOptions",
    "FailureOptions",
    "FakeServing",
    "FakeTime",
    "MatchOptions",
    "RecordedRequest",
    "ReplyOptions",
    "StreamOptions",
    "UnexpectedRequestError",
]
