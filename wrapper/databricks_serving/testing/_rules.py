"""Answers that follow from the request: what a function returns, and the rule of an echo."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from databricks_serving._core.json_codec import is_list, is_object, is_sequence
from databricks_serving.testing._bodies import (
    CHAT_FORM,
    COMPLETION_FORM,
    RESPONSE_FORM,
    Form,
)
from databricks_serving.testing._faults import Answer
from databricks_serving.testing._requests import RecordedRequest
from databricks_serving.testing._said import said, words_of
from databricks_serving.testing._scripting import event_answer, json_answer
from databricks_serving.testing._vectors import embedding_body, vector_of

Rule = Callable[[RecordedRequest], Any]
_FORMS: Final[Mapping[str, Form]] = {
    "chat": CHAT_FORM,
    "completions": COMPLETION_FORM,
    "responses": RESPONSE_FORM,
}
_LENGTH: Final = 64


def answer_as(value: object, request: RecordedRequest) -> Answer:
    """Return what a function made of a request as an answer to it.

    Raises:
        TypeError: When it cannot be one.
    """
    form = _FORMS.get(request.task)
    if isinstance(value, str) and form is not None:
        content = said(words_of(value))
        if request.stream:
            return event_answer(form.events(content, request), marked=form.marked)
        return json_answer(form.whole(content, request))
    if is_object(value):
        return json_answer(value)
    if is_sequence(value) and request.task == "embeddings":
        return json_answer(embedding_body(request, [list(one) for one in value]))
    if is_sequence(value) and request.task == "predictions":
        if request.stream:
            return event_answer(value, marked=False)
        return json_answer({"predictions": list(value)})
    raise TypeError(
        f"the function returned {type(value).__name__} for {request.task}: a text (chat, "
        "completions, responses), a list (embeddings, predictions) or a dict is an answer"
    )


def echo(request: RecordedRequest) -> Any:
    """Repeat what the user said, or the rows; of texts to embed return vectors."""
    if request.task == "embeddings":
        length = request.body.get("dimensions") or _LENGTH
        return [vector_of(text, length) for text in request.texts]
    if request.task == "predictions":
        return _rows(request.body)
    if request.task == "completions":
        return request.text
    return f"You said: {request.text}"


def _rows(body: Mapping[str, Any]) -> list[Any]:
    split = body.get("dataframe_split")
    if is_object(split):
        return list(split.get("data") or [])
    form = next((name for name in ("dataframe_records", "instances", "inputs") if name in body), "")
    given: object = body.get(form)
    if is_object(given):
        given = next(iter(given.values()), None)
    return given if is_list(given) else [given]
