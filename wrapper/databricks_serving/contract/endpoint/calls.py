"""How the rows of a model are given to a function, and how it sends them."""

from collections.abc import Mapping
from dataclasses import dataclass

from databricks_serving.contract.endpoint.document import Places
from databricks_serving.contract.endpoint.text import annotation
from databricks_serving.contract.endpoint.types import (
    Rows,
    Scalar,
    Tensor,
    Tensors,
    Values,
)


@dataclass(frozen=True, slots=True)
class Call:
    """The part of a function that depends on the form of the rows.

    Attributes:
        parameter: What the function takes.
        said: What its docstring says about it.
        argument: What it gives to `client.predict`.
        constants: What stands before the function.
        names: Public names among the constants.
    """

    parameter: str
    said: str
    argument: str
    constants: str = ""
    names: tuple[str, ...] = ()


def call_of(inputs: Rows | Values | Tensors, classes: Places) -> Call:
    """Write the part of a function that depends on the form of the rows."""
    if isinstance(inputs, Rows):
        return _rows(inputs)
    if isinstance(inputs, Values):
        return _values(inputs, classes)
    first = inputs.tensors[0]
    return _tensor(first) if first.name is None else _tensors(inputs.tensors)


def _rows(inputs: Rows) -> Call:
    columns = [(each.name, each.required, each.nullable) for each in inputs.record.fields]
    function = "split" if inputs.form == "dataframe_split" else "records"
    # The wire has records for `instances` as well, but the client takes no frames there.
    frames = "" if inputs.form == "instances" else " | FrameLike"
    return Call(
        f"rows: Sequence[Row]{frames}",
        f"rows: The rows{', or a frame of pandas or polars' if frames else ''}.",
        f"{inputs.form}=runtime.{function}(rows, Row, _COLUMNS)",
        "# Of each column its name, whether it must be there, and whether it may be null.\n"
        "_COLUMNS: Final = (" + "".join(f"{column!r}," for column in columns) + ")\n",
    )


def _values(inputs: Values, classes: Places) -> Call:
    item = annotation(inputs.item, ("Row",), classes)
    return Call(
        # A text is a sequence of texts, and one alone would be a mistake.
        f"rows: list[{item}] | tuple[{item}, ...]",
        "rows: An entry for each row.",
        f"inputs=runtime.listed(rows, {item!r})",
    )


def _tensor(tensor: Tensor) -> Call:
    return Call(
        "rows: Rows",
        f"rows: An array of the shape {_shown(tensor)}, or nested lists.",
        "inputs=runtime.tensor(rows, _SHAPE, 'rows')",
        f"Rows: TypeAlias = {_nested(tensor)}\n"
        f'"""An array of the shape {_shown(tensor)}, or nested lists."""\n'
        f"_SHAPE: Final = {tensor.shape!r}\n",
        ("Rows",),
    )


def _tensors(tensors: tuple[Tensor, ...]) -> Call:
    kinds = "".join(f"{tensor.name!r}: {_nested(tensor)}, " for tensor in tensors)
    shapes: Mapping[str | None, tuple[int, ...]] = {each.name: each.shape for each in tensors}
    said = ", ".join(f"{tensor.name!r} of the shape {_shown(tensor)}" for tensor in tensors)
    return Call(
        "inputs: Inputs",
        f"inputs: Arrays or nested lists by name: {said}.",
        "inputs=runtime.tensors(inputs, _SHAPES)",
        f'Inputs = TypedDict("Inputs", {{{kinds}}})\n'
        f"_SHAPES: Final[Mapping[str, tuple[int, ...]]] = {shapes!r}\n",
        ("Inputs",),
    )


def _nested(tensor: Tensor) -> str:
    nested = annotation(Scalar(tensor.kind), (), {})
    for _ in tensor.shape:
        nested = f"Sequence[{nested}]"
    return f"{nested} | runtime.ArrayLike"


def _shown(tensor: Tensor) -> str:
    sizes = ["any" if size == -1 else str(size) for size in tensor.shape]
    return f"({', '.join(sizes)})"
