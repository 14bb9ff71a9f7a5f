"""The local endpoint as a user's type checker sees it; checked by mypy and pyright, never run."""

# pyright: strict

from collections.abc import Mapping
from pathlib import Path
from typing import Any, assert_type

from databricks_serving.local import (
    ConfigDict,
    EndpointState,
    LocalEndpoint,
    LoggedRequest,
    RequestLog,
)

SETTINGS: ConfigDict = {
    "token": "made-up",
    "embeddings": "wordllama",
    "endpoints": {
        "plain": None,
        "mine": {
            "family": "gpt-oss",
            "state": "not_ready",
            "ready_after": 3,
            "cold_start": {"seconds": 3, "idle": 600, "answer": "slow"},
            "rate_limit": {"queries_per_minute": 60, "retry_after": False},
            "replies": [{"when": {"last_user_contains": "weather"}, "text": "Sunny."}],
        },
        "recorded": {"recordings": Path("recordings")},
    },
    "oauth": {"token_life": 60},
}


def serve() -> None:
    LocalEndpoint(config="local.yaml", port=8080)
    LocalEndpoint(config=Path("local.json"), embeddings="lexical")
    with LocalEndpoint(config=SETTINGS) as local:
        assert_type(local, LocalEndpoint)
        assert_type(local.endpoints, list[str])
        local.fail_next(2, 429, retry_after=3)
        local.fail_next(fault="cut", endpoint="mine", after_events=3)
        local.clear_faults()
        local.set_state("mine", "asleep")
        local.set_state("mine", EndpointState.NOT_READY, ready_after=3, message="pulling")


def look(local: LocalEndpoint) -> None:
    assert_type(local.requests, RequestLog)
    assert_type(local.requests[0], LoggedRequest)
    assert_type(local.requests.expect("mine", times=1), list[LoggedRequest])
    assert_type(local.requests.of("mine"), list[LoggedRequest])
    for request in local.requests:
        assert_type(request.status, int | None)
        assert_type(request.headers, Mapping[str, str])
        assert_type(request.json, Any)
