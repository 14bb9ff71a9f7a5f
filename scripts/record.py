"""Records exchanges with the local endpoint and its real language model.

Each case is sent as it stands here, without the client whose tests will read it, and written to
tests/recordings. Nothing secret is in it: the token is made up and no header of a request is kept.
"""

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from databricks_serving._core.statuses import error_class
from databricks_serving.local import LocalEndpoint

RECORDINGS = Path(__file__).parents[1] / "tests" / "recordings"
SOURCE = "SmolLM2-135M-Instruct under llama.cpp behind the local endpoint, by scripts/record"
KEPT_HEADERS = ("content-type", "served-model-name", "x-request-id", "retry-after")
REQUEST_ID = "00000000-0000-4000-8000-000000000000"
# What differs from run to run without meaning anything.
VOLATILE = re.compile(r'"(id)":\s*"[^"]*"|"(?P<created>created)":\s*[0-9]+')
PINNED = {"id": '"id":"local-0"', None: '"created":1790000000'}

Json = dict[str, Any]


def user(text: str) -> list[Json]:
    """Return a conversation of one message."""
    return [{"role": "user", "content": text}]


RIVER_SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "length_km": {"type": "integer"}},
    "required": ["name", "length_km"],
    "additionalProperties": False,
}
WEATHER_TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a town",
        "parameters": {"type": "object", "properties": {"town": {"type": "string"}}},
    },
}
GREEDY = {"temperature": 0.0, "seed": 7}

CASES: dict[str, tuple[str, Json]] = {
    "chat/local-short": ("a short answer", {"messages": user("Say hello."), "max_tokens": 12}),
    "chat/local-length": ("cut by max_tokens", {"messages": user("Count."), "max_tokens": 3}),
    "chat/local-system": (
        "a system message and a name",
        {
            "messages": [
                {"role": "system", "content": "You answer with one word."},
                {"role": "user", "content": "Colour of grass?", "name": "ada"},
            ],
            "max_tokens": 8,
        },
    ),
    "chat/local-turns": (
        "several turns",
        {
            "messages": [
                *user("I am Ada."),
                {"role": "assistant", "content": "Hello, Ada."},
                *user("Who am I?"),
            ],
            "max_tokens": 12,
        },
    ),
    "chat/local-text-parts": (
        "content as text parts",
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "Say "},
                        {"type": "text", "text": "hello."},
                    ],
                }
            ],
            "max_tokens": 8,
        },
    ),
    "chat/local-stop": (
        "ended by a stop text",
        {"messages": user("Count from one to nine."), "stop": ["3", "three"], "max_tokens": 40},
    ),
    "chat/local-n2": (
        "two answers",
        {"messages": user("Name a fruit."), "n": 2, "max_tokens": 8, "temperature": 0.9},
    ),
    "chat/local-logprobs": (
        "log probabilities with alternatives",
        {"messages": user("Yes or no?"), "logprobs": True, "top_logprobs": 2, "max_tokens": 3},
    ),
    "chat/local-json-schema": (
        "JSON after a schema",
        {
            "messages": user("A river as JSON."),
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "river", "schema": RIVER_SCHEMA, "strict": True},
            },
            "max_tokens": 48,
        },
    ),
    "chat/local-json-object": (
        "any JSON object",
        {
            "messages": user("A river as JSON."),
            "response_format": {"type": "json_object"},
            "max_tokens": 32,
        },
    ),
    "chat/local-tools": (
        "a tool on offer",
        {"messages": user("Weather in Ulm?"), "tools": [WEATHER_TOOL], "max_tokens": 24},
    ),
    "chat/local-unicode": (
        "characters beyond ASCII both ways",
        {"messages": user("Répète : « déjà vu » 🌊"), "max_tokens": 24},
    ),
    "chat/local-stream": (
        "a stream",
        {"messages": user("Say hello."), "max_tokens": 12, "stream": True},
    ),
    "chat/local-stream-length": (
        "a stream cut by max_tokens",
        {"messages": user("Tell a story."), "max_tokens": 24, "stream": True},
    ),
    "chat/local-stream-usage": (
        "a stream that reports usage in an event of its own",
        {
            "messages": user("Say hello."),
            "max_tokens": 8,
            "stream": True,
            "stream_options": {"include_usage": True},
        },
    ),
    "chat/local-stream-logprobs": (
        "a stream with log probabilities",
        {"messages": user("Yes or no?"), "max_tokens": 3, "stream": True, "logprobs": True},
    ),
    "chat/local-stream-json-schema": (
        "a stream of JSON after a schema",
        {
            "messages": user("A river as JSON."),
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "river", "schema": RIVER_SCHEMA, "strict": True},
            },
            "max_tokens": 48,
            "stream": True,
        },
    ),
    "chat/local-stream-n2": (
        "a stream of two answers",
        {"messages": user("Name a fruit."), "n": 2, "max_tokens": 6, "stream": True},
    ),
    "completions/local-short": ("a completion", {"prompt": "Once upon a", "max_tokens": 8}),
    "completions/local-stop": (
        "a completion ended by a stop text",
        {"prompt": "one two three", "max_tokens": 30, "stop": " seven"},
    ),
    "completions/local-prompts": (
        "a completion of two prompts",
        {"prompt": ["Water is", "Ice is"], "max_tokens": 4},
    ),
    "completions/local-stream": (
        "a streamed completion",
        {"prompt": "The sea is", "max_tokens": 10, "stream": True},
    ),
    "embeddings/local-one": ("one vector", {"input": "the sea"}),
    "embeddings/local-many": ("several vectors", {"input": ["the sea", "a lake", "a pond"]}),
    "embeddings/local-base64": (
        "vectors as base64",
        {"input": ["the sea"], "encoding_format": "base64"},
    ),
    "errors/local-unknown-field": (
        "an unknown key at the top",
        {"messages": user("Hello."), "temprature": 0.5},
    ),
    "errors/local-unknown-message-field": (
        "an unknown key in a message",
        {"messages": [{"role": "user", "content": "Hello.", "mood": "good"}]},
    ),
    "errors/local-bad-role": (
        "a message of an unknown role",
        {"messages": [{"role": "wizard", "content": "Hello."}]},
    ),
    "errors/local-bad-type": (
        "a value of the wrong type",
        {"messages": user("Hello."), "max_tokens": "many"},
    ),
}


def endpoint_of(name: str) -> str:
    """Return the local endpoint that takes a case."""
    task = name.partition("/")[0]
    return {"completions": "local-completion", "embeddings": "local-embedding"}.get(
        task, "local-chat"
    )


def record(client: httpx.Client, name: str) -> Json:
    """Send one case and return its recording."""
    shape, request = CASES[name]
    if not name.startswith(("embeddings/", "errors/")):
        request = GREEDY | request
    path = f"/serving-endpoints/{endpoint_of(name)}/invocations"
    response = client.post(path, json=request)
    stream = response.headers["content-type"].startswith("text/event-stream")
    headers = {k: response.headers[k] for k in KEPT_HEADERS if k in response.headers}
    text = VOLATILE.sub(lambda found: PINNED[found[1]], response.text)
    expect = {}
    if response.is_error:
        expect = {
            "error": error_class(response.status_code).__name__,
            "status_code": response.status_code,
        }
    return {
        "shape": shape,
        "source": SOURCE,
        "made": "by scripts/record",
        "stream": stream,
        "request": request,
        "status": response.status_code,
        "headers": headers | {"x-request-id": REQUEST_ID},
        "body": text if stream else json.loads(text),
        "expect": expect,
    }


def recordings(names: list[str]) -> Iterator[tuple[str, Json]]:
    """Record the named cases."""
    with LocalEndpoint(model="smollm2") as local:
        headers = {"authorization": f"Bearer {local.token}"}
        with httpx.Client(base_url=local.host, headers=headers, timeout=300) as client:
            for name in names:
                yield name, record(client, name)


def main() -> None:
    """Write the recordings of all cases, or of those named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", nargs="*", metavar="CASE", help="all cases unless named")
    names = parser.parse_args().case or list(CASES)
    for name, recording in recordings(names):
        path = RECORDINGS / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(recording, indent=2, ensure_ascii=False) + "\n")
        print(f"{name}: {recording['status']}")


if __name__ == "__main__":
    main()
