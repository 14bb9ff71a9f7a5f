# Written by scripts/unasync from _async/resources/predictions.py: do not edit.
"""Custom models, as the blocking client offers them."""

from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeAlias, Unpack, overload

from databricks_serving._core.accumulate import JsonEvent
from databricks_serving._core.arguments import PredictionArguments, public_method
from databricks_serving._core.boundary import forgetful
from databricks_serving._core.operations import PREDICTION
from databricks_serving._core.prediction import Prediction
from databricks_serving._core.rows.forms import FrameLike
from databricks_serving._core.rows.request import Given, prepare
from databricks_serving._sync.caller import Caller
from databricks_serving._sync.stream import EventStream
from databricks_serving_api.models import PredictionResponse
from databricks_serving_api.types import ReplyMeta

JsonEvents: TypeAlias = EventStream[PredictionResponse, JsonEvent, Any]


class PredictionStream:
    """What a custom model streams: the JSON of each event, whatever it is.

    A context manager that sends the request on entry. A custom model sends no end mark: the stream
    is whole when the server closes it in order.
    """

    def __init__(self, events: JsonEvents) -> None:
        self._events = events

    @property
    def meta(self) -> ReplyMeta:
        """Status and headers of the response.

        Raises:
            StreamUseError: Outside the `with` block.
        """
        return self._events.chunks.meta

    @property
    def request_id(self) -> str | None:
        """The server's id of the request, if it gave one; raises as `meta`."""
        return self.meta.request_id

    def __iter__(self) -> Iterator[Any]:
        """Return what yields the decoded JSON of each event, once.

        Raises:
            StreamInterruptedError: When the connection breaks; `partial.predictions` has the rest.
            StreamServerError: When the server reports an error inside the stream.
            StreamUseError: When it was iterated before, or another thread or task is reading.
            ClientClosedError: When the client was closed meanwhile.
        """
        return iter(self._events)

    def close(self) -> None:
        """Release the connection; the rest of the answer is dropped."""
        self._events.close()

    @forgetful
    def __enter__(self) -> Self:
        self._events.__enter__()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Predicting:
    """What a client offers for custom models."""

    _caller: Caller

    @overload
    def predict(
        self,
        endpoint: str,
        *,
        dataframe_split: FrameLike | Mapping[str, object],
        **arguments: Unpack[PredictionArguments],
    ) -> Prediction: ...

    @overload
    def predict(
        self,
        endpoint: str,
        *,
        dataframe_records: FrameLike | Sequence[Mapping[str, object]],
        **arguments: Unpack[PredictionArguments],
    ) -> Prediction: ...

    @overload
    def predict(
        self, endpoint: str, *, instances: Any, **arguments: Unpack[PredictionArguments]
    ) -> Prediction: ...

    @overload
    def predict(
        self, endpoint: str, *, inputs: Any, **arguments: Unpack[PredictionArguments]
    ) -> Prediction: ...

    @public_method(PredictionArguments)
    def predict(
        self,
        endpoint: str = "",
        *,
        dataframe_split: FrameLike | Mapping[str, object] | None = None,
        dataframe_records: FrameLike | Sequence[Mapping[str, object]] | None = None,
        instances: Any = None,
        inputs: Any = None,
        **arguments: Unpack[PredictionArguments],
    ) -> Prediction:
        """Have a custom model predict from rows or tensors, in one of the four forms of MLflow.

        Args:
            endpoint: Name of the endpoint.
            dataframe_split: A frame of pandas or polars, or a dict of `columns` and `data`.
            dataframe_records: A frame, or a list of dicts, one for each row.
            instances: A list or an array with one entry for each row.
            inputs: One tensor, or a dict of named ones. A dict that has `messages`, `prompt` or
                one of the four forms as a key is a whole request, for an endpoint of any task;
                `input` is such a key too if its value is a text or a list of texts or messages.
            **arguments: `params` and the rest, documented on `PredictionParams`, and the options of
                every call, documented on `CallOptions`.

        Raises:
            InvalidRequestError: Before anything is sent, naming the argument, column and row.
            APIConnectionError: When no answer came.
            APIStatusError: When the server answered with an error.
            InvalidResponseError: When the answer is not what the contract says.
        """
        rows = Given(dataframe_split, dataframe_records, instances, inputs)
        prepared = prepare(rows, arguments)
        reply = self._caller.reply(PREDICTION, endpoint, prepared.arguments)
        return Prediction(reply, prepared.index)

    @overload
    def predict_stream(
        self,
        endpoint: str,
        *,
        dataframe_split: FrameLike | Mapping[str, object],
        **arguments: Unpack[PredictionArguments],
    ) -> PredictionStream: ...

    @overload
    def predict_stream(
        self,
        endpoint: str,
        *,
        dataframe_records: FrameLike | Sequence[Mapping[str, object]],
        **arguments: Unpack[PredictionArguments],
    ) -> PredictionStream: ...

    @overload
    def predict_stream(
        self, endpoint: str, *, instances: Any, **arguments: Unpack[PredictionArguments]
    ) -> PredictionStream: ...

    @overload
    def predict_stream(
        self, endpoint: str, *, inputs: Any, **arguments: Unpack[PredictionArguments]
    ) -> PredictionStream: ...

    @public_method(PredictionArguments)
    def predict_stream(
        self,
        endpoint: str = "",
        *,
        dataframe_split: FrameLike | Mapping[str, object] | None = None,
        dataframe_records: FrameLike | Sequence[Mapping[str, object]] | None = None,
        instances: Any = None,
        inputs: Any = None,
        **arguments: Unpack[PredictionArguments],
    ) -> PredictionStream:
        """Have a custom model stream what it predicts, in a context manager that sends on entry.

        Takes what `predict` takes, and raises what it raises on entry. Reading the stream raises
        StreamInterruptedError or StreamServerError when it breaks.
        """
        rows = Given(dataframe_split, dataframe_records, instances, inputs)
        events = EventStream(
            lambda: self._caller.stream(
                PREDICTION, endpoint, prepare(rows, arguments, stream=True).arguments
            )
        )
        return PredictionStream(events)
