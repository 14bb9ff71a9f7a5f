"""The guide to querying foundation models, in its seven ways: the samples in ours.

openai's client, REST, `mlflow.deployments`, databricks-sdk and LangChain all come down to the same
typed call here. SQL is not for a client; what its sample asks is asked as well.
"""

import asyncio
import math

import numpy as np

from databricks_serving import AsyncServingClient, ServingClient
from databricks_serving.models import SystemMessage, UserMessage

DBRX = "databricks-dbrx-instruct"
QUESTION = "What is a mixture of experts model?"
MESSAGES = [
    {"role": "system", "content": "You are a helpful assistant."},
    {"role": "user", "content": QUESTION},
]


def test_a_chat_as_with_the_client_of_openai(client):
    response = client.chat.completions.create(model=DBRX, messages=MESSAGES, max_tokens=256)
    assert response.choices[0].message.content == f"You said: {QUESTION}"


def test_a_chat_with_an_address_and_a_token_outside_of_a_workspace(local):
    with ServingClient(local.host, token=local.token, route="openai") as client:
        response = client.chat.completions.create(model=DBRX, messages=MESSAGES, max_tokens=256)
    assert response.text == f"You said: {QUESTION}"


def test_a_chat_as_by_curl(client):
    raw = client.chat.completions.with_raw_response.create(model=DBRX, messages=MESSAGES)
    assert raw.status_code == 200
    assert raw.json()["choices"][0]["message"]["content"] == f"You said: {QUESTION}"


def test_a_chat_as_with_mlflow_deployments(client):
    chat_response = client.predict(
        endpoint=DBRX,
        inputs={
            "messages": [
                {"role": "user", "content": "Hello!"},
                {"role": "assistant", "content": "Hello! How can I assist you today?"},
                {"role": "user", "content": QUESTION},
            ],
            "temperature": 0.1,
            "max_tokens": 20,
        },
    )
    assert chat_response["choices"][0]["message"]["content"] == f"You said: {QUESTION}"
    assert chat_response["usage"]["total_tokens"] > 0


def test_a_chat_as_with_databricks_sdk(client):
    response = client.chat.completions.create(
        model=DBRX,
        messages=[
            SystemMessage(content="You are a helpful assistant."),
            UserMessage(content=QUESTION),
        ],
        max_tokens=128,
    )
    assert response.choices[0].message.content == f"You said: {QUESTION}"


def test_a_chat_as_with_langchain(client):
    llm = client.endpoint(DBRX)
    assert llm.invoke(MESSAGES).text == f"You said: {QUESTION}"


def test_a_chat_as_by_sql(client):
    llm = client.endpoint("databricks-meta-llama-3-1-70b-instruct")
    assert llm.invoke("Can you explain AI in ten words?").text.startswith("You said: Can you")


def test_embeddings_of_one_text_and_of_several(client):
    response = client.embeddings.create(model="databricks-gte-large-en", input="what is databricks")
    assert response.data[0].embedding == response.vectors[0]
    several = client.embeddings.create(model="databricks-gte-large-en", input=["embedding text"])
    assert (len(several.data), several.data[0].index) == (1, 0)


def test_embeddings_as_with_mlflow_deployments(client):
    response = client.predict(
        endpoint="databricks-gte-large-en", inputs={"input": "Here is some text to embed"}
    )
    assert len(response["data"][0]["embedding"]) == 64


def test_embeddings_as_with_langchain(client):
    embeddings = client.endpoint("databricks-gte-large-en", task="embeddings")
    assert len(embeddings.embed_query("Can you explain AI in ten words?")) == 64


def test_whether_embeddings_are_normalised(client):
    embeddings = client.endpoint("databricks-gte-large-en", task="embeddings")
    vectors = embeddings.embed_documents(["Embed this sentence!", "And this one."])
    assert vectors.is_normalized(tol=1e-3)
    # As the document works it out.
    assert all(abs(np.linalg.norm(vector) - 1) < 1e-3 for vector in vectors)
    assert all(math.isclose(math.hypot(*vector), 1, abs_tol=1e-3) for vector in vectors)


def test_a_completion_as_with_the_client_of_openai(client):
    completion = client.completions.create(
        model="anthropic-completions-endpoint", prompt="what is databricks", temperature=1.0
    )
    assert completion.text == " You said: what is databricks"


def test_a_completion_as_with_mlflow_deployments(client):
    response = client.predict(
        endpoint="anthropic-completions-endpoint",
        inputs={
            "prompt": "What is the capital of France?",
            "temperature": 0.1,
            "max_tokens": 10,
            "n": 2,
        },
    )
    assert [choice["index"] for choice in response["choices"]] == [0, 1]


def test_a_completion_as_with_databricks_sdk(client):
    completions = client.endpoint("anthropic-completions-endpoint", task="completions")
    response = completions.invoke("Write 3 reasons for a model of your own.")
    assert response.choices[0].text == response.text


def test_a_completion_with_all_the_parameters_of_the_document(client):
    completion = client.completions.create(
        model="anthropic-completions-endpoint",
        prompt="What is mlflow? Human: I know.",
        max_tokens=100,
        temperature=0.1,
        stop=["Human:"],
        n=1,
        extra_params={"top_p": 0.9},
    )
    assert completion.text == " You said: What is mlflow? "
    assert completion.finish_reason == "stop"


def test_all_of_it_can_be_awaited():
    async def ask():
        async with AsyncServingClient() as client:
            return await asyncio.gather(
                client.chat.completions.create(model=DBRX, messages=MESSAGES, max_tokens=256),
                client.endpoint(DBRX).invoke(MESSAGES),
                client.predict(endpoint=DBRX, inputs={"messages": MESSAGES}),
            )

    created, invoked, predicted = asyncio.run(ask())
    assert created.text == invoked.text == predicted["choices"][0]["message"]["content"]


def test_a_chat_streams_and_is_whole_at_its_end(client):
    with client.endpoint(DBRX).stream(MESSAGES) as stream:
        assert "".join(stream.text_stream) == f"You said: {QUESTION}"
        assert stream.get_final_completion().finish_reason == "stop"
