"""Bodies are unpacked within their limit, however they are cut."""

import gzip
import random
import tracemalloc
import zlib

import pytest

from databricks_serving._core.inflate import Inflater
from databricks_serving.errors import InvalidResponseError, ResponseTooLargeError

TEXT = b"The Po rises on the Pian del Re. " * 5000
LIMIT = 1024 * 1024


def raw_deflate(data):
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACKED = {
    "gzip": gzip.compress(TEXT),
    "x-gzip": gzip.compress(TEXT),
    " GZIP ": gzip.compress(TEXT),
    "gzip, identity": gzip.compress(TEXT),
    "deflate": zlib.compress(TEXT),
    "deflate ": raw_deflate(TEXT),
    "identity": TEXT,
    "": TEXT,
}


def unpack(encoding, *pieces, limit=LIMIT):
    inflater = Inflater(encoding, limit)
    out = b"".join(piece for data in pieces for piece in inflater.feed(data))
    inflater.finish()
    return out


@pytest.mark.parametrize("encoding", PACKED)
@pytest.mark.parametrize("size", [1, 2, 7, 1000, 10**6])
def test_a_body_comes_out_whole_however_it_is_cut(encoding, size):
    data = PACKED[encoding]
    assert unpack(encoding, *(data[n : n + size] for n in range(0, len(data), size))) == TEXT


def test_no_encoding_is_a_plain_body():
    assert unpack(None, b"ab", b"", b"c") == b"abc"
    assert unpack(None) == b""


def test_members_follow_each_other():
    assert unpack("gzip", gzip.compress(b"ab") + gzip.compress(b""), gzip.compress(b"c")) == b"abc"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", None])
@pytest.mark.parametrize("size", [999, 1000, 1001])
def test_the_limit_is_exact(encoding, size):
    data = {"gzip": gzip.compress, "deflate": zlib.compress, None: bytes}[encoding](b"a" * size)
    if size <= 1000:
        assert len(unpack(encoding, data, limit=1000)) == size
    else:
        with pytest.raises(ResponseTooLargeError, match="larger than 1000 bytes, see Limits"):
            unpack(encoding, data, limit=1000)


def test_a_bomb_stays_small():
    bomb = gzip.compress(b"\0" * 200 * 1024 * 1024)
    assert len(bomb) < 300_000
    tracemalloc.start()
    sizes: list[int] = []
    pieces = Inflater("gzip", 64 * 1024 * 1024).feed(bomb)
    with pytest.raises(ResponseTooLargeError, match="larger than 64 MiB"):
        sizes.extend(map(len, pieces))
    assert max(sizes) <= 1024 * 1024
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 1024 * 1024


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, br", "gzip, gzip", "x" * 99])
def test_what_was_not_asked_for_is_refused(encoding):
    with pytest.raises(InvalidResponseError) as caught:
        Inflater(encoding, LIMIT)
    assert not caught.value.garbled
    assert encoding[:20] in str(caught.value) or "more than once" in str(caught.value)


DAMAGED = {
    "cut": ("gzip", gzip.compress(TEXT)[:-1]),
    "cut early": ("gzip", b"\x1f"),
    "no gzip": ("gzip", b"{}" * 10),
    "wrong sum": ("gzip", gzip.compress(TEXT)[:-8] + b"\0" * 8),
    "followed by garbage": ("gzip", gzip.compress(TEXT) + b"garbage"),
    "cut deflate": ("deflate", zlib.compress(TEXT)[:-1]),
    "two deflates": ("deflate", zlib.compress(b"a") * 2),
    "endless members": ("gzip", gzip.compress(b"") * 1001),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_is_seen(name):
    encoding, data = DAMAGED[name]
    with pytest.raises(InvalidResponseError, match="cannot be decompressed") as caught:
        unpack(encoding, data)
    assert caught.value.garbled


@pytest.mark.parametrize("encoding", ["gzip", "deflate", ""])
def test_no_body_is_no_damage(encoding):
    assert unpack(encoding, b"") == b""


def test_random_bytes_raise_nothing_else():
    chance = random.Random(1)  # noqa: S311 - the same bytes each time
    for _ in range(2000):
        data = chance.choice([b"", b"\x1f\x8b\x08\x00", b"\x78\x9c"]) + chance.randbytes(30)
        with pytest.raises(InvalidResponseError):
            unpack(chance.choice(["gzip", "deflate"]), data, b"\0\0")
