import copy

import pytest

from codegen.project import ProjectionError, project

PATH = "/endpoints/{name}/invocations"
REF = "#/components/schemas/"
PROBLEM = {"application/json": {"schema": {"$ref": f"{REF}Problem"}}}


def ref(name):
    return {"$ref": f"{REF}{name}"}


def post_of(document):
    return document["paths"][PATH]["post"]


def refused(document):
    with pytest.raises(ProjectionError) as caught:
        project(document)
    return str(caught.value)


def test_each_operation_gets_a_fragment_path_of_its_own(document):
    paths = project(document)["paths"]
    assert list(paths) == [f"{PATH}#ask", f"{PATH}#count"]
    ask = paths[f"{PATH}#ask"]["post"]
    assert ask["operationId"] == "ask"
    assert ask["tags"] == ["words"]
    assert ask["requestBody"]["content"]["application/json"]["schema"] == ref("Ask")
    assert ask["responses"]["200"]["content"] == {
        "application/json": {"schema": ref("Answer")},
        "text/event-stream": {"schema": ref("Piece")},
    }
    assert list(paths[f"{PATH}#count"]["post"]["responses"]["200"]["content"]) == [
        "application/json"
    ]


def test_references_to_bodies_parameters_and_responses_are_resolved(document):
    post = post_of(document)
    document["components"]["requestBodies"] = {"Invocation": post["requestBody"]}
    post["requestBody"] = {"$ref": "#/components/requestBodies/Invocation"}
    ask = project(document)["paths"][f"{PATH}#ask"]["post"]
    assert ask["parameters"][0]["name"] == "name"
    assert ask["responses"]["400"]["content"]["application/json"]["schema"] == ref("Problem")


def test_the_document_is_left_alone(document):
    before = copy.deepcopy(document)
    project(document)
    assert document == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda entries: entries.pop(), "no operation has the request Count"),
        (lambda entries: entries[1].update(request="Problem"), "request Problem is not in"),
        (lambda entries: entries[0].update(response="Problem"), "response Problem is not in"),
        (lambda entries: entries[0].update(event="Problem"), "event Problem is not in"),
        (lambda entries: entries[0].pop("event"), "no operation has the event Piece"),
        (lambda entries: entries[0].pop("params"), "params is missing"),
        (lambda entries: entries[0].update(parms="X"), "parms is not known here"),
        (lambda entries: entries[0].update(reserved=["model"]), "Ask has no model"),
        (lambda entries: entries[0].update(parts=[{"name": "X"}]), "what it is without"),
        (
            lambda entries: entries[0].update(parts=[{"name": "X", "without": ["a"]}]),
            "Ask has no a",
        ),
        (lambda entries: entries[0].update(request="Anything"), "no object with properties"),
        (lambda entries: entries[1].update(operationId="ask"), "operation ask is there twice"),
        (lambda entries: entries[1].update(params="AskParams"), "another request"),
    ],
)
def test_operations_and_one_of_lists_must_agree(document, change, message):
    change(post_of(document)["x-sdk-operations"])
    assert message in refused(document)
    assert refused(document).startswith(f"#/paths/{PATH}/post")


def test_one_request_has_one_name_for_its_parameters(document):
    post = copy.deepcopy(post_of(document))
    for entry in post["x-sdk-operations"]:
        entry["operationId"] += "_elsewhere"
    document["paths"]["/other/{name}"] = {**document["paths"][PATH], "post": post}
    assert len(project(document)["paths"]) == 4
    post["x-sdk-operations"][0]["params"] = "OtherParams"
    assert "Ask has two names for its params" in refused(document)


def test_a_catch_all_of_events_may_be_any_json(document):
    schemas = document["components"]["schemas"]
    schemas["Value"] = {
        "x-sdk-catch-all": True,
        "type": ["array", "string", "null"],
        "items": {"description": "Any."},
    }
    content = document["paths"][PATH]["post"]["responses"]["200"]["content"]
    content["text/event-stream"]["schema"]["oneOf"].append(ref("Value"))
    assert project(document)["components"]["schemas"]["Value"]["x-sdk-catch-all"]
    del schemas["Value"]["x-sdk-catch-all"]
    assert "no operation has the event Value" in refused(document)


def test_only_a_catch_all_may_lack_an_operation_and_it_comes_last(document):
    schema = post_of(document)["requestBody"]["content"]["application/json"]["schema"]
    schema["oneOf"].reverse()
    assert "the catch-all Anything must come last" in refused(document)


def test_an_operation_without_a_list_is_refused(document):
    del post_of(document)["x-sdk-operations"]
    assert refused(document) == f"#/paths/{PATH}/post: x-sdk-operations is missing"


@pytest.mark.parametrize(
    ("status", "response", "message"),
    [
        ("5XX", {"description": "", "content": PROBLEM}, "a status must be a number"),
        ("500", {"description": ""}, "application/json needs one object component"),
        ("500", {"$ref": "#/components/responses/Gone"}, "$ref to nothing"),
    ],
)
def test_an_error_response_needs_a_status_and_one_body(document, status, response, message):
    post_of(document)["responses"][status] = response
    assert message in refused(document)


def test_a_parameter_outside_the_path_is_refused(document):
    query = {"name": "verbose", "in": "query", "schema": {"type": "boolean"}}
    post_of(document)["parameters"] = [query]
    assert "parameter verbose is no text in the path" in refused(document)
