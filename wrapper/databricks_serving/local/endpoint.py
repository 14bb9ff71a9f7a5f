import secrets
from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from databricks_serving.local._connection import Limits
from databricks_serving.local.backends import BACKENDS
from databricks_serving.local.oauth import TokenService
from databricks_serving.local.server import LoopbackServer
from databricks_serving.local.tasks import Task
from databricks_serving.local.workspace import Workspace


class LocalEndpoint:
    """Serves model endpoints on 127.0.0.1, from `start` to `close` or within a `with` block.

    Args:
        model: What answers: `deterministic`, a rule, or `smollm2`, a small language model that
            `databricks-serving local install` installs.
        token: The token to ask for; a made-up one by default.
        port: Where to listen; 0 takes a free port.
        endpoints: Names to serve beside the built-in ones, and their tasks.
        verbose: Whether to log requests, without their bodies, and the model's own output.
        client_id: Id of a service principal that gets tokens by OAuth; a made-up one by default.
        client_secret: Its secret; a made-up one by default.
        token_life: Seconds for which tokens by OAuth can be used.

    Attributes:
        token: The token that callers must send, unless they have one by OAuth.
        oauth: What gives those; it can be told to be slow, to fail and to take tokens back.

    Raises:
        ValueError: There is no such model or task, or token, id or secret cannot stand in a header.
    """

    def __init__(
        self,
        *,
        model: str = "deterministic",
        token: str | None = None,
        port: int = 0,
        endpoints: Mapping[str, str] | None = None,
        verbose: bool = False,
        client_id: str | None = None,
        client_secret: str | None = None,
        token_life: float = 3600.0,
    ) -> None:
        if model not in BACKENDS:
            raise ValueError(f"model must be one of {', '.join(BACKENDS)}, not {model!r}")
        self.token: str = f"local-{secrets.token_hex(16)}" if token is None else token
        if not (self.token.isascii() and self.token.isprintable()) or len(self.token.split()) != 1:
            raise ValueError("token must be printable ASCII without spaces")
        self.oauth: TokenService = TokenService(client_id, client_secret, token_life=token_life)
        self._model = model
        self._port = port
        self._endpoints = {name: Task(task) for name, task in (endpoints or {}).items()}
        self._verbose = verbose
        self._url: str | None = None
        self._running = ExitStack()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(model={self._model!r}, host={self._url!r})"

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
            raise RuntimeError(
                "the local endpoint does not run: call start(), or use it with `with`"
            )
        return self._url

    def start(self) -> None:
        """Load the model and begin to listen; nothing happens when it runs already.

        Raises:
            ModelUnavailableError: The model's packages are missing, or it does not load.
            OSError: The port is taken.
        """
        if self._url is not None:
            return
        with ExitStack() as undo:
            backend = BACKENDS[self._model](self._verbose)
            workspace = Workspace(backend, self.token, self._endpoints, self.oauth)
            server = LoopbackServer(
                workspace, port=self._port, limits=Limits(), verbose=self._verbose
            )
            undo.callback(server.close)
            undo.callback(backend.close)
            undo.callback(self.oauth.close)
            self.oauth.start()
            backend.start()
            server.start()
            self._running = undo.pop_all()
        self._url = server.url

    def close(self) -> None:
        """Stop within a second, also while streams are running; allowed twice."""
        self._url = None
        self._running.close()
