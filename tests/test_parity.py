"""The two shells differ by `await` and by the names of their classes, and by nothing else.

All public classes and methods are found by introspection: a method that only one shell has, a
parameter that only one takes, or another default fails here without being listed anywhere.
"""

import importlib
import inspect
import re

import pytest

MODULES = ("caller", "client", "resources", "stream")
DUNDERS = {
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
}


def classes(shell: str, module: str) -> dict[str, type]:
    loaded = importlib.import_module(f"databricks_serving._{shell}.{module}")
    return {
        name.removeprefix("Async"): value
        for name, value in vars(loaded).items()
        if inspect.isclass(value) and value.__module__ == loaded.__name__
    }


PAIRS = [
    pytest.param(sync, classes("async", module).get(name), id=name)
    for module in MODULES
    for name, sync in classes("sync", module).items()
]


def members(kind: type) -> dict[str, object]:
    """Return what a class defines, the asynchronous protocol under its blocking names."""
    own = {
        DUNDERS.get(name, name): value
        for name, value in vars(kind).items()
        if inspect.isfunction(value) or isinstance(value, property)
    }
    return {name: value for name, value in own.items() if not name.startswith("_Async")}


def plain(annotation: object) -> str:
    """Return the text of an annotation without what asynchrony adds to it."""
    text = inspect.formatannotation(annotation)
    text = text.replace("_async.", "_sync.").replace("Async", "")
    before, awaitable, after = text.partition("collections.abc.Awaitable[")
    if not awaitable:
        return text
    closing = next(n for n in range(len(after)) if after[: n + 1].count("]") > after[:n].count("["))
    return before + after[:closing] + after[closing + 1 :]


def shape(function: object) -> list[tuple[str, object, object, str]]:
    signature = inspect.signature(function)
    found = [
        (p.name, p.kind, p.default, plain(p.annotation)) for p in signature.parameters.values()
    ]
    return [*found, ("return", None, None, plain(signature.return_annotation))]


@pytest.mark.parametrize("module", MODULES)
def test_both_shells_have_the_same_classes(module):
    assert classes("sync", module).keys() == classes("async", module).keys()


@pytest.mark.parametrize(("blocking", "asynchronous"), PAIRS)
def test_both_classes_have_the_same_members(blocking, asynchronous):
    assert members(blocking).keys() == members(asynchronous).keys()


@pytest.mark.parametrize(("blocking", "asynchronous"), PAIRS)
def test_both_members_take_and_return_the_same(blocking, asynchronous):
    twins = members(asynchronous)
    for name, member in members(blocking).items():
        mine = member.fget if isinstance(member, property) else member
        theirs = twins[name].fget if isinstance(twins[name], property) else twins[name]
        assert isinstance(member, property) == isinstance(twins[name], property), name
        assert shape(mine) == shape(theirs), name


@pytest.mark.parametrize(("blocking", "asynchronous"), PAIRS)
def test_both_members_are_documented_alike(blocking, asynchronous):
    twins = members(asynchronous)
    for name, member in members(blocking).items():
        if not name.startswith("_"):
            assert member.__doc__, f"{blocking.__name__}.{name} has no docstring"
        mine, theirs = (re.sub("Async", "", m.__doc__ or "") for m in (member, twins[name]))
        assert mine == theirs.replace("async with", "with"), name


def test_the_clients_offer_the_same_resources():
    clients = [
        classes(shell, "client")["ServingClient"]("http://localhost", "made-up")
        for shell in ("sync", "async")
    ]
    mine, theirs = (set(vars(client)) | set(dir(client)) - set(DUNDERS) for client in clients)
    assert {n for n in mine if not n.startswith("_")} == {
        n for n in theirs if not n.startswith("_")
    }
