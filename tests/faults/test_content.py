"""What the body of an answer may hold, and what makes it none; section 2.4."""

import base64
import copy
import json
import math
import os
import struct
import subprocess
import sys
from dataclasses import dataclass

import chance
import pytest
import wire

from databricks_serving.errors import InvalidResponseError, ParseError, ResponseTooLargeError
from databricks_serving.options import Limits

from .support.answers import Script, bare, reply
from .support.canary import PROMPT

PAGE = "<!doctype html><html><title>Sign in</title><body>Please sign in.</body></html>"
MISFIT = "the reply does not fit the contract: "


def invalid(house, answer, match, /, *, kind=InvalidResponseError, **arguments):
    """Make one call with an answer that is final, and return its error."""
    server, client = house.serve(answer)
    error = house.fails(client, kind, match, **arguments)
    assert len(server.requests) == error.attempts == 1
    assert error.maybe_executed
    return error


def read(house, data, /, **arguments):
    """Make one call with an answer that is good, and return its reply."""
    _, client = house.serve(reply(data))
    return house.call(client, **arguments)


def embedded(house, data, /, *texts, **arguments):
    """Embed texts with an answer that is good, and return its reply."""
    return read(house, data, task="embeddings", input=list(texts), **arguments)


# Strictly: a cut at its end is no JSON either.
GARBLED = {
    "brace": b"{",
    "comma": b'{"choices": [],}',
    "rest": b'{"choices": []} {}',
    "words": b"upstream " + PROMPT.encode(),
    "cut": json.dumps(wire.chat(PROMPT)).encode()[:-20],
    "empty": b"",
    "spaces": b" \r\n ",
    "quotes": b"{'choices': []}",
}


@pytest.mark.row("R-01")
@pytest.mark.parametrize("body", GARBLED.values(), ids=GARBLED)
def test_what_is_no_json_is_asked_for_once_more(house, body):
    server, client = house.serve(reply(body), on_clock=True)
    assert house.call(client).text == "Hi"
    assert len(server.requests) == 2


@pytest.mark.row("R-01")
@pytest.mark.parametrize("body", GARBLED.values(), ids=GARBLED)
def test_what_is_no_json_twice_is_an_error_that_says_what_came(house, body):
    server, client = house.serve(reply(body), reply(body), on_clock=True)
    fault = "is not JSON" if body.strip() else "is empty"
    match = rf"^status 200, application/json, {len(body)} bytes: the body {fault}"
    error = house.fails(client, InvalidResponseError, match)
    assert error.garbled
    assert error.content_type == "application/json"
    assert len(server.requests) == error.attempts == 2
    assert error.retry_stopped_by == "reruns"


@pytest.mark.row("R-01")
def test_an_answer_without_a_content_type_is_read_as_json(house):
    _, client = house.serve(bare(json.dumps(wire.chat("Po")).encode()))
    assert house.call(client).text == "Po"


@pytest.mark.row("R-02")
@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/json", "text/plain"])
def test_a_web_page_is_told_as_one_and_final(house, kind):
    error = invalid(house, reply(PAGE, 200, f"Content-Type: {kind}"), "web page .* login or proxy")
    assert "Sign in" not in str(error)
    assert not error.garbled


NUMBERS = ["NaN", "Infinity", "-Infinity", "1e400", "-1e400"]


@pytest.mark.row("R-03")
@pytest.mark.parametrize("number", NUMBERS)
def test_a_vector_has_finite_numbers_alone(house, number):
    body = f'{{"data": [{{"embedding": [0, 1]}}, {{"embedding": [0.5, {number}]}}]}}'
    match = rf"{MISFIT}data\[1\]\.embedding\[1\] is not a finite number"
    invalid(house, reply(body), match, task="embeddings", input=["a", "b"])


@pytest.mark.row("R-03")
@pytest.mark.parametrize("number", NUMBERS)
def test_elsewhere_a_number_is_kept_as_it_came(house, number):
    body = json.dumps(wire.chat("Hi") | {"usage": {"total_tokens": 7}, "score": 7})
    seen = read(house, body.replace("7", number))
    assert seen.text == "Hi"
    assert not math.isfinite(seen.usage.total_tokens)
    assert not math.isfinite(seen.extra["score"])


@pytest.mark.row("R-04")
def test_of_two_values_of_one_key_the_last_counts(house):
    body = json.dumps(wire.chat("last"))
    assert read(house, '{"choices": 7, "id": "a", ' + body[1:]).text == "last"


@pytest.mark.row("R-05")
@pytest.mark.parametrize("depth", [255, 1001, 100_000])
@pytest.mark.parametrize("brackets", ["[]", ('{"a":', "}")], ids=["lists", "objects"])
def test_what_is_nested_too_deeply_is_an_error_of_ours(house, depth, brackets):
    inside = brackets[0] * depth + "1" + brackets[1] * depth
    server, client = house.serve(*[reply(f'{{"choices": [], "x": {inside}}}')] * 2, on_clock=True)
    house.fails(client, InvalidResponseError, "nested deeper than 254")
    assert len(server.requests) <= 2


@pytest.mark.row("R-05")
def test_what_is_nested_a_little_less_is_read(house):
    seen = read(house, wire.chat("Hi") | {"x": json.loads("[" * 253 + "]" * 253)})
    assert json.dumps(seen.extra["x"]).count("[") == 253


@pytest.mark.row("R-06")
@pytest.mark.parametrize("text", [r"\ud800", r"\udfff a", r"\ud83d\ud83d\ude00", r"a\udc00\ud800"])
def test_a_lone_surrogate_is_kept(house, text):
    body = json.dumps(wire.chat("@")).replace("@", text)
    expected = json.loads(f'"{text}"')
    seen = read(house, body)
    assert seen.text == expected
    assert json.loads(json.dumps(seen.to_dict())) == json.loads(body)
    assert seen.text.encode("utf-8", "replace")


@pytest.mark.row("R-07")
def test_control_characters_are_kept(house):
    text = "NUL \x00, bell \x07, \x1b[31mred\x1b[0m, \x1b]0;title\x07, \x7f, \x9b, \u202e"
    assert read(house, wire.chat(text)).text == text


@pytest.mark.row("R-08")
def test_an_integer_of_5000_digits_is_no_answer(house):
    body = json.dumps(wire.chat("Hi") | {"x": 7}).replace("7", "1" * 5000)
    _, client = house.serve(*[reply(body)] * 2, on_clock=True)
    house.fails(client, InvalidResponseError, "is not JSON")


@pytest.mark.row("R-08")
@pytest.mark.parametrize("number", [2**63, 2**64 - 1, -(2**63), 1.0, "3", True, None])
def test_a_number_that_nothing_is_built_on_is_kept_as_it_came(house, number):
    usage = {"prompt_tokens": number, "completion_tokens": 1}
    seen = read(house, wire.chat("Hi") | {"created": number, "usage": usage})
    kept = seen.to_dict()
    assert json.dumps([kept["created"], kept["usage"]]) == json.dumps([number, usage])


@pytest.mark.row("R-08")
@pytest.mark.parametrize("number", ["0", 0.0, True, [], {}])
def test_a_number_that_answers_are_told_apart_by_must_be_one(house, number):
    data = wire.chat("Hi")
    data["choices"][0]["index"] = number
    invalid(house, reply(data), rf"{MISFIT}choices\[0\]\.index is not a whole number")


@pytest.mark.row("R-09")
@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        {"prompt_tokens": -5, "completion_tokens": 2, "total_tokens": 100},
        {"prompt_tokens": 5, "completion_tokens": None},
        {"total_tokens": 7, "prompt_tokens_details": None},
    ],
    ids=repr,
)
def test_usage_is_what_the_server_counted_and_nothing_is_summed(house, usage):
    seen = read(house, wire.chat("Hi") | {"usage": usage})
    assert seen.to_dict()["usage"] == usage
    counted = usage or {}
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    for name in names if seen.usage is not None else ():
        assert getattr(seen.usage, name) == counted.get(name)


@pytest.mark.row("R-10")
def test_what_the_contract_does_not_know_is_kept(house):
    data = wire.chat([{"type": "hologram", "depth": 3}, {"type": "text", "text": "a", "new": 1}])
    data["choices"][0] |= {"finish_reason": "weary", "mood": "calm"}
    data |= {"service_tier": "imperial", "news": [None]}
    seen = read(house, data)
    assert seen.to_dict() == data
    assert (seen.finish_reason, seen.text) == ("weary", "a")
    assert seen.extra["news"] == [None]


def places(value, path=""):
    """Yield each place inside a value: what holds it, its key, and its path."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in list(pairs):
        here = f"{path}[{key}]" if isinstance(value, list) else f"{path}.{key}".lstrip(".")
        yield value, key, here
        if isinstance(item, dict | list):
            yield from places(item, here)


CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
WHOLE = {
    "chat": wire.chat([{"type": "text", "text": "a"}], tool_calls=[CALL])
    | {"usage": {"prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": 1}}},
    "completions": wire.completion(),
    "embeddings": wire.embeddings([1.0, 2.0]),
}


@pytest.mark.row("R-11")
@pytest.mark.parametrize("task", WHOLE)
def test_whatever_is_wrong_in_a_reply_is_named_by_its_path_or_does_no_harm(house, task):
    script = Script()
    server = house.server(then=script)
    client = house.client(server.host)
    answers, refusals = 0, []
    for number in range(len(list(places(WHOLE[task])))):
        for wrong in (None, 7, "x", [], {}, [7], {"a": 7}):
            data = copy.deepcopy(WHOLE[task])
            holder, key, path = list(places(data))[number]
            holder[key] = wrong
            script.next.append(reply(data))
            try:
                house.call(client, task)
                answers += 1
            except InvalidResponseError as error:
                named = str(error).partition(MISFIT)[2].partition(" ")[0]
                refusals.append((path, named))
    assert len(server.requests) == answers + len(refusals)
    assert min(answers, len(refusals)) >= 5
    # A list of vectors that lacks one, or has one of another length, is named by the list.
    astray = [(path, named) for path, named in refusals if not named.startswith(path)]
    assert [one for one in astray if not (task == "embeddings" and one[1][:4] == "data")] == []


@pytest.mark.row("R-11")
@pytest.mark.parametrize(
    ("data", "fault"),
    [
        ({}, "choices is not a list"),
        ({"choices": None}, "choices is not a list"),
        ({"choices": [{"message": "Hi"}]}, r"choices\[0\]\.message is not an object"),
        ({"choices": [{}, {"message": {"content": 7}}]}, r"choices\[1\]\.message\.content is not"),
    ],
    ids=repr,
)
def test_a_reply_of_another_shape_is_final_and_names_the_path(house, data, fault):
    invalid(house, reply(data), MISFIT + fault)


@pytest.mark.row("R-11")
@pytest.mark.parametrize("body", ["null", "[]", '"x"', "1", "true"])
def test_an_answer_that_is_no_object_is_told_as_one(house, body):
    invalid(house, reply(body), "the body is a JSON .*, not an object")


def vectors(*indices):
    """Return a reply with vectors that say their indices."""
    return {"data": [{"index": index, "embedding": [float(index), 1.0]} for index in indices]}


@pytest.mark.row("R-12")
def test_vectors_come_in_the_order_of_the_texts(house):
    seen = embedded(house, vectors(2, 0, 1), "a", "b", "c")
    assert seen.vectors == [[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]]
    assert [item.index for item in seen.data] == [0, 1, 2]


def packed(*numbers):
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


@pytest.mark.row("R-12")
@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (vectors(0, 1), r"data has no vector of index 2"),
        (vectors(0, 2), r"data has no vector of index 1"),
        (vectors(0, 1, 2, 3), r"data\[3\]\.index is 3"),
        (vectors(0, 1, 1), r"data\[2\]\.index is 1, and so is data\[1\]\.index"),
        (vectors(0, 1, 7), r"data\[2\]\.index is 7"),
        (vectors(0, -1, 2), r"data\[1\]\.index is -1"),
        (vectors(), r"data has no vector of index 0"),
        (wire.embeddings([1.0], [1.0], [1.0, 2.0]), r"data\[2\]\.embedding has 2 numbers"),
        (wire.embeddings([1.0], [], [1.0]), r"data\[1\]\.embedding is empty"),
        (wire.embeddings([1.0], "AACAPw=", [1.0]), r"data\[1\]\.embedding is not .*base64"),
        (wire.embeddings([1.0], "AACA", [1.0]), r"data\[1\]\.embedding is not .*base64"),
        (wire.embeddings([1.0], "AACA Pw==", [1.0]), r"data\[1\]\.embedding is not .*base64"),
        (
            wire.embeddings([1.0], packed(math.nan), [1.0]),
            r"data\[1\]\.embedding\[0\] is not a fin",
        ),
        (wire.embeddings([1.0], ["1.0"], [1.0]), r"data\[1\]\.embedding\[0\] is not a finite"),
        (wire.embeddings([1.0], None, [1.0]), r"data\[1\]\.embedding is not a list"),
        (wire.embeddings([1.0], [None], [1.0]), r"data\[1\]\.embedding\[0\] is not a finite"),
    ],
)
def test_each_text_has_one_vector_of_the_same_length(house, data, fault):
    invalid(house, reply(data), MISFIT + fault, task="embeddings", input=["a", "b", "c"])


@pytest.mark.row("R-12")
def test_vectors_in_base64_are_the_numbers_that_they_stand_for(house):
    seen = embedded(house, wire.embeddings(packed(1.0, -0.5), [2.0, 3.0]), "a", "b")
    assert seen.vectors == [[1.0, -0.5], [2.0, 3.0]]


@pytest.mark.row("R-12", "R-16")
@pytest.mark.parametrize(
    ("body", "count"), [([[101, 7], [102]], 2), ([101, 7, 102], 1), (["b"] * 3, 3)]
)
def test_the_texts_that_are_sent_are_those_that_count(house, body, count):
    seen = embedded(house, vectors(*range(count)), "a", extra_body={"input": body})
    assert len(seen.vectors) == count


@pytest.mark.row("R-12")
def test_a_raw_response_is_checked_as_well(house):
    _, client = house.serve(reply(vectors(0)))
    raw = house.wait(client.embeddings.with_raw_response.create(model="m", input=["a", "b"]))
    with house.raising(InvalidResponseError, "no vector of index 1"):
        raw.parse()


# Run apart, so that the memory of the tests does not count; what a first call loads counts neither.
PROBE = """
import asyncio, re, sys
from pathlib import Path
import databricks_serving as d
name, host, texts = sys.argv[1:]
client = getattr(d, name)(host, "token")
def kilobytes(key):
    return int(re.search(key + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
async def grown(texts):
    before = kilobytes("VmRSS")
    reply = client.embeddings.create(model="m", input=["a"] * texts)
    reply = await reply if hasattr(reply, "__await__") else reply
    return len(reply.vectors), len(reply.vectors[0]), (kilobytes("VmHWM") - before) * 1024
async def main():
    await grown(1)
    print(*await grown(int(texts)))
asyncio.run(main())
"""


@pytest.mark.row("R-13")
def test_many_long_vectors_take_five_times_their_bytes_at_most(house):
    # An eighth of what the row names; the factor is the same. The bytes are one, Python's numbers
    # two, and what the parser needs for as long as it runs is the rest of 4.7.
    number, length = 256, 4096
    source = chance.source(13)
    vector = [source.uniform(-1, 1) for _ in range(length)]
    body = json.dumps(wire.embeddings(*[vector] * number)).encode()
    server = house.server(reply(wire.embeddings([1.0])), reply(body))
    paths = os.pathsep.join(path for path in sys.path if path)
    run = subprocess.run(
        [sys.executable, "-c", PROBE, house.shell.client_class.__name__, server.host, str(number)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": paths},
        capture_output=True,
        check=False,
        text=True,
        timeout=30,
    )
    assert run.stderr == ""
    count, dimensions, grown = map(int, run.stdout.split())
    assert (count, dimensions) == (number, length)
    assert len(body) < grown <= 5 * len(body)


@pytest.mark.row("R-13")
def test_an_answer_past_the_limit_is_not_taken_in(house):
    body = json.dumps(wire.embeddings([1.0])).encode()
    server = house.server(*[reply(body)] * 2)
    exact, small = (
        house.client(server.host, limits=Limits(response_bytes=size), healthy=False)
        for size in (len(body), len(body) - 1)
    )
    assert house.call(exact, "embeddings").vectors == [[1.0]]
    house.fails(small, ResponseTooLargeError, task="embeddings")
    assert len(server.requests) == 2


@pytest.mark.row("R-15")
@pytest.mark.parametrize("charset", ["latin-1", "utf-16", "no-such-set", "us-ascii"])
def test_json_is_utf_8_whatever_its_charset_is_said_to_be(house, charset):
    body = json.dumps(wire.chat("r\u00edo \U0001f600"), ensure_ascii=False).encode()
    _, client = house.serve(reply(body, 200, f"Content-Type: application/json; charset={charset}"))
    assert house.call(client).text == "r\u00edo \U0001f600"


@pytest.mark.row("R-15")
def test_a_byte_order_mark_is_skipped(house):
    assert read(house, b"\xef\xbb\xbf" + json.dumps(wire.chat("Po")).encode()).text == "Po"


@pytest.mark.row("R-15")
@pytest.mark.parametrize("charset", ["utf-16", "utf-16-le", "utf-32", "latin-1"])
def test_another_encoding_is_no_json(house, charset):
    body = json.dumps(wire.chat("r\u00edo"), ensure_ascii=False).encode(charset)
    _, client = house.serve(*[reply(body)] * 2, on_clock=True)
    house.fails(client, InvalidResponseError, "is not JSON")


@pytest.mark.row("R-16")
def test_vectors_of_another_request_are_noticed_by_their_number(house):
    one, two = reply(vectors(0)), reply(vectors(0, 1))
    server, client = house.serve(two, one)
    house.fails(client, InvalidResponseError, r"data\[1\]\.index is 1", task="embeddings")
    texts = {"task": "embeddings", "input": ["a", "b"]}
    house.fails(client, InvalidResponseError, "no vector of index 1", **texts)
    assert len(server.requests) == 2


@pytest.mark.row("R-17")
@pytest.mark.parametrize(
    ("data", "reason", "refusal"),
    [
        (wire.chat(None, "content_filter"), "content_filter", None),
        (wire.chat(None, "stop", refusal="No."), "stop", "No."),
        ({"choices": []}, None, None),
        ({"choices": [], "databricks_service_policy": {"a": 1}}, "content_filter", None),
        ({"databricks_service_policy": {"a": 1}}, "content_filter", None),
    ],
    ids=repr,
)
def test_an_answer_without_text_is_a_reply_that_says_why(house, data, reason, refusal):
    seen = read(house, data)
    assert (seen.text, seen.reasoning, seen.tool_calls) == ("", "", [])
    assert seen.finish_reason == reason
    assert (seen.message.refusal if seen.message else None) == refusal


@dataclass
class River:
    name: str


@pytest.mark.row("R-18")
@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("The Po.", "the answer for River is not JSON"),
        ('{"name": "Po"', "the answer for River is not JSON"),
        ('{"name": 652}', r"does not fit: \$\.name: Expected `str`, got `int`"),
        ('{"nom": "Po"}', r"does not fit: \$: Object missing required field `name`"),
    ],
)
def test_an_answer_that_misses_its_type_is_an_error_that_keeps_it(house, text, match):
    _, client = house.serve(reply(wire.chat(text)))
    asked = {"model": "m", "messages": [{"role": "user", "content": PROMPT}]}
    with house.raising(ParseError, match) as caught:
        house.wait(client.chat.completions.parse(response_format=River, **asked))
    assert caught.value.text == text
    # Asked again, the model does better: the next answer of the server is a good one.
    _, client = house.serve(reply(wire.chat(text)), reply(wire.chat('{"name": "Po"}')))
    better = house.wait(client.chat.completions.parse(response_format=River, max_reasks=1, **asked))
    assert better.parsed == River("Po")


NAMES = ["__class__", "__dict__", "__init__", "model_", "self", "cls", "extra", "_extra", "meta"]
NAMES += ["to_dict", "from_dict", "text", "request_id", "src_dict", "\x00", ""]


@pytest.mark.row("R-19")
@pytest.mark.parametrize("name", NAMES, ids=repr)
def test_a_key_named_like_an_attribute_is_data(house, name):
    odd = {name: {"a": 1}}
    data = wire.chat("Hi") | odd
    data["choices"] = [data["choices"][0] | odd]
    data["choices"][0]["message"] |= odd
    data["usage"] = {"prompt_tokens": 1} | odd
    seen = read(house, data)
    assert (type(seen).__name__, seen.text) == ("ChatCompletion", "Hi")
    assert seen.to_dict() == data
    assert seen.meta.status_code == 200
    assert copy.deepcopy(seen) == seen


@pytest.mark.row("R-19")
def test_keys_of_all_kinds_are_data(house):
    source = chance.source(19)
    keys = ["".join(map(chr, source.sample(range(1, 0xD800), 3))) for _ in range(300)]
    odd = dict.fromkeys(keys, chance.json_value(source, 2))
    assert read(house, wire.chat("Hi") | odd).extra == odd
