"""What a test is told that has gone wrong with it, and not with an endpoint."""

from databricks_serving.errors import InvalidRequestError


class UnexpectedRequestError(AssertionError):
    """A request came that nothing was scripted or recorded for.

    It is no `ServingError`: code under test that handles faults of a server must not handle this.
    """


class RecordingError(InvalidRequestError):
    """A recording cannot be read, written or made; the message names the file and what to do."""


class ContractViolationError(AssertionError):
    """Recordings and contract do not agree; the message is the report."""


class ContractWarning(UserWarning):
    """Recordings agree with the contract, and hold what may be a mistake; the message names it."""


# A message shows the name by which it is imported.
for _kind in (UnexpectedRequestError, RecordingError, ContractViolationError, ContractWarning):
    _kind.__module__ = "databricks_serving.testing"
