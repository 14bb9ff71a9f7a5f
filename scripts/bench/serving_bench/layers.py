"""Where the microseconds of a call, a chunk and a batch go, layer by layer, against the floor.

Each layer is timed by itself on the same bytes, in CPU time. What is left of the whole is what
joins them: credentials, limits, retries, the pool.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from statistics import median
from typing import Any, Final
from uuid import uuid4

from databricks_serving import ServingClient
from databricks_serving._core import json_codec
from databricks_serving._core.http1 import AnswerReader
from databricks_serving._core.operations import CHAT, EMBEDDING
from databricks_serving._core.reading import Reading
from databricks_serving._core.requests import build_request
from databricks_serving._core.sse import SSEDecoder
from databricks_serving._core.streaming import StreamSession
from databricks_serving._http.outgoing import outgoing
from databricks_serving_api.types import ReplyMeta
from serving_bench import payloads
from serving_bench.clients import factory
from serving_bench.clients.common import MESSAGES, TEXTS, TOKEN
from serving_bench.rounds import server
from serving_bench.server import pin

ROUNDS: Final = 9
_CHUNKS: Final = 1000
_META: Final = ReplyMeta(200, {"content-type": "text/event-stream"})


def cost(work: Callable[[], object], times: int) -> float:
    """Return the median of the CPU seconds that some work takes."""
    work()
    taken: list[float] = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(times):
            work()
        taken.append((time.process_time() - began) / times)
    return median(taken)


def show(title: str, layers: dict[str, float], whole: float, floor: float) -> None:
    """Print a table."""
    print(f"\n{title}\n{'':34}     us  share")
    rest = {"what joins them": whole - sum(layers.values())}
    for name, seconds in (layers | rest).items():
        print(f"  {name:32} {seconds * 1e6:6.1f}  {seconds / whole:5.0%}")
    print(f"  {'the whole':32} {whole * 1e6:6.1f}  {whole / floor:.1f} times the floor's")
    print(f"  {'the floor':32} {floor * 1e6:6.1f}")


def call(client: ServingClient, ours: Any, floor: Any) -> None:
    """Show a small call."""
    answer = payloads.chat()
    body = answer.partition(b"\r\n\r\n")[2]
    data = json_codec.decode(body)
    arguments = {"messages": MESSAGES}
    request = _request(client, CHAT, arguments)
    bare = cost(lambda: floor.chat("bench-chat"), 300)
    layers = {
        "socket, there and back": bare - cost(lambda: json_codec.decode(body), 1000),
        "building the request": cost(lambda: _request(client, CHAT, arguments), 300),
        "the request as bytes": cost(lambda: outgoing(request), 1000),
        "reading HTTP": cost(lambda: AnswerReader().feed(answer), 1000),
        "reading JSON": cost(lambda: json_codec.decode(body), 1000),
        "checking its shape": cost(lambda: CHAT.check(data, 1), 1000),
        "making models": cost(lambda: CHAT.parse(data), 1000),
    }
    show("A small call", layers, cost(lambda: ours.chat("bench-chat"), 300), bare)


def chunk(ours: Any, floor: Any) -> None:
    """Show a chunk of a stream."""
    events = payloads.events(_CHUNKS)
    pieces = payloads.chunked(events)
    raw = [event[6:-2] for event in events[:-1]]

    def http() -> None:
        reader = AnswerReader()
        for piece in pieces:
            reader.feed(piece)

    def sse() -> None:
        decoder = SSEDecoder()
        for event in events:
            decoder.feed(event)

    def session(*, typed: bool) -> None:
        one = StreamSession(CHAT, _META, Reading())
        for event in events:
            one.feed(event)
            while one.advance():
                if typed:
                    one.chunk()

    reading, splitting = cost(http, 1) / _CHUNKS, cost(sse, 1) / _CHUNKS
    decoding = cost(lambda: [json_codec.decode(one) for one in raw], 1) / _CHUNKS
    untyped = cost(lambda: session(typed=False), 1) / _CHUNKS
    layers = {
        "reading HTTP": reading,
        "splitting events": splitting,
        "reading JSON": decoding,
        "checking, putting together": untyped - splitting - decoding,
        "making models": cost(lambda: session(typed=True), 1) / _CHUNKS - untyped,
    }
    name = f"bench-events-{_CHUNKS}"
    whole = cost(lambda: ours.stream(name), 1) / _CHUNKS
    show("A chunk of a stream", layers, whole, cost(lambda: floor.stream(name), 1) / _CHUNKS)


def batch(client: ServingClient, ours: Any, floor: Any) -> None:
    """Show a batch of embeddings, as numbers and as base64."""
    for title, name, packed in (
        ("64 vectors as JSON", "bench-floats-64", False),
        ("64 vectors as base64", "bench-packed-64", True),
    ):
        answer = payloads.vectors(packed=packed)
        body = answer.partition(b"\r\n\r\n")[2]
        checking = cost(lambda body=body: _checked(body), 10)
        decoding = cost(lambda body=body: json_codec.decode(body), 10)
        data = _checked(body)
        reply = EMBEDDING.parse(data)
        layers = {
            "building the request": cost(lambda: _request(client, EMBEDDING, {"input": TEXTS}), 50),
            "reading HTTP": cost(lambda answer=answer: AnswerReader().feed(answer), 50),
            "reading JSON": decoding,
            "checking its shape": checking - decoding,
            "making models": cost(lambda data=data: EMBEDDING.parse(data), 50),
        }
        if packed:
            layers["one array"] = cost(lambda reply=reply: reply.as_array(), 50)
        method = "embed_packed" if packed else "embed"
        whole = cost(lambda method=method, name=name: getattr(ours, method)(name), 10)
        bare = cost(lambda method=method, name=name: getattr(floor, method)(name), 10)
        show(title, layers, whole, bare)


def _checked(body: bytes) -> Any:
    data = json_codec.decode(body)
    EMBEDDING.check(data, len(TEXTS))
    return data


def _request(client: ServingClient, operation: Any, arguments: dict[str, Any]) -> Any:
    caller: Any = vars(client)["_caller"]
    place = caller.credentials.access.resolved.place
    known = operation, caller.settings, place, "bench-chat", arguments
    return build_request(*known, call_id=str(uuid4()))


def main() -> None:
    """Show all."""
    with ExitStack() as stack:
        host = stack.enter_context(server())
        # Not before: the server would be kept on the same core.
        pin(0)
        client = stack.enter_context(ServingClient(host, TOKEN))
        ours, floor = factory("ours")(host), factory("floor")(host)
        stack.callback(ours.close)
        stack.callback(floor.close)
        client.chat.completions.create(model="bench-chat", messages=MESSAGES)
        call(client, ours, floor)
        chunk(ours, floor)
        batch(client, ours, floor)


if __name__ == "__main__":
    main()
