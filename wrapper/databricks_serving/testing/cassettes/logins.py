"""Requests for tokens: never recorded, and answered with a made-up token."""

import json
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from databricks_serving._core.script import Head, Sent, Step

_WELL_KNOWN: Final = "/.well-known/"
_FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = Head(200, (("content-type", "application/json"),))


def is_login(sent: Sent) -> bool:
    """Tell whether a request asks for a token, or where tokens are had."""
    kinds = {value for name, value in sent.headers if name.lower() == "content-type"}
    return _WELL_KNOWN in sent.url or any(kind.startswith(_FORM) for kind in kinds)


def login_steps(sent: Sent) -> Iterator[Step]:
    """Answer a request for a token."""
    yield _JSON
    if _WELL_KNOWN in sent.url:
        parts = urlsplit(sent.url)
        oidc = f"{parts.scheme}://{parts.netloc}/oidc"
        answer: dict[str, str | int] = {"oidc_endpoint": oidc, "token_endpoint": f"{oidc}/v1/token"}
    else:
        answer = {"access_token": "made-up", "token_type": "Bearer", "expires_in": 3600}
    yield json.dumps(answer).encode()
