"""Functions of the user's that this package calls."""

from inspect import iscoroutinefunction


def callback_fault(name: str, value: object, word: str | None = None) -> str | None:
    """Say what is wrong with a function that the user gave; None if nothing is.

    Args:
        name: Name of the option.
        value: The function; None for none.
        word: What may stand in its place.
    """
    if value is None or (word is not None and value == word):
        return None
    asynchronous = iscoroutinefunction(value) or iscoroutinefunction(getattr(value, "__call__", 0))  # noqa: B004 - whether it is `async`
    if callable(value) and not asynchronous:
        return None
    instead = f' or "{word}"' if word else ""
    return f"{name} must be a function, and not an async one{instead}"
