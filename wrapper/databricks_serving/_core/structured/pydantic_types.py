"""Types that pydantic reads: its models, and whatever holds one of them."""

import json
import sys
from typing import Any, Final, Generic, TypeVar, get_args, get_type_hints

from databricks_serving._core.structured.describe import Schema
from databricks_serving._core.structured.extras import need
from databricks_serving._core.structured.misfit import MisfitError
from databricks_serving.errors import InvalidRequestError

T = TypeVar("T")

# What a class says itself may quote the value, and these messages of pydantic do.
_REFUSED: Final = "its class refuses it"
_QUOTING: Final = {
    "assertion_error": _REFUSED,
    "union_tag_invalid": "Input should have the tag of one of the variants",
    "uuid_parsing": "Input should be a valid UUID",
    "value_error": _REFUSED,
}
_MOST_ERRORS: Final = 5


class PydanticConverter(Generic[T]):
    """Reads JSON as objects of a type, with pydantic."""

    def __init__(self, hint: Any, place: str) -> None:
        pydantic = need("pydantic")
        try:
            self._adapter: Any = pydantic.TypeAdapter(hint)
            self.schema: Schema = self._adapter.json_schema()
        except (pydantic.errors.PydanticUserError, NameError) as error:
            fault: str = str(error).partition("\n")[0]
        else:
            return
        raise InvalidRequestError(f"{place}: {fault}")

    def read(self, value: Any) -> T:
        """Return the object that a decoded JSON value stands for; raises MisfitError."""
        try:
            result: T = self._adapter.validate_json(json.dumps(value))
        except need("pydantic").ValidationError as error:
            errors: list[dict[str, Any]] = error.errors(
                include_url=False, include_context=False, include_input=False
            )
        except Exception as error:  # noqa: BLE001 - the classes of people raise what they like
            kind = type(error).__name__
            errors = [{"loc": (), "msg": f"its class refuses it ({kind})", "type": "value_error"}]
        else:
            return result
        first = errors[0]
        expected = first["msg"]
        if first["type"] in _QUOTING:
            expected = _QUOTING[first["type"]]
        elif first["type"] not in get_args(need("pydantic_core.core_schema").ErrorType):
            expected = _REFUSED
        lines = [f"{_path(one['loc'])}: {one['msg']}" for one in errors[:_MOST_ERRORS]]
        raise MisfitError(_path(first["loc"]), expected, "; ".join(lines))


def mentions_pydantic(hint: Any) -> bool:
    """Tell whether a type is, or holds, a pydantic model or field."""
    module: Any = sys.modules.get("pydantic")
    return module is not None and _mentions(hint, module, set())


def _mentions(hint: Any, pydantic: Any, seen: set[int]) -> bool:
    noted = getattr(hint, "__metadata__", ())
    if any(type(note).__module__.partition(".")[0] == "pydantic" for note in noted):
        return True
    if any(_mentions(one, pydantic, seen) for one in get_args(hint)):
        return True
    return isinstance(hint, type) and id(hint) not in seen and _class_mentions(hint, pydantic, seen)


def _class_mentions(hint: type, pydantic: Any, seen: set[int]) -> bool:
    if issubclass(hint, pydantic.BaseModel) or hasattr(hint, "__pydantic_validator__"):
        return True
    seen.add(id(hint))
    if not getattr(hint, "__annotations__", None):
        return False
    try:
        fields = get_type_hints(hint, include_extras=True)
    except (NameError, TypeError):
        return False
    return any(_mentions(one, pydantic, seen) for one in fields.values())


def _path(location: tuple[int | str, ...]) -> str:
    return "$" + "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in location)
