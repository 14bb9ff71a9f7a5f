"""Vectors as base64: decoded once, by either decoder, and every number looked at."""

import base64
import copy
import json
import math
import pickle
import random
import struct
import sys

import orjson
import pytest

from databricks_serving._core.vectors import _may_be_infinite, check_vectors
from databricks_serving.errors import InvalidResponseError
from databricks_serving.models import EmbeddingResponse
from databricks_serving_api._mixins import vectors as mixin


def packed(*numbers):
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


@pytest.fixture(params=["pybase64", "standard library"], autouse=True)
def decoder(request, monkeypatch):
    """Decode by pybase64, or as where it is not installed."""
    if request.param == "standard library":
        monkeypatch.setitem(sys.modules, "pybase64", None)
    mixin._base64_decoder.cache_clear()
    yield request.param
    mixin._base64_decoder.cache_clear()


def items_of(*vectors):
    return [{"index": index, "embedding": vector} for index, vector in enumerate(vectors)]


def test_a_vector_is_decoded_once_and_kept_as_it_came(monkeypatch):
    text = packed(0.5, -1.0)
    items = items_of(text, text)
    check_vectors(items, 2)
    # Nothing can be decoded from here on.
    monkeypatch.setattr(mixin, "array", None)
    reply = EmbeddingResponse.from_dict({"object": "list", "data": items})
    assert reply.vectors == [[0.5, -1.0]] * 2
    assert reply.as_array().tolist() == [[0.5, -1.0]] * 2
    for other in (reply, copy.deepcopy(reply), pickle.loads(pickle.dumps(reply))):  # noqa: S301
        assert other.to_dict() == {"object": "list", "data": items_of(text, text)}
        assert orjson.loads(orjson.dumps(other.to_dict())) == json.loads(
            json.dumps(reply.to_dict())
        )
        assert other.vectors == [[0.5, -1.0]] * 2
        assert repr(other) == repr(reply)


def test_a_vector_that_nobody_looked_at_is_decoded_as_well():
    reply = EmbeddingResponse.from_dict({"data": items_of(packed(0.25))})
    assert reply.vectors == [[0.25]]


@pytest.mark.parametrize(
    "text",
    [
        "!",
        "AAAA",
        "====",
        "A AA",
        "\u20ac" * 4,
        packed(1.0)[:-1],
        packed(1.0)[:-2] + "=" * 4,
        packed(1.0) + "\n",
        packed(1.0) + "AAAA",
    ],
)
def test_what_is_no_base64_of_numbers_is_refused(text):
    with pytest.raises(InvalidResponseError, match=r"data\[1\]\.embedding"):
        check_vectors(items_of(packed(1.0), text), 2)


def test_large_numbers_are_finite():
    text = packed(3.4e38, -3.4e38, 1.8e38)
    check_vectors(items_of(text), 1)


def test_an_empty_vector_is_refused():
    with pytest.raises(InvalidResponseError, match=r"data\[0\]\.embedding is empty"):
        check_vectors(items_of(""), 1)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", [0, 500, 1023])
def test_a_number_that_is_not_finite_is_named(number, place):
    numbers = [1e38] * 1024
    numbers[place] = number
    with pytest.raises(InvalidResponseError, match=rf"data\[0\]\.embedding\[{place}\]"):
        check_vectors(items_of(packed(*numbers)), 1)


def test_infinities_are_found_at_a_glance():
    draw = random.Random(3)  # noqa: S311 - no secret
    patterns = [0x7F800000, 0xFF800000, 0x7FC00000, 0x7F7FFFFF, 0xFF7FFFFF, 0, 0x80000000, 1]
    for _ in range(20_000):
        words = [
            draw.choice([*patterns, draw.getrandbits(32)]) for _ in range(draw.randrange(1, 6))
        ]
        data = b"".join(word.to_bytes(4, sys.byteorder) for word in words)
        numbers = struct.unpack(f"={len(words)}f", data)
        if not all(map(math.isfinite, numbers)):
            assert _may_be_infinite(data), words
        if all(abs(number) < 1.7e38 for number in numbers):
            assert not _may_be_infinite(data), words
