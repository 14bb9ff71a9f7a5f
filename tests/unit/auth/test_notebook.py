"""The login of a notebook or job that runs in Databricks."""

import sys
from types import ModuleType, SimpleNamespace

import pytest
import wire
from sources import CANARY, Hand, Workspace, site, values

from databricks_serving.auth import Notebook
from databricks_serving.auth._notebook import Runtime, find_runtime, with_notebook_host
from databricks_serving.auth._source import UnavailableError
from databricks_serving.auth._steps import Call
from databricks_serving.errors import ConfigError, TokenError

pytestmark = pytest.mark.usefixtures("bare_machine")
MARK = {"DATABRICKS_RUNTIME_VERSION": "16.4"}


def module(monkeypatch, name, **content):
    parent, _, child = name.rpartition(".")
    made = ModuleType(name)
    vars(made).update(content)
    monkeypatch.setitem(sys.modules, name, made)
    if parent:
        monkeypatch.setitem(sys.modules, parent, ModuleType(parent))
        monkeypatch.setattr(sys.modules[parent], child, made, raising=False)


def in_notebook(monkeypatch, **context):
    for name, text in MARK.items():
        monkeypatch.setenv(name, text)
    given = SimpleNamespace(**context) if context else None
    module(monkeypatch, "dbruntime.databricks_repl_context", get_context=lambda: given)


def option(value):
    def get():
        if value is None:
            raise LookupError("None.get")
        return value

    return lambda: SimpleNamespace(get=get)


def with_dbutils(monkeypatch, **options):
    names = ("browserHostName", "apiUrl", "apiToken")
    context = SimpleNamespace(**{name: option(options.get(name)) for name in names})
    notebook = SimpleNamespace(getContext=lambda: context)
    inner = SimpleNamespace(notebook=lambda: notebook)
    entry = SimpleNamespace(getDbutils=lambda: inner)
    dbutils = SimpleNamespace(notebook=SimpleNamespace(entry_point=entry))
    shell = SimpleNamespace(ns_table={"user_global": {"dbutils": dbutils}})
    module(monkeypatch, "IPython", get_ipython=lambda: shell)


def shown(runtime):
    return runtime.hosts, runtime.token and runtime.token.reveal()


def test_the_context_tells_host_and_token(monkeypatch):
    in_notebook(
        monkeypatch,
        workspaceUrl="workspace.example.com",
        apiUrl="https://region.example.com/",
        apiToken=CANARY,
    )
    hosts = (wire.HOST, "https://region.example.com")
    assert shown(find_runtime()) == (hosts, CANARY)
    assert CANARY not in repr(find_runtime())


def test_an_older_context_tells_the_region_only(monkeypatch):
    in_notebook(monkeypatch, apiUrl="https://region.example.com", apiToken=CANARY)
    assert shown(find_runtime()) == (("https://region.example.com",), CANARY)


def test_dbutils_tells_where_there_is_no_context(monkeypatch):
    in_notebook(monkeypatch)
    with_dbutils(
        monkeypatch,
        browserHostName="workspace.example.com",
        apiUrl="https://region.example.com",
        apiToken=CANARY,
    )
    assert shown(find_runtime()) == ((wire.HOST, "https://region.example.com"), CANARY)
    with_dbutils(monkeypatch, apiUrl="https://region.example.com", apiToken=CANARY)
    assert shown(find_runtime()) == (("https://region.example.com",), CANARY)


@pytest.mark.parametrize(
    "context",
    [
        {"workspaceUrl": "w.example.com", "apiToken": None},
        {"workspaceUrl": "w.example.com", "apiToken": ""},
        {"workspaceUrl": None, "apiToken": CANARY},
        {"workspaceUrl": "http://[", "apiToken": CANARY},
        {"workspaceUrl": "http://w.example.com", "apiToken": CANARY},
        {"workspaceUrl": "w.example.com"},
    ],
)
def test_half_a_context_is_none(monkeypatch, context):
    in_notebook(monkeypatch, **context)
    assert find_runtime() == Runtime()
    with_dbutils(monkeypatch, apiUrl="https://region.example.com")
    assert find_runtime() == Runtime()


def test_elsewhere_there_is_nothing(monkeypatch):
    module(monkeypatch, "IPython", get_ipython=lambda: None)
    assert find_runtime() == Runtime()


def test_the_token_is_asked_for_again_after_a_minute(monkeypatch):
    in_notebook(monkeypatch, workspaceUrl="workspace.example.com", apiToken=CANARY)
    hand = Hand(lambda step: step.function())
    made = hand.fetch(Notebook(), site())
    assert (made.value, made.expires_in) == (CANARY, 60)
    assert isinstance(hand.steps[0], Call)


def fails(source_answer, **options):
    with pytest.raises(TokenError) as caught:
        Hand(source_answer).fetch(Notebook(), site(**options))
    assert caught.value.source == "runtime"
    assert CANARY not in f"{caught.value!s}{caught.value!r}"
    return caught.value


def test_without_a_token_the_next_source_is_tried(monkeypatch):
    in_notebook(monkeypatch)
    error = fails(find_runtime())
    assert isinstance(error, UnavailableError)
    assert "no notebook or job" in str(error)


def test_the_token_goes_to_its_own_workspace_only(monkeypatch):
    in_notebook(
        monkeypatch,
        workspaceUrl="workspace.example.com",
        apiUrl="https://region.example.com",
        apiToken=CANARY,
    )
    error = fails(find_runtime(), host="https://other.example.com")
    assert isinstance(error, UnavailableError)
    assert "is for https://workspace.example.com, and the host is https://other" in str(error)
    assert Hand(find_runtime()).fetch(Notebook(), site("https://region.example.com/x"))


def test_a_token_that_cannot_be_sent_is_refused(monkeypatch):
    in_notebook(monkeypatch, workspaceUrl="workspace.example.com", apiToken=f"{CANARY}\n{CANARY}")
    assert "line break" in str(fails(find_runtime()))


def test_it_is_configured_inside_databricks():
    assert Notebook.configured(values()) == "the variable DATABRICKS_RUNTIME_VERSION is not set"
    assert isinstance(Notebook.configured(values(MARK)), Notebook)


def test_the_host_is_asked_for_only_where_it_is_missing():
    runtime = Runtime((wire.HOST,))
    found = Hand(runtime).perform(with_notebook_host(values(MARK)))
    assert found.get("host") == wire.HOST
    assert found.origin("host") == "the notebook or job that this runs in"
    given = values(MARK, host="other.example.com")
    assert Hand().perform(with_notebook_host(given)) is given
    given = values()
    assert Hand().perform(with_notebook_host(given)) is given
    given = values(MARK)
    assert Hand(Runtime()).perform(with_notebook_host(given)) is given


def test_both_clients_just_work_in_a_notebook(shell, monkeypatch):
    in_notebook(monkeypatch, workspaceUrl="workspace.example.com", apiToken="t-1")
    workspace = Workspace()
    sent = workspace.call(shell)
    assert (sent.url.host, sent.headers["authorization"]) == ("workspace.example.com", "Bearer t-1")
    told = shell.wait(workspace.client.auth.describe())
    assert "host https://workspace.example.com, from the notebook or job" in told
    assert "auth runtime, " in told


def test_both_clients_take_another_token_in_a_notebook(shell, monkeypatch):
    in_notebook(monkeypatch, workspaceUrl="workspace.example.com", apiToken=CANARY)
    sent = Workspace().call(shell, token="t-2")
    assert (sent.url.host, sent.headers["authorization"]) == ("workspace.example.com", "Bearer t-2")
    sent = Workspace().call(shell, auth=lambda: "t-3")
    assert (sent.url.host, sent.headers["authorization"]) == ("workspace.example.com", "Bearer t-3")


def test_both_clients_say_that_there_is_no_workspace(shell, monkeypatch):
    in_notebook(monkeypatch)
    module(monkeypatch, "IPython", get_ipython=lambda: None)
    with pytest.raises(ConfigError, match="no workspace: pass host="):
        Workspace().call(shell)
