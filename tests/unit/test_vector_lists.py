"""Lists of vectors, and the vectors of a reply, as arrays and at length 1."""

import base64
import copy
import json
import math
import pickle
import struct
import sys

import numpy as np
import orjson
import pytest

from databricks_serving import PartialVectors, UsageTotals, Vectors
from databricks_serving.errors import BadRequestError, ConfigError, InvalidRequestError
from databricks_serving.models import EmbeddingResponse

ROWS = [[3.0, 4.0], [0.6, 0.8]]
USAGE = UsageTotals(calls=1, prompt_tokens=7, total_tokens=7)


def response(*vectors):
    data = [{"index": n, "embedding": vector} for n, vector in enumerate(vectors)]
    return EmbeddingResponse.from_dict({"data": data[::-1]})


def packed(*numbers):
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def test_vectors_are_a_list_wherever_one_is_wanted():
    vectors = Vectors(ROWS, model="m", usage=USAGE)
    assert vectors == ROWS
    assert isinstance(vectors, list)
    assert json.loads(json.dumps(vectors)) == ROWS
    assert orjson.loads(orjson.dumps(vectors)) == ROWS
    assert (vectors.model, vectors.usage, vectors.failures) == ("m", USAGE, {})
    assert vectors.dimensions == 2
    assert (Vectors().dimensions, Vectors().usage) == (0, UsageTotals())


@pytest.mark.parametrize(
    "again",
    [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))],  # noqa: S301 - our own
    ids=["copy", "deepcopy", "pickle"],
)
def test_copies_keep_what_belongs_to_them(again):
    vectors = again(Vectors(ROWS, model="m", usage=USAGE))
    assert (type(vectors), vectors, vectors.model, vectors.usage) == (Vectors, ROWS, "m", USAGE)
    partial = PartialVectors([[1.0], None], failures={1: BadRequestError("no", status_code=400)})
    copied = again(partial)
    assert copied == [[1.0], None]
    assert str(copied.failures[1]) == str(partial.failures[1])


def test_a_repr_shows_no_numbers():
    assert repr(Vectors(ROWS, model="m")) == "Vectors(2 x 2, model='m')"
    assert repr(PartialVectors([None, [1.0]])) == "PartialVectors(2 x 1, model=None, failures=0)"


@pytest.mark.parametrize("made", [Vectors(ROWS), response(*ROWS), response(packed(3, 4), ROWS[1])])
def test_an_array_has_a_row_of_float32_for_each_text(made):
    array = made.as_array()
    assert (array.dtype, array.shape) == (np.float32, (2, 2))
    assert array.tolist() == np.array(ROWS, np.float32).tolist()


def test_base64_becomes_the_very_bits_that_it_holds():
    numbers = struct.unpack("<2f", b"\x01\x00\x00\x00\xcd\xcc\xcc\x3d")
    assert response(packed(*numbers)).as_array().tobytes() == struct.pack("=2f", *numbers)


def test_no_vectors_are_an_empty_array():
    assert Vectors().as_array().shape == response().as_array().shape == (0, 0)


def test_without_numpy_an_array_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(ConfigError, match=r"pip install 'databricks-serving\[numpy\]'"):
        Vectors(ROWS).as_array()
    with pytest.raises(ImportError, match=r"pip install 'databricks-serving\[numpy\]'"):
        response(*ROWS).as_array()


@pytest.mark.parametrize("make", [lambda *rows: Vectors(rows), response], ids=["list", "reply"])
def test_whether_vectors_have_length_1_is_told_within_a_tolerance(make):
    assert not make(*ROWS).is_normalized()
    assert make(ROWS[1]).is_normalized()
    assert make().is_normalized()
    assert make([1.0009]).is_normalized()
    assert not make([1.0011]).is_normalized()
    assert make([1.2]).is_normalized(tol=0.3)
    assert not make([0.0]).is_normalized()


@pytest.mark.parametrize("make", [lambda *rows: Vectors(rows), response], ids=["list", "reply"])
def test_normalized_vectors_keep_their_direction(make):
    made = make([3.0, 4.0], [1e-200, 0.0], [1e200, 1e200])
    norm = made.normalized()
    assert norm[0] == pytest.approx([0.6, 0.8])
    assert norm[1] == [1.0, 0.0]
    assert norm[2] == pytest.approx([math.sqrt(0.5)] * 2)
    assert (made if isinstance(made, list) else made.vectors)[0] == [3.0, 4.0]


def test_normalized_vectors_keep_model_and_usage():
    norm = Vectors(ROWS, model="m", usage=USAGE).normalized()
    assert (type(norm), norm.model, norm.usage) == (Vectors, "m", USAGE)


def test_a_zero_vector_has_no_direction_and_is_named():
    with pytest.raises(InvalidRequestError, match=r"^vectors\[1\] is zero"):
        Vectors([[1.0], [0.0]]).normalized()
    with pytest.raises(ValueError, match=r"^vectors\[1\] is zero"):
        response([1.0], [0.0]).normalized()


def test_what_is_there_of_partial_vectors_has_its_rows():
    error = BadRequestError("no", status_code=400)
    partial = PartialVectors([None, [1.0], None, [2.0]], model="m", failures={0: error, 2: error})
    assert partial.rows == [1, 3]
    assert (type(partial.vectors), partial.vectors) == (Vectors, [[1.0], [2.0]])
    assert partial.vectors.model == "m"
    with pytest.raises(BadRequestError) as caught:
        partial.complete()
    assert caught.value is error
    assert PartialVectors([[1.0]]).complete() == [[1.0]]
