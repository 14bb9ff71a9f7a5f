"""The OpenAPI document of a serving endpoint."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from databricks_serving.contract.endpoint.conversation import conversation_of
from databricks_serving.contract.endpoint.nodes import mapping, part, sequence
from databricks_serving.contract.endpoint.schemas import Schemas
from databricks_serving.contract.endpoint.types import (
    Anything,
    Contract,
    Field,
    Form,
    Inputs,
    Kind,
    List,
    Outputs,
    Record,
    Rows,
    Scalar,
    Tensor,
    Tensors,
    Type,
    Values,
)
from databricks_serving.contract.tools import needed
from databricks_serving.errors import InvalidRequestError

_INVOCATIONS: Final = re.compile(r"/serving-endpoints/([^/]+)/invocations$")
_CONTENTS: Final = ("requestBody", "responses")
_REQUEST: Final = "the request"
_REPLY: Final = "the reply"


def contract_of_openapi(document: Mapping[str, Any], served_model: str | None = None) -> Contract:
    """Read the document of an endpoint.

    Args:
        document: The document.
        served_model: The served model whose contract is wanted, where they have several.

    Raises:
        InvalidRequestError: Naming the place of what cannot be used.
    """
    _refuse_all(document)
    schemas = Schemas(document)
    post = _operation(document, served_model)
    asked = _content(schemas, post.get("requestBody"), _REQUEST)
    answered = _reply(schemas, post)
    for place, schema in ((_REQUEST, asked), (_REPLY, answered)):
        _check_schema(schema, place)
    variants = schemas.variants(asked, _REQUEST)
    given = _properties(schemas, variants)
    replies = schemas.variants(answered, _REPLY)
    talked = _conversation(schemas, variants, replies)
    if talked is not None:
        return Contract(talked, None, ())
    params = schemas.fields(schemas.resolve(given.get("params", {}), "params"), "params")
    inputs = _inputs(schemas, given)
    return Contract(inputs, _outputs(schemas, replies), tuple(map(_as_param, params)))


def _refuse_all(document: Mapping[str, Any]) -> None:
    """Refuse the contract of this package, which each of its tasks marks."""
    paths = mapping(document.get("paths") or {}, "paths")
    if any(part(node, "post", "x-sdk-operations") for node in paths.values()):
        raise InvalidRequestError(
            "this is the contract that databricks-serving was made from, for all endpoints: name "
            "one endpoint, or pass the document, the MLmodel file or the signature of its model"
        )


def endpoint_of_openapi(document: Mapping[str, Any]) -> str | None:
    """Return the name of the endpoint, if the document says where it is."""
    for server in sequence(document.get("servers") or [], "servers"):
        url = part(server, "url")
        if isinstance(url, str) and (found := _INVOCATIONS.search(url)):
            return found[1]
    return None


def _operation(document: Mapping[str, Any], served_model: str | None) -> Mapping[str, Any]:
    paths = mapping(document.get("paths") or {}, "paths")
    posts = {
        path: mapping(part(node, "post"), f"post of {path}")
        for path, node in paths.items()
        if part(node, "post") is not None
        and (served_model is None or f"/served-models/{served_model}/" in path)
    }
    if not posts and served_model is not None:
        known = ", ".join(paths) or "nothing"
        raise InvalidRequestError(f"no served model {served_model!r} in the document, but {known}")
    if not posts:
        raise InvalidRequestError(
            "the document describes no request: the model was logged without a signature; log it "
            "with one, or pass a file that has one"
        )
    first, *others = posts.values()
    # Each served model has a path of its own, and their contracts may differ while one is replaced.
    if any(part(other, key) != part(first, key) for other in others for key in _CONTENTS):
        raise InvalidRequestError(
            f"the served models have different contracts ({', '.join(posts)}): name one with "
            "--served-model"
        )
    return first


def _content(schemas: Schemas, node: object, place: str) -> Mapping[str, Any]:
    content = mapping(schemas.resolve(node or {}, place).get("content") or {}, place)
    body = mapping(content.get("application/json") or {}, place)
    if "schema" not in body:
        raise InvalidRequestError(
            f"{place} has no schema: the model was logged without a signature; log it with one, or "
            "pass a file that has one"
        )
    return schemas.resolve(body["schema"], place)


def _reply(schemas: Schemas, post: Mapping[str, Any]) -> Mapping[str, Any]:
    responses = mapping(post.get("responses") or {}, "responses")
    good = responses.get("200") or responses.get("default")
    reply = schemas.resolve(good or {}, _REPLY)
    return schemas.resolve(part(reply, "content", "application/json", "schema") or {}, _REPLY)


def _check_schema(schema: Mapping[str, Any], place: str) -> None:
    jsonschema = needed("jsonschema", "a document of OpenAPI")
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        where = "".join(f"[{step!r}]" for step in error.absolute_path)
        raise InvalidRequestError(
            f"{place} is no valid schema: {error.message}{f' at {where}' if where else ''}"
        ) from None


def _properties(schemas: Schemas, variants: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return all keys that some variant of a body has."""
    found: dict[str, Any] = {}
    for variant in variants:
        for name, node in mapping(variant.get("properties", {}), _REQUEST).items():
            found.setdefault(name, schemas.resolve(node, name))
    return found


def _conversation(
    schemas: Schemas, asked: Sequence[Mapping[str, Any]], answered: Sequence[Mapping[str, Any]]
) -> Inputs | None:
    for request in asked:
        properties = mapping(request.get("properties", {}), _REQUEST)
        if not {"messages", "input"} & properties.keys():
            continue
        for reply in answered:
            outputs = [
                Field(name, Anything()) for name in mapping(reply.get("properties", {}), _REPLY)
            ]
            found = conversation_of(schemas.fields(request, _REQUEST), outputs)
            if found is not None:
                return found
    return None


def _as_param(field: Field) -> Field:
    return Field(
        field.name, field.type, required=False, nullable=True, description=field.description
    )


def _inputs(schemas: Schemas, given: Mapping[str, Any]) -> Inputs:
    split, records = given.get("dataframe_split"), given.get("dataframe_records")
    if records is not None:
        rows = _rows(schemas, records, "dataframe_records")
        form: Form = "dataframe_split" if split is not None else "dataframe_records"
        return Rows(Record(_in_order(rows, _columns(split))), form)
    if split is not None:
        return Rows(Record(_split(schemas, split)))
    for name in ("instances", "inputs"):
        if name in given:
            return _array(schemas, given[name], name)
    raise InvalidRequestError(
        "the request lists neither columns nor tensors nor messages: log the model with a "
        "signature, or pass a file that has one; client.predict calls it as it is"
    )


def _rows(schemas: Schemas, node: object, place: str) -> tuple[Field, ...]:
    items, _ = schemas.type(node, place)
    record = items.items if isinstance(items, List) else None
    if not isinstance(record, Record):
        raise InvalidRequestError(f"{place} lists no columns: log the model with a signature")
    return record.fields


def _columns(split: Mapping[str, Any] | None) -> list[str]:
    names = part(split, "properties", "columns", "items", "enum")
    return [name for name in sequence(names or [], "columns") if isinstance(name, str)]


def _in_order(fields: tuple[Field, ...], names: Sequence[str]) -> tuple[Field, ...]:
    places = {name: place for place, name in enumerate(names)}
    return tuple(sorted(fields, key=lambda field: places.get(field.name, len(places))))


def _split(schemas: Schemas, split: Mapping[str, Any]) -> tuple[Field, ...]:
    names = _columns(split)
    listed = part(split, "properties", "data", "items", "prefixItems")
    cells = sequence(listed or [], "dataframe_split.data")
    if not names or len(cells) != len(names):
        raise InvalidRequestError(
            "dataframe_split does not list its columns and their types: log the model with a "
            "signature"
        )
    found: list[Field] = []
    for name, cell in zip(names, cells, strict=True):
        kind, nullable = schemas.type(cell, f"dataframe_split.{name}")
        found.append(Field(name, kind, required=not nullable, nullable=nullable))
    return tuple(found)


def _array(schemas: Schemas, node: Mapping[str, Any], name: str) -> Inputs:
    kind, _ = schemas.type(node, name)
    if isinstance(kind, Record):
        return Tensors(tuple(_tensor(field.type, field.name, name) for field in kind.fields))
    if isinstance(kind, List) and isinstance(kind.items, Record):
        return Rows(kind.items, "instances")
    if isinstance(kind, List) and not isinstance(kind.items, List | Scalar):
        return Values(kind.items)
    return Tensors((_tensor(kind, None, name),))


def _tensor(kind: Type, name: str | None, place: str) -> Tensor:
    depth = 0
    while isinstance(kind, List):
        kind, depth = kind.items, depth + 1
    if isinstance(kind, Scalar) and depth:
        scalar: Kind = kind.kind
        return Tensor(scalar, (-1,) * depth, name)
    where = f"{place}.{name}" if name else place
    raise InvalidRequestError(
        f"{where} is no array of numbers or texts: call it with client.predict"
    )


def _outputs(schemas: Schemas, replies: Sequence[Mapping[str, Any]]) -> Outputs | None:
    for reply in replies:
        properties = mapping(reply.get("properties", {}), _REPLY)
        for name in ("predictions", "outputs"):
            if name in properties:
                kind, _ = schemas.type(properties[name], name)
                if isinstance(kind, List):
                    return Outputs(kind.items, each=True)
                return None if isinstance(kind, Anything) else Outputs(kind, each=False)
    return None
