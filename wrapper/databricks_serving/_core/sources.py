"""What a part of a message is made from, once it is read: bytes, or a URL."""

import base64
import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from databricks_serving._core.media import is_media_type, media_type_of
from databricks_serving._core.units import size_text
from databricks_serving.errors import InvalidRequestError

_DATA: Final = re.compile(r"data:(?P<type>[^;,]*)(?P<rest>[^,]*),", re.IGNORECASE)
_BASE64: Final = ";base64"


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes, and what they are called.

    Attributes:
        data: The bytes.
        name: Name of the file that they come from, if it is known.
    """

    data: bytes = field(repr=False)
    name: str | None = None

    def media_type(self, given: str | None, kind: str, *, option: str = "media_type") -> str:
        """Return the media type.

        Args:
            given: As the user says, which goes before.
            kind: What it must be: `image`, `audio` or `video`; empty for anything.
            option: Where the user can say it.

        Raises:
            InvalidRequestError: When it cannot be told, or is of another kind.
        """
        if given is not None and not is_media_type(given):
            raise InvalidRequestError('media_type must be one such as "image/png", in lower case')
        found = given or media_type_of(self.data, self.name)
        if found is None:
            raise InvalidRequestError(
                f"neither the bytes nor a name tell what the source is: say it by {option}="
            )
        check_kind(found, kind)
        return found

    @property
    def base64(self) -> str:
        """The bytes in base64."""
        return base64.b64encode(self.data).decode("ascii")


def data_url(content: Content, media_type: str) -> str:
    """Return content as a URL that holds it."""
    return f"data:{media_type};base64,{content.base64}"


def check_kind(media_type: str, kind: str) -> None:
    """Refuse media of another kind than a part is for."""
    if kind and not media_type.startswith(f"{kind}/"):
        raise InvalidRequestError(f"the source is {media_type}, which is no {kind}; see file()")


def check_size(size: int, most: int) -> None:
    """Refuse what is empty, or larger than a part may be."""
    if not size:
        raise InvalidRequestError("the source is empty")
    if size > most:
        raise InvalidRequestError(
            f"the source has {size_text(size)}, more than max_bytes={most}; foundation models take "
            "requests of 4 MiB, and base64 makes bytes longer by a third"
        )


@dataclass(frozen=True, slots=True)
class Url:
    """A URL that is sent as it is.

    Attributes:
        url: The URL.
        media_type: What it holds, if it is a data URL.
        payload: What it holds in base64, if it is such a data URL.
    """

    url: str = field(repr=False)
    media_type: str | None = None
    payload: str | None = field(default=None, repr=False)


def read_url(text: str, most: int) -> Url:
    """Read a text that must be a URL; what it points to is not fetched.

    Args:
        text: The text.
        most: How many bytes a data URL may hold.

    Raises:
        InvalidRequestError: When it is none, or the data are too large.
    """
    match = _DATA.match(text)
    if match is None:
        _check_address(text)
        return Url(text)
    media_type, payload = match["type"].lower(), text[match.end() :]
    if not is_media_type(media_type):
        raise InvalidRequestError("the data URL does not say what it holds, as data:image/png;...")
    if not match["rest"].lower().endswith(_BASE64):
        check_size(len(payload), most)
        return Url(text, media_type)
    try:
        size = len(base64.b64decode(payload, validate=True))
    except ValueError:
        raise InvalidRequestError("the data URL does not hold base64") from None
    check_size(size, most)
    return Url(text, media_type, payload)


def _check_address(text: str) -> None:
    try:
        parts = urlsplit(text)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        good = False
    if not good or not text.isprintable() or " " in text:
        raise InvalidRequestError(
            "a source of type str must be a URL of https:, http: or data:; "
            "for a file pass pathlib.Path(...), for content bytes"
        )
