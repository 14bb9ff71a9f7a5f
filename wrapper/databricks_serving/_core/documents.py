"""Texts on their way to vectors: what is sent, what came, and what follows an error."""

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any, Final

from databricks_serving._core.arguments import OPTION_NAMES, DocumentsArguments
from databricks_serving._core.batches import (
    batches_of,
    cut,
    halves,
    list_of_texts,
    name_of,
    sizes_of,
)
from databricks_serving._core.boundary import forget
from databricks_serving._core.checks import misfit
from databricks_serving._core.deadlines import with_time_left
from databricks_serving._core.embedding import Plan, call_of
from databricks_serving._core.excess import Excess, excess_of
from databricks_serving._core.json_codec import encode
from databricks_serving._core.requests import in_json, mapping_of, until_of
from databricks_serving._core.settings import Settings
from databricks_serving._core.vector_lists import PartialVectors, Vectors
from databricks_serving.errors import (
    AuthenticationError,
    BadRequestError,
    ClientClosedError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    ServingError,
    TokenError,
    UnprocessableEntityError,
)
from databricks_serving.usage import UsageTotals
from databricks_serving_api.models import EmbeddingResponse

# What a request has beside texts and parameters: names, brackets, the name of the endpoint.
_ENVELOPE: Final = 512
# Nothing of these can be told from one text.
_NEVER_KEPT: Final = (InvalidRequestError, ClientClosedError)
_OF_SOME_TEXT: Final = (BadRequestError, UnprocessableEntityError)
# What fails for one text for these reasons fails for all.
_OF_ALL_TEXTS: Final = (AuthenticationError, NotFoundError, PermissionDeniedError, TokenError)
# So many texts refused one by one, and none taken: it is not the texts.
_MOST_REFUSED: Final = 8


class Documents:
    """The texts of one `embed_documents`; threads may share it.

    Args:
        texts: The texts.
        arguments: The keywords of the call.
        plan: How to go about it.
        settings: The options of the client.
        now: The monotonic time.

    Raises:
        InvalidRequestError: Naming what cannot be sent.
    """

    def __init__(
        self,
        texts: object,
        arguments: Mapping[str, Any],
        plan: Plan,
        settings: Settings,
        now: float,
    ) -> None:
        self._arguments = call_of(arguments, DocumentsArguments, "documents_params")
        self._texts = list_of_texts(texts)
        self._plan = plan
        self._until = until_of(self._arguments, settings, now)
        sizes = sizes_of(self._texts)
        room = settings.limits.request_bytes - _ENVELOPE - _size_of(self._arguments)
        _check_sizes(sizes, room)
        self.batches: list[range] = batches_of(sizes, plan.batch_size, min(plan.batch_bytes, room))
        self._most = plan.batch_size
        self._vectors: list[list[float] | None] = [None] * len(self._texts)
        self._failures: dict[int, ServingError] = {}
        self._models: dict[int, str | None] = {}
        self._usage = UsageTotals()
        self._refused = self._done = 0
        self._ended: ServingError | None = None
        self._lock = Lock()

    def due(self, pieces: list[range]) -> list[range]:
        """Return what is still to be sent, in pieces that the server takes as far as is known.

        Args:
            pieces: What was not sent yet.
        """
        if self._ended is not None:
            for piece in pieces:
                self._fail(piece, self._ended)
            return []
        return [small for piece in pieces for small in cut(piece, self._most)]

    def arguments(self, batch: range, now: float) -> dict[str, Any]:
        """Return the arguments of the call that embeds a batch.

        Raises:
            APITimeoutError: When the time for all batches is over.
        """
        arguments = {**self._arguments, "input": self._texts[batch.start : batch.stop]}
        return with_time_left(arguments, self._until, now, "all texts", maybe_executed=False)

    def keep(self, batch: range, reply: EmbeddingResponse) -> None:
        """Keep the vectors of a batch."""
        vectors = reply.vectors
        with self._lock:
            self._vectors[batch.start : batch.stop] = vectors
            self._models[batch.start] = reply.model
            self._usage += UsageTotals.of(reply.usage)
            self._progress(len(batch))

    def after(self, batch: range, error: ServingError) -> list[range]:
        """Return the pieces in which to send a batch again after an error; none to go on without.

        Raises:
            ServingError: The error, where it ends the call.
        """
        excess = excess_of(error)
        if excess is not None and len(batch) > 1:
            if excess is Excess.TEXTS:
                self._most = min(self._most, len(batch) // 2)
            return halves(batch)
        if excess is not None:
            error.hint = f"{name_of(batch)} is longer than the endpoint takes: split it"
        if self._plan.fail_on_error or isinstance(error, _NEVER_KEPT):
            error.add_note(f"with {name_of(batch)}")
            raise error
        if isinstance(error, _OF_SOME_TEXT) and self._is_worth_a_search(batch):
            return halves(batch)
        if isinstance(error, _OF_ALL_TEXTS):
            self._ended = error
        self._fail(batch, error)
        return []

    def result(self) -> Vectors | PartialVectors:
        """Return the vectors of all texts.

        Raises:
            InvalidResponseError: When they differ in length.
        """
        self._check_dimensions()
        model = self._models[min(self._models)] if self._models else None
        if self._plan.fail_on_error:
            vectors = [vector for vector in self._vectors if vector is not None]
            return Vectors(vectors, model=model, usage=self._usage)
        failures = dict(sorted(self._failures.items()))
        return PartialVectors(self._vectors, model=model, usage=self._usage, failures=failures)

    def _is_worth_a_search(self, batch: range) -> bool:
        """Tell whether one text of a batch may be what was refused, rather than the parameters."""
        with self._lock:
            self._refused += len(batch) == 1
            return len(batch) > 1 and (bool(self._models) or self._refused < _MOST_REFUSED)

    def _fail(self, batch: range, error: ServingError) -> None:
        # Its frames hold the texts.
        forget(error, None)
        with self._lock:
            self._failures.update(dict.fromkeys(batch, error))
            self._progress(len(batch))

    def _progress(self, count: int) -> None:
        # Under the lock, so that what is reported only grows.
        self._done += count
        if self._plan.on_progress is not None:
            self._plan.on_progress(self._done, len(self._texts))

    def _check_dimensions(self) -> None:
        found = [(row, len(vector)) for row, vector in enumerate(self._vectors) if vector]
        for row, length in found:
            first, expected = found[0]
            if length != expected:
                raise misfit(
                    f"the vector of texts[{row}] has {length} numbers, "
                    f"and that of texts[{first}] {expected}"
                )


def _size_of(arguments: Mapping[str, Any]) -> int:
    parameters = {key: arguments[key] for key in arguments.keys() - OPTION_NAMES}
    body = {**parameters, **mapping_of(arguments, "extra_body")}
    return len(in_json(body, lambda: encode(body)))


def _check_sizes(sizes: Sequence[int], room: int) -> None:
    for row, size in enumerate(sizes):
        if size > room:
            raise InvalidRequestError(
                f"texts[{row}] has {size} bytes as JSON, more than Limits(request_bytes=...) leaves"
            )
