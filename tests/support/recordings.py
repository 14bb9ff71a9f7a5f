"""Recorded exchanges: where they are and what is in them."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
OWN = ROOT / "tests" / "recordings"
# More recordings may lie beside the checkout; they are not part of this repository.
SHARED = ROOT.parent / "shared" / "recordings"
NO_SHARED = f"no folder {SHARED.relative_to(ROOT.parent)} beside the checkout"

# What a call sends where the recording does not hold its request.
ANY = {
    "chat": {"messages": [{"role": "user", "content": "Hello?"}]},
    "completions": {"prompt": "Hello"},
    "embeddings": {"input": "Hello"},
    "predictions": {"inputs": ["Hello"]},
    "responses": {"input": [{"role": "user", "content": "Hello?"}]},
    "agents": {"messages": [{"role": "user", "content": "Hello?"}]},
}
TASKS = tuple(ANY)


@dataclass(frozen=True)
class Recording:
    """One exchange; a streamed body is the raw text of the stream."""

    name: str
    task: str
    stream: bool
    request: dict[str, Any]
    status: int
    headers: dict[str, str]
    body: Any
    expect: dict[str, Any] = field(default_factory=dict)
    dispatched: list[list[str]] | None = None

    @property
    def content(self) -> bytes:
        """The body as bytes on the wire."""
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return text.encode()

    @property
    def sendable(self) -> dict[str, Any]:
        """A request to send for this reply: the recorded one if there is one."""
        if self.request:
            return self.request
        if self.task == "embeddings" and self.is_json:
            # A reply must have a vector for each text.
            return {"input": ["Hello"] * len(self.body.get("data") or ["one"])}
        return ANY.get(self.task, ANY["chat"])

    @property
    def is_json(self) -> bool:
        """Whether the body is a JSON object that came whole."""
        return isinstance(self.body, dict)


def own() -> list[Recording]:
    """Return the recordings of this repository."""
    return [_own(path) for path in sorted(OWN.rglob("*.json"))]


def shared() -> list[Recording]:
    """Return the recordings beside the checkout; empty without them."""
    return [_shared(path) for path in sorted(SHARED.glob("*.json"))]


def _own(path: Path) -> Recording:
    data = json.loads(path.read_text())
    task = path.parent.name
    return Recording(
        name=f"{task}/{path.stem}",
        task="chat" if task == "errors" else task,
        stream=data["stream"],
        request=data["request"],
        status=data["status"],
        headers=data["headers"],
        body=data["body"],
        expect=data["expect"],
    )


def _shared(path: Path) -> Recording:
    data = json.loads(path.read_text())
    return Recording(
        name=path.stem,
        task=_task_of(path.stem, data["task"]),
        stream=data["stream"],
        request=data["request"] or {},
        status=data["status"],
        headers=data["headers"],
        body=data["body"],
        dispatched=data.get("expected"),
    )


def _task_of(name: str, task: str) -> str:
    if task != "custom":
        return task
    return "agents" if "chatagent" in name else "predictions"
