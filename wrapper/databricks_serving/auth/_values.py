"""What was given to find the workspace and its credentials, and where each value comes from.

fact: names, variables and their order are those of the official SDK: arguments, then environment
variables, then the profile, attribute by attribute.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from databricks_serving._core.secret import Secret

Variable = Callable[[str], str | None]

VARIABLES: Final[Mapping[str, tuple[str, ...]]] = {
    # The other two are those of a container of model serving.
    "host": (
        "DATABRICKS_HOST",
        "DATABRICKS_MODEL_SERVING_HOST_URL",
        "DB_MODEL_SERVING_HOST_URL",
    ),
    "token": ("DATABRICKS_TOKEN",),
    "client_id": ("DATABRICKS_CLIENT_ID",),
    "client_secret": ("DATABRICKS_CLIENT_SECRET",),
    "account_id": ("DATABRICKS_ACCOUNT_ID",),
    "workspace_id": ("DATABRICKS_WORKSPACE_ID",),
    "auth_type": ("DATABRICKS_AUTH_TYPE",),
    "token_audience": ("DATABRICKS_TOKEN_AUDIENCE",),
    "oidc_token_env": ("DATABRICKS_OIDC_TOKEN_ENV",),
    "oidc_token_filepath": ("DATABRICKS_OIDC_TOKEN_FILEPATH", "DATABRICKS_OIDC_TOKEN_FILE"),
    "azure_workspace_resource_id": ("DATABRICKS_AZURE_RESOURCE_ID",),
    "azure_client_id": ("ARM_CLIENT_ID",),
    "azure_client_secret": ("ARM_CLIENT_SECRET",),
    "azure_tenant_id": ("ARM_TENANT_ID",),
    "azure_environment": ("ARM_ENVIRONMENT",),
    "username": ("DATABRICKS_USERNAME",),
    "password": ("DATABRICKS_PASSWORD",),
    "databricks_cli_path": ("DATABRICKS_CLI_PATH",),
}
# Values that belong to one way to log in; two ways at once are a mistake.
_METHODS: Final[Mapping[str, tuple[str, ...]]] = {
    "pat": ("token",),
    "basic": ("username", "password"),
    "oauth": ("client_id", "client_secret"),
    "azure": ("azure_client_id", "azure_client_secret", "azure_tenant_id"),
}


def variable(name: str) -> str | None:
    """Return the value of an environment variable; one that is empty counts as unset."""
    text = os.environ.get(name, "")
    return text if text.strip() else None


@dataclass(frozen=True, slots=True)
class Value:
    """A value and where it comes from, in words."""

    secret: Secret
    origin: str
    kind: Literal["argument", "variable", "profile", "notebook"]


@dataclass(frozen=True, slots=True)
class Values:
    """All values that were found.

    Attributes:
        found: By name of the attribute.
        variable: Returns the value of an environment variable, None where it is unset or empty.
        profile: Name of the profile, if one was named.
        looked: Where a profile was looked for, in words.
    """

    found: Mapping[str, Value]
    variable: Variable = field(repr=False)
    profile: str | None = None
    looked: str = "no profile was looked for; profile= names one"

    def get(self, name: str) -> str | None:
        """Return a value, or None."""
        value = self.found.get(name)
        return None if value is None else value.secret.reveal()

    def origin(self, name: str) -> str:
        """Return where a value comes from, in words."""
        return self.found[name].origin

    def missing(self, *names: str) -> list[str]:
        """Return those of some names that have no value."""
        return [name for name in names if name not in self.found]

    def methods(self) -> dict[str, str]:
        """Return the ways to log in that values were given for, and the first value of each."""
        given = {
            method: next((name for name in names if name in self.found), None)
            for method, names in _METHODS.items()
        }
        return {method: name for method, name in given.items() if name is not None}

    def under(self, profile: Mapping[str, str], origin: str) -> "Values":
        """Return the values with those of a profile where there were none."""
        added = {
            name: Value(Secret(text), origin, "profile")
            for name, text in profile.items()
            if name in VARIABLES and name not in self.found
        }
        return replace(self, found={**self.found, **added}, looked=origin)


def from_environment(variable: Variable, names: Iterable[str] = VARIABLES) -> dict[str, Value]:
    """Return the values that the environment sets; an empty variable is none."""
    found: dict[str, Value] = {}
    for name in names:
        for key in VARIABLES[name]:
            text = variable(key)
            if text and name not in found:
                found[name] = Value(Secret(text), f"the variable {key}", "variable")
    return found
