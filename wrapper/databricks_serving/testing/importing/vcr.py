"""Cassettes of VCR, as vcrpy and its like write them in YAML."""

from collections.abc import Iterator
from typing import Any

from databricks_serving._core.json_codec import is_list, is_object
from databricks_serving._core.optional import optional
from databricks_serving.testing.importing.exchange import Exchange


def exchanges_of(text: str) -> Iterator[Exchange]:
    """Yield the exchanges of a cassette.

    Raises:
        ValueError: When it is none.
        KeyError: When a needed key is missing.
        ConfigError: When ruamel.yaml is not installed.
    """
    yaml = optional("ruamel.yaml", "a cassette of VCR", "testing")
    try:
        cassette = yaml.YAML(typ="safe", pure=True).load(text)
    except yaml.error.YAMLError as error:
        raise ValueError(str(error)) from None
    for interaction in cassette["interactions"]:
        request, response = interaction["request"], interaction["response"]
        yield Exchange(
            method=request["method"],
            url=request["uri"],
            sent_headers=_headers(request),
            sent=_bytes(request.get("body")),
            status=_status(response),
            headers=_headers(response),
            content=_bytes(response.get("body", response.get("content"))),
        )


def _status(response: Any) -> Any:
    status = response.get("status", response.get("status_code"))
    return status["code"] if is_object(status) else status


def _headers(message: Any) -> dict[str, str]:
    """Return headers, whose values are lists."""
    headers: dict[str, Any] = message.get("headers") or {}
    return {
        name: ", ".join(map(str, value)) if is_list(value) else str(value)
        for name, value in headers.items()
    }


def _bytes(body: Any) -> bytes:
    """Return a body: text, bytes, or an object that holds either."""
    if is_object(body):
        body = body.get("string")
    if body is None:
        return b""
    return body if isinstance(body, bytes) else str(body).encode()
