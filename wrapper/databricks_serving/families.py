"""What model families refuse or need, as data.

No one request suits all families: a parameter that one needs is an unknown key to another. A
`ModelFamily` lists such differences as rules, which are applied to a copy of a request. `KNOWN` has
what was measured or documented; `families=` of the client says which endpoint belongs to which.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeGuard

from databricks_serving.errors import ConfigError

__all__ = ["ANY", "KNOWN", "Change", "ModelFamily", "Rule"]

ANY: Final = "*"
"""In `Rule.where` and `Rule.values`: any value but null."""

_DEEDS: Final = ("drop", "rename", "set")
_HOSTED: Final = r"(?:databricks-|system\.ai\.)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing to change in a request.

    Attributes:
        path: Where it stands: keys joined by dots, `[]` for each item of a list, such as
            `messages[].content[].cache_control`.
        do: `drop` it; `rename` it to `to`, unless that is there; `set` it to `to`, unless it is
            there.
        to: The new name, or the value.
        values: Only where it has one of these values; `ANY` for all.
        where: Only where its neighbours have these values.
        why: The reason, in a few words.
        certain: Whether the request is certainly refused otherwise and loses nothing by the change;
            such rules are applied unless `adapt="off"`.

    Raises:
        ConfigError: When it says nothing that can be done.
    """

    path: str
    do: Literal["drop", "rename", "set"]
    to: Any = None
    values: tuple[Any, ...] = (ANY,)
    where: Mapping[str, Any] = field(default_factory=dict[str, Any])
    why: str
    certain: bool = False

    def __post_init__(self) -> None:
        """Refuse a rule that would do something else than it says."""
        if self.do not in _DEEDS:
            raise ConfigError(f"a rule must {', '.join(_DEEDS)}, not {self.do!r:.80}")
        if not all(self.path.removesuffix("[]").split(".")):
            raise ConfigError("the path of a rule must be keys joined by dots")
        if self.do == "rename" and not (isinstance(self.to, str) and self.to):
            raise ConfigError("a rule that renames needs the new name as to=")
        if self.do != "drop" and self.path.endswith("[]"):
            raise ConfigError("a rule can drop items of a list, and neither rename nor set them")

    @property
    def key(self) -> str:
        """The last key of the path, without what marks the items of a list."""
        return self.path.rpartition(".")[2].removesuffix("[]")

    def holders(self, body: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
        """Yield the objects of a request that may have the key, with their places in it."""
        yield from _holders(body, self.path.split(".")[:-1], "")

    def fits(self, holder: Mapping[str, Any]) -> bool:
        """Tell whether an object has the values of `where`."""
        return all(_matches(holder.get(key), wanted) for key, wanted in self.where.items())

    def is_about(self, value: object) -> bool:
        """Tell whether a value is one of `values`."""
        return any(_matches(value, wanted) for wanted in self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFamily:
    """Models that take the same requests.

    Attributes:
        name: What it is called.
        endpoints: In `KNOWN`, a regular expression for the whole names of endpoints that belong to
            it. To others a family belongs by `families=` of the client alone.
        rules: What is changed, in this order.
    """

    name: str
    endpoints: str = ""
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A change that was made in the copy of a request.

    Attributes:
        place: Where, such as `messages[2].content`.
        did: What was done, such as `dropped` or `renamed to max_tokens`.
        why: The reason.
    """

    place: str
    did: str
    why: str

    def __str__(self) -> str:
        return f"{self.place}: {self.did} ({self.why})"


def _is_object(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _holders(
    holder: object, path: Sequence[str], place: str
) -> Iterator[tuple[dict[str, Any], str]]:
    if not _is_object(holder):
        return
    if not path:
        yield holder, place
        return
    key = path[0].removesuffix("[]")
    value = holder.get(key)
    if not path[0].endswith("[]"):
        yield from _holders(value, path[1:], f"{place}{key}.")
    elif _is_list(value):
        for position, item in enumerate(value):
            yield from _holders(item, path[1:], f"{place}{key}[{position}].")


def _matches(value: object, wanted: object) -> bool:
    if value is None:
        return False
    if _is_object(wanted):
        return _is_object(value) and all(
            _matches(value.get(key), one) for key, one in wanted.items()
        )
    return wanted == ANY or (value == wanted and type(value) is type(wanted))


def _unknown(key: str, why: str = "an unknown key, refused with 400") -> Rule:
    return Rule(path=key, do="drop", why=why)


_MAX_TOKENS: Final = Rule(
    path="max_completion_tokens",
    do="rename",
    to="max_tokens",
    why="an unknown key here; max_tokens means the same",
    certain=True,
)
_CACHE_CONTROL: Final = tuple(
    Rule(path=path, do="drop", why="only Claude knows it")
    for path in ("messages[].content[].cache_control", "tools[].cache_control")
)
_THINKING: Final = _unknown("thinking", "this family does not know it")
_GPT_5: Final = (_unknown("stop", "refused by this family"), _THINKING, *_CACHE_CONTROL)
# fact: an empty text is refused, and so is an assistant message that has nothing else.
_CLAUDE: Final = (
    Rule(
        path="messages[].content",
        do="drop",
        values=("",),
        where={"role": "assistant", "tool_calls": ANY},
        why="an empty text beside tool calls is refused",
        certain=True,
    ),
    Rule(
        path="messages[].content[]",
        do="drop",
        where={"type": "text", "text": ""},
        why="an empty text part is refused",
        certain=True,
    ),
    Rule(
        path="response_format",
        do="drop",
        where={"response_format": {"type": "json_object"}},
        why="refused; a JSON schema is accepted",
    ),
)

# fact: measured by others in August and September 2026, endpoint by endpoint; what nobody measured
# is not here.
KNOWN: Final = (
    ModelFamily(
        name="gpt-oss",
        endpoints=_HOSTED + r"gpt-oss-.*",
        rules=(
            _MAX_TOKENS,
            _unknown("seed"),
            _unknown("stop", "refused by this family"),
            _THINKING,
            *_CACHE_CONTROL,
        ),
    ),
    ModelFamily(
        name="claude-opus-5",
        endpoints=_HOSTED + r"claude-opus-5.*",
        rules=(
            *_CLAUDE,
            _unknown("temperature", "refused by this model"),
            _unknown("seed", "refused by this model"),
            _unknown("reasoning_effort", "refused by this model; use thinking"),
        ),
    ),
    ModelFamily(name="claude", endpoints=_HOSTED + r"claude-.*", rules=_CLAUDE),
    ModelFamily(
        name="gpt-5-6",
        endpoints=_HOSTED + r"gpt-5[-.]6.*",
        rules=(
            _unknown("temperature", "refused by this model"),
            *_GPT_5,
            Rule(
                path="reasoning_effort",
                do="set",
                to="none",
                where={"tools": ANY},
                why="with tools, chat takes no other effort",
            ),
        ),
    ),
    ModelFamily(name="gpt-5", endpoints=_HOSTED + r"gpt-5.*", rules=_GPT_5),
    ModelFamily(
        name="gemini", endpoints=_HOSTED + r"gemini-.*", rules=(_THINKING, *_CACHE_CONTROL)
    ),
    # Measured: it takes `thinking`.
    ModelFamily(
        name="glm",
        endpoints=_HOSTED + r"glm[-.0-9].*",
        rules=(_unknown("stream_options"), *_CACHE_CONTROL),
    ),
    ModelFamily(
        name="open-weights",
        endpoints=_HOSTED + r"(?:meta-)?(?:llama|qwen|gemma|deepseek|kimi|mixtral)[-.0-9].*",
        rules=(_unknown("stream_options"), _THINKING, *_CACHE_CONTROL),
    ),
)
