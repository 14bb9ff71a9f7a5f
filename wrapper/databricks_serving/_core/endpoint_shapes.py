"""Whether the description of an endpoint has the shape that its type promises."""

from typing import Any

from databricks_serving._core.checks import (
    check_optional,
    fill,
    objects,
    optional_object,
    optional_objects,
    wrong,
)


def check_endpoint_list(data: dict[str, Any], _expected: int | None = None) -> None:
    """Check and complete a list of endpoints."""
    fill(data, "endpoints", [])
    for position, endpoint in enumerate(objects(data, "endpoints", "")):
        _check(endpoint, f"endpoints[{position}]")


def check_endpoint(data: dict[str, Any], _expected: int | None = None) -> None:
    """Check the description of an endpoint."""
    _check(data, "")


def check_openapi(data: dict[str, Any], _expected: int | None = None) -> None:
    """Check the OpenAPI document of an endpoint."""
    if type(data.get("openapi")) is not str:
        raise wrong("openapi", "a version of OpenAPI")
    optional_object(data, "paths", "")


def _check(data: dict[str, Any], path: str) -> None:
    inner = f"{path}." if path else ""
    if type(data.get("name")) is not str:
        raise wrong(f"{inner}name", "a text")
    check_optional(data, "task", str, path)
    state = optional_object(data, "state", path)
    for key in ("ready", "config_update"):
        check_optional(state, key, str, f"{inner}state")
    for key in ("config", "pending_config"):
        config = optional_object(data, key, path)
        for name in ("served_entities", "served_models"):
            for position, entity in enumerate(optional_objects(config, name, f"{inner}{key}")):
                place = f"{inner}{key}.{name}[{position}]"
                check_optional(entity, "name", str, place)
                deployed = optional_object(entity, "state", place)
                for part in ("deployment", "deployment_state_message"):
                    check_optional(deployed, part, str, f"{place}.state")
    optional_objects(data, "tags", path)
