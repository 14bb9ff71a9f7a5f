"""How the asynchronous client logs in."""

from databricks_serving._async.caller import AsyncCaller
from databricks_serving._core.boundary import forgetful


class AsyncAuth:
    """How a client logs in."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    @forgetful
    async def describe(self) -> str:
        """Tell which workspace and which source of tokens were found, where, and why no other.

        Reads the profile if need be, and sends nothing. There is no secret in it.

        Raises:
            ConfigError: When there is no workspace or no credential.
        """
        return "\n".join((await self._caller.credentials.resolved(None)).report)

    @forgetful
    async def headers(self) -> dict[str, str]:
        """Return the headers that authorise a request now; they hold the token.

        They are for other programs and clients that speak to the same workspace. A token is fetched
        if need be, so this also tells whether the login works.

        Raises:
            TokenError: When there is no token.
            ConfigError: When there is no workspace or no credential.
        """
        await self._caller.credentials.resolved(None)
        return dict((await self._caller.credentials.take(None)).headers.reveal())
