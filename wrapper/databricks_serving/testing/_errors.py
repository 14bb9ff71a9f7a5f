"""What a test is told about requests that it did not expect."""


class UnexpectedRequestError(AssertionError):
    """A request came that nothing was scripted for.

    It is no `ServingError`: code under test that handles faults of a server must not handle this.
    """


# A message shows the name by which it is imported.
UnexpectedRequestError.__module__ = "databricks_serving.testing"
