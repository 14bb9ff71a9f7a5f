"""Microsoft Entra for machines: a service principal with an id and a secret."""

from typing import ClassVar
from urllib.parse import quote

from databricks_serving._core.secret import Secret
from databricks_serving.auth._azure_clouds import (
    DATABRICKS,
    NOT_ON_AZURE,
    check_environment,
    cloud_of,
    find_tenant,
    is_for_azure,
    managed,
)
from databricks_serving.auth._oauth import request_token
from databricks_serving.auth._source import Site, Source
from databricks_serving.auth._steps import Fetch
from databricks_serving.auth._values import Values
from databricks_serving.errors import ConfigError, TokenError


class AzureClientSecret(Source):
    """A service principal of Microsoft Entra, for workspaces on Azure.

    Args:
        tenant_id: Id of its tenant; None to ask the workspace for it.
        client_id: Its application id.
        client_secret: Its secret.
        resource_id: Azure's id of the workspace, where the service principal may manage that and is
            no member of it.
        environment: Azure's cloud: `public`, `usgovernment` or `china`; else that of the host.

    Raises:
        ConfigError: When id or secret is missing, or there is no such cloud.
    """

    auth_type: ClassVar[str] = "azure-client-secret"
    uses: ClassVar[tuple[str, ...]] = (
        *("azure_client_id", "azure_client_secret", "azure_tenant_id"),
        *("azure_workspace_resource_id", "azure_environment"),
    )

    def __init__(
        self,
        tenant_id: str | None,
        client_id: str,
        client_secret: str,
        *,
        resource_id: str | None = None,
        environment: str | None = None,
    ) -> None:
        secret, client_secret = Secret(client_secret), ""
        if not client_id or not secret.reveal():
            raise ConfigError(
                f"{self.auth_type} needs client_id and client_secret, and one is empty"
            )
        self._tenant_id = tenant_id
        self._client_id = client_id
        self._secret = secret
        self._resource_id = resource_id
        self._environment = check_environment(environment)

    @property
    def identity(self) -> str:
        """The service principal and the workspace that it may manage."""
        parts = (self._tenant_id, self._client_id, self._resource_id, self._environment)
        return "\n".join((self.auth_type, *(part or "" for part in parts)))

    @classmethod
    def configured(cls, values: Values) -> Source | str:
        """Return the source for `azure_client_id` and `azure_client_secret`."""
        client_id, secret = values.get("azure_client_id"), values.get("azure_client_secret")
        if client_id is None or secret is None:
            lacking = values.missing("azure_client_id", "azure_client_secret")
            return f"no {' and no '.join(lacking)}"
        if not is_for_azure(values):
            return NOT_ON_AZURE
        return cls(
            values.get("azure_tenant_id"),
            client_id,
            secret,
            resource_id=values.get("azure_workspace_resource_id"),
            environment=values.get("azure_environment"),
        )

    def fetch(self, site: Site) -> Fetch:
        """Ask Microsoft Entra."""
        cloud = cloud_of(site.host, self._environment)
        tenant = self._tenant_id or (yield from find_tenant(site, cloud))
        if tenant is None:
            text = "the workspace does not tell its tenant: pass tenant_id= or set ARM_TENANT_ID"
            raise TokenError(f"{self.auth_type}: {text}", source=self.auth_type)
        address = f"{cloud.authority}/{quote(tenant, safe='')}/oauth2/token"
        token = yield from self._token_for(DATABRICKS, address)
        if self._resource_id is None:
            return token
        manager = yield from self._token_for(cloud.management, address)
        return managed(token, manager, self._resource_id)

    def _token_for(self, resource: str, address: str) -> Fetch:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._client_id,
            "client_secret": self._secret.reveal(),
            "resource": resource,
        }
        return (yield from request_token(address, self.auth_type, form))
