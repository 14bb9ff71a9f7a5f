"""Types that msgspec reads: dataclasses, attrs classes, TypedDicts, structs and the rest."""

import json
import re
from typing import Any, Final, Generic, TypeVar

from databricks_serving._core.json_codec import is_list, is_object
from databricks_serving._core.structured.describe import Schema, describe
from databricks_serving._core.structured.extras import need
from databricks_serving._core.structured.misfit import MisfitError
from databricks_serving.errors import InvalidRequestError

T = TypeVar("T")

_MESSAGE: Final = re.compile(
    r"(?P<what>.*?)(?: - at (?P<key>`key` in )?`(?P<path>[^`]*)`)?", re.DOTALL
)
# What msgspec says itself names types and keys; anything else is a class's own message.
_OWN: Final = ("Expected ", "Object ", "Invalid ", "JSON ", "Input ", "Integer ", "Number ")
# JSON does not tell 1.0 from 1, and some families write the one for the other.
_NO_FLOAT: Final = re.compile(r"Expected `.*\bint\b.*`, got `float`")
_WITH_VALUE: Final = ("Invalid enum value", "Invalid value")


class PlainConverter(Generic[T]):
    """Reads JSON as objects of a type, with msgspec."""

    def __init__(self, hint: Any, place: str) -> None:
        self.schema: Schema = describe(hint, place)
        try:
            self._decoder: Any = need("msgspec.json").Decoder(hint)
        except (NameError, TypeError, ValueError) as error:
            fault: str = str(error).partition("\n")[0]
        else:
            return
        raise InvalidRequestError(f"{place}: {fault}")

    def read(self, value: Any) -> T:
        """Return the object that a decoded JSON value stands for; raises MisfitError."""
        try:
            return self._read(value)
        except MisfitError as error:
            misfit = error
        if _NO_FLOAT.fullmatch(misfit.expected) is None:
            raise misfit
        return self._read(_with_whole_numbers(value))

    def _read(self, value: Any) -> T:
        try:
            result: T = self._decoder.decode(json.dumps(value))
        except Exception as error:  # noqa: BLE001 - the classes of people raise what they like
            misfit = _misfit(error)
        else:
            return result
        raise misfit


def _with_whole_numbers(value: Any) -> Any:
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if is_object(value):
        return {key: _with_whole_numbers(item) for key, item in value.items()}
    return [_with_whole_numbers(item) for item in value] if is_list(value) else value


def _misfit(error: Exception) -> MisfitError:
    found = _MESSAGE.fullmatch(str(error))
    what = f"{found['what']}{' for a key' if found['key'] else ''}" if found else ""
    path = (found["path"] if found else None) or "$"
    expected = what
    own = isinstance(error, need("msgspec").DecodeError)
    if not own:
        what = f"{type(error).__name__}: {what}"
    own = own and error.__cause__ is None
    if not own or not what.startswith(_OWN):
        kind = type(error.__cause__ or error).__name__
        expected = f"its class refuses it ({kind})"
    elif what.startswith(_WITH_VALUE):
        expected = "Expected one of the values of its type"
    return MisfitError(path, expected, f"{path}: {what}")


def to_plain(value: Any) -> Any:
    """Return the JSON form of any object that msgspec knows; raises TypeError for others."""
    msgspec = need("msgspec")
    return msgspec.to_builtins(value, str_keys=True, enc_hook=_other)


def _other(value: Any) -> Any:
    for method, arguments in (("model_dump", {"mode": "json"}), ("tolist", {}), ("to_dict", {})):
        convert = getattr(value, method, None)
        if callable(convert):
            return convert(**arguments)
    raise TypeError(f"{type(value).__name__} has no JSON form")
