"""LangChain's `Databricks`, a legacy completion class: its notebook with this package."""

import asyncio

from databricks_serving import AsyncServingClient, ServingClient


def test_the_address_and_the_token_come_from_the_environment_or_the_arguments(local, monkeypatch):
    with ServingClient() as client:
        assert client.host == local.host
    monkeypatch.delenv("DATABRICKS_HOST")
    monkeypatch.delenv("DATABRICKS_TOKEN")
    with ServingClient(host=local.host, token=local.token) as client:
        assert client.endpoint("my-llm", task="text").invoke("Hi") == "You said: Hi"
        assert local.token not in repr(client)


def test_a_prompt_is_answered(client):
    llm = client.endpoint("my-llm", task="text")
    assert llm.invoke("How are you?") == "You said: How are you?"


def test_an_answer_ends_at_a_stop_text(client):
    llm = client.endpoint("my-llm", task="text")
    assert llm.invoke("How are you? Well.", stop=["?"]) == "You said: How are you"


def transform_input(**request):
    request["prompt"] = f"{request['prompt']} Be concise."
    return request


def transform_output(response):
    return response.upper()


def test_what_goes_out_and_what_comes_back_is_transformed(client):
    llm = client.endpoint(
        "my-llm", task="text", transform_input=transform_input, transform_output=transform_output
    )
    assert llm.invoke("How are you?") == "YOU SAID: HOW ARE YOU? BE CONCISE."


def test_what_the_class_cannot_do_is_done_here():
    """The document names its limits: no asynchronous calls, no batches."""

    async def ask():
        async with AsyncServingClient() as client:
            llm = client.endpoint("my-llm", task="text", defaults={"stop": ["."]})
            return await asyncio.gather(*(llm.invoke(f"{n}. more") for n in range(3)))

    assert asyncio.run(ask()) == [f"You said: {n}" for n in range(3)]


def test_a_batch_of_prompts_is_one_request(client):
    llm = client.endpoint("my-llm", task="custom")
    prediction = llm.invoke([{"prompt": "Why?"}, {"prompt": "Why not?"}])
    assert prediction.predictions == ["You said: Why?", "You said: Why not?"]
