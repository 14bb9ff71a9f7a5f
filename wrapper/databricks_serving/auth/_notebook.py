"""The login of a notebook or job that runs in Databricks.

fact: there DATABRICKS_RUNTIME_VERSION is set, and the context of what runs knows the workspace and
a token: as the package dbruntime tells, and in older runtimes as dbutils does.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, ClassVar, Final

from databricks_serving._core.config import normalise_host
from databricks_serving._core.secret import Secret
from databricks_serving.auth._oauth import origin_of
from databricks_serving.auth._source import Site, Source, UnavailableError
from databricks_serving.auth._steps import Call, Fetch, Step
from databricks_serving.auth._token import Token, checked
from databricks_serving.auth._values import Value, Values
from databricks_serving.errors import ConfigError

_MARK: Final = "DATABRICKS_RUNTIME_VERSION"


@dataclass(frozen=True, slots=True)
class Runtime:
    """What the context of a notebook or job knows.

    Attributes:
        hosts: Addresses of the workspace, the best one first.
        token: Its token.
    """

    hosts: tuple[str, ...] = ()
    token: Secret | None = None


class Notebook(Source):
    """The login of the notebook or job that this runs in."""

    auth_type: ClassVar[str] = "runtime"
    certain: ClassVar[bool] = False

    @classmethod
    def configured(cls, values: Values) -> Source | str:
        """Return the source inside Databricks."""
        return cls() if values.variable(_MARK) else f"the variable {_MARK} is not set"

    def fetch(self, site: Site) -> Fetch:
        """Ask the runtime."""
        runtime: Runtime = yield Call(find_runtime, blocks=False)
        if runtime.token is None:
            text = f"{self.auth_type}: this is no notebook or job of Databricks that has a token"
            raise UnavailableError(text, source=self.auth_type)
        origins = {origin_of(host) for host in runtime.hosts}
        if origins and origin_of(site.host) not in origins:
            text = f"the notebook's token is for {runtime.hosts[0]}, and the host is {site.host}"
            raise UnavailableError(f"{self.auth_type}: {text}", source=self.auth_type)
        return checked(Token(runtime.token.reveal()), self.auth_type)


def lacks_host(values: Values) -> bool:
    """Tell whether the workspace is the one of the notebook or job that this runs in."""
    return "host" not in values.found and values.variable(_MARK) is not None


def with_notebook_host(values: Values) -> Generator[Step, Any, Values]:
    """Return values with the workspace of the notebook or job, where none was given."""
    host = (yield from notebook_host()) if lacks_host(values) else None
    if host is None:
        return values
    found = Value(Secret(host), "the notebook or job that this runs in", "notebook")
    return replace(values, found={**values.found, "host": found})


def notebook_host() -> Generator[Step, Any, str | None]:
    """Return the workspace of the notebook or job that this runs in, None elsewhere."""
    runtime: Runtime = yield Call(find_runtime, blocks=False)
    return runtime.hosts[0] if runtime.hosts else None


def find_runtime() -> Runtime:
    """Ask the runtime what it knows; elsewhere that is nothing."""
    for ask in (_from_context, _from_dbutils):
        try:
            runtime = ask()
        except Exception:  # noqa: BLE001, S112 - what is missing there raises whatever it likes
            continue
        if runtime.token is not None and runtime.hosts:
            return runtime
    return Runtime()


def _from_context() -> Runtime:
    context = import_module("dbruntime.databricks_repl_context").get_context()
    hosts = [getattr(context, name, None) for name in ("workspaceUrl", "apiUrl")]
    return Runtime(_plain(hosts), _secret(context.apiToken))


def _from_dbutils() -> Runtime:
    shell = import_module("IPython").get_ipython()
    dbutils = shell.ns_table["user_global"]["dbutils"]
    context = dbutils.notebook.entry_point.getDbutils().notebook().getContext()
    hosts = [_told(context.browserHostName), _told(context.apiUrl)]
    return Runtime(_plain(hosts), _secret(_told(context.apiToken)))


def _told(option: Callable[[], Any]) -> object:
    # An option of Scala, which raises where it is empty.
    try:
        return option().get()
    except Exception:  # noqa: BLE001 - as above
        return None


def _secret(value: object) -> Secret | None:
    return Secret(value) if isinstance(value, str) and value else None


def _plain(hosts: list[Any]) -> tuple[str, ...]:
    found: list[str] = []
    for host in hosts:
        try:
            found += [normalise_host(host)] if isinstance(host, str) and host else []
        except ConfigError:
            continue
    return tuple(found)
