"""Reads the files that parts of messages are made from; what else they are is for `_core`."""

import os
import stat
from pathlib import Path
from typing import Any

from databricks_serving._core.json_codec import kind_of
from databricks_serving._core.sources import Content, Url, check_size, read_url
from databricks_serving.errors import InvalidRequestError


def read_source(source: Any, max_bytes: int) -> Content | Url:
    """Read what a part is to be made from.

    Args:
        source: A path, bytes, an open file or a URL.
        max_bytes: The largest number of bytes.

    Raises:
        InvalidRequestError: When it is none of these, cannot be read, is empty or too large.
    """
    if type(max_bytes) is not int or max_bytes < 1:
        raise InvalidRequestError("max_bytes must be a whole number from 1 on")
    if isinstance(source, str):
        return read_url(source, max_bytes)
    if isinstance(source, os.PathLike):
        return _read_path(_path_of(source), max_bytes)  # pyright: ignore[reportUnknownArgumentType] - a user's
    if isinstance(source, bytes | bytearray | memoryview):
        data, name = bytes(source), None  # pyright: ignore[reportUnknownArgumentType] - a user's
    elif callable(getattr(source, "read", None)):
        data, name = _read_open(source, max_bytes)
    else:
        raise InvalidRequestError(
            f"source must be a path, bytes, an open file or a URL, not {kind_of(source)}"
        )
    check_size(len(data), max_bytes)
    return Content(data, name)


def _path_of(source: os.PathLike[Any]) -> Path:
    try:
        return Path(os.fsdecode(source))
    except TypeError as error:
        fault = str(error)
    raise InvalidRequestError(f"source is no path: {fault}")


def _read_open(source: Any, max_bytes: int) -> tuple[bytes, str | None]:
    try:
        data = _read_all(source, max_bytes)
    except InvalidRequestError:
        raise
    except (OSError, ValueError) as error:
        fault = type(error).__name__
    else:
        name = getattr(source, "name", None)
        return data, Path(name).name if isinstance(name, str) else None
    raise InvalidRequestError(f"source is an open file that cannot be read: {fault}")


def _read_all(source: Any, max_bytes: int) -> bytes:
    data = bytearray()
    # One byte more shows that there is more than there may be; a file may give less than asked for.
    while len(data) <= max_bytes and (piece := source.read(max_bytes + 1 - len(data))):
        if not isinstance(piece, bytes | bytearray):
            raise InvalidRequestError(
                f"source is an open file that gives {type(piece).__name__}: open it with 'rb'"
            )
        data += piece
    return bytes(data)


def _read_path(path: Path, max_bytes: int) -> Content:
    if "\0" in str(path):
        raise InvalidRequestError("source is a path with a NUL in it")
    try:
        found = path.stat()
        # A pipe or a device might never end.
        if not stat.S_ISREG(found.st_mode):
            what = "a directory" if stat.S_ISDIR(found.st_mode) else "no regular file"
            raise InvalidRequestError(f"source cannot be read: {str(path)!r} is {what}")
        check_size(found.st_size, max_bytes)
        with path.open("rb") as opened:
            data = _read_all(opened, max_bytes)
    except OSError as error:
        fault = error.strerror
    else:
        check_size(len(data), max_bytes)
        return Content(data, path.name)
    raise InvalidRequestError(f"source cannot be read: {str(path)!r}: {fault}")
