"""Errors of waiting for endpoints."""

from databricks_serving.errors._root import ServingError


class EndpointWaitError(ServingError):
    """An endpoint did not become ready: it failed, or it took too long.

    Attributes:
        ready: Its state when it was last asked, such as `NOT_READY`; None if it never answered.
        config_update: How far its last change was, such as `UPDATE_FAILED`.
        reasons: What its served entities say of themselves.
        timed_out: Whether it may still become ready.
    """

    def __init__(
        self,
        message: str,
        *,
        ready: str | None = None,
        config_update: str | None = None,
        reasons: tuple[str, ...] = (),
        timed_out: bool = False,
    ) -> None:
        super().__init__(message)
        self.ready = ready
        self.config_update = config_update
        self.reasons = reasons
        self.timed_out = timed_out
