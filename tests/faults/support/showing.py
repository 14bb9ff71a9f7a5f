"""Everything that a value shows to whoever prints, logs, pickles or inspects it."""

import pickle
import traceback
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from databricks_serving._core.secret import Hidden
from databricks_serving.errors import ServingError

Shown = Iterator[tuple[str, str | bytes]]

_TESTS = str(Path(__file__).parents[2])
_OURS = ("databricks_serving", "httpx")
_DEEPEST = 12


def shown_value(value: Any) -> Shown:
    """Yield what a result or a client shows, with the place where it does."""
    yield "str", str(value)
    yield "repr", repr(value)
    for name in dir(value):
        if not name.startswith("_"):
            yield f"dir: {name}", _attribute(value, name)
    yield from walk(value)


def shown_result(value: Any) -> Shown:
    """Yield what a result shows, pickled as well."""
    yield from shown_value(value)
    yield "pickle", pickle.dumps(value)


def shown_error(error: BaseException) -> Shown:
    """Yield what an error shows, its causes and its traceback with local variables included."""
    for one in _chain(error):
        kind = type(one).__name__
        yield from ((f"{kind}, {where}", text) for where, text in shown_value(one))
    yield "traceback", "".join(traceback.format_exception(error))
    yield from _local_variables(
        traceback.TracebackException.from_exception(error, capture_locals=True)
    )
    if isinstance(error, ServingError):
        yield "pickle", pickle.dumps(error)
        yield "to_curl", str(error.to_curl())


def walk(value: Any) -> Shown:
    """Yield the texts inside a value, private attributes included; a `Secret` keeps its own."""
    seen: set[int] = set()
    waiting: deque[tuple[str, Any, int]] = deque([("vars", value, 0)])
    while waiting:
        where, item, depth = waiting.popleft()
        if isinstance(item, str | bytes | bytearray):
            yield where, item if isinstance(item, str) else bytes(item)
        elif id(item) not in seen and depth < _DEEPEST:
            seen.add(id(item))
            waiting.extend((f"{where}{name}", inner, depth + 1) for name, inner in _parts(item))


def _parts(item: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(item, Hidden | type):
        return
    if isinstance(item, Mapping):
        yield from ((f"[{key!r}]", inner) for key, inner in list(item.items()))
        yield from (("[key]", key) for key in list(item))
    elif isinstance(item, list | tuple | set | frozenset | deque):
        yield from ((f"[{number}]", inner) for number, inner in enumerate(list(item)))
    elif type(item).__module__.split(".")[0] in _OURS or isinstance(item, BaseException):
        names = {*getattr(item, "__dict__", ()), *_slots(type(item))}
        yield from ((f".{name}", getattr(item, name, None)) for name in sorted(names))
        if isinstance(item, BaseException):
            yield ".args", item.args


def _slots(kind: type) -> Iterator[str]:
    for one in kind.__mro__:
        slots = one.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            private = name.startswith("__") and not name.endswith("__")
            yield f"_{one.__name__.lstrip('_')}{name}" if private else name


def _attribute(value: Any, name: str) -> str:
    try:
        return repr(getattr(value, name))
    except Exception as error:  # noqa: BLE001 - whatever a property raises is shown, too
        return repr(error)


def _chain(error: BaseException) -> Iterator[BaseException]:
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [other for other in (one.__cause__, one.__context__) if other is not None]


def _local_variables(shown: traceback.TracebackException | None) -> Shown:
    """Yield local variables of frames that are not a test's own."""
    if shown is None:
        return
    for frame in shown.stack:
        if not frame.filename.startswith(_TESTS):
            for name, text in (frame.locals or {}).items():
                yield f"{frame.filename}:{frame.name}, {name}", text
    yield from _local_variables(shown.__cause__)
    yield from _local_variables(shown.__context__)
