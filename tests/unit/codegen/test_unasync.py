import ast

from codegen.unasync import PACKAGE, blocking, main


def test_the_blocking_resources_are_those_of_the_asynchronous_client():
    assert main(["--check"]) == 0


def test_async_and_await_go_and_names_change():
    source = (
        "from a._async.b import AsyncCaller\n"
        "async def ask(caller: AsyncCaller) -> 'AsyncAnswer':\n"
        '    """Let the asynchronous client await an answer."""\n'
        "    async with caller as open_one:\n"
        "        return [await x() async for x in open_one]\n"
    )
    assert blocking(source) == (
        "from a._sync.b import Caller\n"
        "def ask(caller: Caller) -> 'Answer':\n"
        '    """Let the blocking client await an answer."""\n'
        "    with caller as open_one:\n"
        "        return [x() for x in open_one]\n"
    )


def test_no_name_of_the_asynchronous_client_is_left():
    for path in (PACKAGE / "_sync" / "resources").glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert not [n for n in ast.walk(tree) if isinstance(n, ast.AsyncFunctionDef | ast.Await)]
        assert "Async" not in path.read_text(encoding="utf-8")
