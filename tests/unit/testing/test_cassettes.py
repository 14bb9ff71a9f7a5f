"""Cassettes: recorded once, replayed without a network, for both clients."""

import json
import os
import re
import socket
import time
from datetime import UTC, datetime, timedelta

import pytest
import wire

from databricks_serving import AsyncServingClient, ServingClient, errors
from databricks_serving._core.script import Sent
from databricks_serving.local import LocalEndpoint
from databricks_serving.testing._cassettes.cassette import Cassette
from databricks_serving.testing._cassettes.scrubbing import Scrubber
from databricks_serving.testing._errors import RecordingError, UnexpectedRequestError
from databricks_serving.testing._fake import FakeServing
from databricks_serving.testing._recording import Recording

CHAT = {"model": "local-chat", "messages": [{"role": "user", "content": "Name a river."}]}


@pytest.fixture(scope="module")
def local():
    with LocalEndpoint() as running:
        yield running


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cassette"


def files(folder):
    return sorted(path.name for path in folder.glob("*"))


def ask(shell, client, **changed):
    return shell.wait(client.chat.completions.create(**{**CHAT, **changed}))


def streamed(shell, client, **changed):
    with shell.opened(client.chat.completions.stream(**{**CHAT, **changed})) as stream:
        events = shell.items(stream)
        chunks = [event.chunk.to_dict() for event in events if hasattr(event, "chunk")]
        return chunks, shell.wait(stream.get_final_completion())


@pytest.fixture
def recorded(shell, local, folder):
    """A cassette of three calls, and what they came to."""
    client = shell.client_class(local.host, local.token)
    with Cassette(folder, mode="all"):
        reply = ask(shell, client)
        chunks, final = streamed(shell, client)
        vectors = shell.wait(client.embeddings.create(model="local-embedding", input=["a", "b"]))
    shell.wait(client.close())
    return reply, chunks, final, vectors


def test_what_was_recorded_is_replayed_with_the_network_blocked(
    shell, recorded, folder, monkeypatch
):
    monkeypatch.setattr(socket, "socket", None)
    monkeypatch.delenv("DATABRICKS_HOST", raising=False)
    with Cassette(folder) as cassette:
        client = shell.client_class()
        again = ask(shell, client)
        chunks, final = streamed(shell, client)
        vectors = shell.wait(client.embeddings.create(model="local-embedding", input=["a", "b"]))
    reply, chunks_before, final_before, vectors_before = recorded
    assert again.to_dict() == reply.to_dict()
    assert again.request_id == reply.request_id
    assert again.served_model_name == reply.served_model_name
    assert chunks == chunks_before
    assert final.to_dict() == final_before.to_dict()
    assert vectors.to_dict() == vectors_before.to_dict()
    assert cassette.unplayed == []
    assert len(cassette.played) == 3


@pytest.mark.usefixtures("recorded")
def test_a_recording_is_a_file_that_people_can_read(folder, local):
    assert files(folder) == [
        "001-local-chat.json",
        "002-local-chat-stream.json",
        "003-local-embedding.json",
    ]
    data = json.loads((folder / "001-local-chat.json").read_text())
    assert data["format"] == "databricks-serving/recording"
    assert data["path"] == "/serving-endpoints/local-chat/invocations"
    assert data["request"]["messages"] == CHAT["messages"]
    assert data["body"]["choices"][0]["message"]["content"] == "You said: Name a river."
    assert set(data["headers"]) == {"content-type", "served-model-name", "x-request-id"}
    stream = json.loads((folder / "002-local-chat-stream.json").read_text())
    assert stream["body"][-1] == "data: [DONE]\n\n"
    assert len(stream["timing"]) == len(stream["body"])
    assert stream["timing"] == sorted(stream["timing"])
    everything = "".join(path.read_text() for path in folder.iterdir())
    assert local.token not in everything


def test_either_client_replays_what_the_other_recorded(shell, recorded, folder):
    other = AsyncServingClient if shell.name == "sync" else ServingClient
    assert other is not shell.client_class
    with Cassette(folder):
        client = shell.client_class()
        assert ask(shell, client).to_dict() == recorded[0].to_dict()


def test_the_order_of_calls_is_free_and_that_of_equal_calls_is_kept(shell, local, folder):
    client = shell.client_class(local.host, local.token)
    with Cassette(folder, mode="all"):
        first, second = ask(shell, client), ask(shell, client)
        other = ask(shell, client, messages=[{"role": "user", "content": "Other."}])
    shell.wait(client.close())
    with Cassette(folder):
        client = shell.client_class()
        replayed = [
            ask(shell, client, messages=[{"role": "user", "content": "Other."}]),
            ask(shell, client),
            ask(shell, client),
        ]
    assert [one.request_id for one in replayed] == [
        one.request_id for one in (other, first, second)
    ]


@pytest.mark.usefixtures("recorded")
def test_a_request_that_was_not_recorded_names_the_nearest_and_the_difference(shell, folder):
    with Cassette(folder), pytest.raises(UnexpectedRequestError) as caught:
        ask(shell, shell.client_class(), temperature=0.5)
    text = str(caught.value)
    assert "POST /serving-endpoints/local-chat/invocations is not in" in text
    assert "$.temperature: recorded nothing, sent 0.5" in text
    assert "pytest --serving-record" in text


@pytest.mark.usefixtures("recorded")
def test_a_second_request_of_a_kind_is_an_error_unless_repeats_are_allowed(shell, folder):
    with Cassette(folder):
        client = shell.client_class()
        ask(shell, client)
        with pytest.raises(UnexpectedRequestError, match=r"recorded once .* sent once more"):
            ask(shell, client)
    with Cassette(folder, repeats=True):
        client = shell.client_class()
        assert ask(shell, client).text == ask(shell, client).text


def test_fields_may_be_left_out_of_the_comparison(shell, local, folder):
    client = shell.client_class(local.host, local.token)
    with Cassette(folder, mode="all"):
        ask(shell, client, client_request_id="one")
    shell.wait(client.close())
    with Cassette(folder, ignore=["client_request_id"]):
        assert ask(shell, shell.client_class(), client_request_id="two").text


def test_new_episodes_are_recorded_and_the_old_ones_replayed(shell, local, recorded, folder):
    before = {path: path.read_text() for path in folder.iterdir()}
    client = shell.client_class(local.host, local.token)
    with Cassette(folder, mode="new_episodes") as cassette:
        assert ask(shell, client).to_dict() == recorded[0].to_dict()
        ask(shell, client, max_tokens=2)
        assert len(cassette.recorded) == 1
    shell.wait(client.close())
    assert files(folder)[-1] == "004-local-chat.json"
    assert {path: path.read_text() for path in before} == before


@pytest.mark.usefixtures("recorded")
def test_recording_anew_takes_the_place_of_what_was_there(shell, local, folder):
    client = shell.client_class(local.host, local.token)
    with Cassette(folder, mode="all"):
        ask(shell, client, max_tokens=2)
    shell.wait(client.close())
    assert files(folder) == ["001-local-chat.json"]


@pytest.mark.usefixtures("recorded")
def test_a_block_that_fails_leaves_the_folder_as_it_was(shell, local, folder):
    before = {path: path.read_text() for path in folder.iterdir()}
    client = shell.client_class(local.host, local.token)

    def fail():
        with Cassette(folder, mode="all"):
            ask(shell, client, max_tokens=2)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    shell.wait(client.close())
    assert {path: path.read_text() for path in folder.iterdir()} == before


def test_a_refusal_is_recorded_and_replayed_as_the_same_error(shell, local, folder):
    client = shell.client_class(local.host, local.token)
    unknown = {**CHAT, "model": "nobody"}
    with Cassette(folder, mode="all"), pytest.raises(errors.NotFoundError) as before:
        ask(shell, client, **unknown)
    shell.wait(client.close())
    with Cassette(folder), pytest.raises(errors.NotFoundError) as after:
        ask(shell, shell.client_class(), **unknown)
    assert after.value.message == before.value.message
    assert after.value.request_id == before.value.request_id
    assert files(folder) == ["001-nobody.json"]


def test_an_oauth_login_is_not_recorded_and_needs_no_server_in_a_replay(shell, local, folder):
    from databricks_serving.auth import OAuthClientCredentials  # noqa: PLC0415

    login = OAuthClientCredentials(local.oauth.client_id, local.oauth.client_secret)
    client = shell.client_class(local.host, auth=login)
    with Cassette(folder, mode="all"):
        ask(shell, client)
    shell.wait(client.close())
    assert files(folder) == ["001-local-chat.json"]
    text = (folder / "001-local-chat.json").read_text()
    assert local.oauth.client_secret not in text
    with Cassette(folder):
        client = shell.client_class("https://w.example.com", auth=OAuthClientCredentials("a", "b"))
        assert ask(shell, client).text


def test_headers_of_more_than_ascii_are_replayed(shell, folder):
    folder.mkdir()
    reply = {"status": 200, "headers": {"x-request-id": "caf\u00e9 \u2192"}, "body": wire.chat()}
    asked = {"path": "/serving-endpoints/m/invocations", "request": {"messages": wire.USER}}
    (folder / "one.json").write_text(json.dumps({**reply, **asked}))
    with Cassette(folder):
        reply = ask(shell, shell.client_class(), model="m", messages=wire.USER)
    assert reply.request_id == "caf\u00e9 \u2192"


def test_neither_workspace_nor_cluster_of_an_app_are_recorded_and_another_one_replays(
    shell, local, folder
):
    def call(client, cluster):
        app = client.endpoint(task="text", cluster_id=cluster, port=8000, org_id="6051921418418893")
        return shell.wait(app.invoke("Hi"))

    client = shell.client_class(local.host, local.token)
    with Cassette(folder, mode="all"):
        said = call(client, "0131-123456-abcdefgh")
    shell.wait(client.close())
    [path] = folder.iterdir()
    assert '"path": "/driver-proxy-api/o/0/cluster/8000' in path.read_text()
    assert "0131-123456" not in path.read_text()
    with Cassette(folder):
        assert call(shell.client_class(), "0202-654321-hgfedcba") == said
    written = path.read_text().replace("/o/0/cluster/", "/o/17/by-hand/")
    path.write_text(written)
    with Cassette(folder):
        assert call(shell.client_class(), "0202-654321-hgfedcba") == said


def test_a_folder_without_recordings_says_how_to_make_them(folder):
    with pytest.raises(RecordingError, match="no recordings: record them first"), Cassette(folder):
        pass


@pytest.mark.usefixtures("recorded")
def test_old_recordings_are_an_error_where_an_age_is_asked_for(folder):
    path = folder / "001-local-chat.json"
    data = json.loads(path.read_text())
    data["recorded"] = (datetime.now(UTC) - timedelta(days=40)).isoformat()
    path.write_text(json.dumps(data))
    with Cassette(folder, max_age=timedelta(days=50)):
        pass
    with (
        pytest.raises(RecordingError, match="too long ago: record it anew"),
        Cassette(folder, max_age=timedelta(days=30)),
    ):
        pass


def test_there_are_three_modes():
    with pytest.raises(ValueError, match="none, new_episodes, all"):
        Cassette("x", mode="once")


@pytest.mark.parametrize("ends", ["closed", "reset", "timeout"])
def test_a_stream_that_broke_breaks_again(shell, folder, ends):
    folder.mkdir()
    body = wire.sse(wire.chunk("The "), wire.chunk("Po")).decode()
    data = {
        "path": "/serving-endpoints/local-chat/invocations",
        "request": {**{k: v for k, v in CHAT.items() if k != "model"}, "stream": True},
        "status": 200,
        "headers": {"content-type": "text/event-stream"},
        "body": body,
        "stream": True,
        "timing": [0.5, 30.0],
        "ends": ends,
    }
    (folder / "broken.json").write_text(json.dumps(data))
    with Cassette(folder) as cassette, pytest.raises(errors.ServingError) as caught:
        streamed(shell, shell.client_class())
    assert caught.value.partial.text == "The Po"
    assert cassette.time.monotonic() >= 30


@pytest.mark.parametrize("mode", ["none", "new_episodes"])
def test_a_recording_of_which_the_client_has_left_the_rest_says_so(shell, folder, mode):
    folder.mkdir()
    data = {
        "path": "/serving-endpoints/local-chat/invocations",
        "request": {**{k: v for k, v in CHAT.items() if k != "model"}, "stream": True},
        "status": 200,
        "headers": {"content-type": "text/event-stream"},
        "body": wire.sse(wire.chunk("The ")).decode(),
        "ends": "left",
    }
    (folder / "left.json").write_text(json.dumps(data))
    client = shell.client_class("https://own.example", "t")
    with (
        Cassette(folder, mode=mode),
        pytest.raises(UnexpectedRequestError, match="the client read no further; record it anew"),
    ):
        streamed(shell, client)


def test_secrets_hosts_and_chosen_fields_never_touch_the_disk(shell, local, folder):
    client = shell.client_class(local.host, local.token)
    jwt = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEtbG92In0.c2lnbmF0dXJl"
    said = f"dapi{'0123456789abcdef' * 2} {jwt} at adb-12345.7.azuredatabricks.net, says Ada"
    scrubber = Scrubber(fields=("user",), texts={"Ada": "Someone"})
    asked = {"messages": [{"role": "user", "content": said}], "user": "ada@example.com"}
    with Cassette(folder, mode="all", scrubber=scrubber):
        reply = ask(shell, client, **asked)
    shell.wait(client.close())
    text = (folder / "001-local-chat.json").read_text()
    for secret in ("dapi0123", jwt, "adb-12345", "Ada", "ada@example.com"):
        assert secret not in text
    with Cassette(folder, scrubber=scrubber):
        again = ask(shell, shell.client_class(), **asked)
    assert again.text == reply.text.replace("Ada", "Someone").replace(said[:36], "***").replace(
        jwt, "***"
    ).replace("adb-12345.7.azuredatabricks.net", "workspace.example.com")


@pytest.mark.parametrize(
    "body",
    [
        {"environment_vars": {"HF_TOKEN": "canary", "AWS_SECRET_ACCESS_KEY": "canary"}},
        {"clientSecret": "canary", "x-api-key": "canary", "apiKeys": {"api_key": ["canary"]}},
        {"password": 73317331, "pin": 73317331, "card": 73317331.5},
        {"arguments": '{"user": "canary", "query": {"password": "canary"}}'},
        {"arguments": '[{"user": "canary"}]', "canary-canary": "canary-canary"},
    ],
)
def test_secrets_are_found_by_their_names_in_texts_and_in_numbers(body):
    scrubber = Scrubber(fields=("user",), texts={"73317331": "", "canary-canary": "***"})
    recording = Recording(status=200, request=body, content=json.dumps(body).encode())
    text = scrubber.recording(recording).to_json()
    assert "canary" not in text
    assert "73317331" not in text


def test_what_only_looks_like_a_secret_stays():
    schema = {"properties": {"api_key": {"type": "string"}}}
    body = {"next_page_token": "a", "eos_token": "b", "max_tokens": 5, "tools": [schema]}
    assert Scrubber().value(body) == body


def test_a_key_that_stands_twice_hides_nothing():
    content = b'{"a": "dapi0123456789abcdef0123456789abcdef", "a": "b"}'
    assert Scrubber().recording(Recording(status=200, content=content)).content == (
        b'{"a": "***", "a": "b"}'
    )


def test_a_longer_text_goes_before_one_that_is_a_part_of_it():
    scrubber = Scrubber(texts={"Ada": "A", "Ada Lovelace": "B", "0123": "C"})
    assert scrubber.text("Ada Lovelace, Ada") == "B, A"
    sent = Sent("POST", "https://own.example/x", (("authorization", "Bearer ab0123cd"),), b"")
    assert scrubber.knowing(sent).text("ab0123cd") == "***"


def test_secrets_in_headers_and_queries_of_a_request_are_known():
    headers = (
        ("x-api-key", "canary-one"),
        ("X-Auth-Token", "canary-two"),
        ("idempotency-key", "k"),
    )
    sent = Sent("POST", "https://own.example/x", headers, b"")
    scrubber = Scrubber(fields=("user",)).knowing(sent)
    assert scrubber.text("canary-one canary-two k") == "*** *** k"
    target = "/x?api_key=hunter2&user=ada&a=1&b&access%5Ftoken=t"
    assert scrubber.target(target) == "/x?api_key=***&user=***&a=1&b&access%5Ftoken=***"
    assert scrubber.target("/x?token=t&key=k&sig=s") == "/x?token=***&key=***&sig=***"


def test_arguments_of_a_tool_that_are_streamed_in_pieces_are_taken_out():
    said = json.dumps({"user": "canary", "town": "Rome"})
    pieces = [
        {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": one}]}}]}
        for one in ({"arguments": said[at : at + 3]} for at in range(0, len(said), 3))
    ]
    recording = Recording(status=200, content=wire.sse(*pieces), stream=True)
    cleaned = Scrubber(fields=("user",)).recording(recording)
    events = [json.loads(line[6:]) for line in cleaned.text.splitlines() if line]
    calls = [event["choices"][0]["delta"]["tool_calls"][0] for event in events]
    arguments = "".join(call["function"]["arguments"] for call in calls)
    assert json.loads(arguments) == {"user": "***", "town": "Rome"}
    assert len(events) == len(pieces)


def test_a_long_text_is_cleaned_in_time_that_grows_with_it():
    began = time.process_time()
    Scrubber().text("0123456789abcdef" * 20_000)
    assert time.process_time() - began < 1


def test_a_scrubber_that_cannot_be_meant_is_refused():
    with pytest.raises(ValueError, match="fields must be a tuple"):
        Scrubber(fields="user")
    with pytest.raises(ValueError, match="an empty text"):
        Scrubber(texts={"": "x"})


@pytest.mark.parametrize("size", [1, 2, 5, 17, 100])
def test_a_secret_that_is_streamed_in_pieces_is_taken_out(size):
    secret = f"dapi{'0123456789abcdef' * 2}"
    said = f"It is {secret}, says Ada Lovelace; or {secret}."
    pieces = [wire.chunk(said[at : at + size]) for at in range(0, len(said), size)]
    content = wire.sse(*pieces, wire.chunk("", "stop"), "[DONE]")
    recording = Recording(status=200, content=content, stream=True)
    cleaned = Scrubber(texts={"Ada Lovelace": "a customer"}).recording(recording)
    events = [json.loads(line[6:]) for line in cleaned.text.splitlines() if line[:7] == "data: {"]
    text = "".join(event["choices"][0]["delta"].get("content", "") for event in events)
    assert text == "It is ***, says a customer; or ***."
    assert len(events) == len(pieces) + 1


def test_pieces_of_two_answers_are_not_taken_for_one_text():
    said = [wire.chunk(text, index=at % 2) for at, text in enumerate(["Ad", "x", "a", "y"])]
    recording = Recording(status=200, content=wire.sse(*said), stream=True)
    cleaned = Scrubber(texts={"Ada": "Bea", "xy": "z"}).recording(recording)
    texts = re.findall(r'"content": "(\w*)"', cleaned.text)
    assert texts == ["Bea", "z", "", ""]


def test_what_is_clean_stays_to_the_byte():
    odd = b'data: {"a":1.0e-5, "b" : "\\u00e9"}\r\n\r\n: ping\n\ndata:[DONE]\n\n\xff'
    recording = Recording(status=200, content=odd, stream=True)
    assert Scrubber().recording(recording).content == odd


@pytest.mark.parametrize(
    "content",
    [
        b'{"a": 1}',
        b'{"a":1,"b":"\xc3\xa9"}',
        b'{"a":1,"b":"\\u00e9"}',
        b'{"a": 1e-05}',
        b'{"a": 1.0E-5}',
        b'{"a": NaN}',
        b'{"a": 1, "a": 2}',
        b'"text"',
        b"\xff\xfe",
        b"",
        b"no JSON",
        b'{"a": "\\ud800"}',
        b"[" * 3000,
    ],
)
def test_a_body_is_read_back_to_the_byte(content, tmp_path):
    path = tmp_path / "one.json"
    path.write_text(Recording(status=200, content=content).to_json())
    assert Recording.read(path).content == content


@pytest.mark.parametrize("content", [b"", b"data: 1\n\ndata: 2", b"a\r\n\r\n\n\n", b"\xff\n\n"])
def test_a_stream_is_read_back_to_the_byte(content):
    recording = Recording(status=200, content=content, stream=True)
    assert Recording.from_dict(recording.to_dict()).content == content


def test_a_recording_keeps_what_is_not_known_here():
    data = {"status": 200, "headers": {}, "body": {}, "shape": "odd", "expect": {"text": "x"}}
    made = Recording.from_dict(data).to_dict()
    assert {key: made[key] for key in data} == data


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"format": "har"}, "its format is not"),
        ({"version": 2}, "format version 2, and this release reads 1"),
        ({"status": "200"}, "status must be a whole number"),
        ({"status": 20}, "status is no status of HTTP"),
        ({"headers": None}, "headers must be an object"),
        ({"headers": {"a": 1}}, "the values of headers must be text"),
        ({"ends": "odd"}, "ends must be one of"),
        ({"layout": "odd"}, "layout must be one of"),
        ({"timing": [1, "2"]}, "timing must be a list of seconds"),
        ({"timing": [10**400]}, "timing must be a list of seconds"),
        ({"recorded": "yesterday"}, "recorded is no ISO date"),
        ({"body_base64": "YQ=="}, "one of the keys body and body_base64"),
        ({"stream": 1}, "stream must be true or false"),
    ],
)
def test_a_recording_that_is_broken_says_where_and_what(tmp_path, changed, message):
    path = tmp_path / "broken.json"
    data = {"status": 200, "headers": {}, "body": {}, **changed}
    path.write_text(json.dumps(data))
    with pytest.raises(RecordingError, match=re.escape(message)) as caught:
        Recording.read(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "\xff", "[" * 100_000])
def test_a_file_that_is_no_recording_says_so(tmp_path, text):
    path = tmp_path / "broken.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(RecordingError, match=re.escape(str(path))):
        Recording.read(path)


def test_a_folder_that_cannot_be_written_is_an_error(shell, local, tmp_path):
    (tmp_path / "file").write_text("")
    client = shell.client_class(local.host, local.token)
    with (
        pytest.raises(RecordingError, match="cannot be written"),
        Cassette(tmp_path / "file" / "folder", mode="all"),
    ):
        ask(shell, client)
    shell.wait(client.close())


def test_a_cassette_opens_once_and_closes_once(shell, local, folder):
    client = shell.client_class(local.host, local.token)
    with Cassette(folder, mode="new_episodes") as cassette:
        ask(shell, client)
        with pytest.raises(RecordingError, match="open already"):
            cassette.open()
        cassette.close()
    shell.wait(client.close())
    assert files(folder) == ["001-local-chat.json"]


def test_one_text_to_ignore_is_refused(folder):
    with pytest.raises(ValueError, match="ignore must be a list"):
        Cassette(folder, ignore="user")


def test_a_file_that_windows_has_edited_is_read(tmp_path):
    recording = Recording(status=200, content=b"a\r\nb", request={"a": "c\r\nd"})
    path = tmp_path / "one.json"
    path.write_bytes(b"\xef\xbb\xbf" + recording.to_json().replace("\n", "\r\n").encode())
    assert Recording.read(path) == recording


@pytest.mark.usefixtures("recorded")
def test_recordings_that_nobody_asked_for_are_an_error_where_they_must_be_used(shell, folder):
    with (
        pytest.raises(AssertionError, match=r"001-local-chat\.json\n  003-local-embedding\.json\n"),
        Cassette(folder, allow_unused=False),
    ):
        streamed(shell, shell.client_class())
    with pytest.raises(ZeroDivisionError), Cassette(folder, allow_unused=False):
        raise ZeroDivisionError
    with Cassette(folder) as cassette:
        pass
    with pytest.raises(AssertionError, match="were not asked for"):
        cassette.assert_all_used()


def test_a_fake_and_a_cassette_do_not_serve_at_once(folder, monkeypatch):
    monkeypatch.setenv("DATABRICKS_HOST", "https://own.example")
    with FakeServing().installed(), pytest.raises(RecordingError, match="not both"):
        Cassette(folder, mode="all").open()
    with (
        Cassette(folder, mode="all"),
        pytest.raises(RecordingError, match="not both"),
        FakeServing().installed(),
    ):
        pass
    assert os.environ["DATABRICKS_HOST"] == "https://own.example"
    with FakeServing().installed() as outer, FakeServing().installed() as inner:
        assert outer is not inner
