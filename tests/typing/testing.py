"""The test kit, as a user's type checker sees it; never run."""

# pyright: strict

import re
from collections.abc import Sequence
from typing import assert_type

import httpx

from databricks_serving import AsyncServingClient, RetryPolicy, ServingClient
from databricks_serving.auth import OAuthClientCredentials
from databricks_serving.testing import (
    FakeServing,
    FakeTime,
    RecordedRequest,
    ReplyOptions,
    UnexpectedRequestError,
)


def is_long(request: RecordedRequest) -> bool:
    assert_type(request.endpoint, str | None)
    assert_type(request.text, str)
    assert_type(request.tools, list[str])
    return len(request.messages) > 1


def makes_clients(fake: FakeServing) -> None:
    assert_type(fake.client(), ServingClient)
    assert_type(fake.async_client(retry=RetryPolicy(max_retries=0)), AsyncServingClient)
    fake.client(auth=OAuthClientCredentials("id", "secret"), timeout=3, max_retries=1)
    ServingClient("https://a.example", "t", transport=fake)
    AsyncServingClient("https://a.example", "t", transport=fake)
    httpx.Client(transport=fake)
    with fake.installed() as entered:
        assert_type(entered, FakeServing)


def scripts(fake: FakeServing) -> None:
    options: ReplyOptions = {"endpoint": "m", "times": None, "delay": 2}
    fake.chat("a", reasoning="b", usage={"prompt_tokens": 3}, **options)
    fake.chat({"a": [1]}, when=is_long)
    fake.chat_stream(["a"], cut_after=1, first_event_after=3.5, line_end="\r\n")
    fake.tool_call("f", {"a": 1})
    fake.tool_calls([("f", {}), ("g", "{")], text="a", when={"temperature": 1})
    fake.completion("a", times=3)
    fake.embedding(dim=8)
    fake.embedding([[1, 2.5]])
    fake.predictions([1, "a", None])
    fake.response(output=[{"type": "message"}])
    fake.agent("a", stall_after=3)
    fake.respond(lambda request: request.text, task="chat")
    fake.error(429, retry_after=2)
    fake.connection_error("reset", times=2)
    fake.endpoint("m", ready=[False, True])
    fake.default("echo")
    FakeServing(default=lambda request: request.text)


def asks(fake: FakeServing) -> None:
    assert_type(fake.requests, Sequence[RecordedRequest])
    assert_type(fake.last, RecordedRequest)
    assert_type(fake.time, FakeTime)
    assert_type(fake.time.slept, list[float])
    fake.assert_called(endpoint="m", temperature=0.5, text=re.compile("a"))
    fake.assert_called_once(messages=[{"role": "user"}])
    fake.assert_not_called(task="embeddings")
    fake.assert_all_used()


def fails(error: UnexpectedRequestError) -> AssertionError:
    return error
