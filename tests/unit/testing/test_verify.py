"""Recordings held against the contract and the typed models."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import wire
from recordings import OWN, SHARED

from databricks_serving import errors
from databricks_serving.testing._errors import (
    ContractViolationError,
    RecordingError,
)
from databricks_serving.testing._verify.verifying import inspect_contract, verify_contract

# These break the contract, which is what they show; the client makes errors of them.
BROKEN = {
    "chat/error-at-200.json",
    "chat/html-at-200.json",
    "chat/stream-cut-in-event.json",
    "chat/stream-html.json",
}
CHAT = {"messages": [{"role": "user", "content": "Name a river."}]}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "chat"


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


def test_the_recordings_of_this_project_agree_with_the_contract():
    report = inspect_contract(OWN)
    assert len(report.checked) > 150
    assert {one.recording for one in report.findings} == BROKEN


@pytest.mark.skipif(not SHARED.is_dir(), reason="no recordings beside the checkout")
def test_recordings_of_real_servers_agree_with_the_contract():
    report = inspect_contract(SHARED)
    assert len(report.checked) > 100
    assert {(one.place, one.expected) for one in report.findings} == {
        ("body", "an empty line after the last event")
    }


def test_a_recording_that_agrees_makes_a_contract_test_of_one_line(folder):
    assert verify_contract(put(folder)).ok
    assert str(verify_contract(folder)) == "1 recordings agree with the contract"


def test_the_report_names_recording_place_and_expectation_and_no_value(folder):
    reply = wire.chat("A secret text.")
    reply["choices"][0]["message"]["role"] = 5
    put(folder, "good")
    put(folder, "bad", body=reply)
    with pytest.raises(ContractViolationError) as caught:
        verify_contract(folder)
    text = str(caught.value)
    assert "1 of 2 recordings do not agree with the contract" in text
    assert "bad.json: body $.choices[0].message.role: expected" in text
    assert "secret" not in text


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (
            {"body": {"id": "c"}},
            ("body $", "the key choices", "an object with the keys id"),
        ),
        (
            {"body": {**wire.chat(), "choices": {}}},
            ("body $.choices", "a list", "an empty object"),
        ),
        ({"body": "<html>"}, ("body", "JSON", "text of 6 characters")),
        (
            {"request": {"messages": [{"role": "user", "content": 1}]}},
            ("request $.messages[0].content", "text", "a whole number"),
        ),
        (
            {"path": "/api/3.0/else", "method": "PUT"},
            ("path", "a route of the contract", "PUT /api/3.0/else"),
        ),
        (
            {"status": 400, "body": {"choices": []}},
            ("body $", "another form", "an object with the keys choices"),
        ),
        (
            {"stream": True, "body": 'data: {"id": "c", "choices": 1}\n\n'},
            ("event 1 $.choices", "a list", "a whole number"),
        ),
        ({"stream": True, "body": "data: oops\n\n"}, ("event 1", "JSON", "text of 4 characters")),
        (
            {"stream": True, "body": 'data: {"id"'},
            ("body", "an empty line after the last event", "the end of the body"),
        ),
    ],
)
def test_what_does_not_agree_is_found(folder, changed, expected):
    assert expected in found(put(folder, **changed))


def test_a_file_that_is_no_recording_is_a_finding_and_the_others_are_checked(folder):
    put(folder, "good")
    (folder / "broken.json").write_text("{")
    put(folder, "newer", version=2)
    report = inspect_contract(folder)
    assert len(report.checked) == 3
    assert [one.recording for one in report.findings] == ["broken.json", "newer.json"]


def test_the_path_decides_which_contract_holds(folder):
    put(
        folder,
        path="/api/2.0/serving-endpoints/mine",
        method="GET",
        request=None,
        body={"name": 5},
    )
    assert [place for place, _, _ in found(folder)] == ["body $.name"]


def test_old_recordings_are_found_where_an_age_is_asked_for(folder):
    made = datetime.now(UTC) - timedelta(days=40)
    put(folder, recorded=made.isoformat())
    assert found(folder) == []
    assert [place for place, _, _ in found(folder, max_age=timedelta(days=30))] == ["recorded"]


@pytest.mark.parametrize("suffix", [".json", ".yaml"])
def test_another_contract_may_be_given(folder, tmp_path, suffix):
    schema = {"type": "object", "required": ["answer"]}
    answer = {"content": {"application/json": {"schema": schema}}, "description": "d"}
    spec = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/serving-endpoints/mine/invocations": {"post": {"responses": {"200": answer}}}},
    }
    put(folder, path="/serving-endpoints/mine/invocations")
    place = tmp_path / f"spec{suffix}"
    place.write_text(json.dumps(spec))
    assert [expected for _, expected, _ in found(folder, spec=place)] == ["the key answer"]
    assert [expected for _, expected, _ in found(folder, spec=spec)] == ["the key answer"]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({}, "not an OpenAPI document"),
        ({"openapi": "3.0.3", "paths": {}}, "no OpenAPI 3.1 document"),
        ({"openapi": "3.1.0"}, "it has no paths"),
        (
            {"openapi": "3.1.0", "paths": {"/a": {"$ref": "#/nowhere"}}},
            "refers to '#/nowhere', which is not there",
        ),
        (
            {
                "openapi": "3.1.0",
                "paths": {},
                "components": {"schemas": {"A": {"type": "strange"}}},
            },
            "components.schemas.A is no JSON Schema",
        ),
        ("nowhere.json", "No such file"),
    ],
)
def test_a_contract_that_cannot_be_used_says_why(folder, spec, message):
    put(folder)
    with pytest.raises(errors.InvalidRequestError, match=message):
        verify_contract(folder, spec=spec)


def test_a_contract_that_is_no_json_and_no_yaml_says_so(folder, tmp_path):
    put(folder)
    for name, text in (("a.json", "{"), ("a.yaml", "a: [")):
        (tmp_path / name).write_text(text)
        with pytest.raises(errors.InvalidRequestError, match=f"{name}: while parsing"):
            verify_contract(folder, spec=tmp_path / name)


def test_a_folder_without_recordings_is_an_error_and_no_success(tmp_path):
    with pytest.raises(RecordingError, match="no recordings"):
        verify_contract(tmp_path)
    with pytest.raises(RecordingError, match="no recordings"):
        verify_contract(tmp_path / "nowhere")
