"""HAR files, as browsers and proxies write them (version 1.2)."""

import base64
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from databricks_serving.testing.importing.exchange import Exchange


def exchanges_of(text: str) -> Iterator[Exchange]:
    """Yield the exchanges of a HAR file.

    Raises:
        ValueError: When it is none.
        KeyError: When a needed key is missing.
    """
    for entry in json.loads(text)["log"]["entries"]:
        request, response = entry["request"], entry["response"]
        yield Exchange(
            method=request["method"],
            url=request["url"],
            sent_headers=_headers(request),
            sent=request.get("postData", {}).get("text", "").encode(),
            status=response["status"],
            headers=_headers(response),
            content=_content(response.get("content", {})),
            seconds=max(float(entry.get("time") or 0.0), 0.0) / 1000,
            made=_date(entry.get("startedDateTime")),
        )


def _headers(message: Any) -> dict[str, str]:
    return {one["name"]: one["value"] for one in message.get("headers", ())}


def _content(content: Any) -> bytes:
    text: str = content.get("text", "")
    return base64.b64decode(text) if content.get("encoding") == "base64" else text.encode()


def _date(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
