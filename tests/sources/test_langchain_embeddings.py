"""LangChain's `DatabricksEmbeddings`, from its notebook: the samples with this package."""

import asyncio

import pytest

from databricks_serving import AsyncServingClient
from databricks_serving.errors import InvalidRequestError

DOCUMENTS = ["This is a dummy document.", "This is another dummy document."]


def test_a_text_is_embedded(client):
    embeddings = client.endpoint("databricks-bge-large-en", task="embeddings")
    vector = embeddings.embed_query("hello")
    assert len(vector[:3]) == 3
    assert vector == embeddings.embed_documents(["hello"])[0]


def test_documents_are_embedded_in_their_order(client):
    embeddings = client.endpoint("databricks-bge-large-en", task="embeddings")
    first, second = embeddings.embed_documents(DOCUMENTS)
    assert first == embeddings.embed_query(DOCUMENTS[0])
    assert second == embeddings.embed_query(DOCUMENTS[1])
    assert first != second


def test_parameters_for_queries_and_for_documents_are_apart(client):
    embeddings = client.endpoint("databricks-bge-large-en", task="embeddings")
    instructed = embeddings.embed_query("hello", query_params={"instruction": "Find passages."})
    short = embeddings.embed_documents(DOCUMENTS, documents_params={"dimensions": 8})
    assert instructed != embeddings.embed_query("hello")
    assert [len(vector) for vector in short] == [8, 8]


def test_the_spelling_of_the_document_is_refused_instead_of_passed_over(client):
    embeddings = client.endpoint("databricks-bge-large-en", task="embeddings")
    with pytest.raises(InvalidRequestError, match="did you mean 'documents_params'"):
        embeddings.embed_documents(DOCUMENTS, document_params={"dimensions": 8})


def test_all_of_it_can_be_awaited():
    async def embed():
        async with AsyncServingClient() as client:
            embeddings = client.endpoint("databricks-bge-large-en", task="embeddings")
            return await asyncio.gather(
                embeddings.embed_query("hello"), embeddings.embed_documents(DOCUMENTS)
            )

    vector, vectors = asyncio.run(embed())
    assert {len(one) for one in (vector, *vectors)} == {64}


def test_an_embedding_model_of_ones_own_is_asked_in_its_own_way(client):
    # A model that was logged with MLflow: rows in, predictions out.
    embeddings = client.endpoint(
        "my-llm", task="custom", transform_output=lambda prediction: prediction.predictions
    )
    assert embeddings.invoke([[0.5, 1.5], [1, 2]], form="inputs") == [2.0, 3]
