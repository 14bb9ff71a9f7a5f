"""Scripted vectors, and answers of custom models."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Unpack

from databricks_serving._core.arguments import public_method
from databricks_serving.errors import InvalidRequestError
from databricks_serving.testing._bodies import EMBEDDING_FORM, PREDICTION_FORM
from databricks_serving.testing._faults import Answer
from databricks_serving.testing._options import ReplyOptions, StreamOptions, check_is
from databricks_serving.testing._requests import RecordedRequest
from databricks_serving.testing._said import in_json
from databricks_serving.testing._scripting import (
    Reply,
    Scripting,
    check_count,
    check_whole,
    checked,
    event_answer,
    json_answer,
    reply_of,
    stream_of,
)
from databricks_serving.testing._vectors import embedding_body, vector_of

Json = Mapping[str, Any]


class CustomReplies(Scripting):
    """Vectors, and answers of custom models."""

    @public_method(ReplyOptions)
    def embedding(
        self,
        vectors: Sequence[Sequence[float]] | None = None,
        *,
        dim: int | None = None,
        **options: Unpack[ReplyOptions],
    ) -> None:
        """Script vectors: one for each text of a request.

        Args:
            vectors: The vectors. Unless they are given, each depends on its text alone, has length
                1, and as many numbers as the request has `dimensions`.
            dim: How many numbers where the request does not say; 1024 unless given.
            **options: For which request, how often, and what goes wrong: `ReplyOptions`.

        Raises:
            InvalidRequestError: Naming the argument that cannot be used.
        """
        check_is("dim", dim, int, "a whole number")
        check_is("vectors", vectors, (list, tuple), "a list of lists of numbers")
        if dim is not None and dim < 1:
            raise InvalidRequestError(f"dim must be at least 1, not {dim}")
        fixed = None if vectors is None else [list(one) for one in vectors]

        def answering(request: RecordedRequest) -> Answer:
            length = request.body.get("dimensions") or dim or 1024
            made = fixed or [vector_of(text, length) for text in request.texts]
            return json_answer(embedding_body(request, made))

        if fixed is not None:
            sample = {"input": ["Hi"] * len(fixed)}
            form = replace(EMBEDDING_FORM, sample=sample)
            data = [{"index": index, "embedding": one} for index, one in enumerate(fixed)]
            check_whole(form, {"data": data})
        shown = f"dim={dim or 1024}" if fixed is None else f"{len(fixed)} vectors"
        reply = Reply(
            label=f"embedding({shown})",
            kind=ReplyOptions,
            options={**options},
            named=("vectors", "dim"),
            tasks=frozenset({"embeddings"}),
        )
        self._script(reply, answering)

    @public_method(ReplyOptions)
    def predictions(self, values: Sequence[Any] | Json, **options: Unpack[ReplyOptions]) -> None:
        """Script what a custom model predicts: any JSON, which stands under `predictions`.

        Args:
            values: The predictions: a list with one for each row, or a dict of such lists.
            **options: For which request, how often, and what goes wrong: `ReplyOptions`.

        Raises:
            InvalidRequestError: Naming the argument that cannot be used.
        """
        check_is("values", values, (list, tuple, Mapping), "a list or a dict")
        in_json("values", values)
        answer = json_answer({"predictions": values})
        reply = reply_of("predictions", values, options, ("values",), PREDICTION_FORM, ReplyOptions)
        self._script(reply, lambda _: answer)

    @public_method(StreamOptions)
    def prediction_stream(self, values: Iterable[Any], **options: Unpack[StreamOptions]) -> None:
        """Script what a custom model streams: any JSON, an event for each value.

        Args:
            values: What each event holds.
            **options: For which request, how often, and what goes wrong: `StreamOptions`. There is
                no `[DONE]` unless `done=True`.

        Raises:
            InvalidRequestError: Naming the argument that cannot be used.
        """
        events = [in_json(f"values[{n}]", value) for n, value in enumerate(values)]
        reply = stream_of("prediction_stream", events, options, ("values",), PREDICTION_FORM)
        check_count(checked(reply), len(events))
        answer = event_answer(events, marked=False)
        self._script(reply, lambda _: answer)
