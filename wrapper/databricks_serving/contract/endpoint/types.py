"""What a custom model takes and gives, in whatever form its contract was written."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["boolean", "integer", "number", "string", "datetime", "binary"]


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value; points in time and bytes travel as text."""

    kind: Kind


@dataclass(frozen=True, slots=True)
class List:
    """Any number of values of one type."""

    items: "Type"


@dataclass(frozen=True, slots=True)
class Map:
    """Values by keys that the contract does not list."""

    values: "Type"


@dataclass(frozen=True, slots=True)
class Anything:
    """Any JSON."""


@dataclass(frozen=True, slots=True)
class Field:
    """One key of an object.

    Attributes:
        name: The key.
        type: What it holds.
        required: Whether it must be there.
        nullable: Whether it may be null.
        description: What the contract says about it.
    """

    name: str
    type: "Type"
    required: bool = True
    nullable: bool = False
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """An object whose keys are listed."""

    fields: tuple[Field, ...]


Type: TypeAlias = Scalar | List | Map | Anything | Record


@dataclass(frozen=True, slots=True)
class Tensor:
    """An array of numbers, or of texts; a dimension of any size is -1."""

    kind: Kind
    shape: tuple[int, ...]
    name: str | None = None

    @property
    def type(self) -> Type:
        """The tensor as nested lists."""
        nested: Type = Scalar(self.kind)
        for _ in self.shape:
            nested = List(nested)
        return nested


Form: TypeAlias = Literal["dataframe_split", "dataframe_records", "instances"]


@dataclass(frozen=True, slots=True)
class Rows:
    """A table with named columns, and the form in which it is sent."""

    record: Record
    form: Form = "dataframe_split"


@dataclass(frozen=True, slots=True)
class Values:
    """One column without a name."""

    item: Type


@dataclass(frozen=True, slots=True)
class Tensors:
    """One tensor without a name, or some with names."""

    tensors: tuple[Tensor, ...]


@dataclass(frozen=True, slots=True)
class Conversation:
    """What chat models and agents take: the client knows their messages and their replies.

    Attributes:
        task: As `client.endpoint` takes it.
        keywords: What may stand beside the messages.
    """

    task: Literal["chat", "agents", "responses"]
    keywords: tuple[Field, ...]


Inputs: TypeAlias = Rows | Values | Tensors | Conversation


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the predictions are: a list of items, or one thing as a whole."""

    type: Type
    each: bool


@dataclass(frozen=True, slots=True)
class Contract:
    """All that is known of one custom model.

    Attributes:
        inputs: What it takes.
        outputs: What it gives; None where the contract does not say.
        params: What may stand beside the rows.
    """

    inputs: Inputs
    outputs: Outputs | None
    params: tuple[Field, ...]
