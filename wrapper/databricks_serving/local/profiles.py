"""What a model family refuses, over what no family takes.

`databricks_serving.families` says what requests of a family must not hold. Here that is refused, in
the words of the platform where they are known, and so are a few requests that no rule can mend.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from databricks_serving.families import KNOWN, ModelFamily, Rule
from databricks_serving.local.errors import RefusedError, bad_request
from databricks_serving.local.jsontypes import Json, is_list, is_object

FAMILIES: Final[Mapping[str, ModelFamily]] = {family.name: family for family in KNOWN}
# Keys that some families do not know at all; others they know and refuse.
_UNKNOWN: Final = {
    "max_completion_tokens", "seed", "thinking", "stream_options", "cache_control"
}  # fmt: skip


def family_of(endpoint: str) -> ModelFamily | None:
    """Return the family that the catalogue has an endpoint of this name in; None if in none."""
    return next((family for family in KNOWN if re.fullmatch(family.endpoints, endpoint)), None)


def check_family(family: ModelFamily, request: Json) -> None:
    """Refuse what a family does not take.

    Args:
        family: The family.
        request: A chat request that some family would take.

    Raises:
        RefusedError: With status 400.
    """
    for rule in family.rules:
        _check_rule(rule, request)
    for check in _CHECKS.get(family.name, ()):
        check(request)


def _check_rule(rule: Rule, request: Json) -> None:
    for holder, place in rule.holders(request):
        if rule.path.endswith("[]"):
            items = holder.get(rule.key)
            for position, item in enumerate(items if is_list(items) else ()):
                if is_object(item) and rule.fits(item):
                    raise _refusal(rule, f"{place}{rule.key}[{position}]")
        elif rule.fits(holder) and _is_refused(rule, holder):
            raise _refusal(rule, f"{place}{rule.key}")


def _is_refused(rule: Rule, holder: Json) -> bool:
    value = holder.get(rule.key)
    if rule.do == "set":
        # What the rule would add must be there.
        return bool(value != rule.to)
    # fact: an unknown key is refused even where its value is null.
    return rule.is_about(value) or (rule.key in holder and rule.key in _UNKNOWN)


def _refusal(rule: Rule, place: str) -> RefusedError:
    key = rule.key
    if rule.do == "set":
        return bad_request(f'"{place}" must be {rule.to!r} here: {rule.why}')
    if key in _UNKNOWN:
        return bad_request(f'json: unknown field "{key}"')
    if place == key:
        return bad_request(f'Unsupported parameter: "{key}" is not supported with this model.')
    return bad_request(f'"{place}": {rule.why}')


def _no_format_with_tools(request: Json) -> None:
    wanted = request.get("response_format") or {"type": "text"}
    if request.get("tools") and wanted["type"] != "text":
        raise bad_request("Cannot specify both response_format and tools in the same request.")


def _json_is_spoken_of(request: Json) -> None:
    wanted: Json = request.get("response_format") or {}
    said = json.dumps(request["messages"]).lower()
    if wanted.get("type") == "json_object" and "json" not in said:
        raise bad_request('"messages" must contain the word "json" to use json_object')


_CHECKS: Final[Mapping[str, Sequence[Callable[[Json], None]]]] = {
    "gpt-oss": (_json_is_spoken_of,),
    "claude-opus-5": (_no_format_with_tools,),
}
