"""Tokens that somebody has made and put somewhere."""

import math
from typing import ClassVar

from databricks_serving._core.config import TOKEN_VARIABLE, check_token, normalise_host
from databricks_serving._core.secret import Secret
from databricks_serving.auth._profile import FILE_VARIABLE, read_profile
from databricks_serving.auth._source import Site, Source
from databricks_serving.auth._steps import Fetch
from databricks_serving.auth._token import Token, checked
from databricks_serving.auth._values import Values
from databricks_serving.errors import TokenError


class AccessToken(Source):
    """A token as it is: a personal access token, or one that somebody else renews.

    Args:
        token: The token alone, without `Bearer`.

    Raises:
        ConfigError: When it cannot be one.
    """

    auth_type: ClassVar[str] = "pat"
    renewable: ClassVar[bool] = False
    uses: ClassVar[tuple[str, ...]] = ("token",)

    @classmethod
    def configured(cls, values: Values) -> Source | str:
        """Return the source for `token`, wherever it was found."""
        value = values.found.get("token")
        if value is None:
            return "no token"
        if value.kind == "profile":
            own = values.found["host"].kind == "profile"
            return ProfileToken(values.profile, values.variable(FILE_VARIABLE), own_host=own)
        check_token(value.secret)
        return EnvironmentToken() if value.kind == "variable" else cls(value.secret.reveal())

    def __init__(self, token: str) -> None:
        secret, token = Secret(token), ""
        self._token = check_token(secret)

    def fetch(self, site: Site) -> Fetch:  # noqa: ARG002 - as every source
        """Return the token."""
        yield from ()
        return Token(self._token.reveal(), math.inf)


class ProfileToken(Source):
    """The token of a profile, which is read again when a server refuses it."""

    auth_type: ClassVar[str] = "pat"

    def __init__(self, name: str | None, file: str | None, *, own_host: bool) -> None:
        self._name = name
        self._file = file
        self._own_host = own_host

    def fetch(self, site: Site) -> Fetch:
        """Read the profile."""
        profile = yield from read_profile(self._name, self._file)
        host = profile.values.get("host")
        if self._own_host and (host is None or normalise_host(host) != site.host):
            text = f"pat: {profile.origin} is no longer for {site.host}: make another client"
            raise TokenError(text, source=self.auth_type)
        token = profile.values.get("token")
        if token is None:
            raise TokenError(f"pat: {profile.origin} has no token", source=self.auth_type)
        return checked(Token(token, math.inf), self.auth_type)


class EnvironmentToken(Source):
    """The token in `DATABRICKS_TOKEN`, which is read again when a server refuses it."""

    auth_type: ClassVar[str] = "pat"

    def fetch(self, site: Site) -> Fetch:
        """Read the variable."""
        yield from ()
        value = site.variable(TOKEN_VARIABLE)
        if value is None:
            raise TokenError(f"pat: {TOKEN_VARIABLE} is no longer set", source=self.auth_type)
        return checked(Token(value, math.inf), self.auth_type)
