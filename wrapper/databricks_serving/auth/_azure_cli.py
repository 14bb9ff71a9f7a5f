"""The login of Azure's command line.

fact: `az account get-access-token` prints JSON with accessToken, tokenType, expiresOn in local time
and, in newer versions, expires_on in seconds since 1970. It refuses `--tenant` where the login is a
managed identity's.
"""

from collections.abc import Generator
from typing import Any, ClassVar, Final

from databricks_serving.auth._azure_clouds import (
    DATABRICKS,
    NOT_ON_AZURE,
    check_environment,
    cloud_of,
    find_tenant,
    is_for_azure,
    managed,
)
from databricks_serving.auth._jwt import claims
from databricks_serving.auth._programs import (
    Fields,
    find_program,
    is_installed,
    run,
    said,
    token_in,
)
from databricks_serving.auth._source import Site, Source, UnavailableError
from databricks_serving.auth._steps import Fetch, Step
from databricks_serving.auth._token import Token
from databricks_serving.auth._values import Values
from databricks_serving.errors import TokenError

_PROGRAM: Final = "az"
_FIELDS: Final = Fields("accessToken", "tokenType", ("expires_on", "expiresOn"))
_REFUSES_TENANT: Final = b"tenant shouldn't be specified"
# Only a person has one; to a person the own rights in the workspace apply.
_PERSON: Final = "upn"


class AzureCli(Source):
    """The login of `az login`, for workspaces on Azure.

    Args:
        resource_id: Azure's id of the workspace, where a service principal is logged in that may
            manage that and is no member of it.
        tenant_id: Id of the workspace's tenant; else the workspace is asked for it.
        environment: Azure's cloud: `public`, `usgovernment` or `china`; else that of the host.

    Raises:
        ConfigError: When there is no such cloud.
    """

    auth_type: ClassVar[str] = "azure-cli"
    certain: ClassVar[bool] = False
    uses: ClassVar[tuple[str, ...]] = (
        *("azure_tenant_id", "azure_workspace_resource_id", "azure_environment"),
    )

    def __init__(
        self,
        *,
        resource_id: str | None = None,
        tenant_id: str | None = None,
        environment: str | None = None,
    ) -> None:
        self._resource_id = resource_id
        self._tenant_id = tenant_id
        self._environment = check_environment(environment)

    @classmethod
    def configured(cls, values: Values) -> Source | str:
        """Return the source where the workspace is on Azure and the program is there."""
        if not is_for_azure(values):
            return NOT_ON_AZURE
        if not is_installed(_PROGRAM, values):
            return f"there is no program {_PROGRAM} on the PATH"
        return cls(
            resource_id=values.get("azure_workspace_resource_id"),
            tenant_id=values.get("azure_tenant_id"),
            environment=values.get("azure_environment"),
        )

    def fetch(self, site: Site) -> Fetch:
        """Run the program."""
        path = yield from find_program(self.auth_type, _PROGRAM)
        cloud = cloud_of(site.host, self._environment)
        tenant = self._tenant_id or (yield from find_tenant(site, cloud))
        token = yield from self._token_for(DATABRICKS, path, tenant)
        if self._resource_id is None:
            return token
        manager = None
        if _PERSON not in claims(token.value):
            manager = yield from self._manager_of(cloud.management, path, tenant)
        return managed(token, manager, self._resource_id)

    def _manager_of(
        self, resource: str, path: str, tenant: str | None
    ) -> Generator[Step, Any, Token | None]:
        # A member of the workspace needs none.
        try:
            return (yield from self._token_for(resource, path, tenant))
        except TokenError:
            return None

    def _token_for(self, resource: str, path: str, tenant: str | None) -> Fetch:
        command = (path, "account", "get-access-token", "--resource", resource, "--output", "json")
        which = () if tenant is None else ("--tenant", tenant)
        completed = yield from run(self.auth_type, (*command, *which))
        if completed.code != 0 and which and _REFUSES_TENANT in completed.errors.lower():
            completed = yield from run(self.auth_type, command)
        if completed.code == 0:
            return token_in(completed, self.auth_type, _PROGRAM, _FIELDS)
        text = f"{said(completed)}; log in with: {' '.join((_PROGRAM, 'login', *which))}"
        raise UnavailableError(f"{self.auth_type}: {text}", source=self.auth_type)
