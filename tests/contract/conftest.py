from collections.abc import Iterator

import pytest
from driver import AiohttpDriver, AsyncDriver, SyncDriver
from replay import ReplayServer, replaying


@pytest.fixture(scope="session")
def server() -> Iterator[ReplayServer]:
    with replaying() as running:
        yield running


@pytest.fixture(params=[SyncDriver, AsyncDriver, AiohttpDriver], ids=["sync", "async", "aiohttp"])
def connect(request):
    return lambda server: request.param(server.host)
