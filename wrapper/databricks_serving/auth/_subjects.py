"""Tokens of another issuer, which the workspace exchanges for one of its own: those at hand."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path
from typing import Any, ClassVar

from databricks_serving.auth._source import Site
from databricks_serving.auth._steps import Content, Read, Step, called
from databricks_serving.errors import ConfigError, TokenError


class Subject(ABC):
    """Where a token of another issuer comes from."""

    remedy: ClassVar[str]
    """What to do where it gives none that can be used."""

    @abstractmethod
    def fetch(self, site: Site, source: str, audience: str) -> Generator[Step, Any, object]:
        """Yield the steps that lead to the token, and return it as it is.

        Args:
            site: For where it is.
            source: Who needs it, for messages.
            audience: Whom it is to be made for, where the issuer asks.

        Raises:
            TokenError: When there is none.
        """
        ...


class FromFunction(Subject):
    """What a function of the user's returns, async or not."""

    remedy = "it is what the function returned"

    def __init__(self, function: Callable[[], str] | Callable[[], Awaitable[str]]) -> None:
        _check_function(function)
        self._function = function

    def fetch(self, site: Site, source: str, audience: str) -> Generator[Step, Any, object]:  # noqa: ARG002 - as every subject
        """Call it."""
        text = f"{source}: the function given as subject raised {{}}"
        return (yield from called(self._function, text, source))


def _check_function(given: object) -> None:
    if isinstance(given, type) or not callable(given):
        kind = given.__name__ if isinstance(given, type) else type(given).__name__
        raise ConfigError(f"subject must be a function that returns a token, not {kind}")


class FromVariable(Subject):
    """What an environment variable holds."""

    remedy = "have whatever started this program renew the variable"

    def __init__(self, name: str) -> None:
        self._name = name

    def fetch(self, site: Site, source: str, audience: str) -> Generator[Step, Any, object]:  # noqa: ARG002 - as every subject
        """Read it."""
        yield from ()
        text = site.variable(self._name)
        if text is None:
            raise TokenError(f"{source}: the variable {self._name} is not set", source=source)
        return text


class FromFile(Subject):
    """What a file holds, which somebody else renews."""

    remedy = "whatever writes the file has to renew it"

    def __init__(self, path: str) -> None:
        self._path = path

    def fetch(self, site: Site, source: str, audience: str) -> Generator[Step, Any, object]:  # noqa: ARG002 - as every subject
        """Read it."""
        try:
            content: Content = yield Read(str(Path(self._path).expanduser()))
        except (OSError, RuntimeError) as error:
            why = getattr(error, "strerror", None) or type(error).__name__
            text = f"{source}: {self._path} cannot be read: {why}"
            raise TokenError(text, source=source, transient=True) from None
        return content.data.reveal().decode("utf-8-sig", "replace")
