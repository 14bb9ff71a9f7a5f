"""Keys that the contract does not name are noticed when recordings are verified."""

import json
import string

import pytest
import wire
from kept import CHAT, noticed, put

from databricks_serving.testing import ContractWarning
from databricks_serving.testing._verify.verifying import inspect_contract, verify_contract


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "chat"


def test_a_misspelt_key_of_a_request_is_noticed_with_the_nearest_one(folder):
    put(folder, request={**CHAT, "max_token": 5})
    report = inspect_contract(folder)
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


def test_a_contract_test_warns_of_notices_at_its_own_line(folder):
    put(folder, request={**CHAT, "max_token": 5})
    with pytest.warns(ContractWarning) as caught:
        assert verify_contract(folder).ok
    [warning] = caught
    assert warning.filename == __file__
    assert str(warning.message) == (
        "1 notice, which breaks nothing:\n"
        "  one.json: request $.max_token: the contract does not name this key; "
        "did you mean 'max_tokens'?"
    )


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


@pytest.mark.parametrize(
    ("line", "guess"),
    [
        ("dta: {}", "; did you mean 'data:'?"),
        ("data {}", "; did you mean 'data:'?"),
        (" data: {}", "; did you mean 'data:'?"),
        ("evnt: message", "; did you mean 'event:'?"),
        ("<canary>", ""),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_of_a_stream_that_clients_pass_over_are_noticed(folder, line, guess, end):
    event = json.dumps({"id": "c", "choices": [{"index": 0, "delta": {"content": "a"}}]})
    lines = [": ping", "", f"data: {event}", "id: 1", "", line, "", "data: [DONE]", "", ""]
    put(folder, stream=True, body="\ufeff" + end.join(lines))
    assert noticed(folder) == [
        "one.json: body line 6: this line is no field of an event, so clients pass over it" + guess
    ]


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
