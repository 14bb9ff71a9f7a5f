"""Libraries and programs that only the commands about contracts need."""

import os
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from databricks_serving.errors import ConfigError

# Both write the output, so another version is another output.
PINS: Final = {"openapi-python-client": "0.29.1", "ruff": "0.17.5"}
TEMPLATES: Final = Path(__file__).parent / "templates"
INSTALL: Final = "pip install 'databricks-serving[contract]'"


def needed(library: str, user: str) -> Any:
    """Import a library that the extra `contract` brings.

    Args:
        library: Its name.
        user: What needs it.

    Raises:
        ConfigError: When it is not installed, with the command that installs it.
    """
    try:
        return import_module(library)
    except ModuleNotFoundError as error:
        if error.name not in {library, library.partition(".")[0]}:
            raise
    raise ConfigError(f"{user} needs {library}: {INSTALL}")


def check_versions() -> None:
    """Refuse every version of a tool but the pinned one.

    Raises:
        ConfigError: When another one is installed, or none.
    """
    for name, pinned in PINS.items():
        try:
            found = version(name)
        except PackageNotFoundError:
            found = "none"
        if found != pinned:
            raise ConfigError(
                f"{name} {pinned} is needed and {found} is installed for {sys.executable}: "
                f"{INSTALL}"
            )


def run_generator(document: Path, config: Path, templates: Path, package: Path) -> None:
    """Have the generator write a package.

    Args:
        document: An OpenAPI document as the generator takes it.
        config: Its configuration.
        templates: A directory of templates that go before its own.
        package: The directory to make.

    Raises:
        ConfigError: When the generator fails, with what it says.
    """
    options = {
        "--path": document,
        "--config": config,
        "--custom-template-path": templates,
        "--output-path": package,
    }
    arguments = [str(word) for option in options.items() for word in option]
    generator = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
    _run([*generator, "--fail-on-warning", *arguments])


def lay_out(package: Path) -> None:
    """Remove unused imports, sort the rest and lay out, by this environment's ruff only.

    Raises:
        ConfigError: When ruff fails, with what it says.
    """
    ruff = [sys.executable, "-m", "ruff"]
    options = ["--isolated", "--no-cache", "--target-version=py311", "--line-length=100"]
    _run([*ruff, "check", *options, "--select=F401,I", "--fix", "--quiet", str(package)])
    _run([*ruff, "format", *options, "--quiet", str(package)])


def _run(command: Sequence[str]) -> None:
    environment = {**os.environ, "NO_COLOR": "1", "PYTHONUTF8": "1"}
    result = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, encoding="utf-8"
    )
    if result.returncode:
        raise ConfigError(f"{' '.join(command)} failed\n{result.stdout}{result.stderr}")
