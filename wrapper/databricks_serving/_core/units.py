"""Sizes as people read them."""

from typing import Final

MIB: Final = 1024 * 1024


def size_text(size: int) -> str:
    """Return a number of bytes in words."""
    return f"{size / MIB:.4g} MiB" if size >= MIB else f"{size} bytes"
