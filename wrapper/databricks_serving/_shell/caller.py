"""What both callers hold."""

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar

from databricks_serving._core.call import Shared
from databricks_serving._core.requests import Request
from databricks_serving._core.settings import Settings
from databricks_serving._shell.credentials import BaseCredentials
from databricks_serving.auth._access import Access

SenderT = TypeVar("SenderT")
CredentialsT = TypeVar("CredentialsT", bound=BaseCredentials[Any])


class BaseCaller(Generic[SenderT, CredentialsT]):
    """Makes calls: builds, sends, waits, and has the core interpret and decide.

    Args:
        settings: The options of the client.
        sender: What requests go over.
        credentials: What authorises them.
        shared: What the calls of a client and of its copies share.
    """

    def __init__(
        self, settings: Settings, sender: SenderT, credentials: CredentialsT, shared: Shared
    ) -> None:
        self.settings: Settings = settings
        self.sender: SenderT = sender
        self.credentials: CredentialsT = credentials
        self.shared: Shared = shared

    @property
    def host(self) -> str | None:
        """The address of the workspace, once that is known."""
        return self.credentials.access.host

    def with_settings(self, settings: Settings, access: Access | None = None) -> Self:
        """Return a caller with other settings over the same transport, quota and clock.

        Args:
            settings: The settings.
            access: Where to call and as whom, if that changes.
        """
        credentials = self.credentials if access is None else self.credentials.other(access)
        return type(self)(settings, self.sender, credentials, self.shared)

    def meter_of(self, request: Request) -> Callable[[Any], None] | None:
        """Return what counts the answers to a request; None where they are not counted."""
        meter = self.settings.meter
        if meter is None:
            return None

        def count(reply: Any) -> None:
            # Descriptions of endpoints and predictions count no tokens.
            if not hasattr(reply, "usage"):
                return
            served_model = reply.meta.served_model_name if reply.meta else None
            meter.add(request.endpoint, served_model, reply.usage)

        return count
