"""Functions of the user's that calls of this package call."""

from databricks_serving import options
from databricks_serving.errors import ConfigError, InvalidRequestError


def check_callback(name: str, value: object, word: str | None = None) -> None:
    """Refuse what is no function for a call to call, as `options.check_callback` does for a client.

    Raises:
        InvalidRequestError: Naming the argument.
    """
    try:
        options.check_callback(name, value, word)
    except ConfigError as error:
        raise InvalidRequestError(str(error)) from None
