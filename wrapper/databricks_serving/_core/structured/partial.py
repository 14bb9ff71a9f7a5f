"""JSON read as it comes: what there is of it, before it is whole.

Each character is looked at once. What a later piece could still change is left out: half a number,
half a key, half an escape.
"""

import json
import re
from collections.abc import Callable
from typing import Any, Final

from databricks_serving._core.json_codec import MAX_DEPTH, is_list
from databricks_serving._core.structured.texts import FENCE, THINKING, THOUGHT

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_PLAIN: Final = re.compile(r'[^"\\]+')
_ESCAPE: Final = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[^u])",
    re.DOTALL,
)
_HIGH: Final = re.compile(r"\\u[dD][89abAB]")
_SCALAR: Final = re.compile(r"[-+.0-9A-Za-z]*")
_LONGEST_ESCAPE: Final = 12
_LONGEST_SCALAR: Final = 512
_LONGEST_FENCE: Final = 64


class PartialJson:
    """Takes in the text of an answer piece by piece.

    `value` is what there is of its JSON: None at first, then a dict or a list that grows in place.
    """

    def __init__(self) -> None:
        self.value: Any = None
        self._rest = ""
        self._stack: list[Any] = []
        # Of each open container the key, or the place, of the value that is being read.
        self._keys: list[Any] = []
        self._string: list[str] = []
        self._stored = 0
        self._is_key = False
        self._changed = False
        self._state: Callable[[str, int], int | None] = self._prefix

    def feed(self, text: str) -> bool:
        """Take in a piece; returns whether the value has changed."""
        text = self._rest + text
        self._changed = False
        at, state = 0, None
        while True:
            state, before = self._state, at
            reached = state(text, at)
            at = before if reached is None else reached
            # Neither on nor to another state: more has to come.
            if at == before and state == self._state:
                break
        self._rest = text[at:]
        if self._state == self._in_string and not self._is_key:
            self._store_text()
        return self._changed

    def _prefix(self, text: str, at: int) -> int | None:
        """Skip thoughts and the fence, both of which stand at the very beginning."""
        at = self._after_space(text, at)
        head = text[at : at + len(THINKING)]
        if head != THINKING and THINKING.startswith(head):
            # It may be nothing yet.
            return at
        if head == THINKING:
            self._state = self._thinking
            return at + len(THINKING)
        if head.startswith(FENCE[: len(head)]):
            line = text.find("\n", at)
            if line < 0:
                return self._break(at) if len(text) - at > _LONGEST_FENCE else None
            at = line + 1
        self._state = self._begin
        return at

    def _thinking(self, text: str, at: int) -> int | None:
        end = text.find(THOUGHT, at)
        if end < 0:
            # All but what may be the beginning of the end is done with.
            kept = max(at, len(text) - len(THOUGHT) + 1)
            return None if kept == at else kept
        self._state = self._prefix
        return end + len(THOUGHT)

    def _begin(self, text: str, at: int) -> int | None:
        """Read the beginning of a value."""
        at = self._after_space(text, at)
        first = text[at : at + 1]
        if not first:
            return at
        if first == "]" and self._stack and self._is_empty_list():
            return self._close(at)
        if first in {"{", "["}:
            return self._open({} if first == "{" else [], at)
        if first == '"':
            self._begin_string(is_key=False)
            self._store("")
            return at + 1
        return self._begin_scalar(text, at)

    def _begin_scalar(self, text: str, at: int) -> int | None:
        found = _SCALAR.match(text, at)
        end = found.end() if found else at
        if end == at or end - at > _LONGEST_SCALAR:
            return self._break(at)
        if end == len(text):
            return None
        try:
            value: Any = json.loads(text[at:end])
        except ValueError:
            return self._break(at)
        self._store(value)
        self._state = self._after_value
        return end

    def _open(self, container: Any, at: int) -> int | None:
        if len(self._stack) >= MAX_DEPTH:
            return self._break(at)
        self._store(container)
        self._stack.append(container)
        self._keys.append(0)
        self._state = self._begin if is_list(container) else self._key
        return at + 1

    def _close(self, at: int) -> int:
        self._stack.pop()
        self._keys.pop()
        self._state = self._after_value
        return at + 1

    def _key(self, text: str, at: int) -> int | None:
        at = self._after_space(text, at)
        first = text[at : at + 1]
        if first == '"':
            self._begin_string(is_key=True)
            return at + 1
        if first == "}" and not self._stack[-1]:
            return self._close(at)
        return self._break(at) if first else at

    def _colon(self, text: str, at: int) -> int | None:
        at = self._after_space(text, at)
        if not text[at : at + 1]:
            return at
        if text[at] != ":":
            return self._break(at)
        self._state = self._begin
        return at + 1

    def _after_value(self, text: str, at: int) -> int | None:
        if not self._stack:
            return self._break(at)
        at = self._after_space(text, at)
        first = text[at : at + 1]
        in_list = is_list(self._stack[-1])
        if first == ",":
            self._keys[-1] = len(self._stack[-1])
            self._state = self._begin if in_list else self._key
            return at + 1
        if first == ("]" if in_list else "}"):
            return self._close(at)
        return self._break(at) if first else at

    def _begin_string(self, *, is_key: bool) -> None:
        self._string, self._stored, self._is_key = [], 0, is_key
        self._state = self._in_string

    def _in_string(self, text: str, at: int) -> int | None:
        first = text[at : at + 1]
        if not first:
            return at
        if first == '"':
            return self._end_string(at + 1)
        if first != "\\":
            found = _PLAIN.match(text, at)
            end = found.end() if found else len(text)
            self._string.append(text[at:end])
            return end
        return self._escape(text, at)

    def _escape(self, text: str, at: int) -> int | None:
        if len(text) - at < _LONGEST_ESCAPE and _HIGH.match(text, at):
            return None
        found = _ESCAPE.match(text, at)
        if found is None:
            return None if len(text) - at < _LONGEST_ESCAPE else self._break(at)
        try:
            self._string.append(json.loads(f'"{found.group()}"'))
        except ValueError:
            return self._break(at)
        return found.end()

    def _end_string(self, end: int) -> int:
        if self._is_key:
            self._keys[-1] = "".join(self._string)
            self._state = self._colon
        else:
            self._store_text()
            self._state = self._after_value
        return end

    def _store_text(self) -> None:
        """Store a text as far as it has come, if it has grown."""
        if len(self._string) > self._stored:
            self._string, self._stored = ["".join(self._string)], 1
            self._store(self._string[0])

    def _over(self, text: str, at: int) -> int | None:  # noqa: ARG002 - one of the states
        """Take no more notice: the value is whole, or no JSON."""
        return len(text)

    def _break(self, at: int) -> int:
        """Give up on what is no JSON; what came before stays."""
        self._state = self._over
        return at

    def _store(self, value: Any) -> None:
        """Put a value in its place, or a longer one there."""
        self._changed = True
        if not self._stack:
            self.value = value
            return
        container, key = self._stack[-1], self._keys[-1]
        if is_list(container) and key == len(container):
            container.append(value)
        else:
            container[key] = value

    def _is_empty_list(self) -> bool:
        return is_list(self._stack[-1]) and not self._stack[-1]

    @staticmethod
    def _after_space(text: str, at: int) -> int:
        found = _SPACE.match(text, at)
        return found.end() if found else at
