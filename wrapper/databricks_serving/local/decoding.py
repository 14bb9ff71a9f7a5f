import json
import math
import re
from collections.abc import Iterable
from http import HTTPStatus
from itertools import pairwise
from typing import Any, Final, NoReturn

from databricks_serving.local.errors import RefusedError, bad_request
from databricks_serving.local.jsontypes import Json, is_object
from databricks_serving.local.requests import REQUESTS
from databricks_serving.local.tasks import Task

_JSON_TYPE: Final = re.compile(r"application/json\s*(;.*)?", re.IGNORECASE)


def decode(task: Task, request: Json) -> Json:
    """Read a request as strictly as a foundation-model endpoint does.

    Returns:
        The request without its nulls, which mean the same as absent.

    Raises:
        RefusedError: With status 400.
    """
    REQUESTS[task](request, "")
    request = {key: value for key, value in request.items() if value is not None}
    if task is Task.CHAT:
        _check_messages(request["messages"])
        _check_tools(request)
        if "top_logprobs" in request and not request.get("logprobs"):
            raise bad_request('"top_logprobs" requires "logprobs"')
    return request


def decode_json(body: bytes, content_type: str | None) -> Json:
    """Read the JSON object of a request.

    Raises:
        RefusedError: With status 415 for another content type, else 400.
    """
    if content_type is None or not _JSON_TYPE.fullmatch(content_type.strip()):
        raise RefusedError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "BAD_REQUEST",
            "This endpoint only supports the content type application/json.",
        )
    return _parse(body)


def _parse(body: bytes) -> Json:
    try:
        text = body.decode("utf-8")
        value = json.loads(text, parse_float=_finite, parse_constant=_refuse_constant)
    except RecursionError:
        raise bad_request("json: exceeded max depth") from None
    except UnicodeDecodeError:
        raise bad_request("json: the body is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise bad_request(f"json: {error.msg} at offset {error.pos}") from None
    except ValueError:
        raise bad_request("json: a number has too many digits") from None
    if not is_object(value):
        raise bad_request("json: the request must be an object")
    return value


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise bad_request("json: a number is out of range")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise bad_request(f"json: {name} is not JSON")


def _check_messages(messages: list[Json]) -> None:
    roles = [message["role"] for message in messages]
    if "system" in roles[1:]:
        raise bad_request("only the first message may have the role system")
    for position, message in enumerate(messages):
        spoken = message.get("content") or message.get("tool_calls")
        if message["role"] == "assistant" and not spoken:
            raise bad_request(f'"messages[{position}]" must have content or tool_calls')
    called = {call["id"] for message in messages for call in message.get("tool_calls") or ()}
    for before, after in pairwise([None, *roles]):
        if after == "tool" and before not in {"assistant", "tool"}:
            raise bad_request("a tool message must follow an assistant message with tool_calls")
    _check_answers(messages, called)


def _check_answers(messages: Iterable[Json], called: set[Any]) -> None:
    for position, message in enumerate(messages):
        if message["role"] == "tool" and message["tool_call_id"] not in called:
            raise bad_request(f'"messages[{position}].tool_call_id" answers no tool call')


def _check_tools(request: Json) -> None:
    choice = request.get("tool_choice")
    names = {tool["function"]["name"] for tool in request.get("tools", ())}
    if choice is not None and choice != "none" and not names:
        raise bad_request('"tool_choice" requires "tools"')
    if is_object(choice) and choice["function"]["name"] not in names:
        raise bad_request('"tool_choice" names a function that is not in "tools"')
