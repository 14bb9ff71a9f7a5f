"""What goes wrong in a test, as opposed to what goes wrong with an endpoint."""


class RecordingError(ValueError):
    """A recording cannot be read, written or made; the message names the file and what to do."""


class UnexpectedRequestError(AssertionError):
    """A request came that the test did not expect.

    It is no `ServingError`, so that the code under test cannot take it for a fault of the endpoint.
    """


class ContractError(ValueError):
    """A contract cannot be read or used; the message names it and what is wrong."""


class ContractViolationError(AssertionError):
    """Recordings and contract do not agree; the message is the report."""
