"""What docstrings say of functions, classes and their fields."""

from typing import Any, NamedTuple

from databricks_serving._core.structured.extras import need


class Docs(NamedTuple):
    """A description, and those of parameters or fields by name."""

    text: str
    of: dict[str, str]


def function_docs(docstring: str | None) -> Docs:
    """Read the docstring of a function, in any of the usual styles."""
    if not docstring:
        return Docs("", {})
    return _docs(need("docstring_parser").parse(docstring))


def class_docs(cls: Any) -> Docs:
    """Read the docstring of a class, and the texts that stand below its fields."""
    cls = getattr(cls, "__origin__", cls)
    try:
        parsed = _docs(need("docstring_parser").parse_from_object(cls))
    except (OSError, TypeError):  # the source is not at hand
        parsed = function_docs(cls.__doc__)
    return Docs("", parsed.of) if _is_made_up(cls) else parsed


def _docs(parsed: Any) -> Docs:
    parameters = {p.arg_name: _line(p.description) for p in parsed.params if p.description}
    return Docs(_line(parsed.description), parameters)


def _line(text: str | None) -> str:
    """Join the lines of each paragraph."""
    paragraphs = (text or "").split("\n\n")
    return "\n\n".join(" ".join(p.split()) for p in paragraphs if p.strip())


def _is_made_up(cls: Any) -> bool:
    # What dataclasses and named tuples write themselves says nothing.
    doc: str = cls.__doc__ or ""
    generated = hasattr(cls, "__dataclass_fields__") or hasattr(cls, "_fields")
    return generated and doc.startswith(f"{cls.__name__}(")
