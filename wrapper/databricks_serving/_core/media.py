"""What kind of media some bytes are, as they say themselves or as their name says."""

import re
from pathlib import PurePath
from typing import Final

_MEDIA_TYPE: Final = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]*")
# Begins with, and has at an offset.
_MAGIC: Final = (
    (b"\x89PNG\r\n\x1a\n", 0, b"", "image/png"),
    (b"\xff\xd8\xff", 0, b"", "image/jpeg"),
    (b"GIF8", 0, b"", "image/gif"),
    (b"RIFF", 8, b"WEBP", "image/webp"),
    (b"II*\x00", 0, b"", "image/tiff"),
    (b"MM\x00*", 0, b"", "image/tiff"),
    (b"", 4, b"ftypavif", "image/avif"),
    (b"", 4, b"ftyphei", "image/heic"),
    (b"", 4, b"ftypmif1", "image/heic"),
    (b"%PDF-", 0, b"", "application/pdf"),
    (b"RIFF", 8, b"WAVE", "audio/wav"),
    (b"ID3", 0, b"", "audio/mpeg"),
    (b"fLaC", 0, b"", "audio/flac"),
    (b"OggS", 0, b"", "audio/ogg"),
    (b"", 4, b"ftypM4A", "audio/mp4"),
    (b"", 4, b"ftypqt", "video/quicktime"),
    (b"", 4, b"ftyp", "video/mp4"),
    (b"\x1aE\xdf\xa3", 0, b"", "video/webm"),
)
_SUFFIXES: Final = {
    ".aac": "audio/aac",
    ".avi": "video/x-msvideo",
    ".bmp": "image/bmp",
    ".csv": "text/csv",
    ".doc": "application/msword",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".htm": "text/html",
    ".html": "text/html",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".m4a": "audio/mp4",
    ".md": "text/markdown",
    ".mov": "video/quicktime",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".mpeg": "video/mpeg",
    ".mpg": "video/mpeg",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".svg": "image/svg+xml",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".txt": "text/plain",
    ".wav": "audio/wav",
    ".xls": "application/vnd.ms-excel",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".xml": "application/xml",
}
_FORMATS: Final = {"audio/mpeg": "mp3", "audio/mp4": "m4a", "audio/x-wav": "wav"}
# What holds pictures and sound, or sound alone.
_CONTAINERS: Final = frozenset({"video/mp4", "video/webm"})
_SYNC: Final = 0xFFE0
_LAYER: Final = 0x0006


def media_type_of(data: bytes, name: str | None) -> str | None:
    """Return the media type of some bytes; None where neither they nor their name tell it.

    Args:
        data: The bytes; what they say goes before the name.
        name: Name of the file, if there is one.
    """
    named = None if name is None else _SUFFIXES.get(PurePath(name).suffix.lower())
    said = _said_by(data)
    if said in _CONTAINERS and named is not None and named.startswith("audio/"):
        return named
    return said or named


def is_media_type(value: object) -> bool:
    """Tell whether a value can stand for a media type, without parameters."""
    return isinstance(value, str) and _MEDIA_TYPE.fullmatch(value) is not None


def format_of(media_type: str) -> str:
    """Return the short name of an audio format."""
    return _FORMATS.get(media_type, media_type.partition("/")[2])


def _said_by(data: bytes) -> str | None:
    for start, offset, further, media_type in _MAGIC:
        if data.startswith(start) and data.startswith(further, offset):
            return media_type
    return "audio/mpeg" if _is_mpeg_audio(data) else None


def _is_mpeg_audio(data: bytes) -> bool:
    # Frames without tags begin with eleven bits, and a layer that is not 0.
    head = int.from_bytes(data[:2], "big")
    return head & _SYNC == _SYNC and bool(head & _LAYER)
