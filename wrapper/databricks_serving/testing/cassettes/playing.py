"""A recording as a script."""

from collections.abc import Iterator
from itertools import chain, repeat
from math import inf

from databricks_serving._core.script import Break, Head, Step, Wait
from databricks_serving.testing.blocks import blocks_of
from databricks_serving.testing.errors import UnexpectedRequestError
from databricks_serving.testing.recording import Recording


def steps_of(recording: Recording) -> Iterator[Step]:
    """Yield the steps that give an answer again, with its pauses."""
    pieces = blocks_of(recording.content) if recording.stream else [recording.content]
    passed = 0.0
    head: Step | None = Head(recording.status, tuple(recording.headers.items()))
    # An edited recording may have more events than times.
    for piece, at in zip(pieces, chain(recording.timing, repeat(0.0)), strict=False):
        if at > passed:
            yield Wait(at - passed)
            passed = at
        if head:
            yield head
            head = None
        if piece:
            yield piece
    if head:
        yield head
    yield from _end_of(recording)


def _end_of(recording: Recording) -> Iterator[Step]:
    if recording.ends == "timeout":
        yield Wait(inf)
    elif recording.ends == "left":
        raise UnexpectedRequestError(
            f"the recording of {recording.method} {recording.path} ends here: when it was made, "
            "the client read no further; record it anew"
        )
    elif recording.ends != "whole":
        yield Break(recording.ends)
