"""Signatures of made-up models: a table, images, an agent; and the document of an endpoint."""

WINE = {
    "inputs": [
        {"type": "double", "name": "fixed acidity", "required": True},
        {"type": "long", "name": "class", "required": True},
        {"type": "string", "name": "style", "required": True},
        {"type": "boolean", "name": "organic", "required": True},
        {"type": "datetime", "name": "bottled at", "required": False},
        {"type": "array", "items": {"type": "double"}, "name": "notes", "required": False},
        {
            "type": "object",
            "name": "origin",
            "properties": {
                "region": {"type": "string", "required": True},
                "since": {"type": "datetime", "required": False},
            },
            "required": False,
        },
        {"type": "map", "values": {"type": "double"}, "name": "tags", "required": False},
    ],
    "outputs": [
        {"type": "double", "name": "quality", "required": True},
        {"type": "datetime", "name": "best before", "required": False},
    ],
    "params": [
        {"name": "threshold", "dtype": "double", "default": 0.5, "shape": None},
        {"name": "timeout", "type": "long", "default": [1], "shape": [-1]},
    ],
}
IMAGE = {
    "inputs": [{"type": "tensor", "tensor-spec": {"dtype": "uint8", "shape": [-1, 2, 2, 1]}}],
    "outputs": [{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 3]}}],
}
MESSAGE = {
    "type": "object",
    "properties": {
        "role": {"type": "string", "required": True},
        "content": {"type": "string", "required": True},
    },
}
AGENT = {
    "inputs": [
        {"type": "array", "items": MESSAGE, "name": "messages", "required": True},
        {"type": "double", "name": "temperature", "required": False},
        {"type": "string", "name": "persona", "required": False},
        {"type": "boolean", "name": "stream", "required": False},
    ],
    "outputs": [{"type": "array", "items": {"type": "any"}, "name": "choices", "required": True}],
}
OLDER_AGENT = {
    "inputs": AGENT["inputs"],
    "outputs": [{"type": "array", "items": MESSAGE, "name": "messages", "required": True}],
}
RESPONSES = {
    "inputs": [{"type": "array", "items": {"type": "any"}, "name": "input", "required": True}],
    "outputs": [{"type": "array", "items": {"type": "any"}, "name": "output", "required": True}],
    "params": [{"name": "depth", "dtype": "long", "default": 1}],
}
NAMED = {
    "inputs": [
        {"type": "tensor", "name": "a b", "tensor-spec": {"dtype": "float32", "shape": [-1, 2]}},
        {"type": "tensor", "name": "prompt", "tensor-spec": {"dtype": "object", "shape": [-1]}},
    ],
    "outputs": [
        {"type": "tensor", "name": "scores", "tensor-spec": {"dtype": "float32", "shape": [-1]}}
    ],
}
TEXTS = {"inputs": [{"type": "string"}], "outputs": [{"type": "datetime"}]}
LAKES = {
    "openapi": "3.1.0",
    "info": {"title": "lakes", "version": "1"},
    "servers": [{"url": "https://w.example.com/serving-endpoints/lake-depths/invocations"}],
    "paths": {
        "/served-models/lakes-1/invocations": {
            "post": {
                "requestBody": {
                    "content": {
                        "application/json": {
                            "schema": {
                                "oneOf": [
                                    {
                                        "type": "object",
                                        "properties": {
                                            "dataframe_split": {
                                                "type": "object",
                                                "properties": {
                                                    "columns": {
                                                        "type": "array",
                                                        "items": {
                                                            "type": "string",
                                                            "enum": ["area", "name"],
                                                        },
                                                    }
                                                },
                                            },
                                            "params": {"$ref": "#/components/schemas/Params"},
                                        },
                                    },
                                    {
                                        "type": "object",
                                        "properties": {
                                            "dataframe_records": {
                                                "type": "array",
                                                "items": {"$ref": "#/components/schemas/Lake"},
                                            }
                                        },
                                    },
                                ]
                            }
                        }
                    }
                },
                "responses": {
                    "200": {
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "properties": {
                                        "predictions": {
                                            "type": "array",
                                            "items": {"type": "number", "format": "double"},
                                        }
                                    },
                                }
                            }
                        }
                    }
                },
            }
        }
    },
    "components": {
        "schemas": {
            "Lake": {
                "type": "object",
                "required": ["area"],
                "properties": {
                    "name": {"type": "string", "description": "What it is called."},
                    "area": {"type": "number", "description": "Square kilometres."},
                },
            },
            "Params": {
                "type": "object",
                "properties": {"unit": {"type": "string", "description": "Metres or feet."}},
            },
        }
    },
}
