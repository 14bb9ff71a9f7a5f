from typing import Final

COMPLEX: Final = "is a complex number (pass its parts instead)"
DURATION: Final = "is a duration (pass a number instead, such as its total_seconds())"
INFINITE: Final = "is infinite, which JSON cannot hold"
MISSING: Final = "is missing (NaN or the like): only tables may have gaps"


class UnfitError(Exception):
    """A value that JSON cannot hold.

    Attributes:
        fault: What is wrong with it, as the end of a sentence; never the value.
        place: Where it is, as `[2].name`.
    """

    def __init__(self, fault: str, place: str = "") -> None:
        super().__init__(fault)
        self.fault = fault
        self.place = place
