"""`databricks-serving local`: serve until told to stop."""

import signal
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Final

from databricks_serving.local.control import ROUTES
from databricks_serving.local.endpoint import LocalEndpoint
from databricks_serving.local.errors import ModelUnavailableError

_STOPPED: Final = 0
_FAILED: Final = 1
_UNUSABLE: Final = 2
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


def serve(
    *,
    model: str | None,
    token: str | None,
    port: int | None,
    endpoints: Mapping[str, str],
    verbose: bool,
    embeddings: str | None = None,
    config: str | None = None,
) -> int:
    """Serve until Ctrl-C or SIGTERM.

    Returns:
        The exit status: 0 when told to stop, 1 when the port is taken, 2 when the arguments or the
        installed packages do not allow it.
    """
    try:
        local = LocalEndpoint(
            model=model,
            token=token,
            port=port,
            endpoints=endpoints,
            verbose=verbose,
            embeddings=embeddings,
            config=config,
        )
    except ValueError as error:
        print(f"databricks-serving: {error}", file=sys.stderr)
        return _UNUSABLE
    return _serve(local)


def _serve(local: LocalEndpoint) -> int:
    try:
        with _interruptible(), local:
            print(_banner(local), flush=True)
            while True:
                time.sleep(3600)
    except KeyboardInterrupt:
        return _STOPPED
    except ModelUnavailableError as error:
        print(f"databricks-serving: {error}", file=sys.stderr)
        return _UNUSABLE
    except OSError as error:
        print(
            f"databricks-serving: cannot listen on port {local.port}: {error.strerror}",
            file=sys.stderr,
        )
        return _FAILED


@contextmanager
def _interruptible() -> Generator[None, None, None]:
    """Let the first signal interrupt, and no second one disturb the cleaning up."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _banner(local: LocalEndpoint) -> str:
    return f"""\
Serving the {local.model} model on {local.host} (Ctrl-C stops)
Endpoints: {", ".join(local.endpoints)}

export DATABRICKS_HOST={local.host} DATABRICKS_TOKEN={local.token}
curl $DATABRICKS_HOST/serving-endpoints/local-chat/invocations \\
  -H "Authorization: Bearer $DATABRICKS_TOKEN" -H "Content-Type: application/json" \\
  -d '{{"messages": [{{"role": "user", "content": "Hello"}}]}}'

# Instead of DATABRICKS_TOKEN, for OAuth:
# export DATABRICKS_CLIENT_ID={local.oauth.client_id}
# export DATABRICKS_CLIENT_SECRET={local.oauth.client_secret}
# Controls, with the same token: {"; ".join(ROUTES)}
"""
