"""Where errors leave the package: without the frames that hold what the user sent."""

import inspect
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from itertools import zip_longest
from types import TracebackType
from typing import Any, Final, TypeVar, cast

from databricks_serving.errors import ServingError

# Packages whose frames hold prompts and headers: this one, and what it sends with.
_HOLDERS: Final = frozenset(
    {"databricks_serving", "databricks_serving_api", "h11", "httpcore", "httpcore2", "httpx"}
)

# A mistake in it is seen by the test that uses it.
_TEST_KIT: Final = "databricks_serving.testing"

CallableT = TypeVar("CallableT", bound=Callable[..., Any])
ResultT = TypeVar("ResultT")
Check = Callable[[Mapping[str, Any]], None]


def forgetful(function: CallableT, check: Check | None = None) -> CallableT:
    """Let a function, plain or `async`, raise errors of this package without its frames.

    A frame keeps its local variables, and tools print them: those inside this package hold prompts
    and headers. An error of ours says what there is to know. One of a user's own code that we call,
    a Ctrl-C and a cancellation keep the frames that are not ours. A fault of ours keeps all.

    Args:
        function: The function.
        check: Called with its keywords before it is, and before the language misses one of them.
    """
    kind = _awaiting if inspect.iscoroutinefunction(function) else _plain
    return cast("CallableT", kind(function, check))


def _plain(function: Callable[..., Any], check: Check | None) -> Callable[..., Any]:
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        handled = sys.exception()
        try:
            if check is not None:
                check(kwargs)
            return function(*args, **kwargs)
        except BaseException as error:
            forget(error, handled)
            handled = None
            raise
        finally:
            args, kwargs = (), {}

    return call


def _awaiting(function: Callable[..., Any], check: Check | None) -> Callable[..., Any]:
    @wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        handled = sys.exception()
        try:
            if check is not None:
                check(kwargs)
            return await function(*args, **kwargs)
        except BaseException as error:
            forget(error, handled)
            handled = None
            raise
        finally:
            args, kwargs = (), {}

    return call


def theirs(function: Callable[..., ResultT], *args: Any, **kwargs: Any) -> ResultT:
    """Call a function of the user's, so that its errors count as the user's own.

    One that is written in C, or cannot be called so, has no frame that shows whose it is.
    """
    return function(*args, **kwargs)


def forget(error: BaseException, handled: BaseException | None) -> None:
    """Drop from an error, and from what led to it, the frames that hold what the user sent.

    Args:
        error: An error on its way to the user; `raise` alone goes on with it.
        handled: What the user was handling before, which stays as it is.
    """
    others = isinstance(error, Exception) and not isinstance(error, ServingError)
    last = _last(error.__traceback__)
    if others and _is_ours(last) and not _is_of_kit(last) and not _is_theirs(last):
        # A mistake of this package's is to be seen whole.
        return
    pending: list[BaseException | None] = [error]
    seen: list[BaseException | None] = [None, handled]
    while pending:
        one = pending.pop()
        if not any(one is other for other in seen):
            seen.append(one)
            cause = cast("BaseException", one)
            cause.__traceback__ = without_ours(cause) if others else None
            pending += [cause.__cause__, cause.__context__]


def without_ours(error: BaseException) -> TracebackType | None:
    """Return the frames of an error that are not ours; those of the test kit show its mistakes."""
    if isinstance(error, ServingError):
        return None
    kept: list[TracebackType] = []
    trace = error.__traceback__
    mistaken = _is_of_kit(_last(trace)) and not isinstance(error, AssertionError)
    while trace is not None:
        if not _is_ours(trace) or (mistaken and _is_of_kit(trace)):
            kept.append(trace)
        trace = trace.tb_next
    for one, following in zip_longest(kept, kept[1:]):
        one.tb_next = following
    return kept[0] if kept else None


def _last(trace: TracebackType | None) -> TracebackType | None:
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace


def _is_theirs(trace: TracebackType | None) -> bool:
    return trace is not None and trace.tb_frame.f_code is theirs.__code__


def _is_ours(trace: TracebackType | None) -> bool:
    return _module_of(trace).partition(".")[0] in _HOLDERS


def _is_of_kit(trace: TracebackType | None) -> bool:
    return _module_of(trace).startswith(_TEST_KIT)


def _module_of(trace: TracebackType | None) -> str:
    return "" if trace is None else str(trace.tb_frame.f_globals.get("__name__", ""))
