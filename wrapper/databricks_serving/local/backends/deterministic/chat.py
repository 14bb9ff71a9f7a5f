"""Chat replies and chunks by rule."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, zip_longest
from typing import Any
from zlib import crc32

from databricks_serving.local.backends.deterministic.example import example
from databricks_serving.local.backends.deterministic.text import (
    Choice,
    alternatives,
    count_prompt,
    echo,
    limited,
    logprob,
    tokenize,
    usage,
)
from databricks_serving.local.jsontypes import Json, is_list, is_object


def reply(request: Json) -> Json:
    """The parts of a chat completion that follow from the request."""
    prompt = _prompt_tokens(request)
    tool = _forced_tool(request)
    choices = _choices(request, tool)
    return {
        "choices": [
            {
                "index": choice.index,
                "message": _message(choice, tool),
                "finish_reason": choice.finish_reason,
                "logprobs": _logprobs(choice.tokens, request, tool),
            }
            for choice in choices
        ],
        "usage": usage(prompt, sum(len(choice.tokens) for choice in choices)),
    }


def events(request: Json) -> Iterator[Json]:
    """The parts of the chunks that follow from the request; usage grows from chunk to chunk."""
    prompt = _prompt_tokens(request)
    tool = _forced_tool(request)
    answers = [_pieces(choice, request, tool) for choice in _choices(request, tool)]
    return _chunks(request, answers, prompt)


def _chunks(request: Json, answers: Sequence[Iterable[Json]], prompt: int) -> Iterator[Json]:
    spent = 0
    for piece in chain.from_iterable(zip_longest(*answers)):
        if piece is not None:
            spent += 1 if _carries_token(piece["delta"]) else 0
            yield {"choices": [piece], "usage": usage(prompt, spent)}
    if request.get("stream_options", {}).get("include_usage"):
        yield {"choices": [], "usage": usage(prompt, spent)}


def _carries_token(delta: Json) -> bool:
    calls = delta.get("tool_calls")
    return bool(calls[0]["function"]["arguments"] if calls else delta.get("content"))


def _pieces(choice: Choice, request: Json, tool: str | None) -> Iterator[Json]:
    def piece(delta: Json, *, tokens: Sequence[str] = (), end: str | None = None) -> Json:
        return {
            "index": choice.index,
            "delta": delta,
            "finish_reason": end,
            "logprobs": _logprobs(tokens, request, tool) if tokens else None,
        }

    if tool is None:
        yield piece({"role": "assistant", "content": ""})
        for token in choice.tokens:
            yield piece({"content": token}, tokens=[token])
        yield piece({"content": ""}, end=choice.finish_reason)
        return
    call = {"index": 0, **_tool_call(tool, choice.text, arguments="")}
    yield piece({"role": "assistant", "content": None, "tool_calls": [call]})
    for token in choice.tokens:
        yield piece({"tool_calls": [{"index": 0, "function": {"arguments": token}}]})
    yield piece({}, end=choice.finish_reason)


def _choices(request: Json, tool: str | None) -> list[Choice]:
    count = request.get("n", 1)
    if tool is None:
        return [limited(index, _answer(request, index), request) for index in range(count)]
    arguments = tokenize(json.dumps(example(_parameters(request, tool))))
    return [Choice(index, arguments, "tool_calls") for index in range(count)]


def _answer(request: Json, index: int) -> str:
    said = _last_user_text(request["messages"])
    wanted: Json = request.get("response_format", {"type": "text"})
    match wanted["type"]:
        case "json_schema":
            return json.dumps(example(wanted["json_schema"]["schema"]))
        case "json_object":
            return json.dumps({"echo": said})
        case _:
            return echo(said, seed=request.get("seed", 0), choice=index)


def _last_user_text(messages: Sequence[Json]) -> str:
    spoken = (_text(message) for message in reversed(messages) if message["role"] == "user")
    return next(spoken, "")


def _text(message: Json) -> str:
    content: Any = message.get("content")
    if is_list(content):
        return " ".join(part["text"] for part in content if part["type"] == "text")
    return content or ""


def _prompt_tokens(request: Json) -> int:
    return count_prompt(map(_text, request["messages"]))


def _forced_tool(request: Json) -> str | None:
    choice = request.get("tool_choice")
    if is_object(choice):
        name: str = choice["function"]["name"]
        return name
    if choice == "required":
        return str(request["tools"][0]["function"]["name"])
    return None


def _parameters(request: Json, name: str) -> Json:
    functions = (tool["function"] for tool in request["tools"])
    found: Json = next(function for function in functions if function["name"] == name)
    return found.get("parameters") or {"type": "object"}


def _message(choice: Choice, tool: str | None) -> Json:
    if tool is None:
        return {"role": "assistant", "content": choice.text}
    call = _tool_call(tool, choice.text, arguments=choice.text)
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def _tool_call(name: str, seed: str, *, arguments: str) -> Json:
    return {
        "id": f"call_{crc32(f'{name} {seed}'.encode()):08x}",
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }


def _logprobs(tokens: Sequence[str], request: Json, tool: str | None) -> Json | None:
    if tool is not None or not request.get("logprobs"):
        return None
    count = request.get("top_logprobs", 0)
    return {
        "content": [
            _entry(token, logprob(token))
            | {"top_logprobs": [_entry(*other) for other in alternatives(token, count)]}
            for token in tokens
        ]
    }


def _entry(token: str, value: float) -> Json:
    return {
        "token": token,
        "logprob": value,
        "bytes": list(token.encode("utf-8", "surrogatepass")),
    }
