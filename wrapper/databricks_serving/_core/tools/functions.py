"""The parameters of a function as JSON Schema, and JSON as arguments of it."""

import inspect
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, NamedTuple, get_type_hints

from databricks_serving._core.json_codec import is_object
from databricks_serving._core.structured.converters import Converter, converter_of
from databricks_serving._core.structured.describe import default_of
from databricks_serving._core.structured.docs import Docs, function_docs
from databricks_serving._core.structured.misfit import MisfitError
from databricks_serving._core.structured.pydantic_types import mentions_pydantic
from databricks_serving._core.structured.schema_parts import moved
from databricks_serving.errors import InvalidRequestError

# fact: endpoints refuse other names of tools.
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_VARIADIC: Final[Mapping[Any, str]] = {
    inspect.Parameter.VAR_POSITIONAL: "*",
    inspect.Parameter.VAR_KEYWORD: "**",
}


class Arguments(NamedTuple):
    """What a function is called with."""

    positional: list[Any]
    named: dict[str, Any]


class Signature:
    """What a function takes, as its annotations say.

    Args:
        function: Any callable with annotated parameters.
        name: What the function is called in errors.

    Raises:
        InvalidRequestError: When a parameter has no type, or one without a JSON form, naming it.
    """

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        target = _target(function)
        docs = function_docs(_docstring(function))
        hints = _hints_of(target, name)
        self.description: str = docs.text
        self._parameters = _parameters(function, name)
        pydantic = any(mentions_pydantic(hints.get(one)) for one in self._parameters)
        self._converters: dict[str, Converter[Any]] = {}
        for one in self._parameters:
            if one not in hints:
                raise InvalidRequestError(
                    f"{name}({one}): a parameter of a tool needs a type, such as {one}: str"
                    + ("; pass the bound method instead" if one in {"self", "cls"} else "")
                )
            self._converters[one] = converter_of(hints[one], f"{name}({one})", pydantic=pydantic)
        self.schema: dict[str, Any] = self._schema(docs)

    def read(self, value: Any) -> Arguments:
        """Return the arguments that a decoded JSON object stands for; raises MisfitError."""
        if not is_object(value):
            raise MisfitError("$", "Expected `object`")
        for key in value:
            if key not in self._parameters:
                known = ", ".join(self._parameters) or "none"
                raise MisfitError("$", f"there is no argument `{key}`; there are: {known}")
        arguments = Arguments([], {})
        for name, parameter in self._parameters.items():
            if name in value:
                self._put(arguments, parameter, value[name])
            elif parameter.default is parameter.empty:
                raise MisfitError("$", f"the argument `{name}` is missing")
            elif parameter.kind is parameter.POSITIONAL_ONLY:
                arguments.positional.append(parameter.default)
        return arguments

    def _put(self, arguments: Arguments, parameter: inspect.Parameter, value: Any) -> None:
        try:
            converted = self._converters[parameter.name].read(value)
        except MisfitError as error:
            misfit = error.below(parameter.name)
        else:
            if parameter.kind is parameter.POSITIONAL_ONLY:
                arguments.positional.append(converted)
            else:
                arguments.named[parameter.name] = converted
            return
        raise misfit

    def _schema(self, docs: Docs) -> dict[str, Any]:
        properties: dict[str, Any] = {}
        defs: dict[str, Any] = {}
        for name, parameter in self._parameters.items():
            own = _apart(self._converters[name].schema, name)
            defs |= own.pop("$defs", {})
            described = {"description": docs.of[name]} if name in docs.of else {}
            default = parameter.default
            properties[name] = described | own | default_of(default)
        required = [n for n, one in self._parameters.items() if one.default is one.empty]
        schema = {"type": "object", "properties": properties, "required": required}
        return schema | ({"$defs": defs} if defs else {})


def tool_name(function: Callable[..., Any], name: str | None) -> str:
    """Return the name of a tool.

    Raises:
        InvalidRequestError: When it has none that endpoints take.
    """
    if name is None:
        target = _target(function)
        name = getattr(target, "__name__", type(target).__name__)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidRequestError(
            "the name of a tool has letters, digits, '_' and '-', at most 64 of them, not "
            f"{name!r:.80}; give it one with tool(name=...)"
        )
    return name


def is_asynchronous(function: Callable[..., Any]) -> bool:
    """Tell whether calling a function gives something to await."""
    target = _target(function)
    return any(map(inspect.iscoroutinefunction, (target, type(target).__call__)))


def _target(function: Any) -> Any:
    """Return the function below `functools.partial`, and below objects that stand for one."""
    while True:
        if isinstance(function, partial):
            function = function.func  # pyright: ignore[reportUnknownMemberType]
        elif not inspect.isroutine(function) and hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        else:
            return function


def _docstring(function: Any) -> str | None:
    target = _target(function)
    if inspect.isroutine(target) or inspect.isclass(target):
        return target.__doc__
    return type(target).__call__.__doc__ or type(target).__doc__


def _hints_of(target: Any, name: str) -> dict[str, Any]:
    if inspect.isclass(target):
        routine = target.__init__
    else:
        routine = target if inspect.isroutine(target) else type(target).__call__
    try:
        return get_type_hints(routine, include_extras=True)
    except (NameError, TypeError) as error:
        fault = str(error)
    raise InvalidRequestError(f"{name}: its annotations cannot be read: {fault}")


def _parameters(function: Callable[..., Any], name: str) -> dict[str, inspect.Parameter]:
    # What a partial gives by name is not the model's to choose.
    given: Mapping[str, Any] = _given(function)
    found = inspect.signature(function).parameters
    for one in found.values():
        if one.kind in _VARIADIC:
            raise InvalidRequestError(
                f"{name}({_VARIADIC[one.kind]}{one.name}): a tool takes named parameters only"
            )
    return {key: one for key, one in found.items() if key not in given}


def _given(function: Any) -> Mapping[str, Any]:
    return function.keywords if isinstance(function, partial) else {}  # pyright: ignore[reportUnknownMemberType]


def _apart(schema: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Rename the definitions of a schema, so that it can stand beside others."""
    before, after = "#/$defs/", f"#/$defs/{prefix}."

    whole: dict[str, Any] = moved(schema, lambda reference: reference.replace(before, after, 1))
    if "$defs" in whole:
        whole["$defs"] = {f"{prefix}.{name}": one for name, one in whole["$defs"].items()}
    return whole
