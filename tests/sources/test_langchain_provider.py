"""Databricks as a provider of LangChain, from its page: the samples, and what they lead to."""

import asyncio

import pytest

from databricks_serving import AsyncServingClient
from databricks_serving.errors import InvalidRequestError, NotFoundError

CONFIG = {"openai_api_key": "{{secrets/scope/key}}"}


def test_an_endpoint_for_a_model_elsewhere_is_created_and_answers(client):
    client.endpoints.create_external(
        name="chat",
        provider="openai",
        model="gpt-4",
        task="llm/v1/chat",
        config=CONFIG,
        served_name="test",
    )
    assert client.endpoints.wait_ready("chat", deadline=30).is_ready
    chat = client.endpoint("chat", defaults={"temperature": 0.1})
    assert chat.invoke("hello").text == "You said: hello"


def test_one_served_model_of_the_endpoint_is_called_by_its_name(client):
    client.endpoints.create_external(
        name="chat",
        provider="openai",
        model="gpt-4",
        task="llm/v1/chat",
        config=CONFIG,
        served_name="test",
    )
    reply = client.endpoint("chat", served_model="test").invoke("hello")
    assert reply.served_model_name == "test"


def test_a_key_in_plain_text_is_refused_before_anything_is_sent(client):
    with pytest.raises(InvalidRequestError, match="reference to a secret"):
        client.endpoints.create_external(
            name="chat",
            provider="openai",
            model="gpt-4",
            task="llm/v1/chat",
            config={"openai_api_key": "sk-made-up"},
        )
    with pytest.raises(NotFoundError):
        client.endpoints.get("chat")


def test_a_foundation_model_embeds(client):
    embeddings = client.endpoint("databricks-bge-large-en", task="embeddings")
    assert len(embeddings.embed_query("hello")[:3]) == 3


def test_the_task_of_an_endpoint_can_be_left_to_the_workspace(client):
    assert client.endpoint("databricks-dbrx-instruct", task="infer").invoke("hello").text
    assert client.endpoint("databricks-bge-large-en", task="infer").invoke("hello").vectors
    assert client.endpoint("my-llm", task="infer").invoke([{"prompt": "hello"}]).predictions


def test_an_app_on_a_cluster_is_called_as_an_endpoint_is(client):
    llm = client.endpoint(cluster_id="0101-000000-abcdefgh", port=7777)
    assert llm.invoke("How are you?") == "You said: How are you?"


def test_all_of_it_can_be_awaited():
    async def ask():
        async with AsyncServingClient() as client:
            created = await client.endpoints.create_external(
                name="chat", provider="openai", model="gpt-4", task="llm/v1/chat", config=CONFIG
            )
            ready = await client.endpoints.wait_ready(created.name, deadline=30)
            return await client.endpoint(ready.name, task="infer").invoke("hello")

    assert asyncio.run(ask()).text == "You said: hello"
