"""The legacy completion contract by rule: a prompt and stop texts, answered with a text."""

from databricks_serving.local.backends.deterministic.text import echo, limited
from databricks_serving.local.errors import bad_request
from databricks_serving.local.jsontypes import Json, is_list


def answer(request: Json) -> str:
    """Answer the prompt of a request.

    Raises:
        RefusedError: With status 400 when the stop texts are no list of texts.
    """
    stop = request.get("stop", [])
    if not (is_list(stop) and all(isinstance(end, str) for end in stop)):
        raise bad_request("stop must be a list of strings")
    return limited(0, echo(request["prompt"], seed=0, choice=0), {"stop": stop}).text


def has_prompt(request: Json) -> bool:
    """Tell whether a request has a prompt."""
    return isinstance(request.get("prompt"), str)
