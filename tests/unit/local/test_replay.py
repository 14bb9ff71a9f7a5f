"""Recordings as answers: which one fits, and what is said where none does."""

import json
from pathlib import Path

import pytest

from databricks_serving import ServingClient
from databricks_serving.errors import BadRequestError, ConfigError
from databricks_serving.local import LocalEndpoint
from databricks_serving.local.config import read_settings

ROOT = Path(__file__).parents[3]
USER = {"role": "user", "content": "Name a river."}


def put(folder, *bodies):
    for number, body in enumerate(bodies):
        write(folder, f"{number}.json", request=body)


@pytest.mark.parametrize(
    ("recorded", "sent"),
    [
        ({"messages": [USER], "top_p": 1}, {"top_p": 1.0, "messages": [USER]}),
        ({"messages": [USER], "model": "one"}, {"messages": [USER], "model": "two"}),
        ({"messages": [USER], "model": "mine"}, {"messages": [USER]}),
    ],
)
def test_order_of_keys_form_of_numbers_and_name_of_the_endpoint_do_not_matter(
    desk, tmp_path, recorded, sent
):
    write(tmp_path, "0.json", request=recorded, endpoint="mine")
    assert desk(mine={"recordings": "."})("mine", sent).status == 200


@pytest.mark.parametrize(
    ("recorded", "sent", "place"),
    [
        ({"messages": [USER], "stream": True}, {"messages": [USER]}, "$.stream"),
        ({"messages": [USER]}, {"messages": [USER], "stream": True}, "$.stream"),
        ({"messages": [USER, USER]}, {"messages": [USER]}, "$.messages[1]"),
        (
            {"messages": [USER]},
            {"messages": [{**USER, "content": "secret"}]},
            "$.messages[0].content",
        ),
        (None, {"messages": [USER]}, "$"),
    ],
)
def test_the_first_difference_is_named_without_values(desk, tmp_path, recorded, sent, place):
    put(tmp_path, recorded)
    message = desk(mine={"recordings": "."})("mine", sent).json["message"]
    assert message.endswith(f"the nearest one, 0.json, differs at {place}")


def test_the_nearest_recording_is_the_one_with_the_fewest_differences(desk, tmp_path):
    near = {"messages": [USER], "top_p": 0.5, "n": 1}
    put(tmp_path, {"messages": []}, near, {"messages": [USER], "top_p": 0.1, "n": 2})
    answer = desk(mine={"recordings": "."})("mine", {**near, "n": 3})
    assert "the nearest one, 1.json, differs at $.n" in answer.json["message"]


def test_the_path_of_a_recording_tells_its_endpoint(desk, tmp_path):
    write(tmp_path, "a.json", path="/serving-endpoints/mine/invocations")
    ask = desk(mine={"recordings": "."}, other={"recordings": "."})
    assert ask("mine", {"messages": [USER]}).status == 200
    answer = ask("other", {"messages": [USER]})
    assert "no recording is of the endpoint 'other'" in answer.json["message"]


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
        "Bad request: no recording answers this request; the nearest one, a.json, differs at "
        "$.messages[0].content"
    )
    (tmp_path / "a.json").unlink()
    lonely = desk(third={"recordings": "."})("third", {})
    assert "no recording is of the endpoint 'third'" in lonely.json["message"]


def test_a_recording_may_keep_its_timing(desk, tmp_path):
    body = "data: 1\n\ndata: 2\n\n"
    headers = {"content-type": "text/event-stream"}
    write(tmp_path, "a.json", headers=headers, body=body, timing=[1.0, 3.5])
    ask = desk(mine={"recordings": ".", "keep_timing": True}, fast={"recordings": "."})
    assert ask("mine", {"messages": [USER]}).body == body.encode()
    assert ask.pace.waits == [1.0, 2.5]
    assert ask("fast", {"messages": [USER]}).body == body.encode()
    assert len(ask.pace.waits) == 2


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (None, None, "there are no recordings"),
        ("a.json", "{", "a.json: no JSON"),
        ("a.json", '{"request": {}, "status": 200, "headers": {}}', "one of the keys body and"),
        ("a.json", '{"request": {}, "status": "x", "headers": {}, "body": ""}', "a whole number"),
        ("a.json", "[]", "a recording is a JSON object"),
    ],
)
def test_folders_that_make_no_sense_are_refused(tmp_path, name, content, words):
    if name:
        (tmp_path / name).write_text(content)
    with pytest.raises(ConfigError, match=f"endpoints.mine.recordings: .*{words}"):
        read_settings({"endpoints": {"mine": {"recordings": "."}}}, tmp_path)


def test_tools_and_environments_in_a_folder_are_passed_over(desk, tmp_path):
    put(tmp_path, {"messages": [USER]})
    for name in (".git", "node_modules", "env"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "package.json").write_text("{}")
    (tmp_path / "env" / "pyvenv.cfg").touch()
    assert desk(mine={"recordings": "."})("mine", {"messages": [USER]}).status == 200


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"recordings: there is no folder .*nowhere"):
        read_settings({"endpoints": {"mine": {"recordings": "nowhere"}}}, tmp_path)


@pytest.mark.parametrize("folder", ["chat", "errors"])
def test_the_recordings_of_this_repository_can_be_replayed(folder):
    path = ROOT / "tests" / "recordings" / folder
    given = {"model": "mine", "messages": [{"role": "user", "content": "Not recorded"}]}
    with (
        LocalEndpoint(config={"endpoints": {"mine": {"recordings": path}}}) as local,
        ServingClient(local.host, local.token, max_retries=0) as client,
        pytest.raises(BadRequestError, match=r"the nearest one, .*\.json, differs at \$"),
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
