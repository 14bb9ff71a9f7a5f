"""A whole response read as a reply, whichever way the server chose to send it."""

from typing import Any, TypeGuard, cast

from databricks_serving._core.operations import Operation, ReplyT, StreamingOperation
from databricks_serving._core.reading import Reading
from databricks_serving._core.replies import Response, read_reply
from databricks_serving._core.streaming import STREAM_TYPE, StreamSession


def whole_reply(operation: Operation[ReplyT], response: Response, reading: Reading) -> ReplyT:
    """Return the typed reply of a whole response, a stream that nobody asked for included.

    Raises as `read_reply` does, and as `StreamSession.advance` for a stream.
    """
    if response.content_type != STREAM_TYPE or not _streams(operation):
        return read_reply(operation, response, reading.parts)
    session: StreamSession[Any, Any, Any] = StreamSession(operation, response.meta, reading)
    session.feed(response.body)
    while session.advance():
        pass
    if not session.finished:
        session.end()
        session.advance()
    return cast("ReplyT", session.snapshot())


def _streams(operation: object) -> TypeGuard[StreamingOperation[Any, Any, Any]]:
    return isinstance(operation, StreamingOperation)
