"""What goes over the wire, in short."""

import json
from collections.abc import AsyncIterator

import httpx

HOST = "https://workspace.example.com"
TOKEN = "dapi-canary-0123456789"
USER = [{"role": "user", "content": "Name a river."}]


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A response body in pieces; a piece that is an exception is raised."""

    def __init__(self, *pieces):
        self.pieces = pieces
        self.given = 0
        self.closed = 0

    def __iter__(self):
        for piece in self.pieces:
            self.given += 1
            if isinstance(piece, BaseException):
                raise piece
            yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in iter(self):
            yield piece

    def close(self):
        self.closed += 1

    async def aclose(self):
        self.closed += 1


def chat(text="The Po.", finish_reason="stop", **message):
    message = {"role": "assistant", "content": text, **message}
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    return {"id": "c", "object": "chat.completion", "choices": [choice]}


def completion(text=" wet", finish_reason="stop"):
    return {"id": "c", "choices": [{"index": 0, "text": text, "finish_reason": finish_reason}]}


def embeddings(*vectors):
    data = [{"index": n, "embedding": vector} for n, vector in enumerate(vectors)]
    return {"object": "list", "data": data}


def chunk(text=None, finish_reason=None, index=0, **delta):
    delta |= {} if text is None else {"content": text}
    choice = {"index": index, "delta": delta, "finish_reason": finish_reason}
    return {"id": "c", "object": "chat.completion.chunk", "choices": [choice]}


def text_chunk(text, finish_reason=None, index=0):
    choice = {"index": index, "text": text, "finish_reason": finish_reason}
    return {"id": "c", "object": "text_completion", "choices": [choice]}


def sse(*events):
    """Write events; a text is data as it stands, and bytes are a whole event."""
    blocks = []
    for event in events:
        if isinstance(event, bytes):
            blocks.append(event)
        else:
            data = event if isinstance(event, str) else json.dumps(event)
            blocks.append(f"data: {data}\n\n".encode())
    return b"".join(blocks)


def stream(*events, **headers):
    """Return a response that streams events, all in one piece."""
    return pieces(sse(*events), **headers)


def pieces(*pieces, content_type="text/event-stream", **headers):
    """Return a response that streams bytes piece by piece."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    kind = {} if content_type is None else {"content-type": content_type}
    return httpx.Response(200, headers={**kind, **named}, stream=Body(*pieces))


def json_reply(body, status=200, **headers):
    """Return a whole JSON response."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json=body, headers=named)
