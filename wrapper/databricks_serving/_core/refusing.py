"""What options of a client and of a call refuse alike, told as the one or the other."""

from types import TracebackType

from databricks_serving.errors import ConfigError, InvalidRequestError


class _InCalls:
    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, ConfigError):
            raise InvalidRequestError(str(error)) from None


IN_CALLS = _InCalls()
"""A block whose ConfigError leaves it as InvalidRequestError: the option is one of a call."""
