"""Endpoints for models of other providers: what creating one sends, and no secret among it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from databricks_serving._core.json_codec import kind_of
from databricks_serving.errors import InvalidRequestError

# fact: the key under which each provider's configuration stands.
_CONFIG_KEYS: Final[Mapping[str, str]] = {
    "ai21labs": "ai21labs_config",
    "amazon-bedrock": "amazon_bedrock_config",
    "anthropic": "anthropic_config",
    "cohere": "cohere_config",
    "custom": "custom_provider_config",
    "databricks-model-serving": "databricks_model_serving_config",
    "google-cloud-vertex-ai": "google_cloud_vertex_ai_config",
    "openai": "openai_config",
    "palm": "palm_config",
}
# fact: a secret `x` is given as a reference, or as itself under the key `x_plaintext`.
_PLAINTEXT: Final = "_plaintext"
_SECRET_KEY: Final = re.compile(
    r"(?:.*_)?(?:api_key|access_key|access_key_id|private_key|secret|token|password)",
    re.IGNORECASE,
)
# The login of a custom provider is an object with the secret inside.
_NESTED: Final[Mapping[str, str]] = {"api_key_auth": "value", "bearer_token_auth": "token"}
_REFERENCE: Final = re.compile(r"\{\{secrets/[^/{}]+/[^/{}]+\}\}")
_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?")


def new_external_endpoint(
    *,
    name: str,
    model: str,
    provider: str,
    task: str,
    config: Mapping[str, Any],
    served_name: str | None,
    tags: Mapping[str, str] | None,
    allow_plaintext: bool,
) -> dict[str, Any]:
    """Return the arguments of the request that creates an endpoint for an external model.

    Raises:
        InvalidRequestError: When a name cannot be one, the provider is not known, or a secret
            stands there in plain text.
    """
    texts = {"name": name, "model": model, "provider": provider, "task": task}
    for argument, value in texts.items():
        _check_text(argument, value)
    if not _NAME.fullmatch(name):
        raise InvalidRequestError(
            "name must have letters, digits, '-' and '_', at most 63, and begin and end with a "
            f"letter or digit, not {name!r:.80}"
        )
    key = _CONFIG_KEYS.get(provider)
    if key is None:
        raise InvalidRequestError(
            f"provider must be one of {', '.join(_CONFIG_KEYS)}, not {provider!r:.80}"
        )
    _check_secrets(config, allow_plaintext=allow_plaintext)
    external = {"name": model, "provider": provider, "task": task, key: dict(config)}
    entity = {"external_model": external} | ({} if served_name is None else {"name": served_name})
    return {
        "name": name,
        "config": {"served_entities": [entity]},
        "tags": _tags(tags),
    }


def _check_text(argument: str, value: object) -> None:
    if not isinstance(value, str) or not value:
        raise InvalidRequestError(f"{argument} must be a text, not {kind_of(value)}")


def _tags(tags: Mapping[str, str] | None) -> list[dict[str, str]] | None:
    if tags is None:
        return None
    if not isinstance(tags, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] - a user's
        raise InvalidRequestError(f"tags must be a dict, not {kind_of(tags)}")
    return [{"key": key, "value": value} for key, value in tags.items()]


def _check_secrets(config: object, *, allow_plaintext: bool) -> None:
    if not isinstance(config, Mapping):
        raise InvalidRequestError(f"config must be a dict, not {kind_of(config)}")
    for place, key, value in _secrets(config):  # pyright: ignore[reportUnknownArgumentType] - a user's
        if key.endswith(_PLAINTEXT):
            if allow_plaintext:
                continue
            raise InvalidRequestError(
                f"config[{place!r}] would send a secret in plain text: give {key[:-10]!r} a "
                "reference such as '{{secrets/scope/key}}', or pass allow_plaintext=True"
            )
        if not isinstance(value, str) or not _REFERENCE.fullmatch(value):
            raise InvalidRequestError(
                f"config[{place!r}] must be a reference to a secret, such as "
                f"'{{{{secrets/scope/key}}}}'; the secret itself goes under {key + _PLAINTEXT!r}, "
                "with allow_plaintext=True"
            )


def _nested_secrets(place: str, key: str, login: object) -> Iterator[tuple[str, str, object]]:
    if not isinstance(login, Mapping):
        raise InvalidRequestError(f"config[{place!r}] must be a dict, not {kind_of(login)}")
    for name in (key, key + _PLAINTEXT):
        if name in login:
            yield f"{place}.{name}", name, login[name]  # pyright: ignore[reportUnknownMemberType] - a user's


def _secrets(config: Mapping[Any, Any]) -> Iterator[tuple[str, str, object]]:
    """Yield the place, the key and the value of every secret."""
    for key, value in config.items():
        text = str(key)
        inner = _NESTED.get(text)
        if inner is not None:
            yield from _nested_secrets(text, inner, value)
        elif text.endswith(_PLAINTEXT) or _SECRET_KEY.fullmatch(text):
            yield text, text, value
