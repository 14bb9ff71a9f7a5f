"""The loop of a call's tries over a blocking transport."""

from collections.abc import Callable

from databricks_serving._core.call import AnswerT, Call
from databricks_serving.errors import ServingError


def repeat(
    call: Call, sleep: Callable[[float], None], attempt: Callable[[Call], AnswerT]
) -> AnswerT:
    """Make tries until one gives an answer, or the call is over.

    Raises:
        ServingError: How the last try ended.
    """
    try:
        while True:
            while (pause := call.pause()) > 0:
                sleep(pause)
            try:
                answer = attempt(call)
            except ServingError as error:
                if not call.again(error):
                    raise
            else:
                call.succeeded(answer.meta)
                return answer
    finally:
        call.leave()
