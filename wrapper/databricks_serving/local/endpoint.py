import secrets
from collections.abc import Mapping
from contextlib import ExitStack
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from databricks_serving.errors import ConfigError
from databricks_serving.local._connection import Limits
from databricks_serving.local.backends import BACKENDS, EMBEDDINGS, Backend, MixedBackend
from databricks_serving.local.checks import endpoint_name
from databricks_serving.local.config import ConfigDict, EndpointPlan, Plan, read_file, read_settings
from databricks_serving.local.control import Controls, read_state
from databricks_serving.local.errors import RefusedError
from databricks_serving.local.faults import FaultKind, read_fault
from databricks_serving.local.log import RequestLog
from databricks_serving.local.oauth import TokenService
from databricks_serving.local.server import LoopbackServer
from databricks_serving.local.states import EndpointState, StateName
from databricks_serving.local.tasks import BUILT_IN, Task, check_name
from databricks_serving.local.workspace import Workspace

_Number = TypeVar("_Number", int, float)
_NOT_RUNNING: Final = "the local endpoint does not run: call start(), or use it with `with`"


class LocalEndpoint:
    """Serves model endpoints on 127.0.0.1, from `start` to `close` or within a `with` block.

    What is given beside `config` goes before what that says.

    Args:
        model: What answers: `deterministic`, a rule (the default), or `smollm2`, a small language
            model that `databricks-serving local install` installs.
        token: The token to ask for; a made-up one by default.
        port: Where to listen; 0, the default, takes a free port.
        endpoints: Names to serve beside the built-in ones, and their tasks.
        verbose: Whether to log requests, without their bodies, and the model's own output.
        client_id: Id of a service principal that gets tokens by OAuth; a made-up one by default.
        client_secret: Its secret; a made-up one by default.
        token_life: Seconds for which tokens by OAuth can be used; an hour by default.
        embeddings: What embeds texts: `lexical`, a rule, or `wordllama`, which
            `databricks-serving local install --embeddings` installs; by default what `model` has.
        config: All settings: a file in YAML or JSON, or a dict of the same form. Paths in a file
            are relative to its folder, those in a dict to the current one.

    Attributes:
        model: What answers.
        port: Where it is to listen; 0 for a free port.
        token: The token that callers must send, unless they have one by OAuth.
        oauth: What gives those; it can be told to be slow, to fail and to take tokens back.
        requests: The requests that were answered, for a test to look at.

    Raises:
        ValueError: There is no such model or task, or token, id or secret cannot stand in a header.
        ConfigError: The settings make no sense, or an endpoint has a name that no path can have;
            the message names the place.
    """

    def __init__(
        self,
        *,
        model: str | None = None,
        token: str | None = None,
        port: int | None = None,
        endpoints: Mapping[str, str] | None = None,
        verbose: bool = False,
        client_id: str | None = None,
        client_secret: str | None = None,
        token_life: float | None = None,
        embeddings: str | None = None,
        config: ConfigDict | str | PathLike[str] | None = None,
    ) -> None:
        plan = _plan(config)
        self.model: str = _one_of(BACKENDS, "model", model or plan.model or "deterministic")
        vectors = embeddings or plan.embeddings
        self._embeddings = None if vectors is None else _one_of(EMBEDDINGS, "embeddings", vectors)
        self.token: str = _token(plan.token if token is None else token)
        self.oauth: TokenService = TokenService(
            plan.client_id if client_id is None else client_id,
            plan.client_secret if client_secret is None else client_secret,
            token_life=_first(token_life, plan.token_life, 3600.0),
        )
        self.port: int = _first(port, plan.port, 0)
        more = {
            endpoint_name(name, "endpoints"): EndpointPlan(task=Task(task))
            for name, task in (endpoints or {}).items()
        }
        self._endpoints = {**plan.endpoints, **more}
        self._verbose = verbose
        self._controls = Controls()
        self.requests: RequestLog = self._controls.log
        self._workspace: Workspace | None = None
        self._url: str | None = None
        self._running = ExitStack()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(model={self.model!r}, host={self._url!r})"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def host(self) -> str:
        """Where it listens, such as `http://127.0.0.1:8080`.

        Raises:
            RuntimeError: It does not run.
        """
        if self._url is None:
            raise RuntimeError(_NOT_RUNNING)
        return self._url

    @property
    def endpoints(self) -> list[str]:
        """Names of what it serves."""
        return list({**BUILT_IN, **self._endpoints})

    def fail_next(
        self,
        times: int = 1,
        status: int | None = None,
        *,
        fault: FaultKind = "status",
        endpoint: str | None = None,
        error_code: str | None = None,
        message: str | None = None,
        retry_after: float | None = None,
        seconds: float | None = None,
        after_bytes: int | None = None,
        after_events: int | None = None,
    ) -> None:
        """Let the next calls of endpoints go wrong, after those that are to go wrong already.

        Args:
            times: How many.
            status: HTTP status, of the faults `status` (503 by default) and `html` (502).
            fault: What goes wrong. `status` is an error of the platform, `html` a page of a
                gateway. `close` and `reset` end the connection without an answer.
                `slow_first_byte` answers late, `stall` stops for a while in the middle, `drip`
                sends piece by piece. `cut` ends the connection in the middle, and so does `reset`
                where it is told after what. `malformed` sends what is no JSON.
            endpoint: The endpoint whose calls these are; any by default.
            error_code: Code of the error.
            message: Text of the error.
            retry_after: Seconds that the answer asks to wait; none by default.
            seconds: How long it takes: until the answer, in the middle, or before each piece; 1 by
                default.
            after_bytes: After how many bytes of the body it happens; by default in the middle of a
                whole body.
            after_events: After how many events of a stream; by default after the first.

        Raises:
            ConfigError: An argument makes no sense, or is not for this fault, or there is no such
                endpoint.
        """
        given = {
            "fault": fault,
            "times": times,
            "status": status,
            "endpoint": endpoint,
            "error_code": error_code,
            "message": message,
            "retry_after": retry_after,
            "seconds": seconds,
            "after_bytes": after_bytes,
            "after_events": after_events,
        }
        told = read_fault(given, "")
        if endpoint is not None:
            self._check(endpoint)
        self._controls.faults.add(told)

    def clear_faults(self) -> None:
        """Let all calls go well again."""
        self._controls.faults.clear()

    def set_state(
        self,
        endpoint: str,
        state: EndpointState | StateName,
        *,
        ready_after: float | None = None,
        message: str | None = None,
    ) -> None:
        """Have an endpoint be in another state.

        Args:
            endpoint: Its name.
            state: The state.
            ready_after: Seconds until it is ready, where it is `not_ready`; never by default.
            message: What its deployment says of itself.

        Raises:
            ConfigError: There is no such endpoint or state.
            RuntimeError: It does not run.
        """
        if self._workspace is None:
            raise RuntimeError(_NOT_RUNNING)
        given = {"state": state, "ready_after": ready_after, "message": message}
        try:
            self._workspace.directory.set_state(endpoint, **read_state(given))
        except RefusedError as refused:
            raise ConfigError(refused.message) from None

    def start(self) -> None:
        """Load the model and begin to listen; nothing happens when it runs already.

        Raises:
            ModelUnavailableError: The model's packages are missing, or it does not load.
            OSError: The port is taken.
        """
        if self._url is not None:
            return
        with ExitStack() as undo:
            backend = self._backend()
            workspace = Workspace(backend, self.token, self._endpoints, self.oauth, self._controls)
            server = LoopbackServer(
                workspace, port=self.port, limits=Limits(), verbose=self._verbose
            )
            undo.callback(server.close)
            undo.callback(backend.close)
            undo.callback(self.oauth.close)
            undo.callback(self._controls.pace.stop)
            self._controls.pace.start()
            self.oauth.start()
            backend.start()
            server.start()
            self._running = undo.pop_all()
        self._workspace = workspace
        self._url = server.url

    def close(self) -> None:
        """Stop within a second, also while streams are running; allowed twice."""
        self._url = self._workspace = None
        self._running.close()

    def _check(self, endpoint: str) -> None:
        """Refuse a name that no endpoint has; while it runs, some may have been created."""
        try:
            if self._workspace is None:
                check_name(endpoint, self.endpoints)
            else:
                self._workspace.directory.check(endpoint)
        except RefusedError as refused:
            raise ConfigError(refused.message) from None

    def _backend(self) -> Backend:
        backend = BACKENDS[self.model](self._verbose)
        if self._embeddings is None:
            return backend
        return MixedBackend(backend, EMBEDDINGS[self._embeddings]())


def _plan(config: ConfigDict | str | PathLike[str] | None) -> Plan:
    if config is None:
        return Plan()
    if isinstance(config, str | PathLike):
        return read_file(Path(config))
    return read_settings(config, Path())


def _one_of(known: Mapping[str, object], name: str, given: str) -> str:
    if given not in known:
        raise ValueError(f"{name} must be one of {', '.join(known)}, not {given!r}")
    return given


def _token(given: str | None) -> str:
    token = f"local-{secrets.token_hex(16)}" if given is None else given
    if not (token.isascii() and token.isprintable()) or len(token.split()) != 1:
        raise ValueError("token must be printable ASCII without spaces")
    return token


def _first(given: _Number | None, planned: _Number | None, usual: _Number) -> _Number:
    if given is not None:
        return given
    return usual if planned is None else planned
