"""The plugin of pytest, in runs of its own."""

import hashlib
import re
import subprocess
import sys

import pytest
from pytest_runs import PLUGIN
from pytest_runs import run as run_tests

from databricks_serving.local import LocalEndpoint

TESTS = """
import pytest
from databricks_serving import ServingClient

HI = [{"role": "user", "content": "Hi"}]
CLIENT = ServingClient("https://own.example", "t")


def ask():
    return ServingClient().chat.completions.create(model="m", messages=HI).text


@pytest.mark.parametrize("number", range(4))
def test_clients_are_answered(serving_fake, number):
    serving_fake.chat(f"answer {number}", times=2)
    assert ask() == f"answer {number}"
    assert CLIENT.chat.completions.create(model="m", messages=HI).text == f"answer {number}"
    serving_fake.assert_called(text="Hi")


def test_unused(serving_fake):
    serving_fake.chat("A.")


def test_swallowed(serving_fake):
    try:
        ask()
    except Exception:
        pass


@pytest.mark.serving(allow_unused=True)
def test_allowed(serving_fake):
    serving_fake.chat("A.")


@pytest.mark.serving(default="echo")
class TestEcho:
    def test_echo(self, serving_fake):
        assert ask() == "You said: Hi"

    @pytest.mark.serving(default=lambda request: request.endpoint)
    def test_own_rule(self, serving_fake):
        assert ask() == "m"


@pytest.mark.serving(alow_unused=True)
def test_misspelt(serving_fake):
    pass


def test_wrong(serving_fake):
    serving_fake.chat("A.", times=2)
    assert ask() == "B."


def test_failed(serving_fake):
    serving_fake.chat("A.")
    pytest.fail("so")


def test_skipped(serving_fake):
    serving_fake.chat("A.")
    pytest.skip("so")


def test_unexpected(serving_fake):
    ask()
"""
CHEAP = f"""
import sys, pytest, {PLUGIN}
print(*[name for name in ("httpx", "databricks_serving_api", "anyio") if name in sys.modules])
"""


CASSETTES = """
import os
import pytest
from databricks_serving import ServingClient
from databricks_serving.testing import Scrubber


@pytest.fixture(scope="session")
def serving_scrubber():
    return Scrubber(texts={"Ada": "Someone"})


def ask(text="Hi", **changed):
    messages = [{"role": "user", "content": text}]
    with ServingClient() as client:
        return client.chat.completions.create(model="local-chat", messages=messages, **changed).text


@pytest.mark.parametrize("name", ["Ada", "a/b c"])
def test_recorded(serving_cassette, name):
    assert ask(name).startswith("You said: ")


@pytest.mark.serving(cassette="shared", ignore=["user"])
def test_shared(serving_cassette):
    assert ask(user=os.urandom(4).hex()) == "You said: Hi"


def test_failing(serving_cassette):
    ask()
    assert not os.environ.get("FAIL")
"""


TWINS = """
import pytest
from databricks_serving import ServingClient


def ask(text):
    messages = [{"role": "user", "content": text}]
    return ServingClient().chat.completions.create(model="local-chat", messages=messages).text


class TestOne:
    def test_same(self, serving_cassette):
        assert ask("one")


class TestTwo:
    def test_same(self, serving_cassette):
        assert ask("two")


@pytest.mark.parametrize("name", ["a/b", "a-b", "a b", "\u00e9", "\u00fc", "x" * 300])
def test_alike(serving_cassette, name):
    assert ask(name)


@pytest.mark.serving(cassette="shared")
@pytest.mark.parametrize("name", ["Ada", "Bea", "Ada again"])
def test_shared(serving_cassette, name):
    assert ask(name.split()[0])
"""
INTERRUPTED = """
from databricks_serving import ServingClient


def test_interrupted(serving_cassette):
    messages = [{"role": "user", "content": "Hi"}]
    assert ServingClient().chat.completions.create(model="local-chat", messages=messages)
    raise KeyboardInterrupt
"""


def run(folder, *arguments, tests=TESTS, **environment):
    return run_tests(folder, *arguments, tests=tests, **environment)


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    return run(tmp_path_factory.mktemp("plugin"))


def test_fixture_and_marker_do_what_they_say(output):
    found = re.findall(r"^(PASSED|FAILED|ERROR) \S*::(test_\w+)", output, re.MULTILINE)
    assert set(found) == {
        ("PASSED", "test_clients_are_answered"),
        ("PASSED", "test_unused"),
        ("ERROR", "test_unused"),
        ("PASSED", "test_swallowed"),
        ("ERROR", "test_swallowed"),
        ("PASSED", "test_allowed"),
        ("PASSED", "test_echo"),
        ("PASSED", "test_own_rule"),
        ("ERROR", "test_misspelt"),
        ("FAILED", "test_wrong"),
        ("FAILED", "test_failed"),
        ("FAILED", "test_unexpected"),
    }
    assert "1 skipped" in output


def test_the_end_of_a_test_says_what_is_wrong(output):
    line = TESTS.splitlines().index('    serving_fake.chat("A.")') + 1
    assert f"\nscripted replies were not used:\n  chat('A.') (test_it.py:{line})\n" in output
    assert "the marker serving has allow_unused, default, cassette, mode, " in output
    assert "\nnothing is scripted for POST" in output


def test_the_report_of_a_request_that_nobody_expected_is_short(output):
    assert "E       databricks_serving.testing.UnexpectedRequestError: nothing is" in output
    assert "E         messages[0] user: 'Hi'" in output
    assert "_core" not in output
    assert "fake-token" not in output


def test_tests_may_run_in_parallel(tmp_path):
    output = run(tmp_path, "-n", "2", "-k", "answered or echo")
    assert "6 passed" in output


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A folder of tests that have been recorded."""
    folder = tmp_path_factory.mktemp("cassettes")
    with LocalEndpoint() as local:
        known = {"DATABRICKS_HOST": local.host, "DATABRICKS_TOKEN": local.token}
        output = run(folder, "--serving-record", tests=CASSETTES, FAIL="1", **known)
    assert "1 failed, 3 passed" in output
    return folder


def test_each_test_has_a_cassette_unless_it_failed(recorded):
    folder = recorded / "cassettes"
    # Another test may be called the same but for what is no part of a file's name.
    digest = hashlib.sha256(b"test_recorded[a/b c]").hexdigest()[:8]
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*.json")) == [
        "shared/001-local-chat.json",
        "test_it/test_recorded-Ada/001-local-chat.json",
        f"test_it/test_recorded-a-b-c-{digest}/001-local-chat.json",
    ]
    text = (folder / "test_it" / "test_recorded-Ada" / "001-local-chat.json").read_text()
    assert "Someone" in text
    assert "Ada" not in text


@pytest.mark.parametrize("arguments", [(), ("-n", "2")], ids=["one", "two"])
def test_what_was_recorded_is_replayed_without_a_workspace(recorded, arguments):
    nowhere = {"DATABRICKS_HOST": "", "DATABRICKS_TOKEN": ""}
    output = run(recorded, *arguments, "-k", "not failing", tests=CASSETTES, **nowhere)
    assert "3 passed" in output


def test_a_test_that_was_not_recorded_says_how_to_record_it(recorded):
    output = run(recorded, "-k", "failing", tests=CASSETTES)
    assert "no recordings: record them first" in output
    assert "pytest --serving-record" in output


def test_recordings_may_be_too_old(recorded):
    [path] = recorded.glob("cassettes/shared/*.json")
    kept = path.read_text()
    path.write_text(re.sub(r'"recorded": "20\d\d', '"recorded": "2001', kept))
    output = run(recorded, "--serving-max-age=90", "-k", "shared", tests=CASSETTES)
    path.write_text(kept)
    assert "001-local-chat.json: made on 2001-" in output
    assert "which is too long ago: record it anew" in output


def test_the_marker_is_listed(tmp_path):
    assert "@pytest.mark.serving(allow_unused=False, default=None, cassette=None, ...)" in run(
        tmp_path, "--markers"
    )


def test_the_plugin_is_cheap_for_those_who_do_not_use_it():
    command = [sys.executable, "-c", CHEAP]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""


def test_tests_that_are_called_alike_or_share_a_folder_keep_what_the_others_recorded(tmp_path):
    with LocalEndpoint() as local:
        known = {"DATABRICKS_HOST": local.host, "DATABRICKS_TOKEN": local.token}
        for _ in range(2):
            assert "11 passed" in run(tmp_path, "--serving-record", tests=TWINS, **known)
    assert "11 passed" in run(tmp_path, tests=TWINS)
    assert len([*tmp_path.glob("cassettes/shared/*")]) == 2
    assert len([*tmp_path.glob("cassettes/test_it/*")]) == 8


def test_an_interrupted_test_records_nothing(tmp_path):
    with LocalEndpoint() as local:
        known = {"DATABRICKS_HOST": local.host, "DATABRICKS_TOKEN": local.token}
        run(tmp_path, "--serving-record", tests=INTERRUPTED, **known)
    assert not [*tmp_path.rglob("*.json")]
