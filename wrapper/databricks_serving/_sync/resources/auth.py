# Written by scripts/unasync from _async/resources/auth.py: do not edit.
"""How the blocking client logs in."""

from databricks_serving._core.boundary import forgetful
from databricks_serving._sync.caller import Caller


class Auth:
    """How a client logs in."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    @forgetful
    def describe(self) -> str:
        """Tell which workspace and which source of tokens were found, where, and why no other.

        Reads the profile if need be, and sends nothing. There is no secret in it.

        Raises:
            ConfigError: When there is no workspace or no credential.
        """
        return "\n".join((self._caller.credentials.resolved(None)).report)

    @forgetful
    def headers(self) -> dict[str, str]:
        """Return the headers that authorise a request now; they hold the token.

        They are for other programs and clients that speak to the same workspace. A token is fetched
        if need be, so this also tells whether the login works.

        Raises:
            TokenError: When there is no token.
            ConfigError: When there is no workspace or no credential.
        """
        self._caller.credentials.resolved(None)
        return dict((self._caller.credentials.take(None)).headers.reveal())
