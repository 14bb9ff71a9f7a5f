"""What handles of all tasks have in common, as the asynchronous client makes them."""

from collections.abc import Mapping
from typing import Any, TypeVar

from databricks_serving._async.caller import AsyncCaller
from databricks_serving._async.stream import AsyncEventStream
from databricks_serving._shell.bound import BaseEndpoint

ResultT = TypeVar("ResultT")


class AsyncBoundEndpoint(BaseEndpoint[AsyncCaller, ResultT]):
    """A handle for an endpoint whose task is known."""

    __slots__ = ()

    async def _reply(self, subject: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
        arguments = self._binding.call(subject, given)
        return await self._caller.reply(self._binding.kind.operation, self.name, arguments)

    def _stream(
        self, subject: Mapping[str, Any], given: Mapping[str, Any]
    ) -> AsyncEventStream[Any, Any, Any]:
        # Only handles of tasks that stream come here.
        operation: Any = self._binding.kind.operation
        return AsyncEventStream(
            lambda: self._caller.stream(operation, self.name, self._binding.call(subject, given))
        )

    async def _invoke(self, subject: Mapping[str, Any], given: Mapping[str, Any]) -> ResultT:
        return self._binding.output(await self._reply(subject, given))
