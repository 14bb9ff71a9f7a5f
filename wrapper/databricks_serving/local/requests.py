"""The requests that the endpoints know, one table for each task.

The tables hold what any foundation-model family takes. Keys that only agents take, such as
`databricks_options`, are unknown here as they are there.
"""

from collections.abc import Mapping
from typing import Final

from databricks_serving.local.rows import OPTIONS, check_rows
from databricks_serving.local.shapes import (
    Check,
    any_object,
    boolean,
    integer,
    list_of,
    map_of,
    number,
    object_of,
    string,
    tagged,
    text_or,
)
from databricks_serving.local.tasks import Task

MAX_CHOICES: Final = 5
MAX_BATCH: Final = 150
MAX_DIMENSIONS: Final = 1024
MAX_TOOLS: Final = 32

_TEXT: Final = string()
_NAME: Final = string(pattern="[A-Za-z0-9_-]{1,64}")
_BATCH: Final = list_of(_TEXT, low=1, high=MAX_BATCH)
_PENALTY: Final = number(-2, 2)

_CACHE_CONTROL: Final = object_of({"type": _TEXT, "ttl": _TEXT}, "type")
_MEDIA: Final = object_of({"url": _TEXT}, "url")
_IMAGE: Final = object_of({"url": _TEXT, "detail": string("auto", "low", "high")}, "url")
_AUDIO: Final = object_of({"data": _TEXT, "format": string("wav", "mp3")}, "data", "format")
_FILE: Final = object_of({"filename": _TEXT, "file_data": _TEXT, "file_id": _TEXT})
_SUMMARY: Final = tagged(
    "type",
    {
        "summary_text": object_of({"type": _TEXT, "text": _TEXT, "signature": _TEXT}, "text"),
        "summary_encrypted_text": object_of({"type": _TEXT, "data": _TEXT}, "data"),
    },
)


def _part(key: str, value: Check) -> Check:
    return object_of({"type": _TEXT, key: value, "cache_control": _CACHE_CONTROL}, key)


_PART: Final = tagged(
    "type",
    {
        "text": _part("text", _TEXT),
        "image_url": _part("image_url", _IMAGE),
        "input_audio": _part("input_audio", _AUDIO),
        "audio_url": _part("audio_url", _MEDIA),
        "video_url": _part("video_url", _MEDIA),
        "file": _part("file", _FILE),
        "reasoning": _part("summary", list_of(_SUMMARY)),
    },
)
_CONTENT: Final = text_or(list_of(_PART))

_TOOL_CALL: Final = object_of(
    {
        "id": _TEXT,
        "type": string("function"),
        "function": object_of({"name": _TEXT, "arguments": _TEXT}, "name"),
        "index": integer(0),
        "thought_signature": _TEXT,
        "extra_content": any_object,
    },
    "id",
    "type",
    "function",
)
_MESSAGE_FIELDS: Final[Mapping[str, Check]] = {
    "role": _TEXT,
    "content": _CONTENT,
    "name": _TEXT,
    "tool_calls": list_of(_TOOL_CALL),
    "tool_call_id": _TEXT,
    "refusal": _TEXT,
    "reasoning_content": _TEXT,
}
_MESSAGE: Final = tagged(
    "role",
    {
        "system": object_of(_MESSAGE_FIELDS, "content"),
        "developer": object_of(_MESSAGE_FIELDS, "content"),
        "user": object_of(_MESSAGE_FIELDS, "content"),
        "assistant": object_of(_MESSAGE_FIELDS),
        "tool": object_of(_MESSAGE_FIELDS, "content", "tool_call_id"),
    },
)

_TOOL: Final = object_of(
    {
        "type": string("function"),
        "function": object_of(
            {"name": _NAME, "description": _TEXT, "parameters": any_object, "strict": boolean},
            "name",
        ),
        "cache_control": _CACHE_CONTROL,
    },
    "type",
    "function",
)
_NAMED_TOOL: Final = object_of(
    {"type": string("function"), "function": object_of({"name": _TEXT}, "name")},
    "type",
    "function",
)
_JSON_SCHEMA: Final = object_of(
    {"name": _TEXT, "description": _TEXT, "schema": any_object, "strict": boolean},
    "name",
    "schema",
)
_RESPONSE_FORMAT: Final = tagged(
    "type",
    {
        "text": object_of({"type": _TEXT}),
        "json_object": object_of({"type": _TEXT}),
        "json_schema": object_of({"type": _TEXT, "json_schema": _JSON_SCHEMA}, "json_schema"),
    },
)

_TRACKING: Final[Mapping[str, Check]] = {
    "model": _TEXT,
    "user": _TEXT,
    "usage_context": map_of(_TEXT),
    "client_request_id": _TEXT,
    "extra_params": any_object,
}
# What agents take, whichever kind they are of.
_AGENT: Final[Mapping[str, Check]] = {
    "stream": boolean,
    "custom_inputs": any_object,
    "context": object_of({"conversation_id": _TEXT, "user_id": _TEXT}),
    "databricks_options": OPTIONS,
}
_SAMPLING: Final[Mapping[str, Check]] = {
    "max_tokens": integer(1),
    "temperature": number(0, 2),
    "top_p": number(0, 1),
    "top_k": integer(1),
    "n": integer(1, MAX_CHOICES),
    "stop": text_or(list_of(_TEXT)),
    "stream": boolean,
    "stream_options": object_of({"include_usage": boolean}),
    "frequency_penalty": _PENALTY,
    "presence_penalty": _PENALTY,
    "seed": integer(),
}

REQUESTS: Final[Mapping[Task, Check]] = {
    Task.CHAT: object_of(
        {
            **_TRACKING,
            **_SAMPLING,
            "messages": list_of(_MESSAGE, low=1),
            "max_completion_tokens": integer(1),
            "tools": list_of(_TOOL, high=MAX_TOOLS),
            "tool_choice": text_or(_NAMED_TOOL, "none", "auto", "required"),
            "parallel_tool_calls": boolean,
            "response_format": _RESPONSE_FORMAT,
            "logprobs": boolean,
            "top_logprobs": integer(0, 20),
            "logit_bias": map_of(number(-100, 100)),
            "reasoning_effort": _TEXT,
            "thinking": object_of(
                {
                    "type": string("enabled", "disabled", "adaptive"),
                    "budget_tokens": integer(1024),
                },
                "type",
            ),
            "output_config": object_of({"effort": _TEXT}),
            "google_search": any_object,
            "service_tier": _TEXT,
        },
        "messages",
    ),
    Task.COMPLETION: object_of(
        {
            **_TRACKING,
            **_SAMPLING,
            "prompt": text_or(_BATCH),
            "suffix": _TEXT,
            "echo": boolean,
            "error_behavior": string("truncate", "error"),
            "use_raw_prompt": boolean,
            "best_of": integer(1),
            "logprobs": integer(0, 5),
        },
        "prompt",
    ),
    Task.EMBEDDING: object_of(
        {
            **_TRACKING,
            "input": text_or(_BATCH),
            "instruction": _TEXT,
            "dimensions": integer(1, MAX_DIMENSIONS),
            "encoding_format": string("float", "base64"),
        },
        "input",
    ),
    Task.RESPONSES: object_of(
        {
            **_TRACKING,
            **_AGENT,
            "input": list_of(any_object, low=1),
            "instructions": _TEXT,
            "tools": list_of(any_object),
            "tool_choice": text_or(any_object),
            "parallel_tool_calls": boolean,
            "max_output_tokens": integer(1),
            "temperature": number(0, 2),
            "top_p": number(0, 1),
            "reasoning": any_object,
            "text": any_object,
            "truncation": string("auto", "disabled"),
            "metadata": map_of(_TEXT),
            "store": boolean,
        },
        "input",
    ),
    Task.AGENT: object_of(
        {**_TRACKING, **_AGENT, "messages": list_of(any_object, low=1)}, "messages"
    ),
    Task.CUSTOM: check_rows,
}
