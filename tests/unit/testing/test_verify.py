"""Recordings held against the contract and the typed models."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import wire
from kept import CHAT, found, noticed, put
from recordings import OWN, SHARED

from databricks_serving import cli, errors
from databricks_serving.testing._errors import ContractViolationError, RecordingError
from databricks_serving.testing._verify.verifying import inspect_contract, verify_contract

# These break the contract, which is what they show; the client makes errors of them.
BROKEN = {
    "chat/error-at-200.json",
    "chat/html-at-200.json",
    "chat/stream-cut-in-event.json",
    "chat/stream-cut.json",
    "chat/stream-html.json",
    "completions/stream-cut.json",
    "responses/stream-cut.json",
}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "chat"


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


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"role": "user"}, ("", "the key content", "an object with the keys role")),
        ({"role": "tool", "content": "4"}, ("", "the key tool_call_id", None)),
        ({"role": "system", "content": 4}, (".content", "text", "a whole number")),
        ({"role": "guest", "content": 4}, (".content", "text", "a whole number")),
        (
            {"role": "user", "content": [{"type": "text"}]},
            (".content[0]", "the key text", "an object with the keys type"),
        ),
    ],
)
def test_the_tag_of_a_value_says_which_form_it_should_have(folder, message, expected):
    [(place, *told)] = found(put(folder, request={"messages": [message]}))
    inner, wanted, is_there = expected
    assert place == f"request $.messages[0]{inner}"
    assert told == [wanted, is_there or told[1]]


INVOKED = "/serving-endpoints/mine/invocations"
PIECE = {"id": "c", "choices": [{"index": 0, "delta": {"content": "a"}}]}
VECTORS = {"data": [{"index": 0, "embedding": [0.5]}]}


def events(*values):
    return [f"data: {json.dumps(one)}\n\n" for one in values]


@pytest.mark.parametrize(
    ("request_", "answer", "expected"),
    [
        (
            {"mesages": []},
            {},
            (
                "request $",
                "the key messages",
                "an object with the keys mesages; is mesages meant to be messages?",
            ),
        ),
        ({}, {}, ("request $", "the key messages", "an empty object")),
        (None, {}, ("request $", "an object", "null")),
        (
            {"mesages": [], "stream": True},
            {"stream": True, "body": [*events(PIECE), "data: [DONE]\n\n"]},
            (
                "request $",
                "the key messages",
                "an object with the keys mesages, stream; is mesages meant to be messages?",
            ),
        ),
        (
            {"inputt": "x"},
            {"body": VECTORS},
            (
                "request $",
                "the key input",
                "an object with the keys inputt; is inputt meant to be input?",
            ),
        ),
    ],
)
def test_the_answer_tells_the_task_where_the_request_does_not(folder, request_, answer, expected):
    assert found(put(folder, path=INVOKED, request=request_, **answer)) == [expected]


def test_a_route_of_one_task_asks_for_all_that_it_needs(folder):
    put(folder, path="/serving-endpoints/chat/completions")
    assert found(folder) == [("request $", "the key model", "an object with the keys messages")]


def test_a_stream_that_a_client_takes_for_a_cut_must_say_so(folder):
    last = {"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    put(folder, "finished", stream=True, body=events(PIECE, last))
    put(folder, "marked", stream=True, body=[*events(PIECE), "data: [DONE]\n\n"])
    put(folder, "broken", stream=True, body=events(PIECE), ends="closed")
    assert found(folder) == []
    put(folder, "cut", stream=True, body=events(PIECE))
    assert found(folder) == [
        (
            "body",
            "a finish reason, or [DONE]",
            "the end of the body, without a mark in `ends` that it was broken off",
        )
    ]


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


def test_a_stream_that_was_broken_off_may_end_anywhere(folder):
    for ends in ("closed", "reset", "timeout", "left"):
        put(folder, ends, stream=True, ends=ends, body="")
        put(folder, f"{ends}-late", stream=True, ends=ends, body='data: {"id"')
    assert found(folder) == []


def test_findings_are_bounded(folder):
    put(folder, "keys", body={f"{number}{'k' * 1000}": 1 for number in range(1000)})
    put(folder, "path", path=f"/{'p' * 1000}")
    put(folder, "items", body={"choices": [1] * 1000})
    report = inspect_contract(folder)
    assert len(report.findings) == 12
    assert max(len(str(one)) for one in report.findings) < 5000


def test_an_event_may_be_larger_than_a_client_takes(folder):
    event = {"id": "c" * 17 * 2**20, "choices": []}
    put(folder, stream=True, body=[*events(event), "data: [DONE]\n\n"])
    assert found(folder) == []


def test_hidden_folders_and_environments_are_passed_over(folder, tmp_path):
    put(folder)
    for name in (".git", ".venv/a", "node_modules/b", "src/__pycache__", "env/lib"):
        put(tmp_path / name, request={"messages": "none"})
    (tmp_path / "env" / "pyvenv.cfg").touch()
    (tmp_path / "._one.json").touch()
    assert inspect_contract(tmp_path).checked == (str(folder / "one.json"),)
    # What is named is read, whatever it is called.
    assert not inspect_contract(tmp_path / ".git").ok


def test_a_folder_without_recordings_is_an_error_and_no_success(tmp_path):
    with pytest.raises(RecordingError, match=r"no recordings there: .*`pytest --serving-record`"):
        verify_contract(tmp_path)
    with pytest.raises(RecordingError, match="nowhere: no such file or directory"):
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
