import time
import uuid
from collections.abc import Generator

from databricks_serving.local.backends.deterministic import (
    agent,
    chat,
    completion,
    embedding,
    prediction,
)
from databricks_serving.local.jsontypes import Json
from databricks_serving.local.tasks import Task


class DeterministicBackend:
    """Answers by rule; see the package for the rules. Only ids and times change between calls."""

    model = "deterministic-echo"

    def start(self) -> None:
        """Nothing to make ready."""

    def close(self) -> None:
        """Nothing to stop."""

    def reply(self, task: Task, request: Json) -> Json:
        """Answer in one piece."""
        match task:
            case Task.CHAT:
                return stamp("chatcmpl_", "chat.completion", self.model) | chat.reply(request)
            case Task.COMPLETION:
                return stamp("cmpl_", "text_completion", self.model) | completion.reply(request)
            case Task.EMBEDDING:
                identity: Json = {"id": str(uuid.uuid4()), "object": "list", "model": self.model}
                return identity | embedding.reply(request)
            case Task.RESPONSES:
                return agent.response(request)
            case Task.AGENT:
                return agent.messages(request)
            case Task.CUSTOM:
                return prediction.reply(request)

    def events(self, task: Task, request: Json) -> Generator[Json, None, None]:
        """Answer in pieces."""
        own = {
            Task.RESPONSES: agent.response_events,
            Task.AGENT: agent.message_chunks,
            Task.CUSTOM: prediction.events,
        }
        if task in own:
            return (event for event in own[task](request))
        if task is Task.CHAT:
            head, pieces = (
                stamp("chatcmpl_", "chat.completion.chunk", self.model),
                chat.events(request),
            )
        else:
            head, pieces = stamp("cmpl_", "text_completion", self.model), completion.events(request)
        return (head | piece for piece in pieces)


def stamp(prefix: str, kind: str, model: str) -> Json:
    """Return what is new in each answer."""
    return {
        "id": f"{prefix}{uuid.uuid4()}",
        "object": kind,
        "created": int(time.time()),
        "model": model,
    }
