"""Which reply a request gets, and what a test asks about the requests that came."""

import re
import traceback
from contextlib import suppress

import pytest
from kit import HI, ask, client_of

from databricks_serving import errors
from databricks_serving.models import UserMessage
from databricks_serving.testing import FakeServing, UnexpectedRequestError


@pytest.fixture
def fake():
    return FakeServing()


@pytest.fixture
def client(shell, fake):
    return client_of(shell, fake, max_retries=0)


def test_a_request_takes_the_first_reply_that_fits(shell, fake, client):
    fake.embedding(dim=2)
    fake.chat("for lakes", endpoint="lakes")
    fake.chat("for hot ones", when={"temperature": 1.0})
    fake.chat("for long ones", when=lambda request: len(request.messages) > 1)
    fake.chat("for all")
    assert ask(shell, client).text == "for all"
    assert ask(shell, client, temperature=1.0).text == "for hot ones"
    assert ask(shell, client, messages=HI * 3).text == "for long ones"
    assert ask(shell, client, model="lakes").text == "for lakes"
    assert shell.wait(client.embeddings.create(model="m", input="a")).vectors
    fake.assert_all_used()


def test_replies_for_any_number_come_last(shell, fake, client):
    fake.chat("always", times=None)
    fake.chat("twice", times=2)
    fake.error(429)
    assert [ask(shell, client).text for _ in range(2)] == ["twice"] * 2
    with pytest.raises(errors.RateLimitError):
        ask(shell, client)
    assert [ask(shell, client).text for _ in range(3)] == ["always"] * 3
    fake.assert_all_used()


def test_a_reply_of_any_kind_can_be_for_one_task(shell, fake, client):
    fake.error(500, task="embeddings")
    fake.chat("A.")
    assert ask(shell, client).text == "A."
    with pytest.raises(errors.InternalServerError):
        shell.wait(client.embeddings.create(model="m", input="a"))


def test_a_request_that_nobody_expected_says_all_there_is_to_know(shell, fake, client):
    fake.chat("A.", endpoint="lakes", times=2)
    fake.embedding()
    fake.chat("B.", when={"temperature": 1, "messages": [{"content": re.compile("lake")}]})
    fake.chat("C.", when=lambda _: False)
    line = test_a_request_that_nobody_expected_says_all_there_is_to_know.__code__.co_firstlineno
    with pytest.raises(UnexpectedRequestError) as caught:
        ask(shell, client, messages=[{"role": "user", "content": "x" * 500}], temperature=0.5)
    long = f"'{'x' * 99}... (502 characters)"
    assert (
        str(caught.value)
        == f"""\
nothing is scripted for POST /serving-endpoints/rivers/invocations (chat of endpoint 'rivers')
  messages[0] user: {long}
  other keys of the body: temperature
what is scripted does not fit:
  chat('A.') for endpoint 'lakes', 2 times (test_fake_requests.py:{line + 1}): \
it is for endpoint 'lakes'
  embedding(dim=1024) (test_fake_requests.py:{line + 2}): it answers embeddings, not chat
  chat('B.') (test_fake_requests.py:{line + 3}): when= does not fit: temperature: expected 1, \
got 0.5; messages[0].content: expected text with 'lake', got {long}
  chat('C.') (test_fake_requests.py:{line + 4}): when= says no
script a reply before the call: fake.chat("...", endpoint='rivers')"""
    )


def test_a_request_that_nobody_expected_is_no_error_of_a_server(shell, fake, client):
    with pytest.raises(AssertionError, match="no reply is scripted") as caught:
        ask(shell, client)
    assert not isinstance(caught.value, errors.ServingError)
    text = "".join(traceback.TracebackException.from_exception(caught.value).format())
    assert fake.token not in text
    assert "_core" not in text
    assert UnexpectedRequestError.__module__ == "databricks_serving.testing"


def test_code_that_swallows_it_is_found_out_at_the_end(shell, fake, client):
    with suppress(Exception):
        ask(shell, client)
    with pytest.raises(UnexpectedRequestError, match="nothing is scripted for POST"):
        fake.assert_all_used()


@pytest.mark.parametrize(
    ("call", "example"),
    [
        (lambda c: c.embeddings.create(model="m", input="a"), "fake.embedding(dim=1024, end"),
        (lambda c: c.completions.create(model="m", prompt="a"), "fake.completion("),
        (lambda c: c.responses.create(model="m", input="a"), "fake.response("),
        (lambda c: c.predict("m", inputs=[1]), "fake.predictions([...], endpoint='m')"),
        (lambda c: c.endpoints.get("m"), "fake.endpoint('m')"),
    ],
)
@pytest.mark.usefixtures("fake")
def test_it_is_told_how_to_script_a_reply(shell, client, call, example):
    with pytest.raises(UnexpectedRequestError, match=re.escape(example)):
        shell.wait(call(client))


def test_used_up_replies_are_told(shell, fake, client):
    fake.chat("A.")
    ask(shell, client)
    with pytest.raises(UnexpectedRequestError, match="all 1 scripted replies are used"):
        ask(shell, client)


def test_replies_that_were_not_used_are_named(fake):
    fake.chat("A.", times=2)
    fake.chat("B.", times=None)
    with pytest.raises(AssertionError, match=r"not used:\n  chat\('A.'\), 2 times \(test_fake"):
        fake.assert_all_used()
    fake.reset()
    fake.assert_all_used()


@pytest.fixture
def called(shell, fake, client):
    fake.chat("A.", times=None)
    ask(shell, client, temperature=0.5)
    ask(shell, client, model="lakes", stop=["x", "y"], messages=[*HI, *HI], max_tokens=5)
    return fake


@pytest.mark.parametrize(
    "expected",
    [
        {},
        {"endpoint": "lakes"},
        {"task": "chat", "temperature": 0.5},
        {"text": "Name a river."},
        {"text": re.compile("river")},
        {"messages": [{"content": "Name a river."}]},
        {"messages": [UserMessage(content="Name a river.")] * 2, "max_tokens": 5},
        {"max_tokens": lambda value: value < 10},
        {"stop": ("x", "y")},
        {"headers": {"content-type": "application/json"}},
    ],
)
def test_a_request_was_made(called, expected):
    called.assert_called(**expected)
    with pytest.raises(AssertionError, match="expected no such request"):
        called.assert_not_called(**expected)


@pytest.mark.parametrize(
    ("expected", "differences"),
    [
        ({"endpoint": "seas"}, ["endpoint: expected 'seas', got 'rivers'"]),
        (
            {"temperature": 1, "n": 2},
            ["temperature: expected 1, got 0.5", "n: expected 2, got nothing"],
        ),
        ({"messages": []}, ["the length of messages: expected 0, got 1"]),
        (
            {"messages": [{"content": "Name a lake."}]},
            ["messages[0].content: expected 'Name a lake.', got 'Name a river.'"],
        ),
        ({"text": re.compile("sea")}, ["text: expected text with 'sea', got 'Name a river.'"]),
    ],
)
def test_a_request_was_not_made_and_the_nearest_is_told(called, expected, differences):
    called.assert_not_called(**expected)
    with pytest.raises(AssertionError) as caught:
        called.assert_called(**expected)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("no request fits; the nearest of 2 is number 1, POST /serving-end")
    assert [line.strip() for line in lines[1:]] == differences


def test_the_nearest_request_is_the_one_with_the_fewest_differences(called):
    with pytest.raises(AssertionError, match=r"is number 2, .*\n  n: expected 2, got nothing$"):
        called.assert_called(endpoint="lakes", max_tokens=5, n=2)


def test_many_differences_are_cut_short(called):
    with pytest.raises(AssertionError, match="and 2 more"):
        called.assert_called(body={f"key_{number}": number for number in range(10)})


@pytest.mark.parametrize(
    ("misspelt", "told"),
    [
        ("endpont", "; did you mean 'endpoint'?"),
        ("temprature", "; did you mean 'temperature'?"),
        ("my_key", r" \(body={'my_key': ...} expects keys that the contract does not name\)"),
        ("model", ": the endpoint is endpoint="),
    ],
)
def test_a_misspelt_expectation_proves_nothing_and_is_refused(called, misspelt, told):
    for check in (called.assert_called, called.assert_called_once, called.assert_not_called):
        with pytest.raises(errors.InvalidRequestError, match=f"'{misspelt}'{told}"):
            check(**{misspelt: "rivers"})


def test_keys_that_the_contract_does_not_name_are_expected_of_the_body(shell, fake, client):
    fake.chat("A.")
    ask(shell, client, temperature=0.5, extra_body={"my_key": 1})
    fake.assert_called_once(body={"my_key": 1}, temperature=0.5)
    fake.assert_not_called(body={"my_key": 2})


def test_a_request_was_made_once(called):
    called.assert_called_once(endpoint="lakes")
    with pytest.raises(
        AssertionError, match=r"expected one such request, got 2:\n  POST .*\n  POST"
    ):
        called.assert_called_once()
    with pytest.raises(AssertionError, match="no request fits"):
        called.assert_called_once(endpoint="seas")
    called.assert_not_called(endpoint="seas")


def test_no_request_came(fake):
    fake.assert_not_called()
    with pytest.raises(AssertionError, match="no request came"):
        fake.assert_called()
    with pytest.raises(AssertionError, match="no request came"):
        _ = fake.last


def test_a_fake_forgets(called):
    called.reset()
    assert list(called.requests) == []
    with pytest.raises(AssertionError):
        called.assert_called()
