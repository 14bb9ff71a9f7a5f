"""What a test asks about the requests that came."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Final

from databricks_serving._core.arguments import guess_of, names_of
from databricks_serving.errors import InvalidRequestError
from databricks_serving.testing._book import Book
from databricks_serving.testing._comparing import Difference, differences
from databricks_serving.testing._errors import UnexpectedRequestError
from databricks_serving.testing._requests import RecordedRequest, TaskName
from databricks_serving_api import params

_MOST = 8
_NAMED: Final = ("endpoint", "task", "text", "headers", "body")
# What the contract knows a body to have. The endpoint is in the path of most requests, so a check
# of `model` would prove nothing there.
_KEYS: Final = {
    name
    for kind in (
        params.ChatRequestDict,
        params.CompletionRequestDict,
        params.EmbeddingRequestDict,
        params.ResponsesRequestDict,
        params.PredictionRequestDict,
        params.CreateEndpointRequestDict,
    )
    for name in names_of(kind)
} - {"model"}


class Asserting(ABC):
    """Assertions about requests.

    What is expected of a body is a part of it: of dicts the named keys count, and lists are as long
    as expected. A value may also be a regular expression, which is searched for, or a function that
    says whether the value will do. Each try of a call is a request.
    """

    @property
    @abstractmethod
    def requests(self) -> Sequence[RecordedRequest]:
        """The requests so far, those of logins left out."""

    @property
    @abstractmethod
    def _unexpected(self) -> Sequence[UnexpectedRequestError]: ...

    @property
    @abstractmethod
    def _scripted(self) -> Book: ...

    def assert_called(
        self,
        *,
        endpoint: str | None = None,
        task: TaskName | None = None,
        text: Any = None,
        headers: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        **keys: Any,
    ) -> None:
        """Check that a request came that fits.

        Args:
            endpoint: Its endpoint.
            task: Its task.
            text: What the user said last in it.
            headers: Headers of it, in lower case.
            body: Keys of its body that the contract may not know, as `extra_body` sends them.
            **keys: Keys of its body that the contract knows, such as `messages`, `temperature`.

        Raises:
            InvalidRequestError: When the contract knows no such key; it names the nearest.
            AssertionError: With the places at which the nearest request differs.
        """
        __tracebackhide__ = True
        expected = _expected(endpoint, task, text, headers, _body_of(body, keys))
        if not self._fitting(expected):
            raise AssertionError(self._nearest(expected))

    def assert_called_once(
        self,
        *,
        endpoint: str | None = None,
        task: TaskName | None = None,
        text: Any = None,
        headers: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        **keys: Any,
    ) -> None:
        """Check that exactly one request came that fits; arguments as of `assert_called`."""
        __tracebackhide__ = True
        expected = _expected(endpoint, task, text, headers, _body_of(body, keys))
        found = self._fitting(expected)
        if not found:
            raise AssertionError(self._nearest(expected))
        if len(found) > 1:
            raise AssertionError(f"expected one such request, got {len(found)}:{_listed(found)}")

    def assert_not_called(
        self,
        *,
        endpoint: str | None = None,
        task: TaskName | None = None,
        text: Any = None,
        headers: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        **keys: Any,
    ) -> None:
        """Check that no request came that fits; arguments as of `assert_called`."""
        __tracebackhide__ = True
        found = self._fitting(_expected(endpoint, task, text, headers, _body_of(body, keys)))
        if found:
            raise AssertionError(f"expected no such request, got {len(found)}:{_listed(found)}")

    def assert_all_used(self) -> None:
        """Check that all scripted replies were used, and that no other request came.

        Raises:
            UnexpectedRequestError: When a request came that nothing was scripted for, also if the
                code under test has caught that.
            AssertionError: When a reply was not used as often as it was scripted for.
        """
        __tracebackhide__ = True
        if self._unexpected:
            raise UnexpectedRequestError(str(self._unexpected[0]))
        waiting = self._scripted.waiting
        if waiting:
            lines = "".join(f"\n  {one}" for one in waiting)
            raise AssertionError(f"scripted replies were not used:{lines}")

    def _fitting(self, expected: Mapping[str, Any]) -> list[RecordedRequest]:
        return [one for one in self.requests if not _misfits(expected, one)]

    def _nearest(self, expected: Mapping[str, Any]) -> str:
        found = [(_misfits(expected, one), one) for one in self.requests]
        if not found:
            return "no request came"
        wrong, request = min(found, key=lambda one: len(one[0]))
        lines = "".join(f"\n  {one}" for one in wrong[:_MOST])
        more = f"\n  and {len(wrong) - _MOST} more" if len(wrong) > _MOST else ""
        number = next(n for n, one in enumerate(self.requests, 1) if one is request)
        return (
            f"no request fits; the nearest of {len(found)} is number {number}, {request}, "
            f"which differs at{lines}{more}"
        )


def _expected(
    endpoint: str | None,
    task: str | None,
    text: Any,
    headers: Mapping[str, Any] | None,
    body: Mapping[str, Any],
) -> dict[str, Any]:
    given = {"endpoint": endpoint, "task": task, "text": text, "headers": headers}
    return {**{name: one for name, one in given.items() if one is not None}, "": body}


def _body_of(body: Mapping[str, Any] | None, keys: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is expected of a body.

    A misspelt key would have every request differ, and prove that none came.
    """
    for name in keys:
        if name == "model":
            raise InvalidRequestError("unknown parameter 'model': the endpoint is endpoint=")
        if name not in _KEYS:
            guess = guess_of(name, [*_NAMED, *sorted(_KEYS)])
            raise InvalidRequestError(
                f"unknown parameter {name!r}{guess} (body={{{name!r}: ...}} expects keys that the "
                "contract does not name)"
            )
    return {**(body or {}), **keys}


def _misfits(expected: Mapping[str, Any], request: RecordedRequest) -> list[Difference]:
    found: list[Difference] = []
    for name, value in expected.items():
        got = getattr(request, name) if name else request.body
        found += differences(value, got, name)
    return found


def _listed(requests: list[RecordedRequest]) -> str:
    return "".join(f"\n  {one}" for one in requests)
