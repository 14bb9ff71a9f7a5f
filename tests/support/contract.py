"""The canonical contract as JSON Schema validators."""

from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from recordings import ROOT
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from ruamel.yaml import YAML

REQUEST = "/components/requestBodies/Invocation/content/application~1json/schema"
REPLY = "/components/responses/Invocation/content/application~1json/schema"
EVENT = "/components/responses/Invocation/content/text~1event-stream/schema"
ERROR = "/components/schemas/ErrorBody"


@cache
def document() -> dict[str, Any]:
    """Return the contract."""
    return YAML(typ="safe", pure=True).load(ROOT / "openapi" / "serving.yaml")


@cache
def validator(pointer: str) -> Draft202012Validator:
    """Return the validator of one schema of the contract."""
    resource = Resource.from_contents(document(), default_specification=DRAFT202012)
    registry = Registry().with_resource("urn:contract", resource)
    return Draft202012Validator({"$ref": f"urn:contract#{pointer}"}, registry=registry)


def violations(pointer: str, value: object) -> list[str]:
    """Return where and how a value breaks a schema of the contract."""
    return [f"{e.json_path}: {e.message[:200]}" for e in validator(pointer).iter_errors(value)]
