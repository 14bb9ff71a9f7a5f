"""One recording, held against the contract and the typed models."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from typing import Any, Final

from databricks_serving._core.sse import SSEDecoder
from databricks_serving.testing.cassettes.matching import differences
from databricks_serving.testing.recording import Recording
from databricks_serving.testing.verify.contract import Contract, Operation, Route
from databricks_serving.testing.verify.report import Finding
from databricks_serving.testing.verify.wording import expectation, innermost, kind_of
from databricks_serving_api import models

_INVOCATIONS: Final = "/serving-endpoints/endpoint/invocations"
_SCHEMAS: Final = "/components/schemas/"
_ERROR: Final = "ErrorBody"
_REFUSED: Final = 400
_DONE: Final = "[DONE]"
# Its code may take and return any JSON.
_FREE: Final = "predictions"
_MOST: Final = 10
_NOT_JSON: Final = object()


@dataclass(frozen=True, slots=True)
class Case:
    """A recording, what it is called, and its task if that is known."""

    recording: Recording
    name: str
    task: str | None = None


def check(case: Case, contract: Contract) -> Iterator[Finding]:
    """Yield where a recording does not agree with the contract, and where a model loses of it."""
    recording = case.recording
    path = (recording.path or _INVOCATIONS).partition("?")[0]
    route = contract.route(recording.method, path)
    if route is None:
        yield Finding(case.name, "path", "a route of the contract", f"{recording.method} {path}")
        return
    yield from _Checker(case, contract, route).findings()


class _Checker:
    """Holds one recording against one route."""

    def __init__(self, case: Case, contract: Contract, route: Route) -> None:
        self._name = case.name
        self._task = case.task
        self._recording = case.recording
        self._contract = contract
        self._route = route

    def findings(self) -> Iterator[Finding]:
        """Yield what is wrong with request and answer."""
        recording = self._recording
        if recording.status >= _REFUSED:
            # What was refused need not be right.
            yield from self._refusal()
            return
        yield from self._request()
        yield from self._stream() if recording.stream else self._reply()

    @cached_property
    def _operations(self) -> list[Operation]:
        """The tasks that the request is one of."""
        named = [one for one in self._route.operations if self._task in {None, one.task}]
        request = self._recording.request
        if self._task is not None or request is None:
            return named
        return [one for one in named if one.request and self._fits(one.request, request)]

    @property
    def _is_free(self) -> bool:
        tasks = {one.task for one in self._operations}
        return not tasks or _FREE in tasks

    def _request(self) -> Iterator[Finding]:
        request, pointer = self._recording.request, self._contract.request(self._route)
        if request is None or pointer is None:
            return
        names = [one.request for one in self._operations if one.request]
        if not any(self._fits(name, request) for name in names):
            pointers = [_SCHEMAS + name for name in names] or [pointer]
            yield from self._nearest(pointers, request, "request")

    def _refusal(self) -> Iterator[Finding]:
        body = self._recording.json
        if not isinstance(body, dict):
            return
        pointer = self._contract.response(self._route, self._recording.status, stream=False)
        if pointer is not None:
            yield from self._nearest([pointer], body, "body")

    def _reply(self) -> Iterator[Finding]:
        body = _json(self._recording.text)
        if body is _NOT_JSON:
            yield self._finding("body", "JSON", f"text of {len(self._recording.text)} characters")
            return
        names = [one.response for one in self._operations if one.response]
        yield from self._fitting(names, body, "body", stream=False)

    def _stream(self) -> Iterator[Finding]:
        decoder = SSEDecoder()
        # The last event of a stream of completions may look like one of a chat.
        operations = [*self._operations, *self._route.operations]
        names = [one.event for one in operations if one.event]
        events = decoder.feed(self._recording.content)
        for number, event in enumerate(events, 1):
            if event.data == _DONE:
                return
            value = _json(event.data)
            if value is not _NOT_JSON:
                yield from self._fitting([*names, _ERROR], value, f"event {number}", stream=True)
            elif not self._is_free:
                yield self._finding(
                    f"event {number}", "JSON", f"text of {len(event.data)} characters"
                )
        if decoder.pending:
            yield self._finding("body", "an empty line after the last event", "the end of the body")

    def _fitting(
        self, names: list[str], value: Any, what: str, *, stream: bool
    ) -> Iterator[Finding]:
        """Yield why a value is none of some schemas, or what its model loses of it."""
        for name in names:
            if self._contract.has(name) and self._fits(name, value):
                yield from self._lossless(name, value, what)
                return
        whole = self._contract.response(self._route, self._recording.status, stream=stream)
        if self._is_free and whole is not None:
            yield from self._nearest([whole], value, what)
        else:
            typed = [name for name in names if name != _ERROR]
            yield from self._nearest([_SCHEMAS + name for name in typed], value, what)

    def _lossless(self, name: str, value: Any, what: str) -> Iterator[Finding]:
        model = getattr(models, name, None)
        if model is None or not self._contract.own:
            return
        kept = model.from_dict(value).to_dict()
        if _exact(kept) == _exact(value):
            return
        lost = [one.place for one in differences(value, kept)] or ["$"]
        for place in lost[:_MOST]:
            yield self._finding(f"{what} {place}", f"what {name} keeps", "what it does not")

    def _nearest(self, pointers: list[str], value: Any, what: str) -> Iterator[Finding]:
        """Yield how a value breaks that of some schemas which it breaks least."""
        broken = [self._contract.errors(pointer, value) for pointer in pointers]
        broken.sort(key=len)
        for error in islice(map(innermost, chain.from_iterable(broken[:1])), _MOST):
            yield self._finding(
                f"{what} {error.json_path}", expectation(error), kind_of(error.instance)
            )

    def _fits(self, name: str, value: Any) -> bool:
        return not self._contract.errors(_SCHEMAS + name, value)

    def _finding(self, place: str, expected: str, found: str) -> Finding:
        return Finding(self._name, place, expected, found)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _NOT_JSON


def _exact(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
