"""The secrets that a request holds by its nature: in its headers, its form and its path."""

import base64
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from databricks_serving._core.script import Sent
from databricks_serving.testing._cassettes.logins import is_login

STARS: Final = "***"
_SECRET_KEYS: Final = re.compile(
    r"(?:.*_)?(?:api_?key|(?:secret|private|access|account|signing|subscription)_key"
    r"|secret|password|passwd|plaintext|credentials?|connection_string|authorization|cookie"
    r"|assertion)"
    # Other tokens mark pages, or are marks of a language model.
    r"|(?!(?:.*_)?(?:page|next|[be]os|pad|unk|stop)_token).+_token"
)
_WORD_ENDS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[-. ]+")
# Headers that say nothing of who asks, those among them that browsers send; what begins with a
# colon is a part of the address.
_PLAIN: Final = re.compile(
    r":.*|accept(-encoding|-language)?|cache-control|connection|content-length|content-type|host"
    r"|idempotency-key|origin|priority|referer|sec-.*|transfer-encoding|user-agent",
    re.IGNORECASE,
)
# Fewer characters would be found in any text; of what is only perhaps a secret, more are needed.
TELLING: Final = 8
_TELLING_PERHAPS: Final = 16
# Names of parameters of a query; fields of these names are most often something else.
_SECRET_PARAMETERS: Final = frozenset({"key", "sig", "signature", "token"})
# The number of a workspace and the id of a cluster, in the path of an app on its driver node.
_APP: Final = re.compile(r"(/driver-proxy(?:-api)?/o/)([^/?]+)/([^/?]+)")
_ANY_APP: Final = r"\g<1>0/cluster"


def is_secret_name(key: str) -> bool:
    """Tell whether a field, a header or a parameter is named as a secret."""
    return _SECRET_KEYS.fullmatch(_WORD_ENDS.sub("_", key).lower()) is not None


def is_secret_parameter(key: str) -> bool:
    """Tell whether a parameter of a query is named as a secret."""
    return key.lower() in _SECRET_PARAMETERS or is_secret_name(key)


def without_app(path: str) -> str:
    """Return a path without the workspace and the cluster of an app."""
    return _APP.sub(_ANY_APP, path)


def secrets_of(sent: Sent) -> dict[str, str]:
    """Return the texts of a request that must stand nowhere, and what stands for them."""
    parts = urlsplit(sent.url)
    form = sent.content.decode("utf-8", "replace") if is_login(sent) else ""
    texts = {*_in_headers(sent), *_in_form(form), *_in_form(parts.query)}
    app = _APP.search(parts.path)
    ids = {} if app is None else {unquote(app[2]): "0", unquote(app[3]): "cluster"}
    found = {**dict.fromkeys(texts, STARS), **ids}
    return {text: shown for text, shown in found.items() if len(text) >= TELLING}


def _in_headers(sent: Sent) -> Iterator[str]:
    for name, value in sent.headers:
        if name.lower() in {"authorization", "proxy-authorization"}:
            scheme, _, given = value.rpartition(" ")
            yield given
            if scheme.lower() == "basic":
                yield from _in_pair(given)
        elif is_secret_name(name):
            yield from (value, value.rpartition(" ")[2])
        elif not _PLAIN.fullmatch(name) and len(value) >= _TELLING_PERHAPS:
            yield value


def _in_pair(encoded: str) -> Iterator[str]:
    """Yield the password of a login by name and password, also as it was before it was sent."""
    try:
        password = base64.b64decode(encoded).decode().partition(":")[2]
    except ValueError:
        return
    yield from (password, unquote(password))


def _in_form(form: str) -> Iterator[str]:
    yield from (value for key, value in parse_qsl(form) if is_secret_parameter(key))
