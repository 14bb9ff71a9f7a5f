"""Files that hold a secret: readable by their owner alone from the first byte, never half written.

Links are refused, and so is a folder that others can write to: whoever can put a file there could
have a program use a token of theirs, or write ours where they can read it.
"""

import contextlib
import os
import stat
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

try:
    import fcntl
except ImportError:  # pragma: no cover - where there is none, there is no lock
    fcntl: Any = None  # type: ignore[no-redef]

_LARGEST: Final = 64 * 1024
_POLL: Final = 0.05
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class Vault:
    """A folder of small secret files.

    Args:
        folder: Where; it is made when it is first written to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> bytes | None:
        """Return what a file holds; None where there is none that can be trusted.

        Raises:
            OSError: When it cannot be read.
        """
        try:
            self._check_folder()
            descriptor = os.open(self._folder / name, os.O_RDONLY | _NO_FOLLOW)
        except FileNotFoundError:
            return None
        with open(descriptor, "rb") as file:  # noqa: PTH123 - opened without following links
            _check(os.fstat(descriptor), stat.S_IFREG)
            return file.read(_LARGEST)

    def write(self, name: str, data: bytes) -> None:
        """Write a file, whole or not at all.

        Raises:
            OSError: When it cannot be written.
        """
        from tempfile import mkstemp  # noqa: PLC0415 - few programs log in this way

        self._make_folder()
        descriptor, temporary = mkstemp(dir=self._folder, prefix=f".{name}.")
        try:
            with open(descriptor, "wb") as file:  # noqa: PTH123 - made for this process alone
                file.write(data)
                file.flush()
                os.fsync(descriptor)
            os.replace(temporary, self._folder / name)  # noqa: PTH105 - names, not paths, are at hand
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)  # noqa: PTH108 - as above
            raise

    @contextlib.contextmanager
    def locked(self, name: str, seconds: float) -> Generator[bool]:
        """Keep other processes from a file; tells whether that was possible in time.

        Raises:
            OSError: When the folder cannot be used.
        """
        self._make_folder()
        flags = os.O_RDWR | os.O_CREAT | _NO_FOLLOW
        descriptor = os.open(self._folder / f".{name}.lock", flags, 0o600)
        try:
            yield _lock(descriptor, time.monotonic() + seconds)
        finally:
            os.close(descriptor)

    def _make_folder(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._check_folder()

    def _check_folder(self) -> None:
        _check(os.lstat(self._folder), stat.S_IFDIR)


def _check(found: os.stat_result, kind: int) -> None:
    """Refuse what is not one's own alone.

    Raises:
        PermissionError: Saying what is wrong.
    """
    if stat.S_IFMT(found.st_mode) != kind:
        raise PermissionError("it is a link, or no plain file or folder")
    if hasattr(os, "getuid") and found.st_uid != os.getuid():
        raise PermissionError("it belongs to somebody else")
    if os.name == "posix" and found.st_mode & _OTHERS:
        raise PermissionError("others on this machine can use it")


def _lock(descriptor: int, until: float) -> bool:
    while fcntl is not None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(_POLL)
        else:
            return True
    return False
