"""Tests that one of the two clients alone can have."""

import pytest
from shells import AsyncShell, SyncShell

only_async = pytest.mark.parametrize("shell", [AsyncShell], indirect=True, ids=["async"])
only_sync = pytest.mark.parametrize("shell", [SyncShell], indirect=True, ids=["sync"])
