"""Endpoints, routes, families and usage, as a user's type checker sees them; never run."""

# pyright: strict

from collections.abc import Mapping
from typing import assert_type

from databricks_serving import (
    AsyncServingClient,
    Explanation,
    ServingClient,
    UsageMeter,
    UsageTotals,
)
from databricks_serving.errors import EndpointWaitError
from databricks_serving.families import KNOWN, Change, ModelFamily, Rule
from databricks_serving.models import EndpointOpenApi, ServedEntity, ServingEndpoint


def manage(client: ServingClient) -> None:
    assert_type(client.endpoints.list(timeout=3), list[ServingEndpoint])
    endpoint = client.endpoints.get("m", extra_headers={"x-team": "a"})
    assert_type(endpoint, ServingEndpoint)
    assert_type(endpoint.is_ready, bool)
    assert_type(endpoint.served_entities, list[ServedEntity])
    assert_type(client.endpoints.get_openapi("m"), EndpointOpenApi)
    client.endpoints.wait_ready("m", deadline=600, on_poll=lambda one: print(one.state))
    created = client.endpoints.create_external(
        name="chat",
        model="gpt-4",
        provider="openai",
        task="llm/v1/chat",
        config={"openai_api_key": "{{secrets/a/b}}"},
        tags={"team": "a"},
    )
    assert_type(created, ServingEndpoint)


async def manage_async(client: AsyncServingClient) -> None:
    assert_type(await client.endpoints.list(), list[ServingEndpoint])
    assert_type(await client.endpoints.wait_ready("m"), ServingEndpoint)
    told = await client.chat.completions.explain(
        model="m", messages=[{"role": "user", "content": "Hi"}]
    )
    assert_type(told, Explanation)


def adapt(client: ServingClient) -> None:
    mine = ModelFamily(name="mine", rules=(Rule(path="stop", do="drop", why="refused"),))
    families: Mapping[str, ModelFamily | str] = {"a": mine, "b": "claude", "c": KNOWN[0]}
    other = client.with_options(adapt="all", families=families, route="openai")
    told = other.chat.completions.explain(
        model="m", messages=[{"role": "user", "content": "Hi"}], adapt="off", stream=True
    )
    assert_type(told.changes, tuple[Change, ...])
    assert_type(told.family, str | None)


def count(client: ServingClient) -> None:
    assert_type(client.usage, UsageMeter)
    assert_type(client.usage.total, UsageTotals)
    assert_type(client.usage.by_served_model, dict[tuple[str, str | None], UsageTotals])


def reason(error: EndpointWaitError) -> str:
    return "; ".join(error.reasons) if not error.timed_out else str(error.ready)
