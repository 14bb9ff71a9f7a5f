"""One recording, held against the contract and the typed models."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, takewhile
from typing import Any, Final

from databricks_serving.testing._cassettes.matching import differences
from databricks_serving.testing._recording import Recording
from databricks_serving.testing._verify.contract import Contract, Operation, Route
from databricks_serving.testing._verify.report import Finding, Notice
from databricks_serving.testing._verify.streams import DONE, RecordedStream
from databricks_serving.testing._verify.unknown import unknown_keys
from databricks_serving.testing._verify.wording import (
    expectation,
    found_of,
    innermost,
    shortened,
)
from databricks_serving_api import models

_INVOCATIONS: Final = "/serving-endpoints/endpoint/invocations"
_SCHEMAS: Final = "/components/schemas/"
_ERROR: Final = "ErrorBody"
_REFUSED: Final = 400
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


def check(case: Case, contract: Contract) -> Iterator[Finding | Notice]:
    """Yield where a recording does not agree with the contract, and where a model loses of it.

    Notices are the keys that the contract does not name, and lines of streams that are lost.
    """
    recording = case.recording
    path = (recording.path or _INVOCATIONS).partition("?")[0]
    route = contract.route(recording.method, path)
    if route is None:
        called = f"{recording.method} {shortened(path)}"
        yield Finding(case.name, "path", "a route of the contract", called)
        return
    checker = _Checker(case, contract, route)
    try:
        yield from checker.findings()
        yield from checker.notices()
    except RecursionError:
        found = "a value that is nested too deeply, or a schema that contains nothing but itself"
        yield Finding(case.name, "request or body", "what can be checked", found)


class _Checker:
    """Holds one recording against one route."""

    def __init__(self, case: Case, contract: Contract, route: Route) -> None:
        self._name = case.name
        self._task = case.task
        self._recording = case.recording
        self._contract = contract
        self._route = route
        self._noticed: dict[str, Notice] = {}

    def findings(self) -> Iterator[Finding]:
        """Yield what is wrong with request and answer."""
        recording = self._recording
        if recording.status >= _REFUSED:
            # What was refused need not be right.
            yield from self._refusal()
            return
        yield from self._request()
        yield from self._stream() if recording.stream else self._reply()

    def notices(self) -> Iterator[Notice]:
        """Yield what was noticed on the way, each thing once, however many events show it."""
        yield from islice(self._noticed.values(), _MOST)

    @cached_property
    def _operations(self) -> list[Operation]:
        """The tasks that the exchange is one of, by its request, or else by its answer."""
        named = [one for one in self._route.operations if self._task in {None, one.task}]
        request = self._recording.request
        if self._task is not None:
            return named
        if request is None:
            return self._answered(named) or named
        asked = [one for one in named if one.request and self._fits(one.request, request)]
        return asked or self._answered(named)

    def _answered(self, operations: list[Operation]) -> list[Operation]:
        """Return those of some tasks that have such answers, and requests of their own."""
        recording = self._recording
        answer = _json(self._events.first if recording.stream else recording.text)
        typed = [one for one in operations if one.task != _FREE]
        names = [one.event if recording.stream else one.response for one in typed]
        return [
            one for one, name in zip(typed, names, strict=True) if name and self._fits(name, answer)
        ]

    @cached_property
    def _events(self) -> RecordedStream:
        return RecordedStream(self._recording)

    @property
    def _is_free(self) -> bool:
        return not self._tasks or _FREE in self._tasks

    @property
    def _tasks(self) -> set[str]:
        return {one.task for one in self._operations}

    def _request(self) -> Iterator[Finding]:
        request, pointer = self._recording.request, self._contract.request(self._route)
        # A recording of the answer alone has no path either.
        if pointer is None or (request is None and self._recording.path is None):
            return
        # A route of one task may ask for more than the task does.
        operations = self._operations if len(self._route.operations) > 1 else []
        names = [one.request for one in operations if one.request]
        yield from self._held([_SCHEMAS + name for name in names] or [pointer], request, "request")

    def _refusal(self) -> Iterator[Finding]:
        body = self._recording.json
        if not isinstance(body, dict):
            return
        pointer = self._contract.response(self._route, self._recording.status, stream=False)
        if pointer is not None:
            yield from self._held([pointer], body, "body")

    def _reply(self) -> Iterator[Finding]:
        body = _json(self._recording.text)
        if body is _NOT_JSON:
            yield self._finding("body", "JSON", f"text of {len(self._recording.text)} characters")
            return
        names = [one.response for one in self._operations if one.response]
        yield from self._fitting(names, body, "body", stream=False)

    def _stream(self) -> Iterator[Finding]:
        stream, events = self._events, self._events.events
        for number, said in stream.odd_lines():
            self._remember(f"body line {number}", said)
        count = 0
        for count, data in enumerate(takewhile(lambda one: one != DONE, events), 1):
            yield from self._event(data, f"event {count}")
        # One that was broken off may end anywhere.
        if self._recording.ends != "whole":
            return
        if stream.pending and DONE not in events:
            yield self._finding("body", "an empty line after the last event", "the end of the body")
        elif not count:
            yield self._finding("body", "an event", "a stream without any")
        elif self._contract.own and not self._is_free and stream.is_cut(self._tasks):
            found = "the end of the body, without a mark in `ends` that it was broken off"
            yield self._finding("body", f"a finish reason, or {DONE}", found)

    def _event(self, data: str, what: str) -> Iterator[Finding]:
        # The last event of a stream of completions may look like one of a chat.
        operations = [*self._operations, *self._route.operations]
        names = [one.event for one in operations if one.event]
        value = _json(data)
        if value is not _NOT_JSON:
            yield from self._fitting([*names, _ERROR], value, what, stream=True)
        elif not self._is_free:
            yield self._finding(what, "JSON", f"text of {len(data)} characters")

    def _fitting(
        self, names: list[str], value: Any, what: str, *, stream: bool
    ) -> Iterator[Finding]:
        """Yield why a value is none of some schemas, or what its model loses of it."""
        for name in names:
            if self._contract.has(name) and self._fits(name, value):
                self._notice([_SCHEMAS + name], value, what)
                yield from self._lossless(name, value, what)
                return
        whole = self._contract.response(self._route, self._recording.status, stream=stream)
        if self._is_free and whole is not None:
            yield from self._held([whole], value, what)
        else:
            typed = [name for name in names if name != _ERROR]
            yield from self._held([_SCHEMAS + name for name in typed], value, what)

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

    def _held(self, pointers: list[str], value: Any, what: str) -> Iterator[Finding]:
        """Yield how a value breaks that of some schemas which it breaks least, if it fits none."""
        broken = {pointer: self._contract.errors(pointer, value) for pointer in pointers}
        fitting = [pointer for pointer, errors in broken.items() if not errors]
        if fitting:
            self._notice(fitting, value, what)
            return
        nearest = min(broken.values(), key=len, default=())
        for error in islice(map(innermost, nearest), _MOST):
            yield self._finding(
                f"{what} {shortened(error.json_path)}",
                expectation(error),
                found_of(error),
            )

    def _notice(self, pointers: Sequence[str], value: Any, what: str) -> None:
        """Remember the keys of a value that none of the schemas names which it fits."""
        for one in islice(unknown_keys(self._contract, pointers, value), _MOST):
            self._remember(f"{what} {one.path}", str(one))

    def _remember(self, place: str, said: str) -> None:
        alike = re.sub(r"\d+", "", place) + said
        self._noticed.setdefault(alike, Notice(self._name, place, said))

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
