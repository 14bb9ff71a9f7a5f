"""Recordings held against the contract and the typed models."""

import json
import string
from datetime import UTC, datetime, timedelta

import pytest
import wire
from recordings import OWN, SHARED

from databricks_serving import cli, errors
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
    assert str(verify_contract(folder)) == "1 recording agrees with the contract"


def test_the_report_names_recording_place_and_expectation_and_no_value(folder):
    reply = wire.chat("A secret text.")
    reply["choices"][0]["message"]["role"] = 5
    put(folder, "good")
    put(folder, "bad", body=reply)
    with pytest.raises(ContractViolationError) as caught:
        verify_contract(folder)
    text = str(caught.value)
    assert "1 of 2 recordings does not agree with the contract" in text
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
        ({"stream": True, "body": []}, ("body", "an event", "a stream without any")),
        (
            {"stream": True, "body": ": ping\n\ndata: [DONE]\n\n"},
            ("body", "an event", "a stream without any"),
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


@pytest.mark.parametrize("age", [timedelta(0), timedelta(days=-1)])
def test_an_age_that_no_recording_can_have_is_refused(folder, age):
    put(folder)
    with pytest.raises(errors.InvalidRequestError, match="max_age must be more than no time"):
        inspect_contract(folder, max_age=age)


def test_no_date_is_too_far_away(folder):
    put(folder, "first", recorded="0001-01-01T00:00:00+14:00")
    put(folder, "last", recorded="9999-12-31T23:59:59-14:00")
    assert found(folder, max_age=timedelta.max) == []
    [finding] = inspect_contract(folder, max_age=timedelta(days=9)).findings
    assert str(finding) == "first.json: recorded: expected at most 9 days ago, found 1-01-01"


def test_recordings_without_a_date_are_noticed_where_an_age_is_asked_for(folder):
    put(folder)
    assert noticed(folder) == []
    assert noticed(folder, max_age=timedelta(days=1)) == [
        "one.json: recorded: there is no date, so its age is not known"
    ]


def noticed(folder, **options):
    report = inspect_contract(folder, **options)
    assert report.ok
    return [str(one) for one in report.notices]


def test_a_stream_that_was_broken_off_may_end_anywhere(folder):
    for ends in ("closed", "reset", "timeout", "left"):
        put(folder, ends, stream=True, ends=ends, body="")
        put(folder, f"{ends}-late", stream=True, ends=ends, body='data: {"id"')
    assert found(folder) == []


def test_a_misspelt_key_of_a_request_is_noticed_with_the_nearest_one(folder):
    put(folder, request={**CHAT, "max_token": 5})
    report = verify_contract(folder)
    assert str(report) == (
        "1 recording agrees with the contract\n"
        "1 notice, which breaks nothing:\n"
        "  one.json: request $.max_token: the contract does not name this key; "
        "did you mean 'max_tokens'?"
    )
    assert report.to_dict()["notices"] == [
        {
            "recording": "one.json",
            "place": "request $.max_token",
            "message": "the contract does not name this key; did you mean 'max_tokens'?",
        }
    ]


def test_keys_are_noticed_at_any_depth_of_requests_and_answers(folder):
    reply = wire.chat()
    reply["choices"][0]["finish_reson"] = "stop"
    tool = {
        "type": "function",
        "function": {"name": "f", "descripton": "d", "parameters": {"x": 1}},
    }
    put(folder, request={**CHAT, "tools": [tool]}, body=reply)
    assert [one.partition("; ")[0] for one in noticed(folder)] == [
        "one.json: request $.tools[0].function.descripton: the contract does not name this key",
        "one.json: body $.choices[0].finish_reson: the contract does not name this key",
    ]


def test_keys_that_others_choose_are_not_noticed(folder):
    rows = [{"any": 1, "thing": {"at": "all"}}]
    own = put(folder.parent / "own", request={"my": 1}, body={"your": 2})
    put(own, "rows", request={"dataframe_records": rows}, body={"predictions": rows})
    assert noticed(own) == []


def test_what_every_event_has_is_noticed_once_and_what_many_recordings_have_is_counted(folder):
    event = {"id": "c", "choices": [{"index": 0, "delta": {"content": "a", "mod": 1}}]}
    stream = [f"data: {json.dumps(event)}\n\n"] * 3
    for name in "abc":
        put(folder, name, stream=True, body=stream)
    report = inspect_contract(folder)
    assert [(one.recording, one.place) for one in report.notices] == [
        (f"{name}.json", "event 1 $.choices[0].delta.mod") for name in "abc"
    ]
    assert "3 notices, which break nothing:\n  a.json: event 1 $" in str(report)
    assert str(report).endswith("(and 2 more like it)")


def test_notices_are_bounded(folder):
    odd = {f"key_{letter}{'x' * 99}": 1 for letter in string.ascii_letters}
    for number in range(5):
        put(folder, f"r{number}", request={**CHAT, **{f"{number}{key}": 1 for key in odd}})
    report = inspect_contract(folder)
    assert len(report.notices) == 50
    assert max(len(one.place) for one in report.notices) < 100
    lines = str(report).splitlines()
    assert lines[-1] == "  ... and 30 more; `--format json` has them all"
    assert len(lines) == 23


def test_findings_are_bounded(folder):
    put(folder, "keys", body={f"{number}{'k' * 1000}": 1 for number in range(1000)})
    put(folder, "path", path=f"/{'p' * 1000}")
    put(folder, "items", body={"choices": [1] * 1000})
    report = inspect_contract(folder)
    assert len(report.findings) == 12
    assert max(len(str(one)) for one in report.findings) < 5000


def test_an_event_may_be_larger_than_a_client_takes(folder):
    event = {"id": "c" * 17 * 2**20, "choices": []}
    put(folder, stream=True, body=f"data: {json.dumps(event)}\n\n")
    assert found(folder) == []


def test_a_misspelt_key_of_a_recording_is_noticed(folder):
    put(folder, requst=CHAT, shape="a whole answer", expect={"text": "a"}, source="a document")
    assert noticed(folder) == [
        "one.json: file $.requst: recordings have no such key; did you mean 'request'?"
    ]


def test_keys_are_noticed_by_another_contract_too(folder):
    answer = {
        "allOf": [{"$ref": "#/components/schemas/A%7B"}, {"properties": {"b": {}}}],
        "type": "object",
    }
    spec = {
        "openapi": "3.1.0",
        "paths": {
            "/mine/{one}": {
                "post": {
                    "responses": {"200": {"content": {"application/json": {"schema": answer}}}}
                }
            }
        },
        "components": {"schemas": {"A{": {"properties": {"length": {}}}}},
    }
    put(folder, path="/mine/it", body={"b": 1, "lenght": 2})
    assert noticed(folder, spec=spec) == [
        "one.json: body $.lenght: the contract does not name this key; did you mean 'length'?"
    ]


def test_hidden_folders_and_environments_are_passed_over(folder, tmp_path):
    put(folder)
    for name in (".git", ".venv/a", "node_modules/b", "src/__pycache__", "env/lib"):
        put(tmp_path / name, request={"messages": "none"})
    (tmp_path / "env" / "pyvenv.cfg").touch()
    (tmp_path / "._one.json").touch()
    assert inspect_contract(tmp_path).checked == (str(folder / "one.json"),)
    # What is named is read, whatever it is called.
    assert not inspect_contract(tmp_path / ".git").ok


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


def answer_of(schema):
    return {"content": {"application/json": {"schema": schema}}}


def document(operation=None, components=None):
    """A contract of one operation, each part as odd as a test likes."""
    path = "/serving-endpoints/{name}/invocations"
    made = {"openapi": "3.1.0", "paths": {path: {"post": operation or {"responses": {}}}}}
    return made if components is None else {**made, "components": components}


def test_a_schema_without_an_end_and_a_value_without_one_are_findings(folder):
    loop = {"schemas": {"A": {"$ref": "#/components/schemas/A"}}}
    answer = answer_of({"$ref": "#/components/schemas/A"})
    put(folder)
    [(place, _, said)] = found(folder, spec=document({"responses": {"200": answer}}, loop))
    assert (place, said.partition(",")[0]) == (
        "request or body",
        "a value that is nested too deeply",
    )
    deep = {"type": "object", "function": {}}
    for _ in range(300):
        deep = {"properties": {"a": deep}}
    tool = {"type": "function", "function": {"name": "f", "parameters": deep}}
    put(folder, request={**CHAT, "tools": [tool]})
    assert isinstance(found(folder), list)


@pytest.mark.parametrize("odd", [5, {"content": 5}, {"content": {"application/json": 5}}, None])
def test_an_answer_of_which_the_contract_says_nothing_may_be_any(folder, odd):
    put(folder)
    assert found(folder, spec=document({"responses": {"200": odd}, "requestBody": odd})) == []


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
        (document(components={"schemas": []}), "components.schemas must be an object"),
        (document({"responses": 5}), "post is no operation: its responses must be an object"),
        (
            document({"responses": {}, "x-sdk-operations": [{"a": 1}]}),
            "a list of objects with a tag",
        ),
        (
            document({"responses": {"200": answer_of(5)}}),
            r"responses\.200\.content\.application/json\.schema is no JSON Schema: 5 is not",
        ),
        (
            document({"responses": {}, "requestBody": answer_of({"pattern": "("})}),
            "requestBody.* is no JSON Schema: '\\(' is not a 'regex'",
        ),
        ("nowhere.json", r"^nowhere\.json: No such file or directory$"),
    ],
)
def test_a_contract_that_cannot_be_used_says_why(folder, spec, message):
    put(folder)
    with pytest.raises(errors.InvalidRequestError, match=message):
        verify_contract(folder, spec=spec)


def test_a_contract_that_is_no_json_and_no_yaml_says_so(folder, tmp_path):
    put(folder)
    for name, text, said in (
        ("a.json", "{", "no JSON: .* at line 1, column 2$"),
        ("a.yaml", "a: [", "expected the node content, .* at line 1, column 5$"),
        ("b.yaml", "a: \x01", "unacceptable character #x0001: [a-z ]*$"),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(errors.InvalidRequestError, match=f"{name}: {said}"):
            verify_contract(folder, spec=tmp_path / name)


def test_a_folder_without_recordings_is_an_error_and_no_success(tmp_path):
    with pytest.raises(RecordingError, match="no recordings"):
        verify_contract(tmp_path)
    with pytest.raises(RecordingError, match="no recordings"):
        verify_contract(tmp_path / "nowhere")


def test_the_command_leaves_with_1_and_2_and_refuses_odd_ages(folder, capsys):
    put(folder, request={**CHAT, "max_token": 5})
    assert cli.main(["contract", "verify", str(folder)]) == 0
    assert "did you mean 'max_tokens'?" in capsys.readouterr().out
    put(folder, "bad", body={})
    assert cli.main(["contract", "verify", str(folder), "--format", "json"]) == 1
    assert len(json.loads(capsys.readouterr().out)["notices"]) == 1
    assert cli.main(["contract", "verify", str(folder / "nowhere")]) == 2
    for age in ("0", "-1", "36501", "9" * 5000, "\u0661", "ten"):
        with pytest.raises(SystemExit) as caught:
            cli.main(["contract", "verify", str(folder), f"--max-age={age}"])
        assert caught.value.code == 2
        assert "expected a number of days from 1 to 36500" in capsys.readouterr().err
