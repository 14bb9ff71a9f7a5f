"""What a token becomes on the way to a request, and what is said when there is none."""

from collections.abc import Callable
from typing import Final

from databricks_serving._core.access import Pass
from databricks_serving._core.clocks import Now
from databricks_serving._core.secret import Hidden, Secret
from databricks_serving.auth._access import Access
from databricks_serving.auth._token import Token

_SECRET: Final = 16


def pass_of(token: Token, access: Access, now: Callable[[], Now]) -> Pass:
    """Return what a token authorises with."""
    extra = token.headers
    headers = {**extra, "authorization": f"Bearer {token.value}"} if token.value else extra
    # Short values would be replaced all over in what a server says.
    secrets = [token.value, *(value for value in extra.values() if len(value) >= _SECRET)]

    def accept() -> None:
        access.keeper.accept(token)

    def refuse() -> bool:
        resolved = access.resolved
        if resolved is None or not resolved.source.renewable:
            return False
        return access.keeper.refuse(token, now())

    return Pass(Hidden(headers), tuple(Secret(one) for one in secrets if one), accept, refuse)


def renewal_failed(error: Exception) -> str:
    """Return what to log when a token could not be renewed beside the calls."""
    return f"the token could not be renewed, and the present one is used on: {error}"
