"""What clients of both kinds offer alike: copies of themselves, and what they work with."""

from abc import ABC, abstractmethod
from typing import Any, Generic, NoReturn, Self, TypeVar, Unpack

from databricks_serving._core.arguments import public_method
from databricks_serving._core.boundary import forgetful
from databricks_serving._core.routes import INVOCATIONS
from databricks_serving._core.settings import Settings, changed_settings
from databricks_serving._shell.caller import BaseCaller
from databricks_serving.auth._access import Access
from databricks_serving.auth._given import AuthLike, source_of
from databricks_serving.auth._route import route_of
from databricks_serving.errors import ConfigError
from databricks_serving.options import ClientOptions, Limits, RetryPolicy, Timeouts
from databricks_serving.usage import UsageMeter

_NOT_PORTABLE = (
    "a client cannot be pickled or copied: it holds connections and a token; "
    "use with_options(), or make one per process"
)

CallerT = TypeVar("CallerT", bound=BaseCaller[Any, Any])


class BaseClient(ABC, Generic[CallerT]):
    """The options that a client works with, and copies with others."""

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
    def route(self) -> str:
        """Which way calls go to the endpoints."""
        route = self._caller.settings.route
        return INVOCATIONS if route is None else route.name

    @property
    def usage(self) -> UsageMeter:
        """What the calls of this client, and of copies that share its meter, have used.

        Raises:
            ConfigError: When it is not counted.
        """
        meter = self._caller.settings.meter
        if meter is None:
            raise ConfigError(
                "usage is not counted: make the client with track_usage=True, or a copy with "
                "with_options(track_usage=True)"
            )
        return meter

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

    @abstractmethod
    def _set_up(self, caller: CallerT, *, owner: bool) -> None: ...

    def _copy(self, settings: Settings, access: Access | None) -> Self:
        copy = object.__new__(type(self))
        copy._set_up(self._caller.with_settings(settings, access), owner=False)
        return copy

    @forgetful
    def route_optimized(
        self, endpoint: str, *, url: str | None = None, endpoint_id: str | None = None
    ) -> Self:
        """Return a client for one route-optimised endpoint, at its own address with tokens for it.

        It shares this one's connections and login, which must be by OAuth. Address and id are read
        from the description of the endpoint at the first call, unless they are given.

        Args:
            endpoint: Its name, as `model=` takes it.
            url: Its own address, as its page shows it.
            endpoint_id: Its id, as its description shows it.

        Raises:
            ConfigError: When only one of both is given, or the address is not https.
        """
        route = route_of(endpoint, url, endpoint_id)
        access = self._caller.credentials.access.with_route(route)
        return self._copy(self._caller.settings, access)

    @public_method(ClientOptions)
    def with_options(
        self, *, auth: AuthLike | None = None, **options: Unpack[ClientOptions]
    ) -> Self:
        """Return a client with other options that shares this one's connections.

        Closing the copy closes nothing; closing this client closes the connections of both.

        Args:
            auth: As for the client.
            **options: Options that change, documented on `ClientOptions`. None keeps one; of
                `Timeouts` and `RetryPolicy` the fields that are given change, and headers and
                families are added to those of the client.

        Raises:
            ConfigError: When an option cannot work.
            InvalidRequestError: When a header cannot be sent.
        """
        access = None
        if auth is not None:
            access = self._caller.credentials.access.with_source(source_of(auth))
        return self._copy(changed_settings(self._caller.settings, options), access)
