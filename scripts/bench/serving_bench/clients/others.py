"""The clients of Databricks itself."""

import os
from typing import Any

from serving_bench.clients.common import MESSAGES, TEXTS, TOKEN


class Databricks:
    """The official SDK; it does not stream."""

    def __init__(self, host: str) -> None:
        from databricks.sdk import WorkspaceClient
        from databricks.sdk.service.serving import ChatMessage, ChatMessageRole

        self._client = WorkspaceClient(host=host, token=TOKEN)
        self._messages = [
            ChatMessage(role=ChatMessageRole(message["role"]), content=message["content"])
            for message in MESSAGES
        ]

    def chat(self, model: str) -> Any:
        """Make a small call and read its text."""
        reply = self._client.serving_endpoints.query(name=model, messages=self._messages)
        assert reply.choices  # noqa: S101 - a client that reads nothing would be cheap
        assert reply.choices[0].message  # noqa: S101 - as above
        return reply.choices[0].message.content

    def embed(self, model: str) -> int:
        """Have texts embedded as lists; return how many vectors came."""
        return len(self._client.serving_endpoints.query(name=model, input=TEXTS).data or [])

    def close(self) -> None:
        """Close nothing: it has no way to."""


class Mlflow:
    """The client for deployments of MLflow; it gives dictionaries."""

    def __init__(self, host: str) -> None:
        os.environ |= {"DATABRICKS_HOST": host, "DATABRICKS_TOKEN": TOKEN}
        from mlflow.deployments import get_deploy_client

        self._client: Any = get_deploy_client("databricks")

    def chat(self, model: str) -> str:
        """Make a small call and read its text."""
        reply = self._client.predict(endpoint=model, inputs={"messages": MESSAGES})
        return reply["choices"][0]["message"]["content"]

    def stream(self, model: str) -> int:
        """Read a stream chunk by chunk; return how many came."""
        return sum(
            1 for _ in self._client.predict_stream(endpoint=model, inputs={"messages": MESSAGES})
        )

    text = stream

    def embed(self, model: str) -> int:
        """Have texts embedded as lists; return how many vectors came."""
        return len(self._client.predict(endpoint=model, inputs={"input": TEXTS})["data"])

    def close(self) -> None:
        """Close nothing: it has no way to."""
