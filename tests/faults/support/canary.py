"""Secrets and a prompt that must not turn up in anything that a client shows."""

import base64
import re
from typing import Final

# Each is a public prefix and a part of its own, which nothing else contains.
TOKEN: Final = "dapi-canary-Zq7Kx1Vw9Lm3Tr5Y"
SECRET: Final = "dose-canary-Pb4Jn8Gd2Hs6Wf0C"
PASSWORD: Final = "proxy-canary-Xe5Uo9Ri3Ay7Mt1B"
PROMPT: Final = "Tell me about canary-Hd8Sk2Qv6Bn0Jx4F."

_SECRETS: Final = {"token": TOKEN, "secret header": SECRET, "proxy password": PASSWORD}
_BYTES_IN_A_GROUP: Final = 3


def _own_part(text: str) -> str:
    return text.partition("canary-")[2].rstrip(".")


def _forms(text: str) -> re.Pattern[bytes]:
    """Return a pattern of the ways in which a text can be written."""
    own = _own_part(text)
    # Eight characters are enough to guess the rest from, and no escape changes these.
    start = own[:8].encode()
    loose = [
        re.escape(start),
        start.hex().encode(),
        "".join(f"%{byte:02x}" for byte in start).encode(),
        re.escape("".join(f"\\x{byte:02x}" for byte in start).encode()),
        re.escape("".join(f"\\u{byte:04x}" for byte in start).encode()),
    ]
    strict = [
        re.escape(form) for offset in range(_BYTES_IN_A_GROUP) for form in _base64(own, offset)
    ]
    return re.compile(b"(?i:" + b"|".join(loose) + b")|" + b"|".join(strict))


def _base64(own: str, offset: int) -> set[bytes]:
    """Return what a part looks like inside a longer text that was encoded."""
    part = own[offset:].encode()
    part = part[: len(part) // _BYTES_IN_A_GROUP * _BYTES_IN_A_GROUP]
    return {base64.b64encode(part), base64.urlsafe_b64encode(part)}


_SECRET_FORMS: Final = {name: _forms(text) for name, text in _SECRETS.items()}
_PROMPT_FORM: Final = {"prompt": _forms(PROMPT)}


def find(text: str | bytes, *, prompt: bool = True) -> list[str]:
    """Return the names of what a text gives away.

    Args:
        text: What somebody may see.
        prompt: Whether the prompt counts.
    """
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    forms = {**_SECRET_FORMS, **(_PROMPT_FORM if prompt else {})}
    return [name for name, form in forms.items() if form.search(data)]
