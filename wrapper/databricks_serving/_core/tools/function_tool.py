"""A function that a model may call."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, TypeVar, cast, overload

from databricks_serving._core.boundary import forgetful
from databricks_serving._core.json_codec import JSONDecodeError, decode
from databricks_serving._core.structured.form import Form
from databricks_serving._core.structured.misfit import MisfitError
from databricks_serving._core.tools.functions import (
    Arguments,
    Signature,
    is_asynchronous,
    tool_name,
)
from databricks_serving.errors import InvalidRequestError
from databricks_serving_api.models import FunctionDefinition, Tool
from databricks_serving_api.params import ToolDict

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)


class FunctionTool(Tool, Generic[P, R_co]):
    """A function with its description for the model; calling it calls the function.

    It is a tool as requests have it: `tools=[...]` of every call takes it.
    """

    def __init__(
        self,
        function: Callable[P, R_co],
        *,
        name: str | None = None,
        description: str | None = None,
        strict: bool | None = None,
    ) -> None:
        if not callable(function):
            raise InvalidRequestError(f"tool takes a function, not {type(function).__name__}")
        name = tool_name(function, name)
        self._signature = Signature(function, name)
        form = Form.of(self._signature.schema, name, strict=bool(strict), tool=True)
        super().__init__(
            function=FunctionDefinition(
                name=name,
                description=description or self._signature.description or None,
                parameters=form.schema,
                strict=strict,
            )
        )
        self._form = form
        self._call = function
        self.is_async: bool = is_asynchronous(function)
        """Whether the function is `async`, which only the asynchronous client can call."""
        update_wrapper(self, function, updated=())

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        return self._call(*args, **kwargs)

    # Models have no hash; a function has, and stays one when it is decorated.
    __hash__ = object.__hash__  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

    def __eq__(self, other: object) -> bool:
        return self is other

    def __reduce__(self) -> str:
        # Copied and pickled as functions are: by name.
        return str(getattr(self, "__qualname__", self.name))

    @property
    def name(self) -> str:
        """What the model calls it."""
        return self.function.name

    @property
    def description(self) -> str | None:
        """What the model is told of it."""
        return self.function.description

    @property
    def parameters(self) -> dict[str, Any]:
        """The JSON Schema of its parameters, as it is sent."""
        return self._form.schema

    @property
    def definition(self) -> ToolDict:
        """The tool as a dict, as the contract has it."""
        return cast("ToolDict", self.to_dict())

    def read_arguments(self, text: str | None) -> Arguments:
        """Return what the function is to be called with.

        Args:
            text: The arguments as the model wrote them; nothing and null stand for none.

        Raises:
            ValueError: When they are no JSON, or do not fit the types; the message may quote them.
        """
        try:
            value: Any = decode(text if text and text.strip() not in {"", "null"} else "{}")
        except JSONDecodeError as error:
            fault = f"the arguments are not JSON: {error}"
        else:
            try:
                arguments: Arguments = self._form.read(value, self._signature.read)
            except MisfitError as error:
                fault = f"the arguments do not fit: {error.detail}"
            else:
                return arguments
        raise ValueError(fault)


@overload
def tool(function: Callable[P, R_co], /) -> FunctionTool[P, R_co]: ...


@overload
def tool(
    *, name: str | None = None, description: str | None = None, strict: bool | None = None
) -> Callable[[Callable[P, R_co]], FunctionTool[P, R_co]]: ...


@overload
def tool(
    function: Callable[P, R_co],
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    strict: bool | None = None,
) -> FunctionTool[P, R_co]: ...


@forgetful
def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    strict: bool | None = None,
) -> Any:
    """Make a function a tool: a decorator, with arguments or without, or a plain call.

    The parameters are described by their annotations, their docstring and texts in `Annotated`.

    Args:
        function: Any callable: a function, plain or `async`, a bound method, a partial.
        name: What the model calls it; the function's own name if it is not given.
        description: What the model is told; the docstring if it is not given.
        strict: Have the endpoint hold the model to the schema. None leaves the key out, which older
            endpoints refuse.

    Raises:
        InvalidRequestError: When a parameter has no type, or one without a JSON form, naming it.
        ConfigError: When the extra `structured` is not installed.
    """

    @forgetful
    def decorate(one: Callable[..., Any]) -> FunctionTool[..., Any]:
        return FunctionTool(one, name=name, description=description, strict=strict)

    return decorate if function is None else decorate(function)
