"""What a local endpoint is set to serve, read from a mapping or a file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypedDict

from databricks_serving.errors import ConfigError
from databricks_serving.local.backends import BACKENDS, EMBEDDINGS
from databricks_serving.local.checks import (
    anything,
    endpoint_name,
    flag,
    items,
    number,
    path,
    record,
    table,
    text,
    whole,
    wrong,
)
from databricks_serving.local.files import read_document
from databricks_serving.local.profiles import FAMILIES
from databricks_serving.local.rates import NAMES
from databricks_serving.local.script import Scripted, read_replies
from databricks_serving.local.states import ColdStart, EndpointState, StateName
from databricks_serving.local.tape import Taped, read_folder
from databricks_serving.local.tasks import BUILT_IN, Task

ANY_FAMILY: Final = "any"
_SECONDS: Final = number(0, 86_400)
_ENDPOINT: Final = record(
    {
        "task": text(*Task),
        "family": text(ANY_FAMILY, *FAMILIES),
        "state": text(*EndpointState),
        "state_message": text(),
        "ready_after": _SECONDS,
        "cold_start": record(
            {
                "seconds": _SECONDS,
                "idle": _SECONDS,
                "answer": text("unavailable", "slow"),
                "retry_after": flag,
            }
        ),
        "rate_limit": record(
            {**dict.fromkeys(NAMES, number(0, 1e9, above=True)), "retry_after": flag}
        ),
        "replies": anything,
        "recordings": path,
        "keep_timing": flag,
        "served_models": items(text()),
    }
)
_SETTINGS: Final = record(
    {
        "token": text(),
        "port": whole(0, 65_535),
        "model": text(*BACKENDS),
        "embeddings": text(*EMBEDDINGS),
        "endpoints": table(endpoint_name, _ENDPOINT),
        "oauth": record(
            {
                "client_id": text(),
                "client_secret": text(),
                "token_life": number(0, 1e9, above=True),
            }
        ),
    }
)


class ColdStartDict(TypedDict, total=False):
    """How an endpoint scales to zero and up again."""

    seconds: float
    idle: float
    answer: Literal["unavailable", "slow"]
    retry_after: bool


class RateLimitDict(TypedDict, total=False):
    """How much an endpoint takes."""

    queries_per_second: float
    queries_per_minute: float
    tokens_per_second: float
    tokens_per_minute: float
    retry_after: bool


class EndpointDict(TypedDict, total=False):
    """The settings of one endpoint."""

    task: str
    family: str
    state: EndpointState | StateName
    state_message: str
    ready_after: float
    cold_start: ColdStartDict
    rate_limit: RateLimitDict
    replies: str | Path | list[dict[str, Any]]
    recordings: str | Path
    keep_timing: bool
    served_models: list[str]


class OAuthDict(TypedDict, total=False):
    """Who gets tokens by OAuth, and for how long they are good."""

    client_id: str
    client_secret: str
    token_life: float


class ConfigDict(TypedDict, total=False):
    """The settings of a local endpoint: what a file of them holds."""

    token: str
    port: int
    model: Literal["deterministic", "smollm2"]
    embeddings: Literal["lexical", "wordllama"]
    endpoints: Mapping[str, EndpointDict | None]
    oauth: OAuthDict


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointPlan:
    """One endpoint as it is to be served.

    Attributes:
        task: What it does.
        family: Name of the model family whose requests it takes; None: as its name says.
        state: How it is at first.
        state_message: What its deployment says of itself.
        ready_after: Seconds until it is ready, where it is not at first.
        cold_start: How it scales to zero.
        rate_limit: How much it takes; None: as much as comes.
        retry_after: Whether it says how long to wait where that was too much.
        script: What it answers.
        recordings: What it answers, where that was recorded; None where it was not.
        keep_timing: Whether these take their time.
        served_models: Names of what it serves.
    """

    task: Task
    family: str | None = None
    state: EndpointState = EndpointState.READY
    state_message: str | None = None
    ready_after: float | None = None
    cold_start: ColdStart | None = None
    rate_limit: Mapping[str, float] | None = None
    retry_after: bool = True
    script: tuple[Scripted, ...] = ()
    recordings: tuple[Taped, ...] | None = None
    keep_timing: bool = False
    served_models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All settings; what is None was not given."""

    token: str | None = None
    port: int | None = None
    model: str | None = None
    embeddings: str | None = None
    endpoints: Mapping[str, EndpointPlan] = field(default_factory=dict[str, EndpointPlan])
    client_id: str | None = None
    client_secret: str | None = None
    token_life: float | None = None


def read_file(file: Path) -> Plan:
    """Read the settings of a file; paths in it are relative to its folder.

    Raises:
        ConfigError: The message names the file and the place that is wrong.
    """
    document = read_document(file, "")
    try:
        return read_settings({} if document is None else document, file.parent)
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from None


def read_settings(settings: Any, folder: Path) -> Plan:
    """Read settings.

    Args:
        settings: What a file holds, or a dict of the same form.
        folder: What paths in it are relative to.

    Raises:
        ConfigError: The message names the place that is wrong.
    """
    given = _SETTINGS(settings, "")
    endpoints = {name: _plan(name, one, folder) for name, one in given.pop("endpoints", {}).items()}
    return Plan(endpoints=endpoints, **given.pop("oauth", {}), **given)


def _plan(name: str, given: dict[str, Any], folder: Path) -> EndpointPlan:
    place = f"endpoints.{name}"
    task = Task(given.pop("task", None) or _usual_task(name))
    limits = dict(given.pop("rate_limit", {}))
    cold = given.pop("cold_start", None)
    state = EndpointState(given.pop("state", EndpointState.READY))
    _check(place, given, task, state)
    replies, recordings = given.pop("replies", None), given.pop("recordings", None)
    return EndpointPlan(
        task=task,
        state=state,
        cold_start=None if cold is None else ColdStart(**cold),
        retry_after=limits.pop("retry_after", True),
        rate_limit=limits or None,
        script=_script(replies, f"{place}.replies", task, folder),
        recordings=(
            None if recordings is None else read_folder(folder / recordings, f"{place}.recordings")
        ),
        served_models=tuple(given.pop("served_models", ())),
        **given,
    )


def _check(place: str, given: Mapping[str, Any], task: Task, state: EndpointState) -> None:
    """Refuse what makes no sense together."""
    if "replies" in given and "recordings" in given:
        raise wrong(place, "give replies or recordings, not both")
    if "keep_timing" in given and "recordings" not in given:
        raise wrong(f"{place}.keep_timing", "there are no recordings")
    if "ready_after" in given and state is not EndpointState.NOT_READY:
        raise wrong(f"{place}.ready_after", "only an endpoint that is not_ready becomes ready")
    if "family" in given and task is not Task.CHAT:
        raise wrong(f"{place}.family", f"only endpoints of the task {Task.CHAT} have one")


def _script(given: Any, place: str, task: Task, folder: Path) -> tuple[Scripted, ...]:
    if given is None:
        return ()
    if isinstance(given, str | Path):
        return read_replies(read_document(folder / given, place), place, task)
    return read_replies(given, place, task)


def _usual_task(name: str) -> Task:
    return next((task for prefix, task in BUILT_IN.items() if name.startswith(prefix)), Task.CHAT)
