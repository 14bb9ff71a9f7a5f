"""A workspace for code under test that takes it from the environment."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

HOST: Final = "https://workspace.example.com"
TOKEN: Final = "made-up"  # noqa: S105 - no token
_CREDENTIALS: Final = (
    "DATABRICKS_TOKEN",
    "DATABRICKS_CLIENT_ID",
    "DATABRICKS_CONFIG_PROFILE",
    "DATABRICKS_AUTH_TYPE",
)


@contextmanager
def made_up_workspace() -> Generator[None]:
    """Have the environment name a workspace and a token, where it names none, for a while."""
    added: dict[str, str] = {}
    if not os.environ.get("DATABRICKS_HOST"):
        added["DATABRICKS_HOST"] = HOST
    if not any(os.environ.get(name) for name in _CREDENTIALS):
        added["DATABRICKS_TOKEN"] = TOKEN
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
