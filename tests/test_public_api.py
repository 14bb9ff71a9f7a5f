"""What users can import, and that it stays what it says."""

import importlib
import inspect
import subprocess
import sys

import pytest

import databricks_serving

PUBLIC_MODULES = (
    "databricks_serving",
    "databricks_serving.errors",
    "databricks_serving.events",
    "databricks_serving.local",
    "databricks_serving.models",
    "databricks_serving.options",
    "databricks_serving.params",
)
NAMES = {
    "AsyncChunkStream",
    "AsyncEventStream",
    "AsyncServingClient",
    "CallOptions",
    "ChunkStream",
    "EventStream",
    "RawResponse",
    "ServingClient",
    "ServingError",
    "Timeouts",
    "__version__",
    "errors",
    "events",
    "models",
    "params",
}
ERRORS = {
    "APIConnectionError",
    "APIStatusError",
    "APITimeoutError",
    "AuthenticationError",
    "BadRequestError",
    "ConfigError",
    "ConflictError",
    "InternalServerError",
    "InvalidRequestError",
    "InvalidResponseError",
    "NotFoundError",
    "PayloadTooLargeError",
    "PermissionDeniedError",
    "RateLimitError",
    "ServingError",
    "StreamInterruptedError",
    "StreamServerError",
    "UnprocessableEntityError",
}
HTTPX_ALLOWED = {"transport"}


def test_the_package_exports_exactly_these_names():
    assert set(databricks_serving.__all__) == NAMES


def test_the_error_names_that_people_know_are_there():
    assert set(databricks_serving.errors.__all__) >= ERRORS


@pytest.mark.parametrize("name", PUBLIC_MODULES)
def test_every_exported_name_exists_and_the_list_is_sorted(name):
    module = importlib.import_module(name)
    assert list(module.__all__) == sorted(module.__all__)
    assert all(getattr(module, exported, None) is not None for exported in module.__all__)
    assert set(module.__all__) <= set(dir(module))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Servingclient'"):
        _ = databricks_serving.Servingclient


@pytest.mark.parametrize("shell", ["ServingClient", "AsyncServingClient"])
def test_httpx_shows_in_no_public_signature_but_transport(shell):
    client = getattr(databricks_serving, shell)
    functions = [m for _, m in inspect.getmembers(client, inspect.isfunction)]
    for resource in vars(client("http://localhost", "made-up")).values():
        functions += [m for _, m in inspect.getmembers(type(resource), inspect.isfunction)]
    assert len(functions) > 10
    for function in functions:
        signature = inspect.signature(function)
        shown = {p.name for p in signature.parameters.values() if "httpx" in str(p.annotation)}
        assert shown <= HTTPX_ALLOWED
        assert "httpx" not in str(signature.return_annotation)


def test_parameters_of_a_call_are_shown_one_by_one():
    client = databricks_serving.ServingClient("http://localhost", "made-up")
    parameters = inspect.signature(client.chat.completions.create).parameters
    assert list(parameters)[:3] == ["model", "stream", "messages"]
    assert {"max_tokens", "tools", "reasoning_effort", "extra_body", "timeout"} <= set(parameters)
    kinds = {p.kind for p in parameters.values()}
    assert kinds == {inspect.Parameter.KEYWORD_ONLY}
    assert parameters["messages"].default is inspect.Parameter.empty
    assert parameters["max_tokens"].default is None


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import databricks_serving", ("httpx", "orjson", "attr", "ssl", "asyncio", "socket")),
        ("from databricks_serving import errors", ("httpx", "orjson", "attr", "ssl")),
        ("from databricks_serving.models import Usage", ("httpx", "ssl", "asyncio")),
        ("import databricks_serving_api", ("httpx", "ssl", "asyncio")),
        ("import databricks_serving_api.models", ("httpx", "ssl", "asyncio")),
    ],
)
def test_an_import_loads_only_what_it_needs(statement, absent):
    code = (
        f"{statement}; import sys, threading; print(*sys.modules); print(threading.active_count())"
    )
    result = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    modules, threads = result.stdout.splitlines()
    assert not set(absent) & set(modules.split())
    assert threads == "1"
    assert result.stderr == ""
