"""How replies show themselves in notebooks and by rich; a copy is part of the generated package."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from databricks_serving_api.models import ChatChoice


class Shown:
    """Shows itself as Markdown, where somebody asks for that: a notebook, or rich."""

    __slots__ = ()

    def _repr_markdown_(self) -> str:
        raise NotImplementedError

    def __rich__(self) -> Any:
        from rich.markdown import Markdown  # noqa: PLC0415 - only rich calls this

        return Markdown(self._repr_markdown_())


def choices_as_markdown(choices: Iterable[ChatChoice]) -> str:
    """Show the answers, the tool calls in code, one below the other."""
    return "\n\n---\n\n".join(paragraphs(_choice(choice)) for choice in choices)


def paragraphs(texts: Iterable[str]) -> str:
    """Show texts one below the other, without those that are empty."""
    return "\n\n".join(filter(None, texts))


def with_footer(text: str, tokens: int | None, *facts: str | None) -> str:
    """Add a line with what there is to know beside the answer."""
    spent = f"{tokens} tokens" if tokens else None
    footer = " · ".join(_plain(fact) for fact in (*facts, spent) if fact)
    return f"{text}\n\n*{footer}*" if footer else text


def as_table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Show rows as a table."""
    names = list(head)
    lines = [_row(names), _row("---" for _ in names), *(_row(map(_plain, row)) for row in rows)]
    return "\n".join(lines)


def as_code(text: str) -> str:
    """Show a text as code that it cannot end early."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}python\n{text}\n{fence}"


def refused(text: str | None) -> str:
    """Show a refusal; nothing where there is none."""
    return f"**Refused:** {_plain(text)}" if text else ""


def _choice(choice: ChatChoice) -> Iterator[str]:
    message = choice.message
    if message.reasoning_text:
        quoted = message.reasoning_text.strip().replace("\n", "\n> ")
        yield f"> {quoted}"
    if message.text:
        yield message.text
    for call in message.tool_calls or ():
        yield as_code(f"{call.function.name}({call.function.arguments})")
    yield refused(message.refusal)
    if not (message.text or message.tool_calls or message.refusal):
        yield f"*no text (finish reason: {_plain(choice.finish_reason)})*"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(value: object) -> str:
    """Write a value so that no character of it is read as Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>|#~])", r"\\\1", " ".join(str(value).split()))
