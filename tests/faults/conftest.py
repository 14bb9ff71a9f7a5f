"""Every test of a row runs over both clients, and is watched for secrets and leaks.

A test names its rows with `@pytest.mark.row("T-13")`, literally, and takes the fixture `house`.
After it, the same clients serve a good call, unless they were made with `healthy=False`.
"""

from collections.abc import Iterator

import pytest

from .support.capture import listening
from .support.house import House


def pytest_configure(config):
    config.addinivalue_line("markers", "row(*ids): the rows of the fault matrix that a test proves")


_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture
def house(shell, capfd, monkeypatch) -> Iterator[House]:
    """Servers and clients for a row."""
    for name in _PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with listening() as listener:
        house = House(shell, listener, capfd.readouterr)
        try:
            yield house
            house.check_health()
            house.check_secrets()
        finally:
            house.close()
        house.check_leaks()
