"""Recordings as tests of their verification write them, and what was found of them."""

import json

import wire

from databricks_serving.testing._verify.verifying import inspect_contract

CHAT = {"messages": [{"role": "user", "content": "Name a river."}]}


def put(folder, name="one", **changed):
    data = {
        "request": CHAT,
        "status": 200,
        "headers": {"content-type": "application/json"},
        "body": wire.chat(),
        **changed,
    }
    folder.mkdir(exist_ok=True, parents=True)
    (folder / f"{name}.json").write_text(json.dumps(data))
    return folder


def found(folder, **options):
    return [
        (one.place, one.expected, one.found) for one in inspect_contract(folder, **options).findings
    ]


def noticed(folder, **options):
    report = inspect_contract(folder, **options)
    assert report.ok
    return [str(one) for one in report.notices]


def answer_of(schema):
    return {"content": {"application/json": {"schema": schema}}}


def document(operation=None, components=None):
    """A contract of one operation, each part as odd as a test likes."""
    path = "/serving-endpoints/{name}/invocations"
    made = {"openapi": "3.1.0", "paths": {path: {"post": operation or {"responses": {}}}}}
    return made if components is None else {**made, "components": components}
