"""Requests made to suit a model family: on a copy, and with a list of what was changed."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, TypeAlias

from databricks_serving._core.json_codec import is_list, is_object
from databricks_serving.errors import ConfigError
from databricks_serving.families import KNOWN, Change, ModelFamily, Rule
from databricks_serving_api.types import dump

LEVELS: Final = ("off", "certain", "all")
_BY_NAME: Final = {family.name: family for family in KNOWN}

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Adaptation:
    """What a client changes in requests.

    Attributes:
        level: `off`, `certain` for the rules of that kind, or `all`.
        families: The families of endpoints by their names, over those known by themselves.
    """

    level: str = "certain"
    families: Mapping[str, ModelFamily] = field(default_factory=dict[str, ModelFamily])

    def family_of(self, endpoint: str) -> ModelFamily | None:
        """Return the family of an endpoint; None if it is not known."""
        return self.families.get(endpoint) or _known_family(endpoint)

    def apply(
        self, endpoint: str, body: Mapping[str, Any]
    ) -> tuple[Mapping[str, Any], list[Change]]:
        """Return a body that suits the endpoint, and what was changed for that."""
        family = None if self.level == "off" else self.family_of(endpoint)
        rules = [] if family is None else self._wanted(family)
        if not rules:
            return body, []
        copy: Json = dump(body)
        changes = [change for rule in rules for change in _applied(rule, copy)]
        return (copy, changes) if changes else (body, changes)

    def _wanted(self, family: ModelFamily) -> list[Rule]:
        return [rule for rule in family.rules if rule.certain or self.level == "all"]


def changed_adaptation(
    before: Adaptation, level: object, families: Mapping[str, ModelFamily | str] | None
) -> Adaptation:
    """Return an adaptation with what was given of another; None means not given.

    Raises:
        ConfigError: When there is no such level or family.
    """
    if level is not None and level not in LEVELS:
        raise ConfigError(f"adapt must be one of {', '.join(LEVELS)}")
    if families is not None and not isinstance(families, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] - a user's
        raise ConfigError(f"families must be a dict, not {type(families).__name__}")
    named = {endpoint: _family(given) for endpoint, given in (families or {}).items()}
    return Adaptation(before.level if level is None else str(level), {**before.families, **named})


def _family(given: object) -> ModelFamily:
    if isinstance(given, ModelFamily):
        return given
    if isinstance(given, str) and given in _BY_NAME:
        return _BY_NAME[given]
    known = ", ".join(_BY_NAME)
    raise ConfigError(f"a family must be a ModelFamily or one of {known}, not {given!r:.80}")


@lru_cache(1024)
def _known_family(endpoint: str) -> ModelFamily | None:
    return next((family for family in KNOWN if re.fullmatch(family.endpoints, endpoint)), None)


def _applied(rule: Rule, body: Json) -> Iterator[Change]:
    """Apply a rule to a body, and yield what it changed."""
    for holder, place in rule.holders(body):
        if rule.path.endswith("[]"):
            yield from _dropped_items(rule, holder, rule.key, place)
        elif rule.fits(holder) and (did := _changed(rule, holder, rule.key)):
            yield Change(f"{place}{rule.key}", did, rule.why)


def _changed(rule: Rule, holder: Json, key: str) -> str | None:
    """Change one value, and return what was done."""
    value = holder.get(key)
    if rule.do == "set":
        return _set(rule, holder, key)
    if value is None or not rule.is_about(value):
        return None
    del holder[key]
    if rule.do == "rename" and rule.to not in holder:
        holder[rule.to] = value
        return f"renamed to {rule.to}"
    return "dropped"


def _set(rule: Rule, holder: Json, key: str) -> str | None:
    if holder.get(key) is not None:
        return None
    # A later rule may change it in turn.
    holder[key] = dump(rule.to)
    return f"set to {rule.to!r:.80}"


def _dropped_items(rule: Rule, holder: Json, key: str, place: str) -> Iterator[Change]:
    items = holder.get(key)
    if not is_list(items):
        return
    kept = [item for item in items if not (is_object(item) and rule.fits(item))]
    if items and not kept:
        # An empty list is refused where none at all may be taken.
        del holder[key]
    else:
        holder[key] = kept
    for position, item in enumerate(items):
        if is_object(item) and rule.fits(item):
            yield Change(f"{place}{key}[{position}]", "dropped", rule.why)
