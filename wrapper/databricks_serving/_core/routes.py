"""Which way a call goes to its endpoint: the same request and reply, at other addresses.

fact: a workspace offers an endpoint at its own path (`/serving-endpoints/{name}/invocations`), at
OpenAI-compatible paths on which the body names it, and, for names of the catalogue, through the AI
gateway. The gateway also has hosts of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from databricks_serving._core.config import normalise_address
from databricks_serving.errors import ConfigError, InvalidRequestError

INVOCATIONS: Final = "invocations"


def _same(*tasks: str) -> Mapping[str, str]:
    return dict(zip(tasks, tasks, strict=True))


# Where each route begins on the workspace, and what it calls the tasks that it serves.
_KNOWN: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "openai": (
        "/serving-endpoints",
        _same("chat/completions", "completions", "embeddings", "responses"),
    ),
    "open-responses": ("/serving-endpoints", {"responses": "open-responses"}),
    "ai-gateway": (
        "/ai-gateway/mlflow/v1",
        _same("chat/completions", "embeddings", "responses"),
    ),
}
_EXPECTED: Final = (
    f"route must be one of {', '.join([INVOCATIONS, *_KNOWN])}, or an address such as "
    "https://1234.ai-gateway.cloud.databricks.com/mlflow/v1"
)


@dataclass(frozen=True, slots=True)
class Route:
    """A way to endpoints on which the body of a request names the endpoint.

    Attributes:
        name: What the user called it.
        path: Where it begins on the workspace; empty for an address of its own.
        tasks: What it calls the tasks that it serves; None where that is not known.
    """

    name: str
    path: str = ""
    tasks: Mapping[str, str] | None = None

    def base_on(self, host: str) -> str:
        """Return where it begins, for a workspace."""
        return f"{host}{self.path}" if self.path else self.name

    def path_of(self, task: str | None) -> str:
        """Return what the route calls a task.

        Raises:
            InvalidRequestError: When it does not serve the task.
        """
        known = task if self.tasks is None else self.tasks.get(task or "")
        if known is not None:
            return known
        what = "this task" if task is None else task
        raise InvalidRequestError(
            f"route {self.name!r} does not serve {what}: use route={INVOCATIONS!r}"
        )


def route_of(value: object) -> Route | None:
    """Return the route that a user named; None for the endpoint's own path.

    Raises:
        ConfigError: When there is no such route, or its address is not safe.
    """
    if value == INVOCATIONS:
        return None
    if not isinstance(value, str):
        raise ConfigError(f"{_EXPECTED}, not {type(value).__name__}")
    if value in _KNOWN:
        return Route(value, *_KNOWN[value])
    return Route(_checked_address(value))


def _checked_address(value: str) -> str:
    if "://" not in value:
        raise ConfigError(f"{_EXPECTED}, not {value!r:.80}")
    # The token goes there: the rules are those of the host.
    return normalise_address(value, "the address of a route")
