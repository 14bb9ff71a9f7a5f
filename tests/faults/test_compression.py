"""Compressed answers; section 2.1."""

import gzip
import tracemalloc
import zlib

import pytest

from databricks_serving.errors import (
    InvalidResponseError,
    ResponseTooLargeError,
)
from databricks_serving.options import Limits

from .support.answers import reply
from .support.house import REPLY

MIB = 1024 * 1024


def encoded(body, encoding):
    return reply(body, 200, f"Content-Encoding: {encoding}")


@pytest.mark.row("T-26")
@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(REPLY), "gzip"),
        (gzip.compress(REPLY), "x-gzip"),
        (gzip.compress(REPLY), "GZIP"),
        (gzip.compress(REPLY[:9]) + gzip.compress(REPLY[9:]), "gzip"),
        (zlib.compress(REPLY), "deflate"),
        (zlib.compress(REPLY, wbits=-15), "deflate"),
        (REPLY, "identity"),
    ],
    ids=["gzip", "x-gzip", "capitals", "two members", "zlib", "raw deflate", "identity"],
)
def test_a_compressed_answer_is_read(house, body, encoding):
    server, client = house.serve(encoded(body, encoding), max_retries=0)
    assert house.call(client).text == "Hi"
    assert server.connections == 1


@pytest.mark.row("T-26")
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_bomb_stops_at_the_limit(house, encoding, stream):
    compress = gzip.compress if encoding == "gzip" else zlib.compress
    bomb = compress(b"\0" * 100 * MIB)
    limits = Limits(response_bytes=8 * MIB, stream_bytes=8 * MIB, event_bytes=64 * MIB)
    kind = "text/event-stream" if stream else "application/json"
    answer = reply(bomb, 200, f"Content-Encoding: {encoding}", f"Content-Type: {kind}")
    server, client = house.serve(answer, limits=limits)
    tracemalloc.start()
    try:
        error = house.fails(client, ResponseTooLargeError, "8388608|8 MiB", stream=stream)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 28 * MIB
    assert not error.retryable
    assert error.attempts == len(server.requests) == 1


@pytest.mark.row("T-26")
@pytest.mark.parametrize(
    ("body", "encoding", "words"),
    [
        (gzip.compress(REPLY)[:-12], "gzip", "decompress|compressed|cut|short"),
        (zlib.compress(REPLY)[:-8], "deflate", "decompress|compressed|cut|short"),
        (b"\x1f\x8c" + gzip.compress(REPLY)[2:], "gzip", "decompress|compressed"),
        (REPLY, "gzip", "decompress|compressed"),
        (REPLY, "br", "'?br'?"),
        (REPLY, "zstd", "'?zstd'?"),
        (gzip.compress(gzip.compress(REPLY)), "gzip, gzip", "more than once"),
        (REPLY, ", ".join(["gzip"] * 6), "more than once"),
    ],
    ids=["cut gzip", "cut deflate", "wrong magic", "no gzip", "br", "zstd", "two", "six"],
)
def test_what_cannot_be_unpacked_is_no_answer(house, body, encoding, words):
    answer = encoded(body, encoding)
    _, client = house.serve(answer, answer)
    error = house.fails(client, InvalidResponseError, words)
    assert error.maybe_executed
    assert error.attempts <= 2
