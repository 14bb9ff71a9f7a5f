"""Programs that people log in with, and that then give tokens."""

import re
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from databricks_serving.auth._calendar import seconds_until
from databricks_serving.auth._json import bearer_in, object_in
from databricks_serving.auth._source import UnavailableError
from databricks_serving.auth._steps import Call, Completed, Run, Step
from databricks_serving.auth._token import Token, checked
from databricks_serving.auth._values import Values
from databricks_serving.errors import TokenError

_SHOWN: Final = 200
_SECRETS: Final = re.compile(r"eyJ[\w.-]+|dapi\w+|\w{40,}")


class Fields(NamedTuple):
    """How a program names the parts of its answer; the first end that makes sense counts."""

    value: str
    kind: str
    ends: tuple[str, ...]


def is_installed(program: str, values: Values) -> bool:
    """Tell whether a program is on the PATH."""
    return _which(program, values.variable("PATH") or "") is not None


def find_program(source: str, program: str) -> Generator[Step, Any, str]:
    """Return the path of a program, given by name or path.

    Raises:
        UnavailableError: When it is not there.
    """
    path = yield Call(partial(_which, program))
    if path is None:
        raise UnavailableError(f"{source}: there is no program {program}", source=source)
    return str(path)


def run(source: str, command: tuple[str, ...]) -> Generator[Step, Any, Completed]:
    """Run a program to its end.

    Raises:
        UnavailableError: When it cannot be run.
        TokenError: When it takes too long.
    """
    name = Path(command[0]).name
    try:
        completed: Completed = yield Run(command)
    except TimeoutError:
        text = f"{source}: {name} did not answer in time"
        raise TokenError(text, source=source, transient=True) from None
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise UnavailableError(f"{source}: {name} cannot be run: {why}", source=source) from None
    return completed


def said(completed: Completed) -> str:
    """Return what a program said of its failure: in one line, shortened, without tokens."""
    words = completed.errors.decode("utf-8", "replace").split()
    text = "".join(one for one in _SECRETS.sub("***", " ".join(words)) if one.isprintable())
    return text[:_SHOWN].rstrip(".") or f"exit status {completed.code}"


def token_in(completed: Completed, source: str, program: str, fields: Fields) -> Token:
    """Return the token of an answer.

    Raises:
        TokenError: When there is none that can be used.
    """
    data = object_in(completed.output.reveal())
    value = bearer_in(data, fields.value, fields.kind, f"{source}: {program}", source)
    ends = (seconds_until(data.get(name)) for name in fields.ends)
    left = next((end for end in ends if end is not None), None)
    if left is not None and left <= 0:
        text = f"{source}: {program} gave a token that has expired: is this machine's clock right?"
        raise TokenError(text, source=source, transient=True)
    return checked(Token(value, left), source)


def _which(program: str, path: str | None = None) -> str | None:
    from shutil import which  # noqa: PLC0415 - few programs log in this way

    try:
        return which(str(Path(program).expanduser()) if "~" in program else program, path=path)
    except RuntimeError:
        # There is no home of that name.
        return None
