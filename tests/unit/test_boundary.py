"""What an error brings along when it leaves a public method."""

import asyncio
import inspect
import traceback

import httpx
import pytest
import wire

from databricks_serving import AsyncServingClient, RetryPolicy, ServingClient
from databricks_serving._core.boundary import forgetful
from databricks_serving.errors import (
    APIConnectionError,
    InvalidRequestError,
    ServingError,
    StreamInterruptedError,
)

CANARY = "canary-prompt"
LOOP = {asyncio.base_events.__file__}


def fail_with(error):
    raise error


def fail_inside(text):
    """Raise an error of ours from an error of another kind, with a text at hand everywhere."""
    try:
        fail_with(OSError(f"{len(text)} broke"))
    except OSError as error:
        raise APIConnectionError("no answer came") from error


@forgetful
def plain(text, *, error=None):
    if error is not None:
        raise error
    return fail_inside(text)


@forgetful
async def awaiting(text, *, error=None):
    await asyncio.sleep(0)
    return plain.__wrapped__(text, error=error)


CALLS = {
    "plain": plain,
    "awaiting": lambda *args, **kwargs: asyncio.run(awaiting(*args, **kwargs)),
}


@pytest.fixture(params=CALLS)
def call(request):
    return CALLS[request.param]


def local_variables(error):
    """Return what a tool prints that shows local variables, without the frames of this test."""
    trace = traceback.TracebackException.from_exception(error, capture_locals=True)
    while trace.stack and trace.stack[0].filename in {__file__, asyncio.runners.__file__}:
        del trace.stack[0]
    return "".join(trace.format())


def test_an_error_of_ours_brings_no_frame_of_what_led_to_it(call):
    with pytest.raises(APIConnectionError) as caught:
        call(CANARY)
    cause = caught.value.__cause__
    assert type(cause) is OSError
    assert str(cause) == "13 broke"
    assert cause.__traceback__ is None
    trace = traceback.extract_tb(caught.value.__traceback__)
    assert {frame.filename for frame in trace} <= {__file__, asyncio.runners.__file__} | LOOP
    assert not {"fail_inside", "plain", "awaiting"} & {frame.name for frame in trace}
    assert CANARY not in local_variables(caught.value)


def test_an_error_of_another_kind_keeps_its_frames(call):
    with pytest.raises(KeyError) as caught:
        call(CANARY, error=KeyError("x"))
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name in {"plain", "awaiting"}


class MineError(Exception):
    """An error of a user's own kind."""


def wake_up(_):
    raise MineError


class OwnTransport(httpx.MockTransport):
    """A transport of a user's that fails in its own way."""

    def __init__(self, error):
        super().__init__(self.fail)
        self.error = error

    def fail(self, _):
        raise self.error


def asleep(_):
    return httpx.Response(503, json={"message": "scaling up from zero"})


POLICY = RetryPolicy(cold_start_timeout=9, on_cold_start=wake_up)


@pytest.mark.parametrize(
    ("transport", "kind"),
    [
        (httpx.MockTransport(asleep), MineError),
        (OwnTransport(MineError()), MineError),
        (OwnTransport(KeyboardInterrupt()), KeyboardInterrupt),
        (OwnTransport(asyncio.CancelledError()), asyncio.CancelledError),
    ],
    ids=["callback", "transport", "ctrl-c", "cancelled"],
)
def test_an_error_of_another_kind_keeps_the_frames_that_are_not_ours(shell, transport, kind):
    client = shell.client_class(wire.HOST, wire.TOKEN, transport=transport, retry=POLICY)
    messages = [{"role": "user", "content": CANARY}]
    with pytest.raises(kind) as caught:
        shell.wait(client.chat.completions.create(model="m", messages=messages))
    del messages
    names = {frame.name for frame in traceback.extract_tb(caught.value.__traceback__)}
    assert CANARY not in local_variables(caught.value)
    assert wire.TOKEN not in local_variables(caught.value)
    assert ({"wake_up", "fail"} & names != set()) == (kind is MineError)


def test_an_error_while_a_stream_is_read_shows_frames_of_the_user_alone(shell):
    client = shell.client(wire.stream(wire.chunk("Po"), "no json"))
    messages = [{"role": "user", "content": CANARY}]
    stream = shell.wait(client.chat.completions.create(model="m", messages=messages, stream=True))
    del messages
    with pytest.raises(StreamInterruptedError) as caught:
        shell.items(stream)
    trace = traceback.extract_tb(caught.value.__traceback__)
    assert [f.name for f in trace if "/databricks_serving/" in f.filename] in (
        ["__next__"],
        ["__anext__"],
    )


def test_a_call_that_python_refuses_shows_no_arguments():
    with pytest.raises(TypeError) as caught:
        ServingClient(CANARY, CANARY, "red")
    assert CANARY not in local_variables(caught.value)


def test_what_the_caller_was_handling_keeps_its_frames():
    mine = None
    try:
        fail_with(LookupError("mine"))
    except LookupError as error:
        mine = error
        with pytest.raises(ServingError) as caught:
            plain(CANARY, error=InvalidRequestError("no"))
    assert caught.value.__context__ is mine
    assert mine.__traceback__ is not None


def test_errors_that_lead_to_each_other_come_to_an_end():
    one, two = InvalidRequestError("one"), InvalidRequestError("two")
    one.__context__, two.__context__ = two, one
    with pytest.raises(InvalidRequestError, match="one"):
        plain("", error=one)


def test_a_function_keeps_its_name_its_kind_and_its_documentation():
    assert inspect.iscoroutinefunction(awaiting)
    assert not inspect.iscoroutinefunction(plain)
    assert str(inspect.signature(plain)) == "(text, *, error=None)"
    assert plain.__name__ == "plain"


@pytest.mark.parametrize("client", [ServingClient, AsyncServingClient])
def test_no_method_of_a_client_brings_the_prompt_along_with_a_refusal(client):
    resources = client(wire.HOST, wire.TOKEN)
    chat, texts, embeddings = (
        resources.chat.completions,
        resources.completions,
        resources.embeddings,
    )
    calls = [
        (chat.create, {"messages": [CANARY]}),
        (chat.with_raw_response.create, {"messages": [CANARY]}),
        (texts.create, {"prompt": {CANARY}}),
        (texts.with_raw_response.create, {"prompt": {CANARY}}),
        (embeddings.create, {"input": {CANARY}}),
        (embeddings.with_raw_response.create, {"input": {CANARY}}),
    ]
    for method, subject in calls:
        assert inspect.iscoroutinefunction(method) is (client is AsyncServingClient)
        with pytest.raises(InvalidRequestError) as caught:
            finished(method(model="m", **subject))
        assert CANARY not in local_variables(caught.value)


def finished(value):
    return asyncio.run(value) if inspect.iscoroutine(value) else value
