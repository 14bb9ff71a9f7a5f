# Written by scripts/unasync from _async/resources/bound_base.py: do not edit.
"""What handles of all tasks have in common, as the blocking client makes them."""

from collections.abc import Mapping
from typing import Any, TypeVar

from databricks_serving._shell.bound import BaseEndpoint
from databricks_serving._sync.caller import Caller
from databricks_serving._sync.stream import EventStream

ResultT = TypeVar("ResultT")


class BoundEndpoint(BaseEndpoint[Caller, ResultT]):
    """A handle for an endpoint whose task is known."""

    __slots__ = ()

    def _reply(self, subject: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
        arguments = self._binding.call(subject, given)
        return self._caller.reply(self._binding.kind.operation, self.name, arguments)

    def _stream(
        self, subject: Mapping[str, Any], given: Mapping[str, Any]
    ) -> EventStream[Any, Any, Any]:
        # Only handles of tasks that stream come here.
        operation: Any = self._binding.kind.operation
        return EventStream(
            lambda: self._caller.stream(operation, self.name, self._binding.call(subject, given))
        )

    def _invoke(self, subject: Mapping[str, Any], given: Mapping[str, Any]) -> ResultT:
        return self._binding.output(self._reply(subject, given))
