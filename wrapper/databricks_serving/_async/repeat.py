"""The loop of a call's tries over an asynchronous transport."""

from collections.abc import Awaitable, Callable

from databricks_serving._core.call import AnswerT, Call
from databricks_serving.errors import ServingError


async def repeat(
    call: Call,
    sleep: Callable[[float], Awaitable[None]],
    attempt: Callable[[Call], Awaitable[AnswerT]],
) -> AnswerT:
    """Make tries until one gives an answer, or the call is over.

    Raises:
        ServingError: How the last try ended.
    """
    try:
        while True:
            while (pause := call.pause()) > 0:
                await sleep(pause)
            try:
                answer = await attempt(call)
            except ServingError as error:
                if not call.again(error):
                    raise
            else:
                call.succeeded(answer.meta)
                return answer
    finally:
        call.leave()
