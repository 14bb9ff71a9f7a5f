"""JSON as servers send it and as users hand it over."""

import enum
import json
import math
import time
import uuid

import chance
import pytest

from databricks_serving._core.json_codec import (
    MAX_DEPTH,
    JSONDecodeError,
    JSONEncodeError,
    decode,
    decode_replacing,
    encode,
    to_text,
)


class Colour(enum.Enum):
    RED = "red"


def nested(depth):
    value = []
    for _ in range(depth - 1):
        value = [value]
    return value


def same(one, other):
    """Compare with NaN equal to itself."""
    return repr(one) == repr(other)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[NaN, Infinity, -Infinity]", [math.nan, math.inf, -math.inf]),
        ("1e400", math.inf),
        ('"\\ud800"', "\ud800"),
        ('{"a": "x\\udfff"}', {"a": "x\udfff"}),
        ('\ufeff{"a": 1}', {"a": 1}),
        ('{"a": 1, "a": 2}', {"a": 2}),
        ("18446744073709551615", 2**64 - 1),
        (" [1] \n", [1]),
        ('"\\u2028\\u0000"', "\u2028\x00"),
    ],
)
def test_what_servers_send_is_read(text, value):
    assert same(decode(text.encode()), value)
    assert same(decode(text.removeprefix("\ufeff")), value)


def outcome(read, data):
    try:
        return repr(read(data))
    except JSONDecodeError:
        return None


def test_bytes_that_are_no_utf_8_are_replaced():
    assert decode_replacing(b'{"a": "\xff"}') == {"a": "\ufffd"}
    source = chance.source(3)
    parts = (b'{"a": ', b"}", b'"', b"\xff", b"\xc3\xa9", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"NaN")
    parts += (b"\\ud800", b"[" * 300, b"]" * 300, b"1", b" ", b"1e999", b"[]", b"null")
    for _ in range(20_000):
        data = b"".join(source.choices(parts, k=source.randrange(6)))
        text = data.decode("utf-8", "replace")
        assert outcome(decode_replacing, data) == outcome(decode, text), data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"{",
        b"[1,]",
        b"{} {}",
        b"<html>",
        b"undefined",
        b'"\xff"',
        '{"a": 1}'.encode("utf-16"),
        b"1" * 5000,
        b"[NaN, " + b"1" * 5000 + b"]",
        b"[" * 100_000,
        b"\n" + b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b"[NaN," + b"[" * 5000,
    ],
    ids=lambda data: repr(data)[:24],
)
def test_what_is_no_json_is_one_kind_of_error(data):
    with pytest.raises(JSONDecodeError) as caught:
        decode(data)
    assert len(str(caught.value)) <= 80
    # The errors of the readers keep the whole body.
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_text_is_read_as_bytes_are():
    for text in ("{", "[" * 300, '{"a": ' * 300):
        with pytest.raises(JSONDecodeError):
            decode(text)


def test_depth_has_a_limit_that_can_be_written_again():
    assert decode(encode(nested(MAX_DEPTH))) == nested(MAX_DEPTH)
    with pytest.raises(JSONDecodeError, match=f"deeper than {MAX_DEPTH}"):
        decode(json.dumps(nested(MAX_DEPTH + 1)))
    with pytest.raises(JSONEncodeError):
        encode(nested(MAX_DEPTH + 1))


@pytest.mark.parametrize("text", ["[" * 3000, '\\"[{' * 3000, "[" * 3000 + "]" * 3000])
def test_brackets_in_texts_do_not_count_as_depth(text):
    assert decode(encode({"text": text})) == {"text": text}
    assert decode(encode({"text": text}).decode()) == {"text": text}


def test_many_shallow_lists_are_not_deep():
    vectors = [[0.5, 0.25]] * 5000
    assert decode(encode({"data": vectors})) == {"data": vectors}


def test_reading_takes_linear_time():
    def seconds(size):
        began = time.perf_counter()
        for data in (b"[" * size, b'"' * size, b'{"a":"' + b"[{\\" * size, b"[[]," * size):
            with pytest.raises(JSONDecodeError):
                decode(data)
        return time.perf_counter() - began

    assert seconds(400_000) < 10


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ({"a": [1, {"b": object()}]}, "a[1].b is of type object"),
        ({"a": float("nan")}, "a is not a finite number"),
        ({"a": [None, -math.inf]}, "a[1] is not a finite number"),
        ({"a": 2**64}, "a is an integer of more than 64 bits"),
        ({"a": -(2**63) - 1}, "a is an integer of more than 64 bits"),
        ({1: 2}, "the body has a key of type int"),
        ({"a": {None: 2}}, "a has a key of type NoneType"),
        ({"a": b"secret"}, "a is of type bytes"),
        ({"a": {"secret"}}, "a is of type set"),
        ({"a": 1j, "b": "\ud800"}, "a is of type complex"),
    ],
)
def test_what_json_cannot_hold_is_named_by_place_and_kind(value, fault):
    with pytest.raises(JSONEncodeError) as caught:
        encode(value)
    assert str(caught.value) == fault
    assert caught.value.__cause__ is None


def test_a_loop_ends():
    loop = {}
    loop["a"] = [loop]
    with pytest.raises(JSONEncodeError, match=r"^a\[0\]\.a.* contains itself"):
        encode(loop)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"a": "\ud800"}, b'{"a":"\\ud800"}'),
        ({"\udfff": [1, None, True]}, b'{"\\udfff":[1,null,true]}'),
        ("é\u2028", b'"\xc3\xa9\xe2\x80\xa8"'),
        ({"a": None, "b": "null"}, b'{"a":null,"b":"null"}'),
        ([2**64 - 1, -(2**63)], b"[18446744073709551615,-9223372036854775808]"),
        (
            [None, Colour.RED, uuid.UUID(int=0)],
            b'[null,"red","' + str(uuid.UUID(int=0)).encode() + b'"]',
        ),
    ],
)
def test_what_json_can_hold_is_written(value, written):
    assert encode(value) == written


def test_a_kind_that_only_one_writer_knows_is_refused_beside_a_lone_surrogate():
    with pytest.raises(TypeError, match="UUID"):
        encode(["\ud800", uuid.UUID(int=0)])


def random_value(source, depth):
    kind = source.randrange(8 if depth else 6)
    if kind == 6:
        return [random_value(source, depth - 1) for _ in range(source.randrange(4))]
    if kind == 7:
        return {
            random_text(source): random_value(source, depth - 1) for _ in range(source.randrange(4))
        }
    scalars = (None, True, source.randrange(-(2**63), 2**64), source.random() * 1e9)
    return scalars[kind] if kind < 4 else random_text(source)


def random_text(source):
    return "".join(chr(source.choice((65, 34, 92, 10, 0xE9, 0xD800, 0x1F600))) for _ in range(5))


def test_what_is_written_is_read_again():
    source = chance.source(20)
    for _ in range(3000):
        value = random_value(source, 4)
        # A surrogate pair written as two escapes is one character to every reader.
        plain = json.loads(json.dumps(value))
        assert decode(encode(value)) == plain
        assert json.loads(to_text(value)) == plain
