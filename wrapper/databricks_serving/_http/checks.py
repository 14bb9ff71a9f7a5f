"""What a sender refuses before it does anything."""

from databricks_serving.errors import ClientClosedError, ConfigError


def check_transport(transport: object, method: str) -> None:
    """Refuse what is no transport of the right kind.

    Raises:
        ConfigError: Naming the method that it lacks.
    """
    if transport is not None and not hasattr(transport, method):
        raise ConfigError(f"transport must be an httpx transport with the method {method}")


def check_open(*, closed: bool) -> None:
    """Refuse to send after the end.

    Raises:
        ClientClosedError: When the client was closed.
    """
    if closed:
        raise ClientClosedError("the client is closed")
