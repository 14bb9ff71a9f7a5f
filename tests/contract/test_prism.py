"""Prism, which others wrote, reads the contract and stands between clients and the endpoint."""

import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from recordings import ROOT

from databricks_serving.local import LocalEndpoint

# scripts/test installs it: it is a Node program.
PRISM = Path(sys.prefix) / "prism" / "node_modules" / ".bin" / "prism"
LISTENING = re.compile(r"listening on (http://127\.0\.0\.1:\d+)")
MESSAGES = [{"role": "user", "content": "Name a river."}]
TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}


@pytest.fixture(scope="module")
def local():
    with LocalEndpoint() as running:
        yield running


@pytest.fixture(scope="module")
def prism(local):
    """Where Prism listens; a request or an answer that breaks the contract is an error there."""
    if not PRISM.exists():
        pytest.skip("Prism is not installed: scripts/test installs it")
    spec = ROOT / "openapi" / "serving.yaml"
    command = [PRISM, "proxy", spec, local.host, "--port", "0", "--errors"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
    )
    try:
        lines = iter(process.stdout.readline, "")
        found = next((m for line in lines if (m := LISTENING.search(line))), None)
        assert found, "Prism does not start"
        yield found[1]
    finally:
        process.terminate()
        process.communicate(timeout=10)


@pytest.fixture
def client(shell, prism, local):
    client = shell.client_class(prism, local.token, max_retries=0)
    yield client
    shell.wait(client.close())


def calls_of(client):
    chat, text = {"model": "local-chat", "messages": MESSAGES}, {"model": "local-completion"}
    yield client.chat.completions.create(**chat, temperature=0.5, max_tokens=5, stop=["x"])
    yield client.chat.completions.create(**chat, tools=[TOOL], tool_choice="required")
    yield client.completions.create(**text, prompt="Once", max_tokens=3)
    yield client.embeddings.create(model="local-embedding", input=["a", "b"])
    yield client.embeddings.create(model="local-embedding", input="a", encoding_format="base64")
    yield client.predict("local-custom", dataframe_records=[{"a": 1, "b": 2.5}])
    yield client.responses.create(model="local-responses", input=MESSAGES)
    yield client.agents.create(model="local-agent", messages=MESSAGES)
    yield client.endpoints.list()
    yield client.endpoints.get("local-chat")
    yield client.endpoints.get_openapi("local-chat")
    for route in ("openai", "ai-gateway"):
        other = client.with_options(route=route)
        yield other.chat.completions.create(**chat)
        yield other.embeddings.create(model="local-embedding", input="a")
    open_ = client.with_options(route="open-responses")
    yield open_.responses.create(model="local-responses", input=MESSAGES)


def test_prism_sees_no_violation_in_calls(shell, client):
    assert len([shell.wait(call) for call in calls_of(client)]) == 16


def test_prism_sees_no_violation_in_streams(shell, client):
    streams = (
        client.chat.completions.stream(model="local-chat", messages=MESSAGES),
        client.completions.stream(model="local-completion", prompt="Once"),
        client.responses.stream(model="local-responses", input=MESSAGES),
        client.agents.stream(model="local-agent", messages=MESSAGES),
    )
    for manager in streams:
        with shell.opened(manager) as stream:
            assert shell.items(stream)
            assert shell.wait(stream.get_final_completion()).text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/serving-endpoints/chat/completions", {"messages": MESSAGES}),
        ("/serving-endpoints/embeddings", {"model": "local-embedding", "input": 5}),
        ("/api/2.0/serving-endpoints", {"config": 5}),
    ],
)
def test_prism_would_see_one(prism, local, path, body):
    answer = httpx.post(prism + path, json=body, headers={"authorization": f"Bearer {local.token}"})
    assert "stoplight.io/prism/errors" in answer.json()["type"]
