"""Connections on 127.0.0.1. There is no option to listen anywhere else."""

import sys
import traceback
from contextlib import suppress
from functools import partial
from socket import SHUT_RDWR, socket
from socketserver import TCPServer, ThreadingMixIn
from threading import Condition, Thread
from typing import Any, Final

from databricks_serving.local._connection import Connection, Limits
from databricks_serving.local.workspace import Workspace

_ADDRESS: Final = "127.0.0.1"
_POLL_SECONDS: Final = 0.05
_CLOSE_SECONDS: Final = 0.5
_MAX_CONNECTIONS: Final = 1000


class LoopbackServer(ThreadingMixIn, TCPServer):
    """Accepts connections and gives each a thread.

    Args:
        workspace: What answers.
        port: Where to listen; 0 takes a free port.
        limits: What one connection may use.
        verbose: Whether to log requests, without their bodies.
        max_connections: How many there may be; more are closed at once.

    Raises:
        OSError: The port is taken.
    """

    allow_reuse_address = True
    block_on_close = False
    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        workspace: Workspace,
        *,
        port: int,
        limits: Limits,
        verbose: bool = False,
        max_connections: int = _MAX_CONNECTIONS,
    ) -> None:
        handler = partial(Connection, workspace=workspace, limits=limits, verbose=verbose)
        super().__init__((_ADDRESS, port), handler)
        self._max_connections = max_connections
        self._thread: Thread | None = None
        self._open: set[Any] = set()
        self._closed_one = Condition()

    @property
    def url(self) -> str:
        """Where the server listens."""
        return f"http://{_ADDRESS}:{self.server_address[1]}"

    def start(self) -> None:
        """Begin to accept connections."""
        self._thread = Thread(
            target=self.serve_forever, args=(_POLL_SECONDS,), name="local-endpoint", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop accepting, cut all connections and wait shortly for their threads."""
        if self._thread is not None:
            self.shutdown()
            self._thread.join()
        self.server_close()
        with self._closed_one:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(SHUT_RDWR)
            self._closed_one.wait_for(lambda: not self._open, _CLOSE_SECONDS)

    def verify_request(self, request: socket | Any, client_address: Any) -> bool:  # noqa: ARG002 - the base class's names
        """Take no more connections than are allowed."""
        return len(self._open) < self._max_connections

    def process_request(self, request: socket | Any, client_address: Any) -> None:
        """Remember the connection until it ends."""
        with self._closed_one:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket | Any) -> None:
        """Forget the connection."""
        super().shutdown_request(request)
        with self._closed_one:
            self._open.discard(request)
            self._closed_one.notify_all()

    def handle_error(self, *_: Any, **__: Any) -> None:
        """Report faults of ours, and no others."""
        error = sys.exception()
        # A client may leave at any time.
        if error is not None and not isinstance(error, OSError):
            # The error's own text may hold a prompt.
            traceback.print_tb(error.__traceback__)
            print(f"databricks-serving: {type(error).__name__}", file=sys.stderr)
