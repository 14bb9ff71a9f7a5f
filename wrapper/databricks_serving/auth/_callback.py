"""Tokens from a function of the user's."""

from collections.abc import Callable
from typing import Any, ClassVar

from databricks_serving.auth._source import Site, Source
from databricks_serving.auth._steps import Fetch, called
from databricks_serving.auth._token import Token, checked
from databricks_serving.errors import TokenError


class Callback(Source):
    """A function, async or not, that returns a token.

    It is called when a token is needed: once for all calls that wait, again before the token's end,
    and when a server refuses it. A token that is plain text is asked for anew after a minute.

    Args:
        function: Returns a token as text, or as `Token` with its life.
    """

    auth_type: ClassVar[str] = "callback"

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function

    def fetch(self, site: Site) -> Fetch:  # noqa: ARG002 - as every source
        """Call the function."""
        text = "the function that was given as auth raised {}"
        given = yield from called(self._function, text, self.auth_type)
        if isinstance(given, Token):
            return checked(given, self.auth_type)
        if isinstance(given, str):
            return checked(Token(given), self.auth_type)
        kind = type(given).__name__
        text = f"the function that was given as auth must return a str or a Token, not {kind}"
        raise TokenError(text, source=self.auth_type)
