import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "scripts"))  # the scripts are not installed

PATH = "/endpoints/{name}/invocations"
REF = "#/components/schemas/"


def ref(name):
    return {"$ref": f"{REF}{name}"}


def obj(*required, **properties):
    return {"type": "object", "required": list(required), "properties": properties}


def body(*names, media_type="application/json"):
    return {media_type: {"schema": {"oneOf": [ref(name) for name in names]}}}


@pytest.fixture
def document():
    """A contract with two tasks behind one path."""
    schemas = {
        "Ask": obj("question", question={"type": "string"}, stream={"type": "boolean"}),
        "Answer": obj("text", text={"type": "string"}),
        "Piece": obj(text={"type": "string"}),
        "Count": obj("texts", texts={"type": "array", "items": {"type": "string"}}),
        "Counts": obj("counts", counts={"type": "array", "items": {"type": "integer"}}),
        "Problem": obj(message={"type": "string"}),
        "Anything": {"type": "object", "x-sdk-catch-all": True},
    }
    post = {
        "operationId": "invoke",
        "x-sdk-operations": [
            {
                "operationId": "ask",
                "tag": "words",
                "summary": "Ask.",
                "request": "Ask",
                "params": "AskParams",
                "reserved": ["stream"],
                "response": "Answer",
                "event": "Piece",
            },
            {
                "operationId": "count",
                "tag": "words",
                "summary": "Count.",
                "request": "Count",
                "params": "CountParams",
                "response": "Counts",
            },
        ],
        "requestBody": {"required": True, "content": body("Ask", "Count", "Anything")},
        "responses": {
            "200": {
                "description": "Done.",
                "content": {
                    **body("Answer", "Counts"),
                    **body("Piece", media_type="text/event-stream"),
                },
            },
            "400": {"$ref": "#/components/responses/Refused"},
        },
    }
    name = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Words", "version": "1"},
        "paths": {PATH: {"parameters": [{"$ref": "#/components/parameters/Name"}], "post": post}},
        "components": {
            "parameters": {"Name": name},
            "responses": {"Refused": {"description": "No.", "content": body("Problem")}},
            "schemas": schemas,
        },
    }
