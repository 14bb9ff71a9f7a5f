"""Steps that block, for threads: those of the blocking client, and those beside an event loop."""

import os
import stat
from typing import Any, Final, NoReturn

from databricks_serving._core.secret import Hidden
from databricks_serving.auth._steps import Completed, Content, Read, Run
from databricks_serving.errors import TokenError

_MAX_FILE: Final = 1024 * 1024


def left_until(until: float | None, now: float) -> float | None:
    """Return the seconds until a time; None for never."""
    return None if until is None else until - now


def completed(step: Run, left: float | None) -> Completed:
    """Run a program to its end.

    Raises:
        OSError: When it cannot be run.
        TimeoutError: When it takes too long; it is killed.
    """
    import subprocess  # noqa: PLC0415 - few programs log in this way

    seconds = step.seconds if left is None else max(min(step.seconds, left), 0.01)
    try:
        done = subprocess.run(  # noqa: S603 - the command is the source's own
            step.command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"{step.command[0]} took longer than {seconds:g} s") from None
    return Completed(done.returncode, Hidden(done.stdout), done.stderr)


def contents(step: Read) -> Content:
    """Read a file.

    Raises:
        OSError: When it cannot be read, or is too large to be what it should be.
    """
    with open(step.path, "rb") as file:  # noqa: PTH123 - the descriptor is asked for its mode
        mode = os.fstat(file.fileno()).st_mode
        data = file.read(_MAX_FILE + 1)
    if len(data) > _MAX_FILE:
        raise OSError(f"larger than {_MAX_FILE} bytes")
    shared = os.name == "posix" and bool(mode & (stat.S_IRGRP | stat.S_IROTH))
    return Content(Hidden(data), shared=shared)


def refused_awaitable(awaitable: Any) -> NoReturn:
    """Refuse what only an event loop can wait for.

    Raises:
        TokenError: Always.
    """
    close = getattr(awaitable, "close", None)
    if close is not None:
        close()
    raise TokenError("auth is an async function, which needs AsyncServingClient", source="callback")
