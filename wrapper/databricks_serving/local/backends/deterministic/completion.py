"""Completions by rule."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, zip_longest

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
from databricks_serving.local.jsontypes import Json


def reply(request: Json) -> Json:
    """The parts of a completion that follow from the request."""
    prompt = _prompt_tokens(request)
    choices = _choices(request)
    return {
        "choices": [
            _choice(choice.index, choice.tokens, request) | {"finish_reason": choice.finish_reason}
            for choice in choices
        ],
        "usage": usage(prompt, sum(len(choice.tokens) for choice in choices)),
    }


def events(request: Json) -> Iterator[Json]:
    """The parts of the chunks that follow from the request; usage grows from chunk to chunk."""
    prompt = _prompt_tokens(request)
    answers = [_pieces(choice, request) for choice in _choices(request)]
    return _chunks(answers, prompt)


def _chunks(answers: Sequence[Iterable[Json]], prompt: int) -> Iterator[Json]:
    spent = 0
    for piece in chain.from_iterable(zip_longest(*answers)):
        if piece is not None:
            spent += 1 if piece["text"] else 0
            yield {"choices": [piece], "usage": usage(prompt, spent)}


def _pieces(choice: Choice, request: Json) -> Iterator[Json]:
    for token in choice.tokens:
        yield _choice(choice.index, [token], request) | {"finish_reason": None}
    yield {
        "index": choice.index,
        "text": "",
        "logprobs": None,
        "finish_reason": choice.finish_reason,
    }


def _prompts(request: Json) -> Sequence[str]:
    prompt = request["prompt"]
    return [prompt] if isinstance(prompt, str) else prompt


def _prompt_tokens(request: Json) -> int:
    return count_prompt(_prompts(request))


def _choices(request: Json) -> list[Choice]:
    count = request.get("n", 1)
    return [
        _continued(number * count + choice, prompt, choice, request)
        for number, prompt in enumerate(_prompts(request))
        for choice in range(count)
    ]


def _continued(index: int, prompt: str, choice: int, request: Json) -> Choice:
    text = " " + echo(prompt, seed=request.get("seed", 0), choice=choice)
    made = limited(index, text, request)
    before = tokenize(prompt) if request.get("echo") else []
    after = tokenize(request.get("suffix", ""))
    return Choice(index, [*before, *made.tokens, *after], made.finish_reason)


def _choice(index: int, tokens: Sequence[str], request: Json) -> Json:
    return {
        "index": index,
        "text": "".join(tokens),
        "logprobs": _logprobs(tokens, request.get("logprobs")),
    }


def _logprobs(tokens: Sequence[str], count: int | None) -> Json | None:
    if count is None:
        return None
    ends = list(accumulate(map(len, tokens), initial=0))
    return {
        "tokens": list(tokens),
        "token_logprobs": [logprob(token) for token in tokens],
        "top_logprobs": [dict(alternatives(token, count)) for token in tokens],
        "text_offset": ends[:-1],
    }
