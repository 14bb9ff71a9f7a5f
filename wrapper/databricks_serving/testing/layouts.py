"""The ways in which servers write JSON, so that a parsed body can be written as it was."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any, Final, NoReturn

_tight = partial(json.dumps, separators=(",", ":"))

PLAIN: Final = "plain"
LAYOUTS: Final[dict[str, Callable[[Any], str]]] = {
    PLAIN: json.dumps,
    "plain-utf8": partial(json.dumps, ensure_ascii=False),
    "compact": partial(_tight, ensure_ascii=False),
    "compact-ascii": _tight,
}


def layout_of(content: bytes) -> tuple[Any, str | None]:
    """Return a body as JSON and the layout that writes it to the byte; None without such a one.

    A body that is one text has none: in a recording that is a body that is no JSON.
    """
    try:
        value = json.loads(content, parse_constant=_refuse)
        if not isinstance(value, str):
            for name in LAYOUTS:
                if written(value, name) == content:
                    return value, name
    except (ValueError, RecursionError):
        pass
    return None, None


def written(value: Any, layout: str) -> bytes:
    """Return JSON in a layout."""
    return LAYOUTS[layout](value).encode("utf-8", "surrogatepass")


def _refuse(_text: str) -> NoReturn:
    raise ValueError
