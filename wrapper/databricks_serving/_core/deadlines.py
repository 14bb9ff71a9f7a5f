"""One deadline for several calls."""

from collections.abc import Mapping
from typing import Any

from databricks_serving._core.requests import until_of
from databricks_serving._core.settings import Settings
from databricks_serving.errors import APITimeoutError


class CommonDeadline:
    """The deadline that a user gives several calls together; its time begins with the first.

    Args:
        arguments: What the user gave. The deadline of the client is for each call.
        settings: The options of the client.
        whole: What the calls make together.

    Raises:
        InvalidRequestError: When the deadline cannot work.
    """

    def __init__(self, arguments: Mapping[str, Any], settings: Settings, whole: str) -> None:
        given = arguments.get("deadline") is not None
        self._seconds = until_of(arguments, settings, 0.0) if given else None
        self._until: float | None = None
        self._whole = whole

    def share(
        self, arguments: Mapping[str, Any], now: float, *, maybe_executed: bool
    ) -> dict[str, Any]:
        """Return the arguments of the next call; as `with_time_left`."""
        if self._until is None and self._seconds is not None:
            self._until = now + self._seconds
        return with_time_left(
            arguments, self._until, now, self._whole, maybe_executed=maybe_executed
        )


def with_time_left(
    arguments: Mapping[str, Any],
    until: float | None,
    now: float,
    whole: str,
    *,
    maybe_executed: bool,
) -> dict[str, Any]:
    """Return the arguments of a call that is one of several, with the time that is left for it.

    Args:
        arguments: Its arguments.
        until: The monotonic time at which all of them are over; None for never.
        now: The monotonic time.
        whole: What they make together.
        maybe_executed: Whether the model ran before.

    Raises:
        APITimeoutError: When there is none.
    """
    if until is None:
        return {**arguments}
    if now >= until:
        raise APITimeoutError(
            f"the deadline for {whole} was over before this call was sent (phase total)",
            phase="total",
            maybe_executed=maybe_executed,
        )
    return {**arguments, "deadline": until - now}
