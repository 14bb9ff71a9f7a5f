"""Embeddings and parts of messages as a user's type checker sees them; checked, never run."""

# pyright: strict

from pathlib import Path
from typing import BinaryIO, assert_type

import numpy as np
import numpy.typing as npt

from databricks_serving import (
    AsyncServingClient,
    PartialVectors,
    ServingClient,
    ServingError,
    UsageTotals,
    Vectors,
    parts,
)
from databricks_serving.models import EmbeddingResponse, UserMessage
from databricks_serving.params import (
    AudioUrlPartDict,
    ContentPartDict,
    DocumentsArguments,
    FilePartDict,
    ImagePartDict,
    InputAudioPartDict,
    MessageDict,
    QueryArguments,
    TextPartDict,
    VideoUrlPartDict,
)


def helpers(client: ServingClient, flag: bool) -> None:
    embeddings = client.embeddings
    assert_type(embeddings.embed_query("a", model="m"), list[float])
    query: QueryArguments = {"query_params": {"user": "u"}, "instruction": "b", "deadline": 3}
    assert_type(embeddings.embed_query("a", model="m", **query), list[float])
    assert_type(embeddings.embed_documents(["a"], model="m"), Vectors)
    assert_type(embeddings.embed_documents((), model="m", fail_on_error=True), Vectors)
    assert_type(
        embeddings.embed_documents(iter("a"), model="m", fail_on_error=False), PartialVectors
    )
    either = embeddings.embed_documents(["a"], model="m", fail_on_error=flag)
    assert_type(either, Vectors | PartialVectors)
    assert_type(either.failures, dict[int, ServingError])
    documents: DocumentsArguments = {
        "documents_params": None,
        "batch_size": 3,
        "batch_bytes": 3,
        "concurrency": 3,
        "encoding_format": "base64",
        "on_progress": print,
    }
    assert_type(embeddings.embed_documents(["a"], model="m", **documents), Vectors)


def lists(vectors: Vectors, partial: PartialVectors, reply: EmbeddingResponse) -> None:
    plain: list[list[float]] = vectors
    print(plain)
    assert_type(vectors[0], list[float])
    assert_type(vectors.as_array(), npt.NDArray[np.float32])
    assert_type(vectors.is_normalized(tol=1e-6), bool)
    assert_type(vectors.normalized(), Vectors)
    assert_type(vectors.dimensions, int)
    assert_type(vectors.usage, UsageTotals)
    assert_type(vectors.model, str | None)
    assert_type(partial[0], list[float] | None)
    assert_type(partial.rows, list[int])
    assert_type(partial.vectors, Vectors)
    assert_type(partial.complete(), Vectors)
    assert_type(reply.as_array(), npt.NDArray[np.float32])
    assert_type(reply.is_normalized(), bool)
    assert_type(reply.normalized(), list[list[float]])


async def asynchronous(client: AsyncServingClient) -> None:
    embeddings = client.embeddings
    assert_type(await embeddings.embed_query("a", model="m"), list[float])
    assert_type(await embeddings.embed_documents(["a"], model="m"), Vectors)
    found = await embeddings.embed_documents(["a"], model="m", fail_on_error=False)
    assert_type(found, PartialVectors)


def content(client: ServingClient, opened: BinaryIO) -> None:
    text = parts.text("a", cache_control={"type": "ephemeral"})
    assert_type(text, TextPartDict)
    assert_type(parts.image(Path("a.png"), detail="low"), ImagePartDict)
    assert_type(parts.image(b"", media_type="image/png", max_bytes=9), ImagePartDict)
    assert_type(parts.audio(opened, format="wav"), InputAudioPartDict)
    assert_type(parts.audio_url("https://example.com/a.mp3"), AudioUrlPartDict)
    assert_type(parts.video_url("https://example.com/a.mp4"), VideoUrlPartDict)
    assert_type(parts.file(bytearray(), filename="a.pdf"), FilePartDict)
    message: MessageDict = {"role": "user", "content": [text, parts.image(opened)]}
    mixed: list[ContentPartDict] = [text, parts.file(Path("a.pdf"))]
    client.chat.completions.create(
        model="m", messages=[message, {"role": "user", "content": mixed}]
    )
    client.chat.completions.create(
        model="m",
        messages=[{"role": "user", "content": [parts.text("a"), parts.image(Path("a.png"))]}],
    )
    print(UserMessage(content="a"))
