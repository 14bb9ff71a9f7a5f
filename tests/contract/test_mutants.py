"""Recorded answers with one thing changed: a typed error, or a reply that has lost nothing."""

import asyncio
import json
from functools import partial
from itertools import islice

import contract
import pytest
import recordings
import wire
from chance import source
from driver import arguments
from expected import in_order, only_filled

from databricks_serving import AsyncServingClient, ServingClient, ServingError
from databricks_serving._core.script import Head
from databricks_serving._http.scripted import ScriptedTransport
from databricks_serving.testing._time import FakeTime
from databricks_serving.testing.cassettes.matching import differences

MUTANTS = 20_000
OTHERS = (None, True, -1, 2.5, "", "text", [], [None], {}, {"type": "odd"})
LOOKED_AT = ("text", "reasoning", "tool_calls", "usage", "finish_reason", "served_model_name")
SOUND = [
    one
    for one in (*recordings.own(), *recordings.shared())
    if one.status == 200 and one.task in recordings.TASKS and one.dispatched is None
]
WHOLE = [one for one in SOUND if one.is_json and not one.stream]
STREAMS = [one for one in SOUND if one.stream and one.task != "predictions"]
# What the models show as always present.
FILLED = {
    key
    for schema in contract.document()["components"]["schemas"].values()
    for key in (*schema.get("required", ()), *schema.get("x-sdk-required", ()))
}


def places(value, path=()):
    """Yield the path of each value inside of a value."""
    items = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else items
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


def removed(value):
    """Yield copies that each lack one key or item."""
    for path in places(value):
        copy = json.loads(json.dumps(value))
        del inside(copy, path)[path[-1]]
        yield copy


def changed(value, chance):
    """Return a copy with one value replaced by one of another type."""
    copy = json.loads(json.dumps(value))
    path = chance.choice([*places(copy)] or [None])
    if path is None:
        return chance.choice(OTHERS)
    holder, last = inside(copy, path), path[-1]
    holder[last] = chance.choice([one for one in OTHERS if type(one) is not type(holder[last])])
    return copy


def inside(value, path):
    for key in path[:-1]:
        value = value[key]
    return value


def mutants(cases, seed):
    """Yield every recording with each of its keys removed, then as many with a type changed."""
    chance = source(seed)
    for case in cases:
        for value, whole in bodies(case):
            yield from ((case, whole(lacking)) for lacking in removed(value))
    while True:
        case = chance.choice(cases)
        for value, whole in chance.sample(found := [*bodies(case)], min(1, len(found))):
            yield case, whole(changed(value, chance))


def bodies(recording):
    """Yield the JSON of an answer, and what makes an answer of a mutant."""
    if not recording.stream:
        yield short(recording.body), json.dumps
        return
    blocks = [block for block in recording.body.split("\n\n") if block.startswith("data: {")]
    for at in range(min(len(blocks), 4)):
        try:
            value = json.loads(blocks[at][6:])
        except ValueError:
            continue
        yield value, partial(stream_of, blocks[:at], blocks[at + 1 : at + 4])


def stream_of(before, after, value):
    return "\n\n".join([*before, f"data: {json.dumps(value)}", *after, "data: [DONE]", ""])


def short(body):
    """Return a reply with few numbers: of a vector the first tell as much as all of them."""
    if not isinstance(body.get("data"), list):
        return body
    data = [
        {**one, "embedding": one["embedding"][:3]} if type(one.get("embedding")) is list else one
        for one in body["data"]
    ]
    return {**body, "data": data}


@pytest.fixture(params=["sync", "async"])
def ask(request):
    """Return what a client makes of a body: a reply or a stream's end, or its typed error."""
    content = [b""]
    kinds = {True: "text/event-stream", False: "application/json"}
    stream = [False]

    def answer(_):
        yield Head(200, (("content-type", kinds[stream[0]]),))
        yield content[0]

    transport = ScriptedTransport(answer, FakeTime())
    options = {"max_retries": 0, "transport": transport}
    client = (ServingClient if request.param == "sync" else AsyncServingClient)(
        wire.HOST, wire.TOKEN, **options
    )
    with asyncio.Runner() as runner:

        def run(call):
            return call() if request.param == "sync" else runner.run(awaited(call))

        def ask(recording, body):
            stream[0] = recording.stream
            content[0] = body.encode()
            try:
                return run(lambda: call_of(client, recording)), None
            except ServingError as error:
                return None, error

        yield ask


async def awaited(call):
    return await call()


def call_of(client, recording):
    if recording.task == "predictions":
        return client.predict("m", inputs={"inputs": ["Hello"]})
    given = arguments(recording.task, recording.sendable, unchecked=True)
    resource = client.chat.completions if recording.task == "chat" else None
    resource = resource or getattr(client, recording.task)
    if not recording.stream:
        return resource.create(model="m", **given)
    stream = resource.stream(model="m", **given)
    return read(stream) if isinstance(client, ServingClient) else read_async(stream)


def read(stream):
    with stream as opened:
        for _ in opened:
            pass
        return opened.get_final_completion()


async def read_async(stream):
    async with stream as opened:
        async for _ in opened:
            pass
        return await opened.get_final_completion()


def look(reply):
    """Use a reply as programs do; nothing of this may fail."""
    for name in LOOKED_AT:
        getattr(reply, name, None)
    return repr(reply)


def test_a_changed_reply_is_an_error_of_ours_or_complete(ask):
    ends = {True: 0, False: 0}
    for recording, body in islice(mutants(WHOLE, 1), MUTANTS // 2):
        reply, error = ask(recording, body)
        ends[error is None] += 1
        if error is None:
            assert look(reply)
            kept = reply.to_dict()
            sent = in_order(json.loads(body))
            assert only_filled(sent, kept, FILLED), (recording.name, *differences(sent, kept))
    assert min(ends.values()) > 500, ends


def test_a_changed_event_is_an_error_of_ours_or_the_stream_goes_on(ask):
    ends = {True: 0, False: 0}
    for recording, body in islice(mutants(STREAMS, 2), MUTANTS // 2):
        reply, error = ask(recording, body)
        ends[error is None] += 1
        if error is None:
            assert look(reply)
        elif getattr(error, "partial", None) is not None:
            assert look(error.partial)
    assert min(ends.values()) > 200, ends
