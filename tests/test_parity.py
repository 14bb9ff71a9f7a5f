"""The two clients differ in nothing but `Async` and `await`."""

import ast
import inspect
import pkgutil
import re
from importlib import import_module
from pathlib import Path
from typing import get_overloads

import pytest

import databricks_serving
from databricks_serving._async import caller as async_caller
from databricks_serving._async import client as async_client
from databricks_serving._async import stream as async_stream
from databricks_serving._sync import caller as sync_caller
from databricks_serving._sync import client as sync_client
from databricks_serving._sync import resources as sync_resources
from databricks_serving._sync import stream as sync_stream

RESOURCES = [module.name for module in pkgutil.iter_modules(sync_resources.__path__)]
MODULES = {
    "caller": (sync_caller, async_caller),
    "client": (sync_client, async_client),
    "stream": (sync_stream, async_stream),
    **{
        f"resources.{name}": tuple(
            import_module(f"databricks_serving.{shell}.resources.{name}")
            for shell in ("_sync", "_async")
        )
        for name in RESOURCES
    },
}
PUBLIC_TWINS = (
    "ChunkStream",
    "EventStream",
    "ParsedStream",
    "PredictionStream",
    "ServingClient",
    "ToolStream",
)
# What the language calls differently in asynchronous code.
NAMES = {
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "aclose": "close",
    "AsyncGenerator": "Generator",
    "AsyncIterator": "Iterator",
    "AsyncBaseTransport": "BaseTransport",
}


def classes_of(module):
    return {
        name: value
        for name, value in vars(module).items()
        if inspect.isclass(value) and value.__module__ == module.__name__
    }


def pairs():
    for sync, asynchronous in MODULES.values():
        for name, kind in classes_of(sync).items():
            yield kind, classes_of(asynchronous)[twin(name)]


def twin(name):
    return f"Async{name}"


def plain(annotation):
    """Write an annotation as the blocking client has it."""
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    text = re.sub(r"collections\.abc\.|typing\.|databricks_serving[\w.]*\.|~", "", text)
    for name, other in NAMES.items():
        text = text.replace(name, other)
    text = text.replace("Async", "")
    return re.sub(r"Awaitable\[((?:[^\[\]]|\[[^\[\]]*\])*)\]", r"\1", text)


def signature_of(function):
    signature = inspect.signature(function)
    parameters = [
        (p.name, p.kind, p.default, plain(p.annotation)) for p in signature.parameters.values()
    ]
    return parameters, plain(signature.return_annotation)


def members_of(kind):
    """Return what a class defines itself, under the blocking client's names."""
    return {
        NAMES.get(name, name): value
        for name, value in vars(kind).items()
        if inspect.isfunction(value) or isinstance(value, property)
    }


PAIRS = list(pairs())
MEMBERS = [
    pytest.param(value, members_of(other).get(name), id=f"{kind.__name__}.{name}")
    for kind, other in PAIRS
    for name, value in members_of(kind).items()
]


@pytest.mark.parametrize("module", MODULES)
def test_every_class_has_its_twin(module):
    sync, asynchronous = map(classes_of, MODULES[module])
    assert {twin(name) for name in sync} == set(asynchronous)


def test_every_public_class_of_one_client_has_a_public_twin():
    public = {name for name in databricks_serving.__all__ if name.startswith("Async")}
    assert {f"Async{name}" for name in PUBLIC_TWINS} == public
    assert all(name.removeprefix("Async") in databricks_serving.__all__ for name in public)


@pytest.mark.parametrize(("kind", "other"), PAIRS, ids=lambda kind: kind.__name__)
def test_twins_have_the_same_members_and_bases(kind, other):
    assert set(members_of(kind)) == set(members_of(other))
    assert [plain(b.__name__) for b in kind.__mro__] == [plain(b.__name__) for b in other.__mro__]
    assert inspect.getdoc(kind)
    assert inspect.getdoc(other)


@pytest.mark.parametrize(("member", "other"), MEMBERS)
def test_twins_have_the_same_signature(member, other):
    assert type(member) is type(other)
    functions = [(member.fget, other.fget)] if isinstance(member, property) else [(member, other)]
    functions += zip(get_overloads(functions[0][0]), get_overloads(functions[0][1]), strict=True)
    for one, two in functions:
        assert signature_of(one) == signature_of(two)
        assert plain(inspect.getdoc(one) or "") == plain(inspect.getdoc(two) or "")


@pytest.mark.parametrize(("kind", "other"), PAIRS, ids=lambda kind: kind.__name__)
def test_public_members_are_documented(kind, other):
    for shell in (kind, other):
        for name, member in members_of(shell).items():
            if not name.startswith("_"):
                assert inspect.getdoc(member), f"{shell.__name__}.{name}"


class Plain(ast.NodeTransformer):
    """Rewrites asynchronous code as the blocking code that it stands for."""

    RENAMED = NAMES | {"anext": "next", "anyio": "time", "aiter": "iter"}

    def rename(self, name):
        return self.RENAMED.get(name, name).replace("Async", "")

    def visit_Await(self, node):
        return self.visit(node.value)

    def visit_AsyncFunctionDef(self, node):
        self.generic_visit(node)
        return ast.FunctionDef(**(vars(node) | {"name": self.rename(node.name)}))

    def visit_FunctionDef(self, node):
        self.generic_visit(node)
        return ast.FunctionDef(**(vars(node) | {"name": self.rename(node.name)}))

    def visit_AsyncFor(self, node):
        self.generic_visit(node)
        return ast.For(**vars(node))

    def visit_For(self, node):
        self.generic_visit(node)
        match node:
            # Only blocking generators have `yield from`.
            case ast.For(ast.Name(one), iterable, [ast.Expr(ast.Yield(ast.Name(two)))]) if (
                one == two
            ):
                return ast.Expr(ast.YieldFrom(iterable))
        return node

    def visit_comprehension(self, node):
        self.generic_visit(node)
        node.is_async = 0
        return node

    def visit_Subscript(self, node):
        self.generic_visit(node)
        awaited = isinstance(node.value, ast.Name) and node.value.id == "Awaitable"
        return node.slice if awaited else node

    def visit_Name(self, node):
        node.id = self.rename(node.id)
        return node

    def visit_Attribute(self, node):
        self.generic_visit(node)
        node.attr = self.rename(node.attr)
        return node

    def visit_ClassDef(self, node):
        self.generic_visit(node)
        node.name = self.rename(node.name)
        return node

    def visit_Constant(self, node):
        if isinstance(node.value, str):
            node.value = self.rename(node.value).replace("Async", "")
        return node

    def visit_Expr(self, node):
        # Docstrings are compared by the introspection above.
        text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if text else self.generic_visit(node)


def definitions(module):
    tree = Plain().visit(ast.parse(Path(module.__file__).read_text(encoding="utf-8")))
    imports = (ast.Import, ast.ImportFrom)
    return [
        ast.unparse(ast.fix_missing_locations(node))
        for node in tree.body
        if not isinstance(node, imports) and node is not None
    ]


@pytest.mark.parametrize("module", MODULES)
def test_twins_do_the_same_but_for_await(module):
    sync, asynchronous = map(definitions, MODULES[module])
    assert sync == asynchronous
