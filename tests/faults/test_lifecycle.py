"""Threads, event loops, interrupts and copies; section 2.8."""

import copy
import pickle

import pytest
import wire
from raw_server import Echo, body_of, chunked, then_close, then_silence

from databricks_serving.errors import (
    BadRequestError,
    ConfigError,
    InvalidRequestError,
    RateLimitError,
    StreamInterruptedError,
)

from .support import programs
from .support.answers import FIRST, HELLO, STREAM_HEAD, chunk_of, reply
from .support.house import GOOD
from .support.kinds import only_async


def echo(request):
    """Answer with what was asked, as a stream where one was asked for."""
    body = body_of(request)
    said = body["messages"][-1]["content"]
    if body.get("stream"):
        return chunked(wire.sse(wire.chunk(said), wire.chunk(None, "stop"), "[DONE]"))
    return reply(wire.chat(said))


def held():
    """Return an answer that streams one event and no end."""
    return then_silence(STREAM_HEAD + chunk_of(FIRST))


CALLERS, TURNS = 64, 20


def hear(house, client, number):
    """Make calls one after the other, whole and streamed; return what was said but not heard."""
    missed = []
    for turn in range(TURNS):
        said = f"{number}-{turn}"
        messages = [{"role": "user", "content": said}]
        answer = house.start(client, messages=messages, stream=turn % 2 == 1)
        heard = "".join(chunk.text for chunk in answer) if turn % 2 else answer.text
        missed += [] if heard == said else [(said, heard)]
    return missed


async def hear_async(house, client, number):
    """Do as `hear` does, in a task."""
    missed = []
    for turn in range(TURNS):
        said = f"{number}-{turn}"
        messages = [{"role": "user", "content": said}]
        answer = await house.start(client, messages=messages, stream=turn % 2 == 1)
        heard = "".join([chunk.text async for chunk in answer]) if turn % 2 else answer.text
        missed += [] if heard == said else [(said, heard)]
    return missed


@pytest.mark.row("L-03")
def test_many_callers_share_a_client_and_get_their_own_answers(house):
    server = house.server(then=Echo(echo))
    client = house.client(server.host)
    kind = hear_async if house.kind == "async" else hear
    calls = [lambda number=number: kind(house, client, number) for number in range(CALLERS)]
    assert house.together(calls) == [[]] * CALLERS
    assert len(server.requests) == CALLERS * TURNS
    server.skip(GOOD)


@only_async
@pytest.mark.row("L-04")
def test_an_asynchronous_client_goes_from_one_loop_to_another(house):
    server = house.server()
    code = """
        client = Client(HOST, TOKEN)
        async def main():
            return (await client.chat.completions.create(model="m", messages=USER)).text
        async def both():
            return await asyncio.gather(main(), main())
        print(asyncio.run(main()), asyncio.run(main()), asyncio.run(both()))
        """
    assert programs.run(house.kind, code, server.host) == "Hi Hi ['Hi', 'Hi']\n"
    assert len(server.requests) == 4


@only_async
@pytest.mark.row("L-04")
def test_an_asynchronous_client_serves_two_loops_at_once(house):
    code = """
        client = Client(HOST, TOKEN)
        async def main():
            return (await client.chat.completions.create(model="m", messages=USER)).text
        got = []
        threads = [
            threading.Thread(target=lambda: got.append(asyncio.run(main()))) for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(got)
        """
    assert programs.run(house.kind, code, house.server().host) == "['Hi', 'Hi']\n"


@only_async
@pytest.mark.row("L-04")
def test_a_stream_stays_in_the_loop_that_it_was_begun_in(house):
    server = house.server(held())
    code = """
        from databricks_serving import ServingError
        client = Client(HOST, TOKEN)
        async def begin():
            stream = await client.chat.completions.create(model="m", messages=USER, stream=True)
            return stream, (await anext(stream)).text
        stream, text = asyncio.run(begin())
        print(text)
        try:
            asyncio.run(waited(anext(stream)))
        except ServingError as error:
            print("Event loop is closed" in str(error))
        """
    assert programs.run(house.kind, code, server.host) == "The \nFalse\n"


@pytest.mark.row("L-08")
def test_a_client_is_neither_pickled_nor_copied(house):
    _, client = house.serve()
    for move in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="client"):
            move(client)


@pytest.mark.row("L-08")
def test_errors_pickle_and_copy_with_all_that_they_know(house):
    _, client = house.serve(
        reply({"error_code": "BAD_REQUEST", "message": "no"}, 400, "x-request-id: r-1"),
        reply({"message": "no"}, 429, "Retry-After: 900"),
    )
    errors = [
        house.fails(client, BadRequestError),
        house.fails(client, RateLimitError),
        house.fails(client, InvalidRequestError, messages=[]),
    ]
    _, client = house.serve(then_close(STREAM_HEAD + chunk_of(FIRST)))
    _, error = house.breaks(house.call(client, stream=True), StreamInterruptedError)
    errors.append(error)
    with house.raising(ConfigError) as caught:
        house.client("ftp://x", default_headers=None)
    errors.append(caught.value)
    for error in errors:
        for move in (roundtrip, copy.copy, copy.deepcopy):
            check_same(move(error), error)


def roundtrip(value):
    """Pickle and unpickle with every protocol; return the last."""
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(value, protocol))  # noqa: S301 - just pickled
    return again


def check_same(again, error):
    """Check that an error is the same as before."""
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.history == error.history
    assert again.to_curl() == error.to_curl()
    mine, theirs = vars(error), vars(again)
    assert theirs.keys() == mine.keys()
    for name in mine.keys() - {"partial"}:
        assert theirs[name] == mine[name], name
    if getattr(error, "partial", None) is not None:
        assert again.partial.to_dict() == error.partial.to_dict()


@pytest.mark.row("L-08")
def test_results_pickle_and_copy(house):
    answer = reply(None, 200, "x-request-id: r-1")
    _, client = house.serve(answer, chunked(HELLO), chunked(HELLO))
    result = house.call(client)
    assert result.request_id == "r-1"
    chunks = house.items(house.call(client, stream=True))
    with house.opened(house.events(client)) as events:
        final = house.wait(events.get_final_completion())
    for value in (result, final, *chunks):
        for move in (roundtrip, copy.copy, copy.deepcopy):
            again = move(value)
            assert type(again) is type(value)
            assert again.to_dict() == value.to_dict()
            assert getattr(again, "request_id", None) == getattr(value, "request_id", None)


ELSEWHERE = """
    import anyio
    async def main():
        async with Client(HOST, TOKEN) as client:
            create = client.chat.completions.create
            print((await create(model="m", messages=USER)).text)
            stream = await create(model="m", messages=USER, stream=True)
            print([chunk.text async for chunk in stream])
            with anyio.move_on_after(0.2) as scope:
                async with client.chat.completions.stream(model="m", messages=USER) as events:
                    async for _ in events:
                        pass
            print(scope.cancelled_caught)
            try:
                stream = await create(model="m", messages=USER, stream=True, deadline=0.3)
                async for _ in stream:
                    pass
            except Exception as error:
                print(type(error).__name__, error.phase, error.partial.text)
            print((await create(model="m", messages=USER)).text)
    anyio.run(main, {options})
"""
LOOPS = {
    "trio": 'backend="trio"',
    "uvloop": 'backend="asyncio", backend_options={"use_uvloop": True}',
}


@only_async
@pytest.mark.row("L-11")
@pytest.mark.parametrize("loop", LOOPS)
def test_other_event_loops_are_served_alike(house, loop):
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    server = house.server(reply(), chunked(HELLO), held(), held())
    code = ELSEWHERE.replace("{options}", LOOPS[loop])
    out = programs.run(house.kind, code, server.host)
    assert out.splitlines() == [
        "Hi",
        "['The ', 'Po.']",
        "True",
        "StreamTimeoutError total The ",
        "Hi",
    ]


@pytest.mark.row("L-12")
def test_a_client_is_usable_after_an_interrupt(house):
    server = house.server(held(), then_silence(b""))
    code = """
        client = Client(HOST, TOKEN)
        for streamed in (True, False):
            threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT]).start()
            try:
                if streamed:
                    with ask(client, stream=True) as stream:
                        take(stream)
                        take(stream)
                else:
                    ask(client)
            except KeyboardInterrupt:
                print("interrupted")
        print(ask(client).text)
        client.close()
    """
    if house.kind == "async":
        code = """
        client = Client(HOST, TOKEN)
        async def streamed():
            call = client.chat.completions.create(model="m", messages=USER, stream=True)
            async with await call as stream:
                async for _ in stream:
                    pass
        async def plain():
            return (await client.chat.completions.create(model="m", messages=USER)).text
        for make in (streamed, plain):
            threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT]).start()
            try:
                runner.run(make())
            except KeyboardInterrupt:
                print("interrupted")
        print(runner.run(plain()))
        runner.run(client.close())
        runner.close()
        """
    out = programs.run(house.kind, code, server.host)
    assert out == "interrupted\ninterrupted\nHi\n"
