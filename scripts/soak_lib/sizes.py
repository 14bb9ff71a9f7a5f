"""Answers that are large, or pretend to be: time stays linear and memory bounded."""

import subprocess
import sys
import time
import zlib

import httpx

from databricks_serving import Limits, ServingClient, errors
from databricks_serving._core.sse import SSEDecoder
from soak_lib.measure import TOKEN, USER, expect, peak

_MB = 1_000_000
_CAP = 64
_RATIO = 2.6
_SLACK = 20


def linear(*, long: bool) -> str:
    """F-14: twice the data takes at most 2.6 times as long, however it is cut."""
    small = 40 if long else 10
    ratios = {
        size: min(_ratio(small, size) for _ in range(3)) for size in (4096, 65536, 7)[: 2 + long]
    }
    for size, ratio in ratios.items():
        expect(ratio <= _RATIO, f"in pieces of {size} bytes the ratio is {ratio:.2f}")
    shown = ", ".join(f"{ratio:.2f} in pieces of {size}" for size, ratio in ratios.items())
    return f"{2 * small} MB line against {small} MB: {shown}"


def _ratio(megabytes: int, size: int) -> float:
    if size < 100:  # noqa: PLR2004 - tiny pieces of a smaller line
        megabytes = 1
    return _seconds(2 * megabytes, size) / _seconds(megabytes, size)


def _seconds(megabytes: int, size: int) -> float:
    line = b"data: " + b"x" * (megabytes * _MB) + b"\n\n"
    decoder = SSEDecoder(max_event_bytes=len(line))
    started = time.process_time()
    events = 0
    for place in range(0, len(line), size):
        events += len(decoder.feed(line[place : place + size]))
    taken = time.process_time() - started
    expect(events == 1, f"{events} events came of one")
    return taken


def bomb(*, long: bool) -> str:
    """F-15: a small body that unpacks to a huge one costs no more than the cap."""
    # In a program of its own, whose memory nothing else has filled before.
    program = "import sys; from soak_lib.sizes import read_bomb; read_bomb(int(sys.argv[1]))"
    command = [sys.executable, "-c", program, str(1000 if long else 200)]
    size, grown = map(float, subprocess.check_output(command, text=True).split())
    expect(_CAP / 2 <= grown <= _CAP * 1.05 + _SLACK, f"memory grew by {grown:.0f} MB")
    return f"{size / 1e3:.0f} KB packed, cap {_CAP} MiB, memory grew by {grown:.0f} MB"


def read_bomb(megabytes: int) -> None:
    """Read a bomb of so many megabytes; print its packed size and by how many the memory grew."""
    packed = _packed(megabytes)

    def answer(_: httpx.Request) -> httpx.Response:
        stream = httpx.ByteStream(packed)
        return httpx.Response(200, headers={"content-encoding": "gzip"}, stream=stream)

    client = ServingClient(
        "http://127.0.0.1:1",
        TOKEN,
        transport=httpx.MockTransport(answer),
        limits=Limits(response_bytes=_CAP * 1024 * 1024),
    )
    before = peak()
    try:
        client.chat.completions.create(model="m", messages=USER)
    except errors.ResponseTooLargeError:
        print(len(packed), peak() - before)
    else:
        raise AssertionError("the bomb was read")


def _packed(megabytes: int) -> bytes:
    """Pack blanks piece by piece, so that making the bomb takes no memory."""
    packer = zlib.compressobj(wbits=31)
    piece = b" " * _MB
    return b"".join([*(packer.compress(piece) for _ in range(megabytes)), packer.flush()])
