"""What a cassette is told, checked before it reads anything."""

from typing import Any, Final, Literal, get_args

from databricks_serving._core.json_codec import is_sequence
from databricks_serving.errors import InvalidRequestError
from databricks_serving.testing._ages import check_age

Mode = Literal["none", "new_episodes", "all"]
_MODES: Final = get_args(Mode)


def check_arguments(
    *,
    mode: Any = "none",
    ignore: Any = (),
    repeats: Any = False,
    max_age: Any = None,
    allow_unused: Any = True,
) -> None:
    """Refuse values that a cassette cannot use.

    Raises:
        InvalidRequestError: Naming the argument.
    """
    if mode not in _MODES:
        raise InvalidRequestError(f"mode must be one of {', '.join(_MODES)}, not {mode!r:.40}")
    if not is_sequence(ignore) or not all(isinstance(one, str) for one in ignore):
        what = "one text" if isinstance(ignore, str) else f"{ignore!r:.40}"
        raise InvalidRequestError(f"ignore must be a list of names, not {what}")
    check_age(max_age)
    for name, value in (("repeats", repeats), ("allow_unused", allow_unused)):
        if not isinstance(value, bool):
            raise InvalidRequestError(f"{name} must be True or False, not {value!r:.40}")
