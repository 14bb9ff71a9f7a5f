"""Recordings as answers: which one fits, and what is said where none does."""

import json
from pathlib import Path

import pytest

from databricks_serving import ServingClient
from databricks_serving.errors import BadRequestError, ConfigError
from databricks_serving.local import LocalEndpoint
from databricks_serving.local.config import read_settings
from databricks_serving.local.replay import Miss, match
from databricks_serving.local.tape import events_in

ROOT = Path(__file__).parents[3]
USER = {"role": "user", "content": "Name a river."}


@pytest.mark.parametrize(
    ("recorded", "sent"),
    [
        ({"a": 1, "b": [1, {"c": None}]}, {"b": [1.0, {"c": None}], "a": 1}),
        ({"model": "one", "a": 1}, {"a": 1, "model": "two"}),
        ({}, {"model": "two"}),
    ],
)
def test_order_of_keys_form_of_numbers_and_name_of_the_endpoint_do_not_matter(recorded, sent):
    assert match([recorded], sent) == (0,)


@pytest.mark.parametrize(
    ("recorded", "sent", "difference"),
    [
        ({"stream": True}, {}, "$.stream is missing"),
        ({}, {"stream": True}, "$.stream is not in the recording"),
        ({"a": True}, {"a": 1}, "$.a is a number, and a boolean in the recording"),
        ({"a": "1"}, {"a": None}, "$.a is null, and a text in the recording"),
        ({"a": [1, 2]}, {"a": [1]}, "$.a has 1 items, and 2 in the recording"),
        ({"m": [{"c": "x"}]}, {"m": [{"c": "secret"}]}, "$.m[0].c has another value"),
        (None, {}, "$ is an object, and null in the recording"),
    ],
)
def test_the_first_difference_is_named_without_values(recorded, sent, difference):
    assert match([recorded], sent) == Miss(0, difference)


def test_the_nearest_recording_is_the_one_with_the_fewest_differences():
    recorded = [{"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 2, "c": 4}, {"z": 1}]
    assert match(recorded, {"a": 1, "b": 2, "c": 5}) == Miss(0, "$.c has another value")
    assert match(recorded, {"z": 2}) == Miss(2, "$.z has another value")
    assert match([], {}) == Miss(None, "nothing is recorded")


def test_all_that_are_equal_are_found():
    assert match([{"a": 1}, {"a": 2}, {"a": 1}], {"a": 1}) == (0, 2)


def write(folder, name, **changes):
    recording = {
        "format": "databricks-serving/recording",
        "version": 1,
        "shape": "a test",
        "request": {"messages": [USER]},
        "status": 200,
        "headers": {"content-type": "application/json", "X-Request-Id": "r-1", "date": "then"},
        "body": {"object": "chat.completion", "choices": [], "name": name},
    }
    (folder / name).write_text(json.dumps({**recording, **changes}))


def test_recordings_of_the_same_request_take_turns_and_the_last_stays(desk, tmp_path):
    for name in ("1.json", "2.json"):
        write(tmp_path, name)
    ask = desk(mine={"recordings": "."})
    answers = [ask("mine", {"messages": [USER]}) for _ in range(3)]
    assert [answer.json["name"] for answer in answers] == ["1.json", "2.json", "2.json"]
    assert answers[0].headers["x-request-id"] == "r-1"
    assert "date" not in answers[0].headers


def test_status_and_body_are_answered_as_they_were(desk, tmp_path):
    headers = {"content-type": "text/html", "retry-after": "3"}
    write(tmp_path, "a.json", status=503, headers=headers, body="<html>")
    answer = desk(mine={"recordings": str(tmp_path)})("mine", {"messages": [USER]})
    assert (answer.status, answer.headers["retry-after"], answer.body) == (503, "3", b"<html>")
    assert answer.headers["content-type"] == "text/html"


def test_a_request_that_was_not_recorded_is_told_the_nearest(desk, tmp_path):
    write(tmp_path, "a.json")
    write(tmp_path, "other.json", endpoint="other", request={"messages": []})
    ask = desk(mine={"recordings": "."}, third={"recordings": "."})
    answer = ask("mine", {"messages": [{"role": "user", "content": "private"}]})
    assert answer.status == 400
    assert answer.json["message"] == (
        "Bad request: no recording answers this request; in the nearest one, a.json, "
        "$.messages[0].content has another value"
    )
    (tmp_path / "a.json").unlink()
    lonely = desk(third={"recordings": "."})("third", {})
    assert "no recording is of the endpoint 'third'" in lonely.json["message"]


def test_a_recording_may_keep_its_timing(desk, tmp_path):
    body = "data: 1\n\ndata: 2\n\n"
    headers = {"content-type": "text/event-stream"}
    write(tmp_path, "a.json", headers=headers, body=body, timing=[[1.0, 9], [3.5, 18]])
    ask = desk(mine={"recordings": ".", "keep_timing": True}, fast={"recordings": "."})
    assert ask("mine", {"messages": [USER]}).body == body.encode()
    assert ask.pace.waits == [1.0, 2.5]
    assert ask("fast", {"messages": [USER]}).body == body.encode()
    assert len(ask.pace.waits) == 2


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (None, None, "there are no recordings"),
        ("a.json", "{", "a.json is no recording: it needs request, status, headers and body"),
        ("a.json", '{"request": {}, "status": 200, "headers": {}}', "is no recording"),
        ("a.json", '{"request": {}, "status": "x", "headers": {}, "body": ""}', "is no recording"),
        ("a.json", "[]", "is no recording"),
    ],
)
def test_folders_that_make_no_sense_are_refused(tmp_path, name, content, words):
    if name:
        (tmp_path / name).write_text(content)
    with pytest.raises(ConfigError, match=f"endpoints.mine.recordings: .*{words}"):
        read_settings({"endpoints": {"mine": {"recordings": "."}}}, tmp_path)


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"recordings: there is no folder .*nowhere"):
        read_settings({"endpoints": {"mine": {"recordings": "nowhere"}}}, tmp_path)


def test_streams_are_cut_after_each_event():
    assert list(events_in(b"data: 1\n\ndata: 2\n\n: end")) == [
        b"data: 1\n\n",
        b"data: 2\n\n",
        b": end",
    ]


@pytest.mark.parametrize("folder", ["chat", "errors"])
def test_the_recordings_of_this_repository_can_be_replayed(folder):
    path = ROOT / "tests" / "recordings" / folder
    given = {"model": "mine", "messages": [{"role": "user", "content": "Not recorded"}]}
    with (
        LocalEndpoint(config={"endpoints": {"mine": {"recordings": path}}}) as local,
        ServingClient(local.host, local.token, max_retries=0) as client,
        pytest.raises(BadRequestError, match=r"in the nearest one, .*\.json, \$"),
    ):
        client.chat.completions.create(**given)


def test_a_stream_is_replayed_to_the_client(tmp_path):
    chunk = {
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": {"content": "Po"}}],
    }
    body = f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n"
    request = {"messages": [USER], "stream": True}
    headers = {"content-type": "text/event-stream", "content-encoding": "gzip"}
    write(tmp_path, "a.json", request=request, headers=headers, body=body)
    config = {"endpoints": {"mine": {"recordings": tmp_path}}}
    with (
        LocalEndpoint(config=config) as local,
        ServingClient(local.host, local.token) as client,
        client.chat.completions.stream(model="mine", messages=[USER]) as stream,
    ):
        assert "".join(stream.text_stream) == "Po"
