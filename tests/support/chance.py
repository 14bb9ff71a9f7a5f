"""Random input that is the same in every run."""

import random


def source(seed: int) -> random.Random:
    """Return a repeatable source of chance."""
    return random.Random(seed)  # noqa: S311 - repeatable, not secret


def json_value(source: random.Random, depth: int) -> object:
    """Return any JSON value, with the keys and values that replies and errors have."""
    kind = source.randrange(8 if depth else 6)
    if kind == 6:
        return [json_value(source, depth - 1) for _ in range(source.randrange(4))]
    if kind == 7:
        keys = source.sample(KEYS, source.randrange(6))
        return {key: json_value(source, depth - 1) for key in keys}
    scalars = (None, source.random() < 0.5, source.randrange(-3, 600), source.random() * 1e9)
    return scalars[kind] if kind < 4 else source.choice(TEXTS)


# What the code under test looks at, so that chance finds it.
NAMES = """
    arguments choices citation citations code content created data databricks_output
    databricks_service_policy delta detail embedding error error_code external_model_message extra
    finishReason finish_reason function function_call id index logprob logprobs message model name
    object reasoning reasoning_content refusal retry_after role signature status status_code summary
    text token tool_calls top_logprobs type usage prompt_tokens_details completion_tokens_details
    cached_tokens
"""
KEYS = NAMES.split()
TEXTS = [
    "",
    " ",
    "a",
    "text",
    "reasoning",
    "summary_text",
    "summary_encrypted_text",
    "error",
    "stop",
    "{}",
    '{"message": "inner"}',
    '{"finishReason": "guard"}',
    "BAD_REQUEST",
    "BAD_REQUEST: no",
    "<p>page</p>",
    "AACAPw==",
    "\ud800",
    "401",
]
