"""A service that sums up what customers say, with one model-serving endpoint."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from databricks_serving import AsyncServingClient, errors
from databricks_serving.params import MessageDict

ENDPOINT = os.environ.get("REVIEWS_ENDPOINT", "local-chat")


class Reviews(BaseModel):
    """What customers wrote."""

    texts: list[str]


class Summary(BaseModel):
    """What it comes to."""

    text: str
    complete: bool
    tokens: int


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    """Keep one client for all requests; host and login come from the environment."""
    async with AsyncServingClient() as client:
        app.state.serving = client
        yield


def serving(request: Request) -> AsyncServingClient:
    """Return the client of the service."""
    client: AsyncServingClient = request.app.state.serving
    return client


Serving = Annotated[AsyncServingClient, Depends(serving)]
app = FastAPI(lifespan=lifespan)


@app.post("/summaries")
async def summarise(reviews: Reviews, client: Serving) -> Summary:
    """Sum up reviews in one sentence."""
    try:
        reply = await client.chat.completions.create(
            model=ENDPOINT, messages=conversation(reviews), max_tokens=60, temperature=0.0
        )
    except errors.RateLimitError as error:
        raise HTTPException(503, "the model is busy", headers=retry_after(error)) from error
    except errors.ServingError as error:
        raise HTTPException(502, f"no summary (request {error.request_id})") from error
    return Summary(
        text=reply.text,
        complete=reply.finish_reason == "stop",
        tokens=reply.usage.completion_tokens or 0 if reply.usage else 0,
    )


@app.post("/summaries/stream")
async def stream(reviews: Reviews, client: Serving) -> StreamingResponse:
    """Sum up reviews, word by word."""

    async def words() -> AsyncGenerator[str]:
        try:
            async with client.chat.completions.stream(
                model=ENDPOINT, messages=conversation(reviews), max_tokens=60, temperature=0.0
            ) as events:
                async for text in events.text_stream:
                    yield text
        except errors.StreamInterruptedError:
            # A reader must be able to tell half a summary from a whole one.
            yield " [interrupted]"

    return StreamingResponse(words(), media_type="text/plain")


def conversation(reviews: Reviews) -> list[MessageDict]:
    """Return what the model is asked."""
    listed = "\n".join(f"- {text}" for text in reviews.texts)
    return [
        {"role": "system", "content": "You sum up customer reviews in one short sentence."},
        {"role": "user", "content": f"Reviews:\n{listed}"},
    ]


def retry_after(error: errors.RateLimitError) -> dict[str, str]:
    """Pass on when the endpoint will have room again."""
    return {} if error.retry_after is None else {"retry-after": f"{error.retry_after:.0f}"}
