"""Errors of streams that had begun."""

from databricks_serving.errors._answers import APITimeoutError
from databricks_serving.errors._root import CallError, PartialReply


class StreamError(CallError):
    """A stream broke after it began.

    Attributes:
        partial: What had arrived: a `ChatCompletion` or `Completion`, or of a custom model a
            `PredictionResponse` with the events in `predictions`; None before anything.
    """

    partial: PartialReply | None = None
    maybe_executed: bool = True


class StreamInterruptedError(StreamError):
    """The stream ended with neither a finish reason nor a terminator: the answer is not whole."""


class StreamTimeoutError(StreamInterruptedError, APITimeoutError):
    """The stream stopped coming; `phase` is `idle` or `total`, `partial` what had come."""


class StreamServerError(StreamError):
    """The server reported an error inside the stream.

    Attributes:
        status_code: The status that the error itself names, if it does.
        error_code: The server's own code as text.
        message: What the server said, in one line.
        body: The decoded error event.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        error_code: str | None = None,
        body: object = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status_code = status_code
        self.error_code = error_code
        self.body = body

    def _text(self) -> str:
        named = [str(part) for part in (self.status_code, self.error_code) if part]
        code = f"{' '.join(dict.fromkeys(named))}: " if named else ""
        return f"{code}{super()._text()}"
