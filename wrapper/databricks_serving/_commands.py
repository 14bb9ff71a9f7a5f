"""A parser of arguments that says which word is wrong, and what may have been meant."""

import argparse
import sys
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple


class Mistake(NamedTuple):
    """A word that a parser does not know: an option or a command."""

    word: str
    known: Collection[str]
    is_option: bool

    def __str__(self) -> str:
        said = f"there is no {'option' if self.is_option else 'command'} {self.word}"
        near = get_close_matches(self.word, self.known, 1)
        if near:
            return f"{said}; did you mean {near[0]}?"
        return f"{said}; --help tells what there is"


class Parser(argparse.ArgumentParser):
    """Looks for misspelt words before it parses.

    The usual one takes the value of an option that it does not know for a command, and complains
    about that. Options are not abbreviated, so that a later one breaks no script.
    """

    def __init__(self, **options: Any) -> None:
        self._options: dict[str, bool] = {}
        super().__init__(**options, allow_abbrev=False)
        self._known: Mapping[str, Any] = {}

    def add_argument(self, *names: Any, **options: Any) -> argparse.Action:
        """Add an argument, and remember whether it is an option that takes a value."""
        action = super().add_argument(*names, **options)
        self._options |= dict.fromkeys(action.option_strings, action.nargs != 0)
        return action

    def add_subparsers(self, **options: Any) -> Any:
        """Add commands, and remember their names."""
        actions = super().add_subparsers(**options)
        self._known = actions.choices
        return actions

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride] - the overloads of the base class come to this
        """Parse arguments; a word that is not known ends with status 2."""
        words = sys.argv[1:] if args is None else args
        mistake = find_mistake(words, self._options, self._known)
        if mistake is not None:
            self.error(str(mistake))
        return super().parse_known_args(words, namespace)


def find_mistake(
    words: Sequence[str], options: Mapping[str, bool], commands: Collection[str]
) -> Mistake | None:
    """Return the first word that is no option, or no command where one is expected.

    Args:
        words: The arguments.
        options: The options, and whether they take a value.
        commands: The commands, each of which looks at the words after it; none where words that
            are no options are for the parser itself.
    """
    waiting = iter(words)
    for word in waiting:
        if word == "--":
            return None
        if word.startswith("-") and word != "-":
            name, given, _ = word.partition("=")
            if name not in options:
                return Mistake(name, options, is_option=True)
            if options[name] and not given:
                next(waiting, None)
        elif commands:
            return None if word in commands else Mistake(word, commands, is_option=False)
    return None
