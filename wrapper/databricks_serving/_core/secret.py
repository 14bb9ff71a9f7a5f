"""Values that must not be printed."""

from typing import Final, Generic, NoReturn, Self, TypeVar

T = TypeVar("T")

# No token is longer.
MAX_SECRET: Final = 16 * 1024


class Hidden(Generic[T]):
    """Holds a value so that no repr, log, format or pickle shows it."""

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        """Return the value itself; for what is sent only."""
        return self._value

    def __repr__(self) -> str:
        return f"{type(self).__name__}(***)"

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled")


class Secret(Hidden[str]):
    """A secret text, such as a token."""

    __slots__ = ()

    @classmethod
    def of(cls, value: str | None) -> Self | None:
        """Return a secret, or None for None."""
        return None if value is None else cls(value)

    def mask(self, data: bytes) -> bytes:
        """Return a body with every occurrence of the secret replaced."""
        return data.replace(self._value.encode(), b"***")
