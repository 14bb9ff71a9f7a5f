"""The blocks of a stream of server-sent events, as text: each ends with an empty line."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

_END: Final = re.compile(rb"\r\n\r\n|\n\n|\r\r")


def blocks_of(content: bytes) -> list[bytes]:
    """Return the blocks of a stream with their ends; a last one may lack it."""
    ends = [0, *(found.end() for found in _END.finditer(content))]
    if ends[-1] < len(content):
        ends.append(len(content))
    return [content[start:end] for start, end in pairwise(ends)]


def times_of(content: bytes, arrivals: Sequence[tuple[int, float]]) -> list[float]:
    """Return when each block was whole.

    Args:
        content: The stream.
        arrivals: How many bytes had come, and when; both ascending.
    """
    sizes = [size for size, _ in arrivals]
    times: list[float] = []
    end = 0
    for block in blocks_of(content):
        end += len(block)
        times.append(arrivals[min(bisect_left(sizes, end), len(sizes) - 1)][1])
    return times
