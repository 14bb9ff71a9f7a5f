"""Azure's clouds, and what a workspace in one of them tells of itself.

fact: a workspace on Azure has a host under one of three domains, and takes tokens of Microsoft
Entra for the application of Databricks. `/aad/auth` redirects to the login of the workspace's
tenant, whose id is the first part of that address. To one who is no member of the workspace but may
manage it in Azure, two more headers give access: the workspace's resource id and a token for
Azure's management.
"""

import re
from collections.abc import Generator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from databricks_serving._core.replies import Response
from databricks_serving.auth._source import Site
from databricks_serving.auth._steps import Ask, Step
from databricks_serving.auth._token import Token, lifetime
from databricks_serving.auth._values import Values
from databricks_serving.errors import ConfigError, ServingError

DATABRICKS: Final = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d"
"""What tokens for workspaces are for."""
NOT_ON_AZURE: Final = "the host is not on Azure, and there is no azure_workspace_resource_id"
"""Why a login of Azure is not used."""
_RESOURCE: Final = "x-databricks-azure-workspace-resource-id"
_MANAGEMENT: Final = "x-databricks-azure-sp-management-token"
_TENANT: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z.-]*")


@dataclass(frozen=True, slots=True)
class Cloud:
    """One of Azure's clouds.

    Attributes:
        domain: Where its workspaces are.
        authority: Where its tokens come from.
        management: What tokens for its management are for.
    """

    domain: str
    authority: str
    management: str


_CLOUDS: Final = {
    "public": Cloud(
        ".azuredatabricks.net",
        "https://login.microsoftonline.com",
        "https://management.core.windows.net/",
    ),
    "usgovernment": Cloud(
        ".databricks.azure.us",
        "https://login.microsoftonline.us",
        "https://management.core.usgovcloudapi.net/",
    ),
    "china": Cloud(
        ".databricks.azure.cn",
        "https://login.chinacloudapi.cn",
        "https://management.core.chinacloudapi.cn/",
    ),
}


def check_environment(name: str | None) -> str | None:
    """Return the short name of a cloud, which people also write as `AzurePublicCloud`.

    Raises:
        ConfigError: When there is no such cloud.
    """
    if name is None:
        return None
    short = name.strip().lower().removeprefix("azure").removesuffix("cloud") or "public"
    if short not in _CLOUDS:
        known = ", ".join(_CLOUDS)
        raise ConfigError(f"there is no Azure environment {name!r}; there are {known}")
    return short


def cloud_of(host: str, environment: str | None) -> Cloud:
    """Return the cloud that is named, else that of a host, else the public one."""
    if environment is not None:
        return _CLOUDS[environment]
    return _cloud_at(host) or _CLOUDS["public"]


def is_for_azure(values: Values) -> bool:
    """Tell whether the workspace is one on Azure, as far as can be told without asking."""
    if "azure_workspace_resource_id" in values.found:
        return True
    return _cloud_at(values.get("host") or "") is not None


def managed(token: Token, manager: Token | None, resource_id: str) -> Token:
    """Return a token for one who may manage a workspace, with what says so.

    Args:
        token: The token for the workspace.
        manager: The token for Azure's management; None for a member, who needs none.
        resource_id: Azure's id of the workspace.
    """
    if manager is None:
        return Token(token.value, token.expires_in, {_RESOURCE: resource_id})
    life = min(lifetime(token.expires_in), lifetime(manager.expires_in))
    return Token(token.value, life, {_RESOURCE: resource_id, _MANAGEMENT: manager.value})


def find_tenant(site: Site, cloud: Cloud) -> Generator[Step, Any, str | None]:
    """Ask the workspace for its tenant; gives None where it does not tell."""
    try:
        response: Response = yield Ask(url=f"{site.host}/aad/auth")
        target = urlsplit(response.meta.headers.get("location", ""))
    except (ServingError, ValueError):
        return None
    status = response.meta.status_code
    redirects = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST
    tenant = target.path.lstrip("/").partition("/")[0]
    at_home = f"{target.scheme}://{target.netloc}".lower() == cloud.authority
    return tenant if redirects and at_home and _TENANT.fullmatch(tenant) else None


def _cloud_at(host: str) -> Cloud | None:
    try:
        name = urlsplit(host if "://" in host else f"https://{host}").hostname or ""
    except ValueError:
        return None
    return next((cloud for cloud in _CLOUDS.values() if name.endswith(cloud.domain)), None)
