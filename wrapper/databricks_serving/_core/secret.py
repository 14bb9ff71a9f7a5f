"""A text that must not be printed."""

from typing import NoReturn, Self


class Secret:
    """Holds a secret so that no repr, log, format or pickle shows it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    @classmethod
    def of(cls, value: str | None) -> Self | None:
        """Return a secret, or None for None."""
        return None if value is None else cls(value)

    def reveal(self) -> str:
        """Return the secret itself; for the header that carries it only."""
        return self._value

    def mask(self, data: bytes) -> bytes:
        """Return a body with every occurrence of the secret replaced."""
        return data.replace(self._value.encode(), b"***")

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled")
