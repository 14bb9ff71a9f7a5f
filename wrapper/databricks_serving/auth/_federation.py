"""OAuth token federation: a token of another issuer that the workspace trusts, for one of its own.

fact: the token address takes the grant of RFC 8693 with a JWT as the subject token; client_id names
the service principal whose policy applies, and without it the account's policy does.
"""

from collections.abc import Awaitable, Callable
from typing import ClassVar, Final, TypeAlias

from databricks_serving.auth._jwt import checked_subject
from databricks_serving.auth._oauth import SCOPE, find_token_address, request_token
from databricks_serving.auth._pipelines import AzureDevOps, GitHub, Pipeline
from databricks_serving.auth._source import Site, Source
from databricks_serving.auth._steps import Fetch
from databricks_serving.auth._subjects import FromFile, FromFunction, FromVariable, Subject
from databricks_serving.auth._values import Values

SubjectLike: TypeAlias = Callable[[], str] | Callable[[], Awaitable[str]] | Subject

_VARIABLE: Final = "DATABRICKS_OIDC_TOKEN"
_GRANT: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
_KIND: Final = "urn:ietf:params:oauth:token-type:jwt"


class OAuthTokenFederation(Source):
    """A token of another issuer, exchanged for one of the workspace; no secret is stored.

    Args:
        subject: A function, async or not, that returns the other token, a JWT. It is called each
            time a new token is needed.
        client_id: Application id of the service principal, where the policy is one of its own.
        scope: What the tokens are for.
        audience: Whom the issuer makes the other token for, where it is asked; else the address
            that exchanges it.
        account_id: Id of the account, where the host is an account's.

    Raises:
        ConfigError: When `subject` is no function.
    """

    auth_type: ClassVar[str] = "token-federation"
    uses: ClassVar[tuple[str, ...]] = ("client_id", "account_id")

    def __init__(
        self,
        subject: SubjectLike,
        *,
        client_id: str | None = None,
        scope: str = SCOPE,
        audience: str | None = None,
        account_id: str | None = None,
    ) -> None:
        self._subject = subject if isinstance(subject, Subject) else FromFunction(subject)
        self._client_id = client_id
        self._scope = scope
        self._audience = audience
        self._account_id = account_id

    @property
    def identity(self) -> str | None:
        """The service principal and what its tokens are for; None where the account's policy is."""
        if not self._client_id:
            return None
        return f"{self.auth_type}\n{self._client_id}\n{self._scope}\n{self._account_id or ''}"

    @staticmethod
    def from_variable(
        name: str = _VARIABLE, *, client_id: str | None = None, scope: str = SCOPE
    ) -> "OAuthTokenFederation":
        """Return the source for a token in an environment variable."""
        return VariableFederation(FromVariable(name), client_id=client_id, scope=scope)

    @staticmethod
    def from_file(
        path: str, *, client_id: str | None = None, scope: str = SCOPE
    ) -> "OAuthTokenFederation":
        """Return the source for a token in a file, which is read each time, as in Kubernetes."""
        return FileFederation(FromFile(path), client_id=client_id, scope=scope)

    @staticmethod
    def github(
        *, client_id: str | None = None, audience: str | None = None, scope: str = SCOPE
    ) -> "OAuthTokenFederation":
        """Return the source for jobs of GitHub Actions, which need `id-token: write`."""
        return GitHubFederation(GitHub(), client_id=client_id, audience=audience, scope=scope)

    @staticmethod
    def azure_devops(*, client_id: str | None = None, scope: str = SCOPE) -> "OAuthTokenFederation":
        """Return the source for jobs of Azure DevOps, which need `SYSTEM_ACCESSTOKEN`."""
        return AzureDevOpsFederation(AzureDevOps(), client_id=client_id, scope=scope)

    def fetch(self, site: Site) -> Fetch:
        """Get the other token, and have the workspace exchange it."""
        address = yield from find_token_address(site, self.auth_type, self._account_id)
        audience = self._audience or address
        given = yield from self._subject.fetch(site, self.auth_type, audience)
        token = checked_subject(given, self.auth_type, self._subject.remedy)
        form = {
            "grant_type": _GRANT,
            "subject_token": token,
            "subject_token_type": _KIND,
            "scope": self._scope,
            **({"client_id": self._client_id} if self._client_id else {}),
        }
        return (yield from request_token(address, self.auth_type, form))


class VariableFederation(OAuthTokenFederation):
    """The other token in an environment variable."""

    auth_type: ClassVar[str] = "env-oidc"
    uses: ClassVar[tuple[str, ...]] = ("oidc_token_env", "client_id", "account_id")

    @classmethod
    def configured(cls, values: Values) -> Source | str:
        """Return the source where the variable is set."""
        name = values.get("oidc_token_env") or _VARIABLE
        if values.variable(name) is None:
            return f"the variable {name} is not set"
        return _made(cls, FromVariable(name), values)


class FileFederation(OAuthTokenFederation):
    """The other token in a file."""

    auth_type: ClassVar[str] = "file-oidc"
    uses: ClassVar[tuple[str, ...]] = ("oidc_token_filepath", "client_id", "account_id")

    @classmethod
    def configured(cls, values: Values) -> Source | str:
        """Return the source where a file was named."""
        path = values.get("oidc_token_filepath")
        return "no oidc_token_filepath" if path is None else _made(cls, FromFile(path), values)


class GitHubFederation(OAuthTokenFederation):
    """The other token from GitHub Actions."""

    auth_type: ClassVar[str] = "github-oidc"
    uses: ClassVar[tuple[str, ...]] = ("client_id", "token_audience", "account_id")

    @classmethod
    def configured(cls, values: Values) -> Source | str:
        """Return the source for `client_id` in a job of GitHub Actions."""
        return _in_pipeline(cls, GitHub(), values)


class AzureDevOpsFederation(OAuthTokenFederation):
    """The other token from Azure DevOps."""

    auth_type: ClassVar[str] = "azure-devops-oidc"

    @classmethod
    def configured(cls, values: Values) -> Source | str:
        """Return the source for `client_id` in a job of Azure DevOps."""
        return _in_pipeline(cls, AzureDevOps(), values)


def _in_pipeline(
    kind: type[OAuthTokenFederation], pipeline: Pipeline, values: Values
) -> Source | str:
    lacking = pipeline.lacking(values.variable)
    if lacking is not None:
        return lacking
    # Every job has these variables, so the id tells whether they are meant.
    return _made(kind, pipeline, values) if values.get("client_id") else "no client_id"


def _made(kind: type[OAuthTokenFederation], subject: Subject, values: Values) -> Source:
    return kind(
        subject,
        client_id=values.get("client_id"),
        audience=values.get("token_audience"),
        account_id=values.get("account_id"),
    )
