"""What an error remembers of the call that it ended, without secrets and without prompts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from shlex import quote
from typing import Final

__all__ = ["Attempt", "SentRequest", "account_of"]

_STOPPED_BY: Final = {
    "retries": "max_retries reached",
    "reruns": "it may have run, see max_reruns and idempotent",
    "deadline": "the deadline is too near",
    "retry_after": "a longer wait than max_retry_after",
    "quota": "too many calls of this endpoint fail",
    "cold_start": "cold_start_timeout is over",
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a call.

    Attributes:
        cause: How it ended, in a few words, such as `RateLimitError 429`.
        elapsed: Seconds from the start of the call to the end of this try.
        wait: Seconds waited before the next try; None for the last one.
        request_id: The server's id of this try, if it gave one.
    """

    cause: str
    elapsed: float
    wait: float | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class SentRequest:
    """What a call sent, but for its secrets and its body.

    Attributes:
        method: The HTTP method.
        url: The URL; values of the query read `***`.
        headers: The headers; values that may be secret read `***`.
        size: Length of the body in bytes.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    size: int = 0

    def to_curl(self) -> str:
        """Return the request as a curl command that reads token and body from where you put them.

        The token comes from the variable `DATABRICKS_TOKEN`, the body from a file `body.json`.
        """
        lines = [f"curl -X {self.method} {quote(self.url)}"]
        lines += [f"-H {quote(f'{name}: {value}')}" for name, value in self.headers.items()]
        # Double quotes, for the shell to put the token in.
        lines.append('-H "authorization: Bearer $DATABRICKS_TOKEN"')
        lines.append(f"--data-binary @body.json  # {self.size} bytes")
        return " \\\n  ".join(lines)


def account_of(history: Sequence[Attempt], elapsed: float, stopped_by: str | None) -> str:
    """Return in a few words how a call went that failed, and why it went no further."""
    tries = "1 try" if len(history) == 1 else f"{len(history)} tries"
    last = history[-1].cause if history else ""
    earlier = dict.fromkeys(one.cause for one in history if one.cause != last)
    told = f", before it {', '.join(earlier)}" if earlier else ""
    stopped = f", not tried again: {_STOPPED_BY[stopped_by]}" if stopped_by else ""
    return f"{tries} in {elapsed:.1f} s{told}{stopped}"
