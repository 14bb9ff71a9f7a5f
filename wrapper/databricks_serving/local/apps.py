"""An app behind the driver proxy of a cluster, whichever the cluster, the port and the path."""

import json
import re
from http import HTTPStatus
from typing import Final

from databricks_serving.local.backends.deterministic import legacy
from databricks_serving.local.decoding import decode_json
from databricks_serving.local.errors import bad_request
from databricks_serving.local.messages import HttpReply, HttpRequest
from databricks_serving.local.routes import check_method, path_of

_APP: Final = re.compile(r"/driver-proxy-api/o/\d+/[^/]+/\d+(/.*)?")


def answer_app(request: HttpRequest) -> HttpReply | None:
    """Answer a request to an app by the legacy completion contract; None for any other.

    Raises:
        RefusedError: With status 400 or 405.
    """
    if not _APP.fullmatch(path_of(request)):
        return None
    check_method(request, "POST")
    given = decode_json(request.body, request.headers.get("content-type"))
    if not legacy.has_prompt(given):
        raise bad_request("the app wants a prompt")
    return HttpReply(
        HTTPStatus.OK, "application/json", json.dumps(legacy.answer(given)).encode("ascii")
    )
