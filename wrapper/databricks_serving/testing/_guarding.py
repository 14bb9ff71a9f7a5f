"""What keeps a test's calls from the network where nothing answers them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from databricks_serving._core.config import is_loopback
from databricks_serving._core.script import Sent
from databricks_serving._http.listening import AsyncListeningTransport, ListeningTransport
from databricks_serving.testing._errors import UnexpectedRequestError
from databricks_serving.testing._requests import read_request
from databricks_serving.testing._time import FakeTime

if TYPE_CHECKING:
    import httpx


class Guard:
    """Lets calls to this machine pass, and refuses the others."""

    replaces = False
    own_time = None

    def blocking(self, inner: "httpx.BaseTransport | None") -> "httpx.BaseTransport":
        """Return what a blocking client sends over."""
        assert inner is not None  # noqa: S101 - for type checkers
        return ListeningTransport(inner, self, FakeTime())

    def asynchronous(self, inner: "httpx.AsyncBaseTransport | None") -> "httpx.AsyncBaseTransport":
        """Return what an asynchronous client sends over."""
        assert inner is not None  # noqa: S101 - for type checkers
        return AsyncListeningTransport(inner, self, FakeTime())

    def answer(self, sent: Sent) -> None:
        """Refuse a request, unless it is for this machine, as those of the local endpoint are."""
        __tracebackhide__ = True
        if not is_loopback(urlsplit(sent.url).hostname or ""):
            raise UnexpectedRequestError(
                f"nothing answers {read_request(sent)}, and --serving-block keeps calls from the "
                "network: let the test use serving_fake or serving_cassette, or run it without "
                "--serving-block"
            )

    def begin(self, sent: Sent, now: float) -> "_Deaf":  # noqa: ARG002 - nothing is heard
        """Return what hears nothing."""
        return _Deaf()


class _Deaf:
    def head(self, status: int, headers: Iterable[tuple[str, str]]) -> None: ...

    def piece(self, data: bytes, now: float) -> None: ...

    def over(self, error: BaseException | None, now: float, *, whole: bool) -> None: ...
