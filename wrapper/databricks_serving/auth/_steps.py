"""What a source of tokens asks of the outside, one step at a time.

A source is a generator: it yields steps, is sent what they gave, and returns a token. What failed
is thrown into it. So a source does no I/O, and works under threads and event loops alike.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from databricks_serving._core.secret import Hidden, Secret
from databricks_serving.auth._token import Token
from databricks_serving.errors import ServingError, TokenError


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Send an HTTP request; gives a `Response`, whatever its status below 500 but 429.

    Those are tried again. Throws a `ServingError` when there is no answer.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    content: Hidden[bytes] = field(default_factory=lambda: Hidden(b""))
    seconds: float = 30.0
    """For all tries together."""
    tries: int = 3

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What authorises the request, to be kept out of errors."""
        value = self.headers.get("authorization", "").partition(" ")[2]
        return (Secret(value),) if value else ()


@dataclass(frozen=True, slots=True)
class Run:
    """Run a program; gives a `Completed`. Throws an OSError, or a TimeoutError."""

    command: tuple[str, ...]
    seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Completed:
    """How a program ended."""

    code: int
    output: Hidden[bytes]
    errors: bytes


@dataclass(frozen=True, slots=True)
class Read:
    """Read a small file; gives a `Content`. Throws an OSError."""

    path: str


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds.

    Attributes:
        data: Its bytes.
        shared: Whether others on this machine can read it too.
    """

    data: Hidden[bytes]
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """Call a function of the user's or of a library; gives what it returns.

    An asynchronous one is awaited, where there is an event loop. Throws what it raises.
    """

    function: Callable[[], Any] = field(repr=False)
    blocks: bool = True
    """Whether it may take a while, so that an event loop has it done in a thread."""


Step = Ask | Run | Read | Call
Fetch = Generator[Step, Any, Token]


def called(function: Callable[[], Any], failed: str, source: str) -> Generator[Step, Any, Any]:
    """Return what a function of somebody else's gives.

    Args:
        function: The function.
        failed: What to say when it raises; `{}` stands for what.
        source: For whom it is called.

    Raises:
        TokenError: When it raises.
    """
    try:
        return (yield Call(function))
    except ServingError:
        raise
    except Exception as error:
        text = failed.format(type(error).__name__)
        raise TokenError(text, source=source, transient=True) from error
