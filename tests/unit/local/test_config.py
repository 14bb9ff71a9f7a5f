"""The settings of a local endpoint: files and dicts, and what is said where they make no sense."""

import json
import re
import sys
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
import ruamel.yaml

from databricks_serving import ServingClient
from databricks_serving.errors import ConfigError
from databricks_serving.local import (
    ConfigDict,
    EndpointDict,
    EndpointState,
    LocalEndpoint,
    RateLimitDict,
    Task,
    command,
    config,
)
from databricks_serving.local.backends import BACKENDS, EMBEDDINGS
from databricks_serving.local.config import read_file, read_settings
from databricks_serving.local.rates import NAMES
from databricks_serving.local.states import StateName

ROOT = Path(__file__).parents[3]
YAML_READER = ruamel.yaml.YAML(typ="safe")
USER = [{"role": "user", "content": "Hello"}]
YAML = """\
token: my-token
model: deterministic
embeddings: lexical
oauth: {client_id: me, client_secret: shh, token_life: 60}
endpoints:
  my-chat:
    family: gpt-oss
    cold_start: {seconds: 3, idle: 600, answer: slow}
    rate_limit: {queries_per_minute: 60, tokens_per_second: 1000}
    served_models: [blue, green]
  local-embedding-large:
  my-agent:
    task: agent/v1/responses
    replies: replies.json
"""


@pytest.fixture
def file(tmp_path):
    (tmp_path / "replies.json").write_text(json.dumps([{"text": "Done.", "times": 9}]))
    path = tmp_path / "local.yaml"
    path.write_text(YAML)
    return path


def test_a_file_says_everything(file):
    with LocalEndpoint(config=file) as local, ServingClient(local.host, "my-token") as client:
        assert local.token == "my-token"
        assert (local.oauth.client_id, local.oauth.client_secret) == ("me", "shh")
        assert local.oauth.token_life == 60
        assert local.endpoints[-3:] == ["my-chat", "local-embedding-large", "my-agent"]
        assert client.responses.create(model="my-agent", input="Hello").text == "Done."
        assert client.embeddings.create(model="local-embedding-large", input="a").vectors
        described = client.endpoints.get("my-chat")
        assert [one.name for one in described.served_entities] == ["blue", "green"]
        reply = client.chat.completions.create(model="my-chat", messages=USER)
        assert reply.served_model_name == "blue"


def test_a_served_model_must_be_one_of_those_that_are_named(file, caller):
    with LocalEndpoint(config=str(file)) as local:
        call = caller(local)
        for served, status in (("green", 200), ("red", 404)):
            path = f"/serving-endpoints/my-chat/served-models/{served}/invocations"
            answer = call("", {"messages": USER}, path=path)
            assert (answer.status, answer.headers.get("served-model-name")) in {
                (200, "green"),
                (404, "deterministic-echo"),
            }
            assert answer.status == status


def test_what_is_given_beside_the_settings_goes_before_them(file):
    local = LocalEndpoint(config=file, token="other", endpoints={"my-chat": "llm/v1/embeddings"})
    assert local.token == "other"
    with local, ServingClient(local.host, "other") as client:
        assert client.embeddings.create(model="my-chat", input="a").vectors


def test_json_needs_no_library(tmp_path, monkeypatch):
    path = tmp_path / "local.json"
    path.write_text('{"token": "my-token"}')
    monkeypatch.setitem(sys.modules, "ruamel.yaml", None)
    assert read_file(path).token == "my-token"
    path = path.rename(tmp_path / "local.yml")
    with pytest.raises(ConfigError, match=r"needs ruamel.yaml: pip install .*\[local\]"):
        read_file(path)


def test_an_empty_file_is_no_settings(tmp_path):
    path = tmp_path / "local.yaml"
    path.write_text("# nothing yet\n")
    assert read_file(path).endpoints == {}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.yaml", b"a: [1", r"a.yaml is not YAML: .* at line 1, column \d"),
        (
            "a.yaml",
            b"a: 1\na: 2",
            'found duplicate key "a" at line 2, column 1$',
        ),
        ("a.yaml", b"a: \x01", "a.yaml is not YAML: unacceptable character #x0001: [a-z ]*$"),
        ("a.json", b'{"port": 1, "token": "a", "port": 2}', "a.json has the key 'port' twice$"),
        ("a.yaml", b"a: !!python/object:os.system {}", "a.yaml is not YAML"),
        ("a.json", b"{", "a.json is not JSON: .* at line 1, column 2"),
        ("a.json", b"[" * 100_000, "a.json is nested too deeply"),
        ("a.json", b"\xff", "a.json is not UTF-8"),
        ("a.json", b"[]", "expected a mapping, got a list"),
        ("a.yaml", b"1: a", "1: unknown key"),
    ],
)
def test_files_that_cannot_be_read_are_refused(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        LocalEndpoint(config=tmp_path / name)


@pytest.mark.parametrize(("name", "content"), [("a.yaml", b"port: 7"), ("a.json", b'{"port": 7}')])
def test_a_mark_of_an_editor_before_the_text_is_no_fault(tmp_path, name, content):
    (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + content)
    assert read_file(tmp_path / name).port == 7


def test_names_of_endpoints_are_those_that_a_path_can_have():
    for name in ("a b", "a/b", "a%2fb", "\u00e9", ""):
        with pytest.raises(ConfigError, match="endpoints: a name of an endpoint has letters"):
            LocalEndpoint(endpoints={name: "custom"})
    assert "main.my_own-1" in LocalEndpoint(endpoints={"main.my_own-1": "custom"}).endpoints


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot read .*nowhere.yaml: No such file"):
        LocalEndpoint(config=tmp_path / "nowhere.yaml")
    settings = {"endpoints": {"mine": {"replies": "nowhere.json"}}}
    with pytest.raises(ConfigError, match=r"endpoints.mine.replies: cannot read nowhere.json"):
        LocalEndpoint(config=settings)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"tokens": "a"}, "tokens: unknown key; did you mean 'token'?"),
        ({"token": 7}, "token: expected a text, got a number"),
        ({"port": "8080"}, "port: expected a whole number from 0 to 65535, got a text"),
        ({"port": 70000}, "port: expected a whole number from 0 to 65535"),
        ({"port": True}, "port: expected a whole number from 0 to 65535, got true or false"),
        ({"model": "gpt"}, "model: expected one of deterministic, smollm2"),
        ({"embeddings": "bert"}, "embeddings: expected one of lexical, wordllama"),
        ({"oauth": {"token_life": 0}}, "oauth.token_life: expected a number above 0"),
        ({"oauth": {"secret": "a"}}, "oauth.secret: unknown key; did you mean 'client_secret'?"),
        ({"endpoints": []}, "endpoints: expected a mapping, got a list"),
        ({"endpoints": {1: {}}}, "the keys of endpoints: expected a text, got a number"),
        (
            {"endpoints": {"": {}}},
            "the keys of endpoints: a name of an endpoint has letters",
        ),
        ({"endpoints": {"a/b": {}}}, "the keys of endpoints: a name of an endpoint has letters"),
        ({"token": ""}, "token: expected a text, got an empty text"),
    ],
)
def test_settings_that_make_no_sense_are_refused_with_their_place(settings, words):
    with pytest.raises(ConfigError) as caught:
        LocalEndpoint(config=settings)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ([], ": expected a mapping, got a list"),
        ({"familly": "claude"}, ".familly: unknown key; did you mean 'family'?"),
        ({"family": "lama"}, ".family: expected one of any, gpt-oss"),
        ({"family": "claude", "task": "custom"}, ".family: only endpoints of the task llm/v1/chat"),
        (
            {"task": "llm/v1/chatt"},
            (
                ".task: expected one of llm/v1/chat, llm/v1/completions, llm/v1/embeddings, "
                "agent/v1/responses, agent/v2/chat, custom; did you mean 'llm/v1/chat'?"
            ),
        ),
        ({"task": "llm/v1/poems"}, ".task: expected one of llm/v1/chat, "),
        ({"state": "tired"}, ".state: expected one of ready, not_ready"),
        ({"ready_after": 3}, ".ready_after: only an endpoint that is not_ready"),
        ({"cold_start": 3}, ".cold_start: expected a mapping, got a number"),
        ({"cold_start": {"answer": "late"}}, ".cold_start.answer: expected one of unavailable"),
        ({"rate_limit": {"per_minute": 3}}, ".rate_limit.per_minute: unknown key; did you mean"),
        (
            {"rate_limit": {"queries_per_minute": 0}},
            ".rate_limit.queries_per_minute: expected a number above 0 and at most 1e+09",
        ),
        ({"rate_limit": {"retry_after": 3}}, ".rate_limit.retry_after: expected true or false"),
        ({"served_models": "a"}, ".served_models: expected a list, got a text"),
        ({"served_models": ["a", ""]}, ".served_models[1]: expected a text"),
        ({"replies": [{}], "recordings": "."}, ": give replies or recordings, not both"),
        ({"keep_timing": True}, ".keep_timing: there are no recordings"),
        ({"recordings": ""}, ".recordings: expected a path"),
    ],
)
def test_endpoints_that_make_no_sense_are_refused_with_their_place(settings, words):
    with pytest.raises(ConfigError) as caught:
        read_settings({"endpoints": {"mine": settings}}, Path())
    assert f"endpoints.mine{words}" in str(caught.value)


def test_no_error_shows_a_value():
    with pytest.raises(ConfigError) as caught:
        LocalEndpoint(config={"model": "my-secret-token"})
    assert "my-secret" not in str(caught.value)


def test_the_name_of_an_endpoint_says_its_task_unless_told():
    endpoints = {"local-embedding-x": None, "mine": {}, "local-chat-x": {"task": "custom"}}
    plans = read_settings({"endpoints": endpoints}, Path()).endpoints
    assert [plan.task for plan in plans.values()] == [Task.EMBEDDING, Task.CHAT, Task.CUSTOM]


def test_the_settings_of_the_guide_are_settings():
    page = (ROOT / "docs" / "local-endpoint.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```text\n((?:token|endpoints):.*?)^```$", page, re.MULTILINE | re.DOTALL)
    first, second = (read_settings(YAML_READER.load(block), Path()).endpoints for block in blocks)
    assert list(first) == ["databricks-claude-opus-5", "my-chat", "my-small-one", "my-agent"]
    assert len(second["my-chat"].script) == 6


def test_the_names_for_type_checkers_are_those_that_exist():
    assert set(get_args(StateName)) == set(EndpointState)
    assert set(get_args(get_type_hints(ConfigDict)["model"])) == set(BACKENDS)
    assert set(get_args(get_type_hints(ConfigDict)["embeddings"])) == set(EMBEDDINGS)
    assert set(RateLimitDict.__annotations__) == {*NAMES, "retry_after"}
    assert set(ConfigDict.__annotations__) == set(known_keys(config._SETTINGS))
    assert set(EndpointDict.__annotations__) == set(known_keys(config._ENDPOINT))


def known_keys(reader):
    """What a reader says that it knows."""
    with pytest.raises(ConfigError) as caught:
        reader({"?": 1}, "")
    return str(caught.value).partition("known are ")[2].split(", ")


def serve(**options):
    usual = {"model": None, "token": None, "port": None, "endpoints": {}, "verbose": False}
    return command.serve(**usual | options)


def test_the_command_names_the_file_and_the_place(tmp_path, capsys):
    path = tmp_path / "local.yaml"
    path.write_text("endpoints: {mine: {state: tired}}")
    assert serve(config=str(path)) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"databricks-serving: {path}: endpoints.mine.state: expected one of")


def test_a_file_that_cannot_be_read_is_named_once(tmp_path, capsys):
    path = tmp_path / "nowhere.yaml"
    assert serve(config=str(path)) == 2
    error = capsys.readouterr().err
    assert error == f"databricks-serving: cannot read {path}: No such file or directory\n"


def test_the_file_is_named_in_python_too(tmp_path):
    path = tmp_path / "local.json"
    path.write_text('{"prot": 1}')
    with pytest.raises(ConfigError) as caught:
        LocalEndpoint(config=path)
    assert str(caught.value) == f"{path}: prot: unknown key; did you mean 'port'?"


def test_a_misspelt_key_gets_every_key_that_is_like_it():
    for key, hint in (
        ("per_minute", "'queries_per_minute' or 'tokens_per_minute'"),
        ("per_second", "'queries_per_second' or 'tokens_per_second'"),
        ("querys_per_minute", "'queries_per_minute'"),
        ("retry_afer", "'retry_after'"),
    ):
        with pytest.raises(ConfigError) as caught:
            read_settings({"endpoints": {"mine": {"rate_limit": {key: 1}}}}, Path())
        place = f"endpoints.mine.rate_limit.{key}"
        assert str(caught.value) == f"{place}: unknown key; did you mean {hint}?"
    with pytest.raises(ConfigError, match="rate_limt: unknown key; did you mean 'rate_limit'"):
        read_settings({"endpoints": {"mine": {"rate_limt": {}}}}, Path())


def test_the_command_tells_a_taken_port_of_the_settings(local, tmp_path, capsys):
    port = int(local.host.rpartition(":")[2])
    path = tmp_path / "local.json"
    path.write_text(json.dumps({"port": port}))
    assert serve(config=str(path)) == 1
    assert f"cannot listen on port {port}" in capsys.readouterr().err
