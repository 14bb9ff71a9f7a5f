"""What the plugin of pytest refuses, and how short its reports are, in runs of its own."""

import json
import re

import pytest
from pytest_runs import run

from databricks_serving.local import LocalEndpoint

REPORTS = """
import asyncio

import pytest
from databricks_serving import AsyncServingClient, ServingClient
from databricks_serving.auth import OAuthClientCredentials
from databricks_serving.testing import verify_contract

HI = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
CLIENT = ServingClient("https://own.example", "t")


def test_whole(serving_cassette):
    ServingClient().chat.completions.create(**HI)


def test_asynchronous(serving_cassette):
    async def ask():
        async with AsyncServingClient() as client:
            await client.chat.completions.create(**HI)

    asyncio.run(ask())


def test_streamed(serving_cassette):
    with ServingClient().chat.completions.stream(**HI) as stream:
        "".join(stream.text_stream)


@pytest.mark.serving(cassette="test_it/test_whole")
def test_swallowed(serving_cassette):
    with pytest.raises(AssertionError):
        ServingClient().chat.completions.create(**HI)


@pytest.mark.serving(cassette="test_it/test_whole")
def test_both(serving_fake, serving_cassette):
    pass


@pytest.mark.serving(cassette="test_it/test_whole")
def test_both_the_other_way_round(serving_cassette, serving_fake):
    pass


def test_unused(serving_fake):
    serving_fake.chat("A.")


def test_unguarded():
    CLIENT.chat.completions.create(**HI)


def test_unguarded_login():
    login = OAuthClientCredentials("a", "canary")
    ServingClient("https://own.example", auth=login).chat.completions.create(**HI)


def test_unguarded_asynchronous():
    async def ask():
        async with AsyncServingClient("https://own.example", "t") as client:
            await client.chat.completions.create(**HI)

    asyncio.run(ask())


def test_violated():
    verify_contract("cassettes")


def test_unrecorded():
    verify_contract("nothing")


def test_answered(serving_fake):
    serving_fake.chat("A.")
    assert CLIENT.chat.completions.create(**HI).text == "A."
"""
LEFT = """
import pytest
from databricks_serving import ServingClient


def ask(text):
    messages = [{"role": "user", "content": text}]
    return ServingClient().chat.completions.create(model="local-chat", messages=messages)


def test_own(serving_cassette):
    assert ask("one")


@pytest.mark.serving(allow_unused=False)
def test_strict(serving_cassette):
    assert ask("one")


@pytest.mark.serving(cassette="shared")
@pytest.mark.parametrize("name", ["Ada", "Bea"])
def test_shared(serving_cassette, name):
    assert ask(name)
"""
MARKED = """
from datetime import timedelta

import pytest
from databricks_serving import ServingClient


@pytest.mark.serving(max_age=90)
def test_age(serving_cassette):
    pass


@pytest.mark.serving(max_age=timedelta(0))
def test_no_age(serving_cassette):
    pass


@pytest.mark.serving(ignore="user")
def test_ignore(serving_cassette):
    pass


@pytest.mark.serving(cassette=5)
def test_cassette(serving_cassette):
    pass


@pytest.mark.serving(repeats="no")
def test_of_another_fixture(serving_fake):
    pass


@pytest.mark.serving(default="eco")
def test_default(serving_fake):
    pass


@pytest.mark.serving(max_age=timedelta(days=1))
def test_good(serving_fake):
    pass
"""
GUARDED = """
import os
from databricks_serving import ServingClient

HI = {"model": "local-chat", "messages": [{"role": "user", "content": "Hi"}]}


def test_this_machine():
    assert ServingClient().chat.completions.create(**HI).text == "You said: Hi"


def test_recorded(serving_cassette):
    assert ServingClient().chat.completions.create(**HI).text == "You said: Hi"
"""


def write_recording(folder, **changed):
    folder.mkdir(parents=True, exist_ok=True)
    request = {"messages": [{"role": "user", "content": "Hi"}], "stream": True}
    event = {"choices": [{"index": 0, "delta": {"content": "A"}}]}
    recording = {
        "path": "/serving-endpoints/m/invocations",
        "request": request,
        "status": 200,
        "headers": {"content-type": "text/event-stream"},
        "body": [f"data: {json.dumps(event)}\n\n"],
        "stream": True,
        "ends": "left",
        **changed,
    }
    (folder / "001-m-stream.json").write_text(json.dumps(recording))


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports")
    for name in ("whole", "asynchronous", "streamed"):
        write_recording(folder / "cassettes" / "test_it" / f"test_{name}")
    write_recording(folder / "cassettes" / "bad", request={})
    (folder / "nothing").mkdir()
    return run(folder, "--serving-block", tests=REPORTS)


def part_of(report, name):
    """Return what a report says of one test."""
    start = next(
        at
        for at, line in enumerate(report.splitlines())
        if line.startswith("__") and line.strip("_ ").split()[-1] == name
    )
    lines = report.splitlines()[start + 1 :]
    return "\n".join(lines[: next(at for at, one in enumerate(lines) if one[:3] in {"___", "==="})])


@pytest.mark.parametrize("name", ["whole", "asynchronous", "streamed"])
def test_a_request_that_was_not_recorded_is_shown_at_the_line_of_the_test(report, name):
    shown = part_of(report, f"test_{name}")
    assert "UnexpectedRequestError: " in shown
    assert "databricks_serving/" not in shown
    assert shown.splitlines()[-1].startswith("test_it.py:")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("violated", "ContractViolationError: 1 of 4 recordings does not agree with the contract"),
        ("unrecorded", "RecordingError: nothing: no recordings there: record them first"),
    ],
)
def test_what_a_contract_test_finds_is_shown_at_the_line_of_the_test(report, name, told):
    shown = part_of(report, f"test_{name}")
    assert told in shown
    assert "databricks_serving/" not in shown


def test_a_request_that_was_not_recorded_fails_a_test_that_has_caught_the_error(report):
    shown = part_of(report, "test_swallowed")
    assert shown.startswith("POST /serving-endpoints/m/invocations is not in ")
    assert "If the request is right, record it" in shown


@pytest.mark.parametrize("name", ["test_both", "test_both_the_other_way_round"])
def test_a_fake_and_a_cassette_in_one_test_are_refused(report, name):
    assert part_of(report, name).startswith("a fake and a cassette cannot serve the same clients")


def test_a_reply_that_was_not_used_is_reported_once(report):
    assert report.count("scripted replies were not used") == 2  # in the report and the summary
    assert "During handling" not in part_of(report, "test_unused")


@pytest.mark.parametrize("name", ["", "_login", "_asynchronous"])
def test_a_call_that_nothing_answers_is_blocked(report, name):
    shown = part_of(report, f"test_unguarded{name}")
    assert "UnexpectedRequestError: nothing answers " in shown
    assert "--serving-block keeps calls from the network" in shown
    assert "databricks_serving/" not in shown
    assert "canary" not in shown.partition("UnexpectedRequestError")[2]


def test_a_fake_answers_where_other_calls_are_blocked(report):
    assert "PASSED test_it.py::test_answered" in report


def test_calls_to_this_machine_and_calls_that_are_recorded_are_not_blocked(tmp_path):
    with LocalEndpoint() as local:
        known = {"DATABRICKS_HOST": local.host, "DATABRICKS_TOKEN": local.token}
        arguments = ("--serving-block", "--serving-record")
        assert "2 passed" in run(tmp_path, *arguments, tests=GUARDED, **known)


@pytest.fixture(scope="module")
def marked(tmp_path_factory):
    return run(tmp_path_factory.mktemp("marked"), tests=MARKED)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("age", "max_age must be a timedelta, such as timedelta(days=90), not int"),
        ("no_age", "max_age must be more than no time at all"),
        ("ignore", "ignore must be a list of names, not one text"),
        ("cassette", "cassette must be the name of a folder, not int"),
        ("of_another_fixture", "repeats must be True or False, not 'no'"),
        ("default", "default must be 'echo', a function of the request, or None for an error"),
    ],
)
def test_the_values_of_the_marker_are_checked_first_and_told_in_one_line(marked, name, told):
    assert part_of(marked, f"test_{name}") == f"the marker serving: {told}"
    assert "PASSED test_it.py::test_good" in marked


@pytest.mark.parametrize("age", ["0", "-1", "ten"])
def test_an_age_that_no_recording_can_have_is_refused(tmp_path, age):
    output = run(tmp_path, f"--serving-max-age={age}", tests=LEFT)
    assert "--serving-max-age: expected a number of days from 1 to 36500" in output
    assert "passed" not in output


def test_two_ways_to_record_are_refused(tmp_path):
    output = run(tmp_path, "--serving-record", "--serving-record-new", tests=LEFT)
    assert "ERROR: --serving-record records anew what --serving-record-new keeps" in output
    assert "passed" not in output


def test_recordings_that_nobody_asked_for_are_found_where_that_is_asked_for(tmp_path):
    with LocalEndpoint() as local:
        known = {"DATABRICKS_HOST": local.host, "DATABRICKS_TOKEN": local.token}
        arguments = ("--serving-record", "--serving-all-used")
        assert "4 passed" in run(tmp_path, *arguments, tests=LEFT, **known)
    assert "4 passed" in run(tmp_path, "--serving-all-used", tests=LEFT)
    for name in ("test_own", "test_strict"):
        write_recording(tmp_path / "cassettes" / "test_it" / name)
    output = run(tmp_path, tests=LEFT)
    assert "4 passed, 1 error" in output
    assert "test_strict were not asked for:\n  001-m-stream.json\n" in output
    output = run(tmp_path, "--serving-all-used", tests=LEFT)
    assert "4 passed, 2 errors" in output


@pytest.fixture
def cassettes(tmp_path):
    folder = tmp_path / "cassettes"
    names = ["test_it/test_own", "test_it/test_gone", "test_old/test_gone", "shared", "lost"]
    for name in [*names, "test_it/test_strict", "test_other/test_a"]:
        write_recording(folder / name)
    (tmp_path / "test_other.py").write_text("def test_b(): pass\n")
    return folder


def unopened(folder, *arguments, tests=LEFT):
    output = run(folder.parent, "--serving-all-used", *arguments, tests=tests)
    named = re.findall(r"^(\S+): delete it, or give it to a test again$", output, re.MULTILINE)
    return [one.removeprefix(f"{folder}/") for one in named]


def test_cassettes_whose_tests_are_gone_are_named(cassettes):
    gone = ["lost", "test_it/test_gone", "test_old/test_gone", "test_other/test_a"]
    assert unopened(cassettes) == gone
    assert unopened(cassettes, "-k", "test_own") == gone


def test_cassettes_that_a_part_of_the_tests_may_not_open_are_not_named(cassettes):
    assert unopened(cassettes, "test_it.py") == ["test_it/test_gone"]
    assert unopened(cassettes, "test_it.py::test_own") == []


def test_cassettes_of_no_test_are_named_only_where_that_is_asked_for(cassettes):
    assert "no test opens" not in run(cassettes.parent, tests=LEFT)
