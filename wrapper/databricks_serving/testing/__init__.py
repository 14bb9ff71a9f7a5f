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
    from databricks_serving.testing._cassettes.cassette import Cassette
    from databricks_serving.testing._cassettes.scrubbing import Scrubber
    from databricks_serving.testing._errors import (
        ContractViolationError,
        ContractWarning,
        RecordingError,
        UnexpectedRequestError,
    )
    from databricks_serving.testing._fake import FakeServing
    from databricks_serving.testing._importing.files import import_recordings
    from databricks_serving.testing._importing.result import ImportResult
    from databricks_serving.testing._options import (
        AnyReplyOptions,
        AnyStreamOptions,
        FailureOptions,
        MatchOptions,
        ReplyOptions,
        StreamOptions,
    )
    from databricks_serving.testing._recording import Recording
    from databricks_serving.testing._requests import RecordedRequest
    from databricks_serving.testing._time import FakeTime
    from databricks_serving.testing._verify.report import Finding, Notice, Report
    from databricks_serving.testing._verify.verifying import inspect_contract, verify_contract
else:
    # The pytest plugin is loaded wherever pytest runs: it must not cost an HTTP stack.
    _HOMES = {
        "AnyReplyOptions": "_options",
        "AnyStreamOptions": "_options",
        "Cassette": "_cassettes.cassette",
        "ContractViolationError": "_errors",
        "ContractWarning": "_errors",
        "FailureOptions": "_options",
        "FakeServing": "_fake",
        "FakeTime": "_time",
        "Finding": "_verify.report",
        "ImportResult": "_importing.result",
        "MatchOptions": "_options",
        "Notice": "_verify.report",
        "RecordedRequest": "_requests",
        "Recording": "_recording",
        "RecordingError": "_errors",
        "ReplyOptions": "_options",
        "Report": "_verify.report",
        "Scrubber": "_cassettes.scrubbing",
        "StreamOptions": "_options",
        "UnexpectedRequestError": "_errors",
        "import_recordings": "_importing.files",
        "inspect_contract": "_verify.verifying",
        "verify_contract": "_verify.verifying",
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
    "Cassette",
    "ContractViolationError",
    "ContractWarning",
    "FailureOptions",
    "FakeServing",
    "FakeTime",
    "Finding",
    "ImportResult",
    "MatchOptions",
    "Notice",
    "RecordedRequest",
    "Recording",
    "RecordingError",
    "ReplyOptions",
    "Report",
    "Scrubber",
    "StreamOptions",
    "UnexpectedRequestError",
    "import_recordings",
    "inspect_contract",
    "verify_contract",
]
