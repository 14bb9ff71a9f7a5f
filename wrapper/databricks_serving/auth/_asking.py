"""Requests to token services: few tries in a short time, and nobody's quota."""

from datetime import datetime
from http import HTTPStatus
from typing import Final

from databricks_serving._core.call import Call, Shared, World
from databricks_serving._core.reading import Reading
from databricks_serving._core.replies import Response, status_error
from databricks_serving._core.requests import Request
from databricks_serving._core.secret import Hidden
from databricks_serving.auth._oauth import origin_of
from databricks_serving.auth._steps import Ask
from databricks_serving.errors import APITimeoutError, TokenError
from databricks_serving.options import RetryPolicy, Timeouts

_LIMIT: Final = 1024 * 1024
_TRY_SECONDS: Final = 15.0


def late() -> APITimeoutError:
    """Return the error for a call that is over before it has a token."""
    return APITimeoutError(
        "the call was over before it had a token", phase="total", maybe_executed=False
    )


def call_of(ask: Ask, left: float | None, world: World) -> Call:
    """Return the call of a request.

    Args:
        ask: The request.
        left: Seconds until whoever needs the token gives up.
        world: Clock, chance and log.

    Raises:
        APITimeoutError: When no time is left.
        TokenError: When the address is not one to send a secret to.
    """
    if not origin_of(ask.url):
        raise TokenError("the address of the token service is not safe: it must be https")
    seconds = ask.seconds if left is None else min(ask.seconds, left)
    if seconds <= 0:
        raise late()
    request = Request(
        # The error of the source names the place.
        endpoint="",
        method=ask.method,
        url=ask.url,
        headers=Hidden({"user-agent": "databricks-serving", **ask.headers}),
        content=ask.content,
        timeouts=Timeouts(first_byte=min(_TRY_SECONDS, seconds), total=seconds),
        limit=_LIMIT,
        reading=Reading(secrets=ask.secrets),
    )
    policy = RetryPolicy(max_retries=ask.tries - 1, max_reruns=ask.tries - 1)
    return Call(request, policy, Shared(), world)


def accepted(response: Response, now: datetime) -> Response:
    """Return an answer that will not be another in a moment; raise the others as errors."""
    status = response.meta.status_code
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise status_error(response, now)
    return response
