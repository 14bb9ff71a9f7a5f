"""What clients of both kinds tell of themselves."""

from typing import Generic, NoReturn, Protocol, TypeVar

from databricks_serving._core.settings import Settings
from databricks_serving.options import Limits, RetryPolicy, Timeouts

_NOT_PORTABLE = (
    "a client cannot be pickled or copied: it holds connections and a token; "
    "use with_options(), or make one per process"
)


class HasSettings(Protocol):
    """A caller, blocking or not."""

    @property
    def host(self) -> str | None:
        """The address of the workspace, once that is known."""
        ...

    @property
    def settings(self) -> Settings:
        """Options."""
        ...


CallerT = TypeVar("CallerT", bound=HasSettings)


class ClientBase(Generic[CallerT]):
    """The options that a client works with, to read."""

    _caller: CallerT

    @property
    def host(self) -> str | None:
        """The address of the workspace, as requests use it; None before a profile was read."""
        return self._caller.host

    @property
    def timeouts(self) -> Timeouts:
        """How long calls wait; `total` is the deadline."""
        return self._caller.settings.timeouts

    @property
    def retry(self) -> RetryPolicy:
        """When and how often calls are tried again."""
        return self._caller.settings.retry

    @property
    def idempotent(self) -> bool:
        """Whether calls may be tried again although the model may have run them."""
        return self._caller.settings.idempotent

    @property
    def limits(self) -> Limits:
        """How much is kept open, sent and taken in."""
        return self._caller.settings.limits

    def __repr__(self) -> str:
        # A traceback that shows local variables may ask a client that is not made yet.
        host = self.host if hasattr(self, "_caller") else None
        return f"{type(self).__name__}(host={host!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError(_NOT_PORTABLE)
