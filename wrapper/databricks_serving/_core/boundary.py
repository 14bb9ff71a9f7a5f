"""Where errors leave the package: without the frames that hold what the user sent."""

import inspect
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from databricks_serving.errors import ServingError

CallableT = TypeVar("CallableT", bound=Callable[..., Any])


def forgetful(function: CallableT) -> CallableT:
    """Let a function, plain or `async`, raise errors of this package without its frames.

    A frame keeps its local variables, and tools print them: those inside this package hold prompts
    and headers. An error of ours says what there is to know. Others keep their tracebacks, but for
    the arguments in the frame of this function.
    """
    forgetting = _awaiting(function) if inspect.iscoroutinefunction(function) else _plain(function)
    return cast("CallableT", forgetting)


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        handled = sys.exception()
        try:
            return function(*args, **kwargs)
        except ServingError as error:
            _forget(error, handled)
            handled = None
            raise error.with_traceback(None)  # noqa: B904 - its cause is its own
        finally:
            args, kwargs = (), {}

    return call


def _awaiting(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        handled = sys.exception()
        try:
            return await function(*args, **kwargs)
        except ServingError as error:
            _forget(error, handled)
            handled = None
            raise error.with_traceback(None)  # noqa: B904 - its cause is its own
        finally:
            args, kwargs = (), {}

    return call


def _forget(error: BaseException, handled: BaseException | None) -> None:
    """Drop the tracebacks of what led to an error, up to what the caller was handling before."""
    pending: list[BaseException | None] = [error]
    seen: list[BaseException | None] = [None, handled]
    while pending:
        one = pending.pop()
        if not any(one is other for other in seen):
            seen.append(one)
            cause = cast("BaseException", one)
            cause.__traceback__ = None
            pending += [cause.__cause__, cause.__context__]
