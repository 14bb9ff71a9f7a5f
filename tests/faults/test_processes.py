"""Forks, thousands of streams, and the ends of programs; section 2.8."""

import textwrap

import pytest
import wire
from raw_server import chunked, then_silence

from .support import programs
from .support.answers import FIRST, STREAM_HEAD, chunk_of, reply
from .support.kinds import only_sync


def held():
    """Return an answer that streams one event and no end."""
    return then_silence(STREAM_HEAD + chunk_of(FIRST))


@pytest.mark.row("L-01")
def test_a_forked_child_has_connections_of_its_own(house):
    server = house.server()
    out = programs.run(
        house.kind,
        """
        client = Client(HOST, TOKEN)
        print(ask(client).text, flush=True)
        child = os.fork()
        if child == 0:
            if "runner" in globals():
                runner = asyncio.Runner()
            print("child", ask(client).text, ask(client).text, flush=True)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        print("parent", ask(client).text, flush=True)
        """,
        server.host,
    )
    assert out.splitlines() == ["Hi", "child Hi Hi", "parent Hi"]
    assert server.connections == 2
    assert len(server.requests) == 4


@pytest.mark.row("L-01")
def test_a_forked_child_leaves_the_stream_of_its_parent_alone(house):
    server = house.server(chunked(FIRST, wire.sse(wire.chunk("Po.", "stop"), "[DONE]")))
    out = programs.run(
        house.kind,
        """
        client = Client(HOST, TOKEN)
        stream = ask(client, stream=True)
        print(take(stream).text, flush=True)
        child = os.fork()
        if child == 0:
            if "runner" in globals():
                runner = asyncio.Runner()
            print("child", ask(client).text, flush=True)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        print("parent", take(stream).text, ask(client).text, flush=True)
        closing = stream.close()
        if "runner" in globals():
            runner.run(waited(closing))
            runner.run(waited(client.close()))
            runner.close()
        """,
        server.host,
    )
    assert out.splitlines() == ["The ", "child Hi", "parent Po. Hi"]


@only_sync
@pytest.mark.row("L-02")
def test_a_fork_never_leaves_a_lock_behind(house):
    server = house.server()
    out = programs.run(
        house.kind,
        """
        import warnings
        warnings.filterwarnings("ignore", "This process", DeprecationWarning)
        client, stop = Client(HOST, TOKEN), threading.Event()
        # The first call imports, and the interpreter's own locks for that stay locked.
        ask(client)
        def work():
            while not stop.is_set():
                ask(client)
        threads = [threading.Thread(target=work, daemon=True) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(100):
            child = os.fork()
            if child == 0:
                signal.alarm(5)
                os._exit(0 if ask(client).text == "Hi" else 1)
            assert os.waitpid(child, 0)[1] == 0
        stop.set()
        for thread in threads:
            thread.join(5)
        client.close()
        print("done")
        """,
        server.host,
    )
    assert out == "done\n"
    assert server.connections > 100


ABORTS = """
    def memory():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    def descriptors():
        return len(os.listdir("/proc/self/fd"))
    def report(before):
        gc.collect()
        print(descriptors() - before[0], threading.active_count() - before[1],
              max(memory() - before[2], 0) // 2**20)
"""


@pytest.mark.row("L-05")
def test_streams_that_are_left_by_the_thousand_leave_nothing(house):
    server = house.server(then=held())
    body = """
        client = Client(HOST, TOKEN)
        def abort(times):
            for _ in range(times):
                with ask(client, stream=True) as stream:
                    next(stream)
        abort(100)
        gc.collect()
        before = descriptors(), threading.active_count(), memory()
        abort(1000)
        report(before)
        client.close()
    """
    if house.kind == "async":
        body = """
        async def abort(client, times):
            for _ in range(times):
                call = client.chat.completions.create(model="m", messages=USER, stream=True)
                async with await call as stream:
                    await anext(stream)
        async def main():
            async with Client(HOST, TOKEN) as client:
                await abort(client, 100)
                gc.collect()
                before = descriptors(), threading.active_count(), memory()
                await abort(client, 1000)
                report(before)
                print(len(asyncio.all_tasks()))
        asyncio.run(main())
        """
    code = textwrap.dedent(ABORTS) + textwrap.dedent(body)
    out = programs.run(house.kind, code, server.host)
    descriptors, threads, megabytes, *tasks = map(int, out.split())
    assert (descriptors, threads) == (0, 0)
    assert megabytes < 5
    assert tasks in ([], [1])
    assert len(server.requests) == 1100


ENDINGS = {
    "a client": "print(ask(client).text)",
    "a stream": "stream = ask(client, stream=True); print(take(stream).text)",
    "a dead end": """
print(ask(client).text)
client.me = client
""",
    "a thread": """
thread = threading.Thread(target=lambda: Client(HOST, TOKEN), daemon=True)
thread.start()
print(ask(client).text)
""",
}


@pytest.mark.row("L-06")
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_program_ends_in_silence_whatever_is_open(house, ending):
    server = house.server(held() if ending == "a stream" else reply())
    code = "client = Client(HOST, TOKEN)\n" + ENDINGS[ending].strip() + "\n"
    out = programs.run(house.kind, code + "began = time.monotonic()\n", server.host)
    assert out.strip() in {"Hi", "The"}


@pytest.mark.row("L-07")
def test_clients_that_are_never_closed_leave_nothing(house):
    server = house.server()
    out = programs.run(
        house.kind,
        """
        def use(times):
            for _ in range(times):
                assert ask(Client(HOST, TOKEN)).text == "Hi"
                if "runner" in globals():
                    runner.run(asyncio.sleep(0))
        use(20)
        gc.collect()
        before = len(os.listdir("/proc/self/fd"))
        use(300)
        gc.collect()
        for _ in range(3):
            if "runner" in globals():
                runner.run(asyncio.sleep(0.01))
        print(len(os.listdir("/proc/self/fd")) - before)
        print([thread.name for thread in threading.enumerate()])
        if "runner" in globals():
            runner.close()
        """,
        server.host,
    )
    left, threads = out.splitlines()
    assert int(left) <= 1
    assert threads == "['MainThread']"
    assert len(server.requests) == 320


# A library of ours imports trio where it is there, and that asks the system for its libraries.
QUIET = """
    sys.modules["trio"] = None
    seen = []
    def hook(event, arguments):
        writes = event == "open" and set(arguments[1] or "") & set("wax+")
        if event.startswith(("socket.", "subprocess.", "os.mkdir", "_thread.start")) or writes:
            seen.append((event, str(arguments)[:80]))
    sys.addaudithook(hook)
    began = time.perf_counter()
    import databricks_serving
    took = time.perf_counter() - began
    assert "httpx" not in sys.modules and "orjson" not in sys.modules, "eager"
    from databricks_serving import AsyncServingClient, ServingClient
    for kind in (ServingClient, AsyncServingClient):
        kind("https://workspace.example.com", TOKEN)
    assert threading.active_count() == 1
    print(seen, took < 0.3)
"""


@pytest.mark.row("L-09")
def test_importing_and_making_a_client_has_no_effects(tmp_path):
    env = programs.environment(PYTHONDONTWRITEBYTECODE="1", HOME=str(tmp_path / "nowhere"))
    assert programs.run("", QUIET, env=env) == "[] True\n"


@pytest.mark.row("L-10")
def test_a_poor_environment_is_enough(house, tmp_path):
    kept = {"PYTHONPATH", "PYTHONHASHSEED", "PATH"}
    bare = {name: value for name, value in programs.environment().items() if name in kept}
    env = bare | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    tmp_path.chmod(0o500)
    server = house.server(reply(wire.chat("Zo\u00eb")))
    code = "client = Client(HOST, TOKEN)\nprint(ascii(ask(client).text))\n"
    out = programs.run(house.kind, code, server.host, env=env, cwd=tmp_path)
    assert out == "'Zo\\xeb'\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.row("L-13")
def test_a_process_without_free_descriptors_says_so_and_recovers(house):
    server = house.server()
    out = programs.run(
        house.kind,
        """
        import resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        client = Client(HOST, TOKEN, max_retries=0)
        if "runner" in globals():
            runner.run(asyncio.sleep(0))
        client.chat
        held = []
        from databricks_serving.errors import APIConnectionError
        print(ask(client).text)
        other = Client(HOST, TOKEN, max_retries=0)
        try:
            while True:
                held.append(open(os.devnull))
        except OSError:
            pass
        try:
            ask(other)
        except APIConnectionError as error:
            print("too many open files" in str(error), error.maybe_executed, error.retryable)
        for file in held:
            file.close()
        print(ask(other).text)
        for one in (client, other):
            closing = one.close()
            if "runner" in globals():
                runner.run(waited(closing))
        if "runner" in globals():
            runner.close()
        """,
        server.host,
    )
    assert out.splitlines() == ["Hi", "True False True", "Hi"]
