"""What VCR and HAR have recorded, made into recordings of ours."""

import base64
import gzip
import json
import sys

import httpx
import pytest
import vcr
import wire

from databricks_serving import ServingClient
from databricks_serving.cli import main
from databricks_serving.errors import ConfigError
from databricks_serving.local import LocalEndpoint
from databricks_serving.testing._cassettes.cassette import Cassette
from databricks_serving.testing._errors import RecordingError
from databricks_serving.testing._importing.files import import_recordings

CHAT = {"messages": [{"role": "user", "content": "Name a river."}]}
FORM = "application/x-www-form-urlencoded"
PATH = "/serving-endpoints/local-chat/invocations"


def ask():
    with ServingClient("https://w.example.com", "t") as client:
        return client.chat.completions.create(model="local-chat", **CHAT)


def entry(**changed):
    return {
        "startedDateTime": "2026-11-01T10:00:00.000Z",
        "time": 250,
        "request": {
            "method": "POST",
            "url": f"https://dbc-a1b2.cloud.databricks.com{PATH}",
            "headers": [{"name": "Authorization", "value": f"Bearer {wire.TOKEN}"}],
            "postData": {"text": json.dumps(CHAT)},
        },
        "response": {
            "status": 200,
            "headers": [
                {"name": "Content-Type", "value": "application/json"},
                {"name": "Content-Encoding", "value": "gzip"},
                {"name": "Set-Cookie", "value": "session=1"},
            ],
            "content": {"text": json.dumps(wire.chat(f"Hello {wire.TOKEN}."))},
        },
        **changed,
    }


def write_har(path, *entries):
    path.write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}))
    return path


@pytest.mark.parametrize("stream", [False, True])
def test_a_cassette_that_vcr_wrote_is_replayed(tmp_path, stream):
    recorder = vcr.VCR(serializer="yaml")
    with LocalEndpoint() as local, recorder.use_cassette(str(tmp_path / "vcr.yaml")):
        answer = httpx.post(
            f"{local.host}{PATH}",
            json={**CHAT, "stream": stream} if stream else CHAT,
            headers={"authorization": f"Bearer {local.token}"},
        )
    [recording] = import_recordings(tmp_path / "vcr.yaml", tmp_path / "made").recordings
    assert recording.content == answer.content
    assert recording.stream is stream
    assert local.token not in next((tmp_path / "made").iterdir()).read_text()
    with Cassette(tmp_path / "made"):
        if stream:
            with ServingClient() as client:
                events = client.chat.completions.stream(model="local-chat", **CHAT)
                with events as opened:
                    assert "".join(opened.text_stream) == "You said: Name a river."
        else:
            assert ask().text == "You said: Name a river."


def test_a_har_file_is_replayed_without_its_secrets(tmp_path):
    har = write_har(tmp_path / "calls.har", entry())
    [recording] = import_recordings(har, tmp_path / "made").recordings
    text = (tmp_path / "made" / "001-local-chat.json").read_text()
    for secret in (wire.TOKEN, "session", "dbc-a1b2"):
        assert secret not in text
    assert recording.timing == (0.25,)
    assert recording.recorded.year == 2026
    with Cassette(tmp_path / "made"):
        assert ask().text == "Hello ***."


def test_packed_and_encoded_bodies_are_unpacked(tmp_path):
    packed = gzip.compress(json.dumps(wire.chat()).encode())
    content = {"text": base64.b64encode(packed).decode(), "encoding": "base64"}
    answer = {**entry()["response"], "content": content}
    har = write_har(tmp_path / "calls.har", entry(response=answer))
    [recording] = import_recordings(har, tmp_path / "made").recordings
    assert recording.json == wire.chat()


def test_other_traffic_is_left_out_and_so_are_logins(tmp_path):
    def request(url, **headers):
        named = [
            {"name": name.replace("_", "-"), "value": value} for name, value in headers.items()
        ]
        return {**entry()["request"], "url": url, "headers": named}

    har = write_har(
        tmp_path / "calls.har",
        entry(request=request("https://example.com/page")),
        entry(request=request("https://example.com/form", content_type=FORM)),
        entry(request=request("https://login.example.com/oidc/v1/token", content_type=FORM)),
        entry(
            request=request(
                "https://w.example.com/serving-endpoints/x/invocations",
                content_type=FORM,
            )
        ),
        entry(response={"status": 0, "headers": []}),
    )
    made = import_recordings(har, tmp_path / "made")
    assert made.recordings == []
    assert not made.found
    assert made.passed_over == {"other_traffic": 2, "login": 2, "no_answer": 1}
    assert str(made).splitlines()[1:] == [
        "2 passed over: not with a model-serving endpoint",
        "2 passed over: a request for a token, which is never recorded",
        "1 passed over: without an answer",
    ]
    assert not (tmp_path / "made").exists()


def test_what_browsers_say_of_the_address_is_no_secret(tmp_path):
    asked = {**entry()["request"], "headers": [{"name": ":path", "value": PATH}]}
    har = write_har(tmp_path / "calls.har", entry(request=asked))
    [recording] = import_recordings(har, tmp_path / "made").recordings
    assert recording.path == PATH


def test_the_secret_of_a_login_is_taken_out_of_the_calls_after_it(tmp_path):
    login = {
        **entry()["request"],
        "url": "https://w.example.com/oidc/v1/token",
        "headers": [{"name": "Content-Type", "value": FORM}],
        "postData": {"text": "grant_type=client_credentials&client_secret=canary-secret"},
    }
    answer = {**entry()["response"], "content": {"text": json.dumps(wire.chat("canary-secret"))}}
    har = write_har(tmp_path / "calls.har", entry(request=login), entry(response=answer))
    [recording] = import_recordings(har, tmp_path / "made").recordings
    assert recording.json["choices"][0]["message"]["content"] == "***"


def test_importing_again_writes_only_what_is_new(tmp_path):
    har = write_har(tmp_path / "calls.har", entry(), entry())
    assert len(import_recordings(har, tmp_path / "made").recordings) == 2
    write_har(tmp_path / "calls.har", entry(), entry(), entry(time=500), entry())
    made = import_recordings(har, tmp_path / "made")
    assert [one.timing for one in made.recordings] == [(0.5,), (0.25,)]
    assert made.passed_over == {"already_there": 2}
    again = import_recordings(har, tmp_path / "made")
    assert again.recordings == []
    assert again.found
    assert str(again).endswith("4 passed over: in the folder already")
    names = sorted(path.name for path in (tmp_path / "made").iterdir())
    assert names == [f"00{number}-local-chat.json" for number in (1, 2, 3, 4)]


def test_the_command_says_what_it_made_and_what_it_passed_over(tmp_path, capsys):
    har = write_har(tmp_path / "calls.har", entry(), entry(response={"status": 0}))
    folder = tmp_path / "made"
    command = ["contract", "import", str(har), str(folder)]
    assert main(command) == 0
    written = f"1 recording written to {folder}\n1 passed over: without an answer\n"
    assert capsys.readouterr().out == written
    assert main(command) == 0
    assert "1 passed over: in the folder already" in capsys.readouterr().out
    write_har(har)
    assert main(command) == 1
    assert capsys.readouterr().out == f"0 recordings written to {folder}\n"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.har", "{", "no HAR file: it cannot be parsed$"),
        ("a.har", "[" * 100_000, "no HAR file: it is nested too deeply$"),
        ("a.har", "\udcff", "no HAR file: it is not a text in UTF-8$"),
        ("a.har", "{}", "no HAR file: the key 'log' is missing"),
        ("a.har", '{"log": {"entries": [1]}}', "no HAR file: it has another form$"),
        ("a.yaml", "a: [", "no cassette of VCR"),
        ("a.yaml", "a: 1", "no cassette of VCR: the key 'interactions' is missing"),
        ("a.yaml", "interactions: [{request: 5, response: 6}]", "no cassette of VCR"),
        ("a.txt", "", "not known"),
    ],
)
def test_a_file_that_is_none_says_so_and_leaves_nothing(tmp_path, name, text, message):
    (tmp_path / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(RecordingError, match=message):
        import_recordings(tmp_path / name, tmp_path / "made")
    assert not (tmp_path / "made").exists()


def test_a_file_that_is_not_there_says_so(tmp_path):
    with pytest.raises(RecordingError, match="cannot be read"):
        import_recordings(tmp_path / "a.har", tmp_path / "made")


def test_the_library_that_is_missing_is_called_as_it_is_installed(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ruamel.yaml", None)
    (tmp_path / "calls.yaml").write_text("interactions: []\nversion: 1\n")
    with pytest.raises(ConfigError, match=r"needs ruamel\.yaml: pip install .*\[testing\]"):
        import_recordings(tmp_path / "calls.yaml", tmp_path)
