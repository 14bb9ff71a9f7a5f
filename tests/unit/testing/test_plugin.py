"""The plugin of pytest, in runs of its own."""

import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = "databricks_serving.testing.pytest_plugin"
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


def is_found_by_itself():
    found = importlib.metadata.entry_points(group="pytest11")
    return any(point.value == PLUGIN for point in found)


def run(folder, *arguments):
    """Run the tests above with pytest, and return what it prints."""
    (folder / "test_it.py").write_text(TESTS)
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    known = () if is_found_by_itself() else ("-p", PLUGIN)
    quiet = ("-p", "no:llmock", "-p", "no:cacheprovider", "--strict-markers")
    path = os.pathsep.join(str(Path(one).resolve()) for one in sys.path if one)
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rA", *known, *quiet, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    return result.stdout


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
    assert "the marker serving has allow_unused= and default=, not alow_unused" in output
    assert "\nnothing is scripted for POST" in output


def test_the_report_of_a_request_that_nobody_expected_is_short(output):
    assert "E       databricks_serving.testing.UnexpectedRequestError: nothing is" in output
    assert "E         messages[0] user: 'Hi'" in output
    assert "_core" not in output
    assert "fake-token" not in output


def test_tests_may_run_in_parallel(tmp_path):
    output = run(tmp_path, "-n", "2", "-k", "answered or echo")
    assert "6 passed" in output


def test_the_marker_is_listed(tmp_path):
    assert "@pytest.mark.serving(allow_unused=False, default=None)" in run(tmp_path, "--markers")


def test_the_plugin_is_cheap_for_those_who_do_not_use_it():
    command = [sys.executable, "-c", CHEAP]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""
