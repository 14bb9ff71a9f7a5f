"""OAuth for machines: a service principal with an id and a secret."""

from typing import ClassVar

from databricks_serving._core.secret import Secret
from databricks_serving.auth._oauth import SCOPE, find_token_address, request_token
from databricks_serving.auth._source import Site, Source
from databricks_serving.auth._steps import Fetch
from databricks_serving.auth._values import Values
from databricks_serving.errors import ConfigError


class OAuthClientCredentials(Source):
    """A service principal, by its id and an OAuth secret.

    Args:
        client_id: Application id of the service principal.
        client_secret: Its OAuth secret.
        scope: What the tokens are for.
        account_id: Id of the account, where the host is an account's.

    Raises:
        ConfigError: When id or secret is missing.
    """

    auth_type: ClassVar[str] = "oauth-m2m"
    uses: ClassVar[tuple[str, ...]] = ("client_id", "client_secret", "account_id")

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        *,
        scope: str = SCOPE,
        account_id: str | None = None,
    ) -> None:
        secret, client_secret = Secret(client_secret), ""
        if not client_id or not secret.reveal():
            raise ConfigError("oauth-m2m needs client_id and client_secret, and one is empty")
        self._client_id = client_id
        self._secret = secret
        self._scope = scope
        self._account_id = account_id

    @property
    def identity(self) -> str:
        """The service principal."""
        return f"{self.auth_type} {self._client_id} {self._account_id or ''} {self._scope}"

    @classmethod
    def configured(cls, values: Values) -> Source | str:
        """Return the source for `client_id` and `client_secret`."""
        client_id, secret = values.get("client_id"), values.get("client_secret")
        if client_id is None and secret is None:
            return "no client_id and no client_secret"
        if client_id is None or secret is None:
            given = "client_secret" if secret else "client_id"
            (lacking,) = values.missing("client_id", "client_secret")
            return f"{given} is from {values.origin(given)}, but there is no {lacking}"
        return cls(client_id, secret, account_id=values.get("account_id"))

    def fetch(self, site: Site) -> Fetch:
        """Ask the workspace's token service."""
        return (yield from self.fetch_for(site, None))

    def fetch_for(self, site: Site, details: str | None) -> Fetch:
        """Ask for a token for what `authorization_details` name; None for the workspace."""
        address = yield from find_token_address(site, self.auth_type, self._account_id)
        form = {"grant_type": "client_credentials", "scope": self._scope}
        if details is not None:
            form["authorization_details"] = details
        basic = (self._client_id, self._secret)
        return (yield from request_token(address, self.auth_type, form, basic))
