"""How JSON fails to be what was asked for."""


class MisfitError(ValueError):
    """A value that does not fit its type.

    Attributes:
        path: Where, as a JSON path: `$.items[0].price`.
        expected: What is wrong, without the value: for errors and logs.
        detail: What is wrong in full: for the model, which wrote the value.
    """

    def __init__(self, path: str, expected: str, detail: str | None = None) -> None:
        super().__init__(f"{path}: {expected}")
        self.path = path
        self.expected = expected
        self.detail: str = detail or f"{path}: {expected}"

    def below(self, name: str) -> "MisfitError":
        """Return the same misfit of a value that stands under a key."""
        path = f"$.{name}{self.path.removeprefix('$')}"
        detail = self.detail.removeprefix(f"{self.path}: ")
        return MisfitError(path, self.expected, f"{path}: {detail}")
