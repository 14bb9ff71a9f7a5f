"""Packages of `databricks-serving contract endpoint` as type checkers see them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


PROGRAM = """
from datetime import datetime
from typing import assert_type

import agent_api
import image_api
import lakes_api
import named_api
import older_api
import responses_api
import texts_api
import wine_api
from databricks_serving import AsyncServingClient, ServingClient
from databricks_serving.models import AgentReply, ChatCompletion, ResponsesReply

row = wine_api.Row(fixed_acidity=7, class_=1, style="red", organic=True, notes=[1, 2.5])
assert_type(row.bottled_at, datetime | None)


def call(client: ServingClient) -> None:
    results = wine_api.predict(client, [row], threshold=0.5, timeout_=[1], timeout=3)
    assert_type(results, list[wine_api.Result])
    assert_type(results[0].quality, float)
    assert_type(results[0].best_before, datetime | None)
    assert_type(image_api.predict(client, [[[[1]]]]), list[list[float]])
    assert_type(named_api.predict(client, {"a b": [[1.5]], "prompt": ["x"]}), named_api.Result)
    assert_type(texts_api.predict(client, ["a"]), list[datetime])
    assert_type(lakes_api.predict(client, [lakes_api.Row(area=1)], unit="feet"), list[float])
    assert_type(agent_api.ask(client, "Hi", persona="x", temperature=1), ChatCompletion)
    assert_type(older_api.ask(client, "Hi", persona="x"), AgentReply)
    assert_type(responses_api.ask(client, "Hi", depth=2), ResponsesReply)
    with agent_api.handle(client).stream("Hi") as stream:
        assert_type(stream.get_final_completion(), ChatCompletion)
    wine_api.read(client.predict("wine", instances=[1]))


async def call_async(client: AsyncServingClient) -> None:
    assert_type(await wine_api.predict_async(client, [row]), list[wine_api.Result])
    assert_type(await agent_api.ask_async(client, "Hi"), ChatCompletion)
"""


MISUSE = """
import image_api
import wine_api
from databricks_serving import ServingClient


def call(client: ServingClient) -> None:
    wine_api.Row(fixed_acidity="7", class_=1, style="red", organic=True)
    wine_api.Row(class_=1, style="red", organic=True)
    wine_api.predict(client, [{"style": "red"}])
    wine_api.predict(client, [], treshold=0.5)
    image_api.predict(client, [[1.5]])
"""


@pytest.fixture
def checked(made, tmp_path):
    """A directory with the packages, for a type checker."""
    for path in made.iterdir():
        shutil.copytree(path, tmp_path / path.name)
    paths = [str(ROOT / name) for name in ("wrapper", "generated")]
    return tmp_path, paths


def mypy(directory, paths, *targets):
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--python-version=3.11"]
    return subprocess.run(
        [*command, "--cache-dir", str(directory / ".cache"), *map(str, targets)],
        env={**os.environ, "MYPYPATH": os.pathsep.join([*paths, str(directory)])},
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )


def test_mypy_finds_nothing_in_the_packages_and_their_use_and_everything_in_misuse(checked):
    directory, paths = checked
    packages = [path for path in directory.iterdir() if path.is_dir()]
    (directory / "use.py").write_text(PROGRAM)
    (directory / "misuse.py").write_text(MISUSE)
    result = mypy(directory, paths, directory / "use.py", directory / "misuse.py", *packages)
    found = [line.split(":")[:2] for line in result.stdout.splitlines() if ": error:" in line]
    assert {Path(name).name for name, _ in found} == {"misuse.py"}, result.stdout
    lines = [line for _, line in found]
    assert lines == ["8", "9", "10", "11", "12"], result.stdout


def test_pyright_finds_nothing_in_the_packages_and_their_use(checked):
    directory, paths = checked
    (directory / "use.py").write_text(PROGRAM)
    settings = {"typeCheckingMode": "strict", "pythonVersion": "3.11", "extraPaths": paths}
    (directory / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable]
    result = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
