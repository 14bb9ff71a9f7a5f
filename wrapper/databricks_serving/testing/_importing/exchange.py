"""An exchange as another tool has recorded it, and the recording of ours that it makes."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from databricks_serving._core.inflate import Inflater
from databricks_serving._core.script import Sent
from databricks_serving.errors import InvalidResponseError
from databricks_serving.testing._cassettes.logins import is_login
from databricks_serving.testing._cassettes.scrubbing import Scrubber
from databricks_serving.testing._cassettes.taking import Take
from databricks_serving.testing._importing.result import PassedOver
from databricks_serving.testing._recording import Recording

# The paths that model-serving endpoints are reached by, and described at.
_OURS: Final = re.compile(
    r"/serving-endpoints(/|$)|/ai-gateway/|/api/2\.0/serving-endpoints(/|$)|/driver-proxy(-api)?/"
)

# Other forms are sent to all kinds of pages.
_LOGIN: Final = re.compile(r"/\.well-known/|token")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What another tool has recorded; names of headers in any letter case."""

    method: str
    url: str
    sent_headers: Mapping[str, str] = field(repr=False)
    sent: bytes = field(repr=False)
    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    seconds: float = 0.0
    made: datetime | None = None


def recordings_of(
    exchanges: Iterable[Exchange], scrubber: Scrubber
) -> Iterator[Recording | PassedOver]:
    """Yield for each exchange its recording, without secrets, or why there is none.

    Secrets of one exchange, a login among them, are taken out of the others too.
    """
    pairs = [(exchange, _sent(exchange)) for exchange in exchanges]
    secrets: dict[str, str] = {}
    for _, sent in pairs:
        if _reason(sent) != "other_traffic":
            secrets.update(scrubber.secrets_of(sent))
    for exchange, sent in pairs:
        reason = _reason(sent)
        if reason is not None:
            yield reason
        elif not exchange.status:
            # A browser writes down so what was blocked or given up.
            yield "no_answer"
        else:
            yield scrubber.knowing(sent, secrets).recording(_recording(exchange, sent))


def _sent(exchange: Exchange) -> Sent:
    headers = tuple(exchange.sent_headers.items())
    return Sent(exchange.method.upper(), exchange.url, headers, exchange.sent)


def _reason(sent: Sent) -> PassedOver | None:
    path = urlsplit(sent.url).path
    if is_login(sent) and (_OURS.match(path) or _LOGIN.search(path)):
        return "login"
    return None if _OURS.match(path) else "other_traffic"


def _recording(exchange: Exchange, sent: Sent) -> Recording:
    headers = {name.lower(): value for name, value in exchange.headers.items()}
    if not _is_packed(headers.get("content-encoding"), exchange.content):
        # Some tools unpack what they keep and leave the header.
        headers.pop("content-encoding", None)
    take = Take(sent, 0.0, exchange.made)
    take.head(exchange.status, headers.items())
    take.piece(exchange.content, exchange.seconds)
    take.over(None, exchange.seconds, whole=True)
    return take.recording()


def _is_packed(encoding: str | None, content: bytes) -> bool:
    try:
        inflater = Inflater(encoding, 1 << 30)
        for _ in inflater.feed(content):
            pass
        inflater.finish()
    except InvalidResponseError:
        return False
    return True
