"""Tokens by OAuth: where the workspace gives them, and what its answers mean.

fact: the token address is `/oidc/v1/token` at a workspace and `/oidc/accounts/{id}/v1/token` at an
account's host; `/.well-known/oauth-authorization-server` beside it names it too.
"""

import base64
from collections.abc import Generator, Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from databricks_serving._core.config import is_safe_origin
from databricks_serving._core.replies import Response
from databricks_serving._core.scrub import scrubbing
from databricks_serving._core.secret import Hidden, Secret
from databricks_serving.auth._json import bearer_in, object_in
from databricks_serving.auth._source import Site
from databricks_serving.auth._steps import Ask, Fetch, Step
from databricks_serving.auth._token import Token, checked, lifetime
from databricks_serving.errors import APIStatusError, ClientClosedError, ServingError, TokenError

SCOPE: Final = "all-apis"
# Finding the address is worth this much; the documented one is nearly always right.
_DISCOVERY_SECONDS: Final = 5.0
_SHOWN: Final = 300
_SECRET_FIELDS: Final = ("assertion", "client_assertion", "client_secret", "subject_token")


def find_token_address(
    site: Site, source: str, account_id: str | None
) -> Generator[Step, Any, str]:
    """Return the address that gives tokens: the one that the host names, else the documented one.

    Raises:
        TokenError: When the host names one elsewhere, which would get the secret.
    """
    root = f"{origin_of(site.host)}/oidc"
    if account_id and _is_account_host(site.host):
        root = f"{root}/accounts/{account_id}"
    address = f"{root}/v1/token"
    try:
        response: Response = yield Ask(
            url=f"{root}/.well-known/oauth-authorization-server",
            headers={"accept": "application/json"},
            seconds=_DISCOVERY_SECONDS,
            tries=1,
        )
    except ServingError:
        return address
    named = object_in(response.body).get("token_endpoint") if _is_success(response) else None
    if not isinstance(named, str):
        return address
    if origin_of(named) != origin_of(site.host):
        raise TokenError(
            f"{source}: {origin_of(site.host)} names a token address at another place "
            f"({origin_of(named) or 'without https'}): the credentials were not sent there",
            source=source,
        )
    return named


def request_token(
    address: str, source: str, form: Mapping[str, str], basic: tuple[str, Secret] | None = None
) -> Fetch:
    """Ask for a token and return it.

    Args:
        address: Where.
        source: Who asks, for messages.
        form: What is sent.
        basic: Id and secret of the client, for basic authentication.

    Raises:
        TokenError: When there is none.
    """
    headers = {
        "accept": "application/json",
        "content-type": "application/x-www-form-urlencoded",
    }
    if basic is not None:
        pair = f"{basic[0]}:{basic[1].reveal()}".encode()
        headers["authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    content = Hidden(urlencode(form).encode())
    ask = Ask(method="POST", url=address, headers=headers, content=content)
    with scrubbing([*_secrets_of(form, basic), *ask.secrets]):
        try:
            response: Response = yield ask
        except ServingError as error:
            raise unreachable(source, address, error) from None
        return token_of(response, source, address)


def _secrets_of(form: Mapping[str, str], basic: tuple[str, Secret] | None) -> list[Secret]:
    """Return what a token service must not get into an error by repeating it."""
    return [
        *([basic[1]] if basic is not None else ()),
        *(Secret(form[name]) for name in _SECRET_FIELDS if form.get(name)),
    ]


def token_of(response: Response, source: str, address: str) -> Token:
    """Return the token of an answer.

    Raises:
        TokenError: When there is none in it.
    """
    status = response.meta.status_code
    where = f"{source}: the token service at {origin_of(address)}"
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        text = f"{where} redirects (status {status}), which is not followed: is the host right?"
        raise TokenError(text, source=source, status_code=status)
    data = object_in(response.body)
    if not _is_success(response):
        text = f"{where} refused: {_reason(data, status)}"
        raise TokenError(text, source=source, status_code=status)
    if not data:
        text = f"{where} answered with no JSON, perhaps a web page"
        raise TokenError(text, source=source, status_code=status)
    value = bearer_in(data, "access_token", "token_type", where, source)
    return checked(Token(value, lifetime(data.get("expires_in"))), source)


def unreachable(source: str, address: str, error: ServingError) -> ServingError:
    """Return the error for a token service that gave no answer, or none that helps."""
    if isinstance(error, ClientClosedError):
        return error
    status = error.status_code if isinstance(error, APIStatusError) else None
    return TokenError(
        f"{source}: no token from {origin_of(address)}: {error}",
        source=source,
        transient=True,
        status_code=status,
    )


def origin_of(address: str) -> str:
    """Return scheme, host and port of an address; empty where it is not safe to send secrets to."""
    try:
        parts = urlsplit(address)
        port = {"http": ":80", "https": ":443"}.get(parts.scheme, ":")
        place = parts.netloc.removesuffix(port)
        return f"{parts.scheme}://{place}".lower() if is_safe_origin(parts) else ""
    except ValueError:
        return ""


def _is_account_host(host: str) -> bool:
    return (urlsplit(host).hostname or "").startswith("accounts.")


def _is_success(response: Response) -> bool:
    return response.meta.status_code < HTTPStatus.MULTIPLE_CHOICES


def _reason(data: Mapping[str, Any], status: int) -> str:
    said = [data.get(key) for key in ("error", "errorCode", "error_code")]
    told = [data.get(key) for key in ("error_description", "errorSummary", "message")]
    parts = [value for value in (*said, *told) if isinstance(value, str) and value]
    text = " ".join(": ".join(parts).split())
    shown = "".join(one for one in text if one.isprintable())
    return f"{status} {shown}"[:_SHOWN].strip()
