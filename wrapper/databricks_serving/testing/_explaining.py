"""What a test is told about a request that nothing was scripted for."""

from collections.abc import Mapping
from typing import Final

from databricks_serving.testing._book import Book
from databricks_serving.testing._requests import RecordedRequest, shortened

_METHODS: Final[Mapping[str, str]] = {
    "chat": 'chat("..."',
    "completions": 'completion("..."',
    "embeddings": "embedding(dim=1024",
    "responses": 'response("..."',
    "predictions": "predictions([...]",
    "endpoints": "endpoint(",
    "token": "json({...}, task='token'",
}
_SUBJECTS: Final = ("messages", "input", "prompt", "stream")


def explained(request: RecordedRequest, book: Book) -> str:
    """Say what came, what is left, and how to script a reply."""
    lines = [f"nothing is scripted for {request}", *_content(request), *_left(request, book)]
    lines.append(f"script a reply before the call: {_example(request)}")
    return "\n".join(lines)


def _content(request: RecordedRequest) -> list[str]:
    lines = [
        f"  messages[{position}] {one.get('role', one.get('type'))}: "
        f"{shortened(one.get('content'))}"
        for position, one in enumerate(request.messages)
    ]
    if not lines and request.texts:
        lines = [f"  text: {shortened(request.text)}"]
    others = [key for key in request.body if key not in _SUBJECTS]
    return [*lines, f"  other keys of the body: {', '.join(others)}"] if others else lines


def _left(request: RecordedRequest, book: Book) -> list[str]:
    left = book.left
    if not left:
        count = len(book)
        return [f"all {count} scripted replies are used" if count else "no reply is scripted"]
    return ["what is scripted does not fit:", *(f"  {one}: {one.misfit(request)}" for one in left)]


def _example(request: RecordedRequest) -> str:
    if request.task == "endpoints":
        return f"fake.endpoint({request.endpoint or request.body.get('name', 'name')!r})"
    where = "" if request.endpoint is None else f", endpoint={request.endpoint!r}"
    return f"fake.{_METHODS[request.task]}{where})"
