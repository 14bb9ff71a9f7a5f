"""Parts of messages: text, images, audio, video and files, from paths, bytes and URLs.

from pathlib import Path

from databricks_serving import parts

content = [parts.text("What is this?"), parts.image(Path("photo.jpg"))]

A file is read when the part is made. A URL is sent as it is and nothing is fetched: the model, or
its provider, loads it. A plain `str` is never taken for a path, so that a text from outside cannot
make a program send its files.
"""

import os
from typing import BinaryIO, Final, Literal, TypeAlias

from databricks_serving._core.boundary import forgetful
from databricks_serving._core.json_codec import kind_of
from databricks_serving._core.media import format_of
from databricks_serving._core.sources import Content, check_kind, data_url
from databricks_serving._files import read_source
from databricks_serving.errors import InvalidRequestError
from databricks_serving_api.params import (
    AudioUrlPartDict,
    CacheControlDict,
    FileDataDict,
    FilePartDict,
    ImagePartDict,
    ImageUrlDict,
    InputAudioPartDict,
    TextPartDict,
    VideoUrlPartDict,
)

__all__ = [
    "MAX_BYTES",
    "Source",
    "audio",
    "audio_url",
    "file",
    "image",
    "text",
    "video_url",
]

MAX_BYTES: Final = 3_000_000
"""Largest source in bytes, unless `max_bytes` says otherwise: in base64 it leaves some room in the
4 MiB that foundation models take for a whole request."""

Source: TypeAlias = os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | str
"""A path, bytes, a file that is open for reading bytes, or a URL (https:, http: or data:)."""


@forgetful
def text(text: str, *, cache_control: CacheControlDict | None = None) -> TextPartDict:
    """Return a part with text.

    Args:
        text: The text.
        cache_control: Marks the end of a prompt prefix to cache, as `{"type": "ephemeral"}`;
            Claude only.

    Raises:
        InvalidRequestError: When it is no text.
    """
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance] - a user's
        raise InvalidRequestError(f"text must be a str, not {kind_of(text)}")
    part: TextPartDict = {"type": "text", "text": text}
    if cache_control is not None:
        part["cache_control"] = cache_control
    return part


@forgetful
def image(
    source: Source,
    *,
    detail: Literal["auto", "low", "high"] | None = None,
    media_type: str | None = None,
    cache_control: CacheControlDict | None = None,
    max_bytes: int = MAX_BYTES,
) -> ImagePartDict:
    """Return a part with an image.

    Args:
        source: The image.
        detail: How closely the model is to look, for families that know it.
        media_type: What the source is, where neither its bytes nor its name tell.
        cache_control: Marks the end of a prompt prefix to cache; Claude only.
        max_bytes: Largest source, in bytes.

    Raises:
        InvalidRequestError: When the source cannot be read, is empty, too large or no image.
    """
    url: ImageUrlDict = {"url": _as_url(source, "image", media_type, max_bytes)}
    if detail is not None:
        url["detail"] = detail
    part: ImagePartDict = {"type": "image_url", "image_url": url}
    if cache_control is not None:
        part["cache_control"] = cache_control
    return part


@forgetful
def audio(
    source: Source,
    *,
    format: str | None = None,  # noqa: A002 - the wire's own name
    max_bytes: int = MAX_BYTES,
) -> InputAudioPartDict:
    """Return a part with a recording, which is sent whole; see `audio_url` for one on the web.

    Args:
        source: The recording.
        format: Its format, `wav` or `mp3`, where neither its bytes nor its name tell.
        max_bytes: Largest source, in bytes.

    Raises:
        InvalidRequestError: When the source cannot be read, is empty, too large or no audio.
    """
    read = read_source(source, max_bytes)
    if isinstance(read, Content):
        found = format or format_of(read.media_type(None, "audio", option="format"))
        return _recording(read.base64, found)
    if read.payload is None or read.media_type is None:
        raise InvalidRequestError("audio() sends the recording whole; audio_url() sends a URL")
    check_kind(read.media_type, "audio")
    return _recording(read.payload, format or format_of(read.media_type))


@forgetful
def audio_url(
    source: Source, *, media_type: str | None = None, max_bytes: int = MAX_BYTES
) -> AudioUrlPartDict:
    """Return a part with the URL of a recording, for Gemini.

    Args:
        source: Its URL; anything else is made a data URL.
        media_type: What the source is, where neither its bytes nor its name tell.
        max_bytes: Largest source, in bytes.

    Raises:
        InvalidRequestError: When the source cannot be read, is empty, too large or no audio.
    """
    url = _as_url(source, "audio", media_type, max_bytes)
    return {"type": "audio_url", "audio_url": {"url": url}}


@forgetful
def video_url(
    source: Source, *, media_type: str | None = None, max_bytes: int = MAX_BYTES
) -> VideoUrlPartDict:
    """Return a part with the URL of a video, for Gemini.

    Args:
        source: Its URL; anything else is made a data URL.
        media_type: What the source is, where neither its bytes nor its name tell.
        max_bytes: Largest source, in bytes.

    Raises:
        InvalidRequestError: When the source cannot be read, is empty, too large or no video.
    """
    url = _as_url(source, "video", media_type, max_bytes)
    return {"type": "video_url", "video_url": {"url": url}}


@forgetful
def file(
    source: Source,
    *,
    filename: str | None = None,
    media_type: str | None = None,
    max_bytes: int = MAX_BYTES,
) -> FilePartDict:
    """Return a part with a document, such as a PDF, which is sent whole.

    Args:
        source: The document; of URLs only one that holds it (data:).
        filename: What to call it, instead of the name of the path or the open file.
        media_type: What the source is, where neither its bytes nor its name tell.
        max_bytes: Largest source, in bytes.

    Raises:
        InvalidRequestError: When the source cannot be read, is empty, too large or of unknown type.
    """
    if not isinstance(filename, str | None):  # pyright: ignore[reportUnnecessaryIsInstance] - a user's
        raise InvalidRequestError(f"filename must be a str, not {kind_of(filename)}")
    read = read_source(source, max_bytes)
    if isinstance(read, Content):
        named = Content(read.data, filename or read.name)
        data: FileDataDict = {"file_data": data_url(named, named.media_type(media_type, ""))}
        filename = named.name
    elif read.media_type is None:
        raise InvalidRequestError("file() sends the document whole: pass its bytes, not its URL")
    else:
        data = {"file_data": read.url}
    if filename is not None:
        data["filename"] = filename
    return {"type": "file", "file": data}


def _recording(data: str, found: object) -> InputAudioPartDict:
    if not isinstance(found, str) or not found.isalnum():
        raise InvalidRequestError('format must be one such as "wav" or "mp3"')
    return {"type": "input_audio", "input_audio": {"data": data, "format": found}}


def _as_url(source: Source, kind: str, media_type: str | None, max_bytes: int) -> str:
    read = read_source(source, max_bytes)
    if isinstance(read, Content):
        return data_url(read, read.media_type(media_type, kind))
    if read.media_type is not None:
        check_kind(read.media_type, kind)
    return read.url
