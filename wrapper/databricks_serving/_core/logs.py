"""What is logged: of each try the outcome, never a header, and bodies only where asked for."""

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

from databricks_serving._core.secret import MAX_SECRET, Secret

if TYPE_CHECKING:
    from databricks_serving._core.requests import Request

logger = logging.getLogger("databricks_serving")

_SHOWN: Final = 4096
_SHOWN_ID: Final = 128


class TryRecord(NamedTuple):
    """How a try ended."""

    request: "Request"
    number: int
    duration: float
    status: int | None
    request_id: str | None
    cause: str | None
    wait: float | None


def log_try(record: TryRecord) -> None:
    """Log a try: method, path, status, number, duration and request id.

    The level is DEBUG, and INFO where another try follows, whose wait is logged too.
    """
    level = logging.DEBUG if record.wait is None else logging.INFO
    if not logger.isEnabledFor(level):
        return
    request = record.request
    outcome = record.cause or record.status or "answered"
    logger.log(
        level,
        "%s %s: %s, try %d, %.0f ms, request id %s%s",
        request.method,
        urlsplit(request.url).path,
        outcome,
        record.number,
        record.duration * 1000,
        (record.request_id or "none")[:_SHOWN_ID],
        "" if record.wait is None else f"; trying again in {record.wait:.2f} s",
    )


def log_body(what: str, body: bytes, secrets: Iterable[Secret] = ()) -> None:
    """Log a body at level DEBUG, for clients that were made with `log_bodies=True`."""
    if logger.isEnabledFor(logging.DEBUG):
        # A secret that reaches over the end is seen whole before it is cut.
        shown = body[: _SHOWN + MAX_SECRET]
        for secret in secrets:
            shown = secret.mask(shown)
        text = shown[:_SHOWN].decode("utf-8", "replace")
        cut = f" ... ({len(body)} bytes)" if len(body) > _SHOWN else ""
        logger.debug("%s body: %s%s", what, text, cut)


def log_changes(request: "Request") -> None:
    """Log what was changed in a copy of a request to suit the family of its model."""
    for change in request.changes:
        logger.info("endpoint %s: adapted %s", request.endpoint, change)
