import json
from collections.abc import Generator, Mapping
from contextlib import ExitStack, closing
from dataclasses import replace
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Any, Final

from databricks_serving.local.backends.llama.engine import Engine, Settings, model_file
from databricks_serving.local.backends.llama.translate import (
    check_supported,
    event_of,
    refusal_of,
    reply_of,
)
from databricks_serving.local.errors import ModelUnavailableError, RefusedError
from databricks_serving.local.jsontypes import Json
from databricks_serving.local.requests import MAX_CHOICES
from databricks_serving.local.tasks import Task

_PATHS: Final[Mapping[Task, str]] = {
    Task.CHAT: "/v1/chat/completions",
    Task.COMPLETION: "/v1/completions",
    Task.EMBEDDING: "/v1/embeddings",
}
_CONTEXT: Final = 2048
_EMBEDDING_CONTEXT: Final = 512
_ANSWER_SECONDS: Final = 600.0


class LlamaBackend:
    """Forwards requests to llama.cpp and translates its replies.

    Args:
        verbose: Whether llama.cpp may write its log to standard error.
    """

    model = "smollm2-135m-instruct"

    def __init__(self, verbose: bool) -> None:
        self._verbose = verbose
        self._engines: Mapping[Task, Engine] = {}

    def start(self) -> None:
        """Load the model for generation; embeddings load it once more when first asked for.

        Raises:
            ModelUnavailableError: Packages are missing, or the model does not load.
        """
        generating = Settings(
            path=str(model_file()),
            alias=self.model,
            context=_CONTEXT,
            slots=MAX_CHOICES,
            embedding=False,
            verbose=self._verbose,
        )
        # Several slots and pooled embeddings together fail an assertion of llama.cpp.
        embedding = replace(generating, context=_EMBEDDING_CONTEXT, slots=1, embedding=True)
        generator, embedder = Engine(generating), Engine(embedding)
        self._engines = {
            Task.CHAT: generator,
            Task.COMPLETION: generator,
            Task.EMBEDDING: embedder,
        }
        try:
            generator.address()
        except RefusedError as refused:
            raise ModelUnavailableError(refused.message) from None

    def close(self) -> None:
        """Kill the processes."""
        for engine in self._engines.values():
            engine.close()

    def reply(self, task: Task, request: Json) -> Json:
        """Answer in one piece."""
        check_supported(task, request)
        with closing(self._send(task, request)) as exchange:
            return reply_of(exchange.whole())

    def events(self, task: Task, request: Json) -> Generator[Json, None, None]:
        """Answer in pieces, each passed on as it comes."""
        check_supported(task, request)
        return _translated(self._send(task, {**request, "timings_per_token": True}))

    def _send(self, task: Task, request: Json) -> "_Exchange":
        address = self._engines[task].address()
        connection = HTTPConnection(address.host, address.port, timeout=_ANSWER_SECONDS)
        return _Exchange(connection, _PATHS[task], address.key, {**request, "model": self.model})


class _Exchange:
    """One request to llama.cpp; its faults become refusals."""

    def __init__(self, connection: HTTPConnection, path: str, key: str, request: Json) -> None:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        with ExitStack() as undo:
            undo.callback(connection.close)
            try:
                connection.request("POST", path, json.dumps(request), headers)
                self._response = undo.enter_context(closing(connection.getresponse()))
                if self._response.status != HTTPStatus.OK:
                    raise refusal_of(self._response.status, self._response.read())
            except (OSError, HTTPException):
                raise _broken_off() from None
            self._open = undo.pop_all()

    def close(self) -> None:
        """Hang up, which also makes llama.cpp stop generating."""
        self._open.close()

    def whole(self) -> Any:
        """Read a reply in one piece."""
        try:
            return json.loads(self._response.read())
        except (OSError, HTTPException):
            raise _broken_off() from None

    def line(self) -> bytes:
        """Read one line of a stream, or nothing at its end."""
        try:
            return self._response.readline()
        except (OSError, HTTPException):
            raise _broken_off() from None


def _translated(exchange: _Exchange) -> Generator[Json, None, None]:
    spent: dict[int, int] = {}
    with closing(exchange):
        while line := exchange.line():
            field, _, data = line.strip().partition(b": ")
            if data == b"[DONE]":
                return
            if field == b"error":
                raise refusal_of(HTTPStatus.INTERNAL_SERVER_ERROR, data)
            event = event_of(json.loads(data), spent) if field == b"data" else None
            if event is not None:
                yield event
    raise _broken_off()


def _broken_off() -> RefusedError:
    return RefusedError(
        HTTPStatus.SERVICE_UNAVAILABLE, "TEMPORARILY_UNAVAILABLE", "The model stopped."
    )
