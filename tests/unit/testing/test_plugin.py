"""The plugin of pytest, in runs of its own."""

import importlib.metadata
import os
import subprocess
import sys

import pytest

PLUGIN = "databricks_serving.testing.pytest_plugin"
HEAD = """
import pytest
from databricks_serving import ServingClient
HI = [{"role": "user", "content": "Hi"}]

def ask():
    return ServingClient().chat.completions.create(model="m", messages=HI).text
"""


def is_found_by_itself():
    found = importlib.metadata.entry_points(group="pytest11")
    return any(point.value == PLUGIN for point in found)


@pytest.fixture
def run(tmp_path):
    path = os.pathsep.join(map(os.path.abspath, filter(None, sys.path)))

    def run(test, *arguments):
        (tmp_path / "test_it.py").write_text(HEAD + test)
        (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
        known = () if is_found_by_itself() else ("-p", PLUGIN)
        quiet = ("-p", "no:llmock", "-p", "no:cacheprovider", "--strict-markers")
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", *known, *quiet, *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
            check=False,
        )

    return run


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_test_takes_a_fake_and_knows_no_host(run, workers):
    result = run(
        """
CLIENT = ServingClient("https://own.example", "t")

@pytest.mark.parametrize("number", range(4))
def test_it(serving_fake, number):
    serving_fake.chat(f"answer {number}", times=2)
    assert ask() == f"answer {number}"
    assert CLIENT.chat.completions.create(model="m", messages=HI).text == f"answer {number}"
    serving_fake.assert_called(text="Hi")
""",
        *(["-n", workers] if workers != "0" else []),
    )
    assert result.returncode == 0, result.stdout
    assert "4 passed" in result.stdout


def test_a_reply_that_was_not_used_is_an_error(run):
    result = run("\ndef test_it(serving_fake):\n    serving_fake.chat('A.')\n")
    assert result.returncode == 1
    assert "1 passed, 1 error" in result.stdout
    assert "scripted replies were not used" in result.stdout
    assert "chat('A.') (test_it.py:10)" in result.stdout


def test_a_request_that_was_swallowed_is_an_error(run):
    result = run(
        """
def test_it(serving_fake):
    try:
        ask()
    except Exception:
        pass
"""
    )
    assert "1 passed, 1 error" in result.stdout
    assert "nothing is scripted for POST" in result.stdout


@pytest.mark.parametrize(
    ("marker", "body"),
    [
        ("allow_unused=True", "serving_fake.chat('A.')"),
        ("default='echo'", "assert ask() == 'You said: Hi'"),
    ],
)
def test_a_marker_changes_how_the_fake_answers(run, marker, body):
    result = run(f"@pytest.mark.serving({marker})\ndef test_it(serving_fake):\n    {body}\n")
    assert result.returncode == 0, result.stdout


def test_the_marker_refuses_what_it_does_not_know(run):
    result = run("@pytest.mark.serving(alow_unused=True)\ndef test_it(serving_fake):\n    pass\n")
    assert result.returncode == 1
    assert "the marker serving has allow_unused= and default=, not alow_unused" in result.stdout


def test_a_test_that_failed_is_told_of_its_failure_alone(run):
    result = run(
        "\ndef test_it(serving_fake):\n    serving_fake.chat('A.')\n    assert ask() == 'B.'\n"
        "\ndef test_other(serving_fake):\n    serving_fake.chat('A.')\n    pytest.fail('so')\n"
    )
    assert "2 failed" in result.stdout
    assert "error" not in result.stdout.splitlines()[-1]


def test_the_report_of_a_request_that_nobody_expected_is_short(run):
    result = run("\ndef test_it(serving_fake):\n    ask()\n")
    assert "UnexpectedRequestError: nothing is scripted for POST" in result.stdout
    assert "messages[0] user: 'Hi'" in result.stdout
    assert "_core" not in result.stdout
    assert "fake-token" not in result.stdout


def test_the_marker_is_listed(run):
    result = run("", "--markers")
    assert "@pytest.mark.serving(allow_unused=False, default=None)" in result.stdout


def test_the_plugin_is_cheap_for_those_who_do_not_use_it():
    program = (
        f"import sys, pytest, {PLUGIN}; "
        "print(*[n for n in ('httpx', 'databricks_serving_api', 'anyio') if n in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == ""
