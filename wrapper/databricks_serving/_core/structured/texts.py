"""Where in an answer its JSON stands."""

import re
from typing import Final

THINKING: Final = "<think>"
THOUGHT: Final = "</think>"
FENCE: Final = "```"
_FENCED: Final = re.compile(r"```[A-Za-z0-9_-]*[ \t]*\r?\n(?P<json>.*?)\s*```", re.DOTALL)


def json_text(text: str) -> str:
    """Return an answer without what some models write around JSON.

    That is thoughts in front of it (DeepSeek R1 served as a custom model), and a code fence.
    """
    text = text.strip()
    if text.startswith(THINKING):
        text = text.partition(THOUGHT)[2].strip()
    fenced = _FENCED.fullmatch(text)
    return text if fenced is None else fenced["json"]
