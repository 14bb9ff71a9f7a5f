import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from databricks_serving_api import models

RECORDINGS = Path(__file__).parents[3] / "shared" / "recordings"
WHOLE = {
    "chat": models.ChatCompletion,
    "completions": models.Completion,
    "embeddings": models.EmbeddingResponse,
    "error": models.ErrorBody,
    "responses": models.ResponsesReply,
}
EVENTS = {
    "chat": models.ChatCompletionChunk,
    "completions": models.CompletionChunk,
    "responses": models.ResponsesEvent,
}

USAGE = {
    "prompt_tokens": 31,
    "completion_tokens": None,
    "total_tokens": 40,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": None},
    "completion_tokens_details": None,
    "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_2h_input_tokens": 1},
}
ANSWER = {
    "id": None,
    "object": "chat.completion",
    "created": 1790000000,
    "model": "claude-next",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": [
                    {
                        "type": "reasoning",
                        "summary": [
                            {"type": "summary_text", "text": "Hm.", "signature": "c2ln"},
                            {"type": "summary_encrypted_text", "data": "eA=="},
                            {"type": "summary_video", "frames": [1, 2]},
                        ],
                    },
                    {"type": "text", "text": "Hello.", "citations": [{"url": "http://a"}]},
                    {"type": "hologram", "depth": 3.0},
                ],
                "tool_calls": [
                    {
                        "id": "",
                        "type": "function",
                        "function": {"name": "f", "arguments": ""},
                        "extra_content": {"google": {"thought_signature": "dA=="}},
                    }
                ],
                "refusal": None,
            },
            "finish_reason": "tool_calls",
            "logprobs": None,
        },
        {"index": 1, "message": {}, "finish_reason": None, "stop_reason": None},
        {"index": 2, "message": {"content": {"city": "Bergen"}}, "finish_reason": "bored"},
    ],
    "usage": USAGE,
    "prompt_filter_results": [],
}
CHUNK = {
    "id": "",
    "object": "chat.completion.chunk",
    "created": 0,
    "model": None,
    "choices": [
        {
            "index": 0,
            "delta": {
                "content": None,
                "tool_calls": [
                    {"index": 1, "id": "c", "function": {"name": "f", "arguments": None}},
                    {"index": None, "function": None},
                ],
            },
            "finish_reason": None,
        },
        {"index": 1, "delta": {"role": "assistant", "content": [{"type": "text", "text": ""}]}},
    ],
    "usage": None,
}
REQUEST = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?", "cache_control": {"type": "ephemeral"}},
                {"type": "image_url", "image_url": {"url": "data:,", "detail": "auto"}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
            ],
        },
        {"role": "tool", "content": "4", "tool_call_id": "c"},
        {"role": "critic", "content": "No."},
    ],
    "tools": [
        {
            "type": "function",
            "function": {"name": "f", "parameters": {"type": "object", "properties": {}}},
        }
    ],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}},
    "stop": ["\n"],
    "temperature": 0,
    "top_p": 1.0,
    "chat_template_kwargs": {"enable_thinking": False},
}
COMPLETION = {
    "id": "cmpl",
    "object": "text_completion",
    "choices": [{"index": 0, "text": " so", "finish_reason": "length", "logprobs": None}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
EMBEDDINGS = {
    "object": "list",
    "data": [
        {"object": "embedding", "index": 0, "embedding": [0.25, -1e-08, 1]},
        {"object": "embedding", "index": 1, "embedding": "AACAPw=="},
    ],
    "model": "bge",
    "usage": {"prompt_tokens": 3, "total_tokens": 3},
}
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1790000000.5,
    "status": None,
    "output": [
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [
                {"type": "output_text", "text": "Hello.", "annotations": [{"type": "url"}]},
                {"type": "refusal", "refusal": "No."},
                {"type": "hologram", "depth": 3.0},
            ],
        },
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}", "id": None},
        {"type": "function_call_output", "call_id": "c", "output": [{"type": "text", "text": "4"}]},
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "Hm."}],
            "encrypted_content": "eA==",
        },
        {"type": "mcp_approval_request", "id": "a", "name": "f", "arguments": "", "server_label": ""},
        {"type": "mcp_approval_response", "approval_request_id": "a", "approve": True},
        {"type": "web_search_call", "id": "ws", "status": "failed", "error": {"code": 7}},
    ],
    "usage": {
        "input_tokens": 3,
        "output_tokens": 4,
        "total_tokens": 7,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens_details": None,
    },
    "error": {"code": "server_error", "message": "It failed."},
    "incomplete_details": {"reason": "max_output_tokens"},
    "metadata": {"trace_id": "tr-1"},
    "custom_outputs": {"a": [1, None]},
    "databricks_output": {"trace": {"info": {"trace_id": "tr-1"}}, "databricks_request_id": "r"},
    "tool_choice": "auto",
}
RESPONSE_EVENTS = [
    {
        "type": "response.output_text.delta",
        "item_id": "msg_1",
        "output_index": 0,
        "content_index": None,
        "delta": "Hel",
        "logprobs": [],
    },
    {"type": "response.output_item.done", "item": RESPONSE["output"][0], "custom_outputs": {}},
    {"type": "response.completed", "response": RESPONSE, "sequence_number": 9},
    {"type": "function_call_output", "call_id": "c", "output": {"a": 1}},
    {"trace_id": "tr-1"},
]
AGENT = {
    "messages": [
        {
            "role": "assistant",
            "content": "",
            "id": "1",
            "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
            ],
        },
        {"role": "tool", "content": "4", "tool_call_id": "c", "id": None, "name": "f"},
        {"role": "assistant", "content": None, "attachments": {"a": 1}},
    ],
    "finish_reason": "stop",
    "custom_outputs": None,
    "usage": USAGE,
}
AGENT_CHUNK = {"delta": AGENT["messages"][0], "id": "x", "finish_reason": None}
PREDICTION = {"predictions": [{"a": 1.5}, None], "databricks_output": {"trace": {}}}
ENDPOINT = {
    "name": "m",
    "id": "0123",
    "state": {"ready": "READY", "config_update": "NOT_UPDATING", "suspend": None},
    "config": {
        "served_entities": [
            {
                "name": "m-1",
                "external_model": {"name": "x", "provider": "openai", "task": "llm/v1/chat"},
                "state": {"deployment": "DEPLOYMENT_READY", "deployment_state_message": ""},
            }
        ],
        "traffic_config": {"routes": [{"served_model_name": "m-1", "traffic_percentage": 100}]},
    },
    "pending_config": None,
    "task": "llm/v1/chat",
    "tags": [{"key": "team", "value": None}],
    "data_plane_info": {"query_info": {"endpoint_url": "https://a", "authorization_details": "[]"}},
    "ai_gateway": {"guardrails": {"input": {"safety": True}}},
}
ERRORS = [
    {"error_code": "BAD_REQUEST", "message": 'json: unknown field "seed"'},
    {"error_code": 401, "message": "Credential was not sent"},
    {"error": {"message": "slow down", "type": "rate_limit", "code": 429, "param": None}},
    {"error": "invalid_token"},
    {"detail": [{"loc": ["body"], "msg": "missing"}]},
]


@pytest.fixture(scope="session")
def payloads():
    """Pairs of a model and a JSON object that it reads."""
    return [
        (models.ChatCompletion, ANSWER),
        (models.ChatCompletionChunk, CHUNK),
        (models.ChatRequest, REQUEST),
        (models.Completion, COMPLETION),
        (models.CompletionChunk, COMPLETION),
        (models.EmbeddingResponse, EMBEDDINGS),
        (models.ResponsesReply, RESPONSE),
        *((models.ResponsesEvent, event) for event in RESPONSE_EVENTS),
        (models.AgentReply, AGENT),
        (models.AgentChunk, AGENT_CHUNK),
        (models.PredictionResponse, PREDICTION),
        (models.ServingEndpoint, ENDPOINT),
        (models.ServingEndpointList, {"endpoints": [ENDPOINT, {"name": None}]}),
        *((models.ErrorBody, error) for error in ERRORS),
    ]


@pytest.fixture(scope="session")
def recorded():
    """The same from recordings beside the checkout, where there are any."""
    return [pair for path in sorted(RECORDINGS.glob("*.json")) for pair in _pairs(path)]


def _pairs(path: Path) -> Iterator[tuple[type, object]]:
    recording = json.loads(path.read_text(encoding="utf-8"))
    body = recording["body"]
    if isinstance(body, dict) and (model := WHOLE.get(recording["task"])):
        yield model, body
    if isinstance(body, str) and (model := EVENTS.get(recording["task"])):
        for line in body.splitlines():
            if line.startswith("data: {"):
                yield model, json.loads(line.removeprefix("data: "))
