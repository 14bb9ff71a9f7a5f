"""Model-serving endpoints that exist in a test alone."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, Literal, Unpack

from databricks_serving._core.arguments import public_method
from databricks_serving._core.script import Sent, Step
from databricks_serving._http.scripted import ScriptedTransport
from databricks_serving.auth import AccessToken
from databricks_serving.errors import InvalidRequestError
from databricks_serving.options import ClientOptions
from databricks_serving.testing._agents import AgentReplies
from databricks_serving.testing._asserting import Asserting
from databricks_serving.testing._book import Book, Scripted
from databricks_serving.testing._custom import CustomReplies
from databricks_serving.testing._errors import UnexpectedRequestError
from databricks_serving.testing._explaining import explained
from databricks_serving.testing._failures import FailureReplies
from databricks_serving.testing._faults import Answer
from databricks_serving.testing._installing import standing_in
from databricks_serving.testing._models import ModelReplies
from databricks_serving.testing._raw import RawReplies
from databricks_serving.testing._requests import RecordedRequest, read_request
from databricks_serving.testing._rules import Rule, answer_as, echo
from databricks_serving.testing._scripting import dressed
from databricks_serving.testing._time import FakeTime
from databricks_serving.testing._workspace import Workspace, checked_document, descriptions

if TYPE_CHECKING:
    from databricks_serving._async.client import AsyncServingClient
    from databricks_serving._sync.client import ServingClient
    from databricks_serving.auth._given import AuthLike

_RULES: Final[Mapping[str, Rule]] = {"echo": echo}


class FakeServing(
    ModelReplies,
    AgentReplies,
    CustomReplies,
    RawReplies,
    FailureReplies,
    Asserting,
    ScriptedTransport,
):
    """A workspace without a network, for both clients at once, that answers as it is told.

    It is a transport: give it to clients as `transport=`, or have it make them, or let it stand in
    for all of them with `installed()`. Each request takes the first scripted reply that fits its
    endpoint and task; those for any number of requests come after all others. A request that none
    fits is an `UnexpectedRequestError`. Time passes only where somebody waits.

    Args:
        default: What answers requests that no scripted reply fits: `echo`, which repeats what the
            user said, or a function as `respond` takes it.

    Attributes:
        time: The time of the clients that this answers.
        host: The address of its workspace.
        token: A token that it takes; it takes any.
    """

    host: Final = "https://fake.example"
    token: Final = "fake-token"  # noqa: S105 - of no workspace

    def __init__(self, default: Literal["echo"] | Rule | None = None) -> None:
        self.time: FakeTime = FakeTime()
        ScriptedTransport.__init__(self, self._answer, self.time)
        self._lock = RLock()
        self._default: Rule | None = None
        self.reset()
        self.default(default)

    def reset(self) -> None:
        """Forget all requests and all that was scripted; time and `default` stay."""
        with self._lock:
            self._book = Book()
            self._workspace = Workspace()
            self._requests: list[RecordedRequest] = []
            self._logins: list[RecordedRequest] = []
            self._tries: Counter[str] = Counter()
            self._misses: list[UnexpectedRequestError] = []

    def default(self, rule: Literal["echo"] | Rule | None) -> None:
        """Say what answers requests that no scripted reply fits: as `default` of the class."""
        if isinstance(rule, str) and rule in _RULES:
            self._default = _RULES[rule]
        elif rule is None or callable(rule):
            self._default = rule
        else:
            raise InvalidRequestError(
                "default must be 'echo', a function of the request, or None for an error"
            )

    @public_method(ClientOptions)
    def client(
        self, *, auth: "AuthLike | None" = None, **options: Unpack[ClientOptions]
    ) -> "ServingClient":
        """Return a client that this answers.

        Args:
            auth: How it logs in; with a made-up token unless given.
            **options: As for `ServingClient`.
        """
        from databricks_serving._sync.client import ServingClient  # noqa: PLC0415 - one of two

        login = AccessToken(self.token) if auth is None else auth
        return ServingClient(self.host, auth=login, transport=self, **options)

    @public_method(ClientOptions)
    def async_client(
        self, *, auth: "AuthLike | None" = None, **options: Unpack[ClientOptions]
    ) -> "AsyncServingClient":
        """Return an asynchronous client that this answers; arguments as of `client`."""
        from databricks_serving._async.client import AsyncServingClient  # noqa: PLC0415 - one of two

        login = AccessToken(self.token) if auth is None else auth
        return AsyncServingClient(self.host, auth=login, transport=self, **options)

    def installed(self) -> "AbstractContextManager[FakeServing]":
        """Stand in for the network of all clients that have no transport of their own.

        Within the `with` block it answers clients that were made before too, in all threads. The
        variables of the environment that logins read are unset there, but for `DATABRICKS_HOST` and
        `DATABRICKS_TOKEN`, which are its own; afterwards they are as before.

        Raises:
            RecordingError: On entry, when a cassette is open.
        """
        return standing_in(self)

    def endpoint(
        self,
        name: str,
        *,
        task: str | None = "llm/v1/chat",
        ready: bool | Sequence[bool] = True,
        description: Mapping[str, Any] | None = None,
        openapi: Mapping[str, Any] | None = None,
    ) -> None:
        """Have an endpoint that `client.endpoints` lists, describes, and creates.

        Args:
            name: Its name.
            task: Its task; None for a custom model.
            ready: Whether it is ready; or a list, whose values follow each other from question to
                question, and the last of which stays.
            description: Further keys of its description, over those that are made up.
            openapi: Its OpenAPI document.

        Raises:
            InvalidRequestError: Naming the argument that cannot be used.
        """
        states = descriptions(name, task, ready, description)
        document = checked_document(openapi)
        with self._lock:
            self._workspace.describe(name, states, document)

    @property
    def requests(self) -> Sequence[RecordedRequest]:
        """The requests so far, each try of a call by itself; those of logins are `logins`."""
        with self._lock:
            return tuple(self._requests)

    @property
    def logins(self) -> Sequence[RecordedRequest]:
        """The requests for tokens so far, without their secrets."""
        with self._lock:
            return tuple(self._logins)

    @property
    def last(self) -> RecordedRequest:
        """The last request.

        Raises:
            AssertionError: When none came.
        """
        found = self.requests
        if not found:
            raise AssertionError("no request came")
        return found[-1]

    @property
    def _unexpected(self) -> Sequence[UnexpectedRequestError]:
        return self._misses

    @property
    def _scripted(self) -> Book:
        return self._book

    def _add(self, scripted: Scripted) -> None:
        with self._lock:
            self._book.add(scripted)

    def _answer(self, sent: Sent) -> Iterable[Step]:
        __tracebackhide__ = True
        with self._lock:
            request, number = self._record(sent)
            scripted = self._book.take(request)
            known = None if scripted else self._workspace.answer(request)
            if scripted is None and known is None and not self._has_rule(request):
                self._misses.append(UnexpectedRequestError(explained(request, self._book)))
                raise self._misses[-1]
        # Outside of the lock, since a function may take its time.
        if scripted is not None:
            return self._scripted_steps(scripted, request, number)
        return dressed(known or self._by_rule(request), request, number)

    def _scripted_steps(
        self, scripted: Scripted, request: RecordedRequest, number: int
    ) -> Iterable[Step]:
        __tracebackhide__ = True
        try:
            return scripted.steps(request, number)
        except UnexpectedRequestError as error:
            with self._lock:
                self._misses.append(error)
            raise

    def _record(self, sent: Sent) -> tuple[RecordedRequest, int]:
        request = read_request(sent)
        kept = self._logins if request.task == "token" else self._requests
        call = request.headers.get("idempotency-key")
        if call is not None:
            self._tries[call] += 1
            request = request.tried(self._tries[call])
        kept.append(request)
        return request, len(kept)

    def _has_rule(self, request: RecordedRequest) -> bool:
        return self._default is not None and request.task not in {"endpoints", "token"}

    def _by_rule(self, request: RecordedRequest) -> Answer:
        rule: Callable[[RecordedRequest], Any] = self._default or echo
        return answer_as(rule(request), request)

    def __repr__(self) -> str:
        return f"<FakeServing: {len(self._requests)} requests, {len(self._book.left)} replies left>"
