"""Functions of the user's that calls of this package call."""

from databricks_serving import options
from databricks_serving._core.refusing import IN_CALLS


def check_callback(name: str, value: object, word: str | None = None) -> None:
    """Refuse what is no function for a call to call, as `options.check_callback` does for a client.

    Raises:
        InvalidRequestError: Naming the argument.
    """
    with IN_CALLS:
        options.check_callback(name, value, word)
