"""A response whose body is read from a blocking transport."""

import sys
import warnings
from collections.abc import Iterator
from typing import Protocol

from databricks_serving._core.replies import Response
from databricks_serving._core.requests import Request
from databricks_serving._http.answers import Answer, Arrived, Owner, limited
from databricks_serving._http.failures import bared, is_foreign
from databricks_serving._http.watch import Watch
from databricks_serving.errors import ServingError


class BlockingOwner(Owner, Protocol):
    """The sender of a blocking exchange."""

    def leave(self, arrived: Arrived) -> None:
        """Take back an answer that was forgotten."""
        ...


class Exchange(Answer):
    """The answer to one request; it holds a connection until it is closed."""

    __slots__ = ("_leave",)

    def __init__(
        self, owner: BlockingOwner, arrived: Arrived, request: Request, watch: Watch
    ) -> None:
        self._leave = owner.leave
        super().__init__(owner, arrived, request, watch)

    def chunks(self) -> Iterator[bytes]:
        """Yield the decoded body as it arrives."""
        try:
            inflater = self._inflater()
            source = self._arrived.pieces
            for data in source if self._watch.own else limited(source, self._watch.phases):
                self._received += len(data)
                yield from inflater.feed(data)
            inflater.finish()
        except Exception as error:
            ours = self._ours(error)
            if ours is None or ours is error:
                raise
            raise ours from bared(error)

    def read(self) -> Response:
        """Read the whole body, of an error as much as comes, and release the connection."""
        progress = self._watch.phases.progress
        # Not a list of pieces: small ones leave their memory to nobody else once they are joined.
        body = bytearray()
        try:
            for piece in self.chunks():
                progress()
                body += piece
        except ServingError as error:
            if self._is_final(error):
                raise
        finally:
            self.close()
        return Response(self.meta, bytes(body))

    def close(self) -> None:
        """Release the connection; what was not read is dropped."""
        if self._closed:
            return
        self._closed = True
        try:
            self._arrived.close()
        except Exception as error:
            # A connection that cannot be closed in order is gone all the same.
            if not is_foreign(error, own=self._watch.own):
                raise

    def __del__(self) -> None:
        # At the end of a program nobody is to be warned, and its sockets close anyway.
        if getattr(self, "_closed", True) or sys.is_finalizing():
            return
        self._closed = True
        self._leave(self._arrived)
        status = self.meta.status_code
        warnings.warn(f"unclosed answer ({status})", ResourceWarning, stacklevel=1, source=self)
