"""What every source of tokens is."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from databricks_serving._core.secret import Secret
from databricks_serving.auth._steps import Fetch
from databricks_serving.auth._values import Values
from databricks_serving.errors import TokenError


@dataclass(frozen=True, slots=True)
class Site:
    """For where a token is fetched.

    Attributes:
        host: Address of the workspace.
        variable: Returns the value of an environment variable, None where it is unset or empty.
        replacing: The token that another is to replace.
    """

    host: str
    variable: Callable[[str], str | None]
    replacing: Secret | None = None


class UnavailableError(TokenError):
    """A source is not there at all, so that the next one is to be tried."""


class Source(ABC):
    """Where tokens come from. It does nothing by itself, and serves any number of clients.

    `ServingClient(auth=...)` takes one.
    """

    auth_type: ClassVar[str]
    """How `auth_type` and `DATABRICKS_AUTH_TYPE` name it."""
    renewable: ClassVar[bool] = True
    """Whether another fetch may give another token."""

    certain: ClassVar[bool] = True
    """Whether it is there whenever it is configured; else its first fetch tells."""
    uses: ClassVar[tuple[str, ...]] = ()
    """Names of the values that it is configured by."""

    host: str | None = None
    """Address of the workspace, where the source knows it."""

    @property
    def identity(self) -> str | None:
        """Whose tokens it gives, if that can be told without fetching one."""
        return None

    @classmethod
    def configured(cls, values: Values) -> "Source | str":
        """Return the source that was configured, or why there is none.

        Raises:
            ConfigError: When it was meant to be, and cannot.
        """
        return "it is only used where it is passed as auth=" if values.found else "nothing is set"

    @abstractmethod
    def fetch(self, site: Site) -> Fetch:
        """Yield the steps that lead to a token, and return it.

        Raises:
            TokenError: When there is none.
        """
        ...

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
