"""A reply with its HTTP response around it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic

from databricks_serving._core.operations import Operation, ReplyT
from databricks_serving._core.reading import Reading
from databricks_serving._core.replies import Response, decode_object
from databricks_serving._core.scrub import scrubbing
from databricks_serving._core.whole import whole_reply
from databricks_serving_api.types import ReplyMeta


@dataclass(frozen=True, slots=True, repr=False)
class RawResponse(Generic[ReplyT]):
    """The HTTP response of a successful call, read and typed on request."""

    _operation: Operation[ReplyT]
    _response: Response
    _reading: Reading

    def __repr__(self) -> str:
        return f"RawResponse(status_code={self.status_code}, request_id={self.request_id!r})"

    @property
    def meta(self) -> ReplyMeta:
        """Status and headers of the response."""
        return self._response.meta

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        return self._response.meta.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        """The response headers, names in lower case."""
        return self._response.meta.headers

    @property
    def request_id(self) -> str | None:
        """The server's id of the request, if it gave one."""
        return self._response.meta.request_id

    @property
    def content(self) -> bytes:
        """The body as received, decompressed."""
        return self._response.body

    def json(self) -> dict[str, Any]:
        """Return the decoded body; raises as `parse` does."""
        with scrubbing(self._reading.secrets):
            return decode_object(self._response)

    def parse(self) -> ReplyT:
        """Return the typed reply.

        Raises:
            InvalidResponseError: When the body is not what the contract says.
            APIStatusError: When the body reports an error in spite of its status.
        """
        with scrubbing(self._reading.secrets):
            return whole_reply(self._operation, self._response, self._reading)
