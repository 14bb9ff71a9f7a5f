"""A workspace on this machine that has the endpoints of the documents, and is logged in to."""

import pytest

from databricks_serving import ServingClient
from databricks_serving.local import LocalEndpoint

ENDPOINTS = {
    "databricks-bge-large-en": "llm/v1/embeddings",
    "databricks-gte-large-en": "llm/v1/embeddings",
    "databricks-dbrx-instruct": "llm/v1/chat",
    "databricks-meta-llama-3-1-70b-instruct": "llm/v1/chat",
    "anthropic-completions-endpoint": "llm/v1/completions",
    "my-llm": "custom",
}


@pytest.fixture(autouse=True)
def local(monkeypatch):
    """A workspace whose address and token stand in the environment, as the documents have it."""
    with LocalEndpoint(endpoints=ENDPOINTS) as endpoint:
        monkeypatch.setenv("DATABRICKS_HOST", endpoint.host)
        monkeypatch.setenv("DATABRICKS_TOKEN", endpoint.token)
        yield endpoint


@pytest.fixture
def client():
    with ServingClient() as made:
        yield made
