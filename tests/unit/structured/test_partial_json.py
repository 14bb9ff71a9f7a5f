"""JSON as far as it has come."""

import json
import time

import chance as chance_of
import pytest

from databricks_serving._core.structured.partial import PartialJson
from databricks_serving._core.structured.texts import json_text

AROUND = [
    ("", ""),
    (" \n", " "),
    ("<think>a { b</think>\n\n", ""),
    ("```json\n", "\n```"),
    ("<think></think>```\n", "```\n"),
]
ODD = {"a": [1, -2.5e3, {"x": 'hé\n"\\\u2028😀', "y": None}], "": {}, "l": [[]], "t": [True, False]}


def is_beginning(part, whole):
    """Tell whether a value is what one would have while a whole one is being written."""
    if part is None:
        return True
    if isinstance(whole, str):
        return isinstance(part, str) and whole.startswith(part)
    if isinstance(whole, dict):
        keys = list(part)
        return (
            isinstance(part, dict)
            and keys == list(whole)[: len(keys)]
            and all(part[key] == whole[key] for key in keys[:-1])
            and all(is_beginning(part[key], whole[key]) for key in keys[-1:])
        )
    if isinstance(whole, list):
        return (
            isinstance(part, list)
            and len(part) <= len(whole)
            and all(one == other for one, other in zip(part[:-1], whole, strict=False))
            and all(is_beginning(part[n], whole[n]) for n in range(len(part))[-1:])
        )
    return part == whole


def some_value(chance, depth=0):
    kinds = ["text", "number", "word"] + (["list", "dict"] * 2 if depth < 4 else [])
    match chance.choice(kinds):
        case "text":
            return "".join(
                chance.choice('ab"\\\n{}[],:é😀\u2028 ') for _ in range(chance.randrange(9))
            )
        case "number":
            return chance.choice([0, -7, 3.25, 1e300, -1.5e-9, 2**70])
        case "word":
            return chance.choice([True, False, None])
        case "list":
            return [some_value(chance, depth + 1) for _ in range(chance.randrange(5))]
    return {f"k{n}\n": some_value(chance, depth + 1) for n in range(chance.randrange(5))}


@pytest.mark.parametrize(("before", "after"), AROUND)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_text_cut_anywhere_gives_the_beginning_of_its_value(before, after, ascii_only):
    text = before + json.dumps(ODD, ensure_ascii=ascii_only) + after
    for cut in range(len(text) + 1):
        part = PartialJson()
        part.feed(text[:cut])
        assert is_beginning(part.value, ODD), text[:cut]
    assert part.value == ODD


@pytest.mark.parametrize("seed", range(20))
def test_any_value_comes_together_from_any_pieces(seed):
    chance = chance_of.source(seed)
    for _ in range(50):
        value = {"root": some_value(chance)}
        text = json.dumps(
            value, ensure_ascii=chance.random() < 0.5, indent=chance.choice([None, 1])
        )
        part, at = PartialJson(), 0
        while at < len(text):
            size = chance.randrange(1, 9)
            changed, before = part.feed(text[at : at + size]), json.dumps(part.value)
            at += size
            assert is_beginning(part.value, value), text[:at]
            assert changed or before == json.dumps(part.value)
        assert part.value == value


@pytest.mark.parametrize("seed", range(5))
def test_no_garbage_raises(seed):
    chance = chance_of.source(seed)
    for _ in range(2000):
        part = PartialJson()
        for _ in range(chance.randrange(12)):
            part.feed(
                "".join(chance.choice('{}[]",:\\u0d8etrufalsn12.-` \n<think>') for _ in range(6))
            )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 12', {}),
        ('{"a": 12,', {"a": 12}),
        ('{"a": tru', {}),
        ('{"a": nope}', {}),
        ('{"a": 1 "b"', {"a": 1}),
        ('{"a": [1,]', {"a": [1]}),
        ('{"a": "\\x"}', {"a": ""}),
        ('{"a": "b\\', {"a": "b"}),
        ('{"a": "\\ud83d', {"a": ""}),
        ('{"a": "\\ud83d is alone"}', {"a": "\ud83d is alone"}),
        ('{"a"', {}),
        ('{"a" 1', {}),
        ("{1", {}),
        ("The answer", None),
        ("<thinking", None),
        ("```" + "j" * 100, None),
        ('{"a": ' + "1" * 1000, {}),
        ('{"a": 1} and more', {"a": 1}),
        ('"text"', "text"),
        ("[" * 300, None),
    ],
)
def test_what_is_not_there_yet_or_no_json_is_left_out(text, value):
    part = PartialJson()
    part.feed(text)
    if value is None and text.startswith("["):
        assert isinstance(part.value, list)
    else:
        assert part.value == value


def test_a_long_answer_takes_linear_time():
    def seconds(size):
        text = json.dumps({"s": "x" * size, "l": list(range(size // 4))})
        part, started = PartialJson(), time.perf_counter()
        for at in range(0, len(text), 5):
            part.feed(text[at : at + 5])
        return time.perf_counter() - started

    small = min(seconds(20_000) for _ in range(3))
    assert min(seconds(160_000) for _ in range(3)) < 40 * small


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}', '{"a": 1}'),
        (' \n{"a": 1}\n', '{"a": 1}'),
        ('```json\n{"a": 1}\n```', '{"a": 1}'),
        ('```\n{"a": 1}```\n', '{"a": 1}'),
        ('<think>so {"b"}</think>\n\n{"a": 1}', '{"a": 1}'),
        ('<think>so</think>```json\n{"a": 1}\n```', '{"a": 1}'),
        ('Here it is: {"a": 1}', 'Here it is: {"a": 1}'),
        ("<think>never ends", ""),
    ],
)
def test_what_models_write_around_json_is_taken_off(text, found):
    assert json_text(text) == found


def test_space_in_front_is_looked_at_once():
    # Models that run away write nothing else for minutes.
    seen = PartialJson()
    looks = []
    skip, seen._after_space = (
        seen._after_space,
        lambda text, at: looks.append(len(text)) or skip(text, at),
    )
    for _ in range(500):
        seen.feed(" ")
    assert max(looks) == 1
    assert seen.feed('{"a": 1}')
    assert seen.value == {"a": 1}
