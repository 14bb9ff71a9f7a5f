"""What the package shows to the world, and what it keeps to itself."""

import inspect
import re
from typing import get_args

import pytest

import databricks_serving
from databricks_serving import (
    auth,
    bound,
    contract,
    errors,
    events,
    families,
    models,
    options,
    params,
    parts,
    testing,
    tools,
    usage,
)
from databricks_serving.models import Model

# A change of this list is a change of the public face: add it to the changelog.
NAMES = [
    "AsyncChunkStream",
    "AsyncEventStream",
    "AsyncParsedStream",
    "AsyncPredictionStream",
    "AsyncServingClient",
    "AsyncToolStream",
    "CallOptions",
    "ChunkStream",
    "ColdStart",
    "EventStream",
    "Explanation",
    "FunctionTool",
    "Limits",
    "ParsedCompletion",
    "ParsedStream",
    "PartialVectors",
    "Prediction",
    "PredictionStream",
    "RawResponse",
    "RetryPolicy",
    "ServingClient",
    "ServingError",
    "Timeouts",
    "ToolRun",
    "ToolStream",
    "UsageMeter",
    "UsageTotals",
    "Vectors",
    "__version__",
    "auth",
    "bound",
    "errors",
    "events",
    "families",
    "models",
    "params",
    "parts",
    "tool",
    "tools",
]
MODULES = [
    databricks_serving,
    auth,
    bound,
    contract,
    errors,
    events,
    families,
    models,
    options,
    params,
    parts,
    testing,
    tools,
    usage,
]
CLIENTS = [databricks_serving.ServingClient, databricks_serving.AsyncServingClient]


def test_the_public_names_are_these():
    assert databricks_serving.__all__ == NAMES


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__)
def test_the_public_names_of_a_module_are_sorted_and_true(module):
    names = module.__all__
    assert names == sorted(set(names), key=lambda name: (not name.isupper(), name))
    assert all(getattr(module, name) is not None for name in names)
    assert set(names) <= set(dir(module))


@pytest.mark.parametrize("module", [errors, events, options], ids=lambda m: m.__name__)
def test_what_a_module_defines_in_public_it_lists(module):
    defined = {
        name
        for name, value in vars(module).items()
        if inspect.isclass(value)
        and value.__module__ == module.__name__
        and not name.startswith("_")
    }
    assert defined <= set(module.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_can_be_imported_by_itself(name):
    scope = {}
    exec(f"from databricks_serving import {name}", scope)  # noqa: S102 - our own name
    assert scope[name] is getattr(databricks_serving, name)


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"module 'databricks_serving' has no .* 'Nothing'"):
        _ = databricks_serving.Nothing


def test_a_star_import_brings_the_public_names():
    scope = {}
    exec("from databricks_serving import *", scope)  # noqa: S102 - our own names
    assert set(scope) - {"__builtins__"} == set(NAMES)


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__)
def test_every_public_thing_is_documented(module):
    assert inspect.getdoc(module)
    for name in module.__all__:
        value = getattr(module, name)
        if inspect.isclass(value):
            assert value.__doc__, name
            # The one that a dataclass or attrs makes up says nothing.
            assert not value.__doc__.startswith(f"{name}("), name


def reached():
    """Yield the public classes that a user holds, and what their public members are."""
    seen = set()
    todo = [
        getattr(databricks_serving, n)
        for n in NAMES
        if inspect.isclass(getattr(databricks_serving, n))
    ]
    todo += [type(client("w.example.com", "t").chat) for client in CLIENTS]
    for client in CLIENTS:
        made = client("w.example.com", "t")
        todo += [type(r) for r in (made.chat.completions, made.completions, made.embeddings)]
        todo += [
            type(r.with_raw_response)
            for r in (made.chat.completions, made.completions, made.embeddings)
        ]
        todo += [type(made.endpoint("m", task=task)) for task in get_args(bound.Task)]
    for kind in todo:
        if kind not in seen:
            seen.add(kind)
            yield kind


def public_functions(kind):
    for name, member in inspect.getmembers_static(kind):
        function = member.fget if isinstance(member, property) else member
        public = not name.startswith("_") or name in {"__init__", "__enter__", "__aenter__"}
        if public and inspect.isfunction(function):
            yield name, function


@pytest.mark.parametrize("kind", list(reached()), ids=lambda kind: kind.__name__)
def test_no_signature_mentions_httpx_but_for_the_transport(kind):
    for name, function in public_functions(kind):
        for parameter in inspect.signature(function).parameters.values():
            if parameter.name != "transport":
                assert "httpx" not in str(parameter.annotation), f"{kind.__name__}.{name}"
        assert "httpx" not in str(inspect.signature(function).return_annotation)


@pytest.mark.parametrize("kind", list(reached()), ids=lambda kind: kind.__name__)
def test_what_a_user_calls_takes_and_gives_public_types_only(kind):
    for name, function in public_functions(kind):
        # Only the clients are made by users; the rest comes from them.
        if name == "__init__" and kind not in CLIENTS:
            continue
        public = {name_ for module in MODULES for name_ in module.__all__}
        # What a client gives without a name of its own to import.
        public |= {made.__name__ for made in reached()}
        used = set(re.findall(r"databricks_serving[\w.]*\.(\w+)", str(inspect.signature(function))))
        assert used <= public, f"{kind.__name__}.{name}"


def test_instances_show_no_inner_parts():
    client = databricks_serving.ServingClient("w.example.com", "t")
    shown = {name for name in dir(client) if not name.startswith("_")}
    resources = {"auth", "chat", "completions", "embeddings", "endpoints"}
    resources |= {"agents", "endpoint", "predict", "predict_stream", "responses"}
    options = {"host", "idempotent", "limits", "retry", "route", "timeouts", "usage"}
    copies = {"from_workspace_client", "route_optimized", "with_options"}
    assert shown == {*resources, *options, *copies, "close"}
    assert {name for name in dir(client.chat.completions) if not name.startswith("_")} == {
        "create",
        "explain",
        "parse",
        "parse_stream",
        "run_tools",
        "stream",
        "stream_tools",
        "with_raw_response",
    }
    for stream, names in (
        (
            databricks_serving.ChunkStream,
            {
                *("close", "get_final_completion", "meta", "news", "request_id", "snapshot"),
                "terminated_cleanly",
            },
        ),
        (
            databricks_serving.EventStream,
            {"chunks", "close", "get_final_completion", "snapshot", "text_stream"},
        ),
        (
            databricks_serving.ParsedStream,
            {"chunks", "close", "get_final_parsed", "partial", "snapshot"},
        ),
        (databricks_serving.ToolStream, {"close", "get_final_run", "run", "text_stream"}),
    ):
        assert {name for name in dir(stream) if not name.startswith("_")} == names


def test_every_event_of_a_stream_is_public_and_named_for_matching():
    kinds = [kind for name in events.__all__ if inspect.isclass(kind := getattr(events, name))]
    assert all("type" in kind.__match_args__ for kind in kinds)
    assert all(hasattr(kind, "__slots__") for kind in kinds)


def test_every_model_that_is_public_is_a_model():
    others = {"EndpointTask", "ExternalProvider", "FinishReason", "ReplyMeta"}
    for name in set(models.__all__) - others:
        assert issubclass(getattr(models, name), Model), name


def test_every_typed_dictionary_is_one():
    aliases = {"ContentPartDict", "MessageDict", "ResponseFormatDict", "ToolChoiceDict"}
    for name in set(params.__all__) - aliases:
        assert isinstance(getattr(params, name).__annotations__, dict)
