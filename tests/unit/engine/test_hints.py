"""What helps, said in one line where a cause is well known."""

import httpx
import pytest
import wire

from databricks_serving import RetryPolicy
from databricks_serving.errors import EndpointNotReadyError, ServingError

OPTIMISED = "https://abc.serving.cloud.databricks.com/123"


def failure(shell, status, body, host=wire.HOST, token=wire.TOKEN, **options):
    transport = httpx.MockTransport(lambda _: httpx.Response(status, **body))
    client = shell.client_class(host, token, transport=transport, max_retries=0, **options)
    with pytest.raises(ServingError) as caught:
        shell.wait(client.chat.completions.create(model="rivers", messages=wire.USER))
    return caught.value


def said(message):
    return {"json": {"error_code": "X", "message": message}}


@pytest.mark.parametrize(
    ("status", "message", "hint"),
    [
        (403, "Invalid access token.", "workspace.example.com"),
        (403, "Invalid Token", "has expired"),
        (403, "User does not have permission", "CAN QUERY on 'rivers'"),
        (403, "IP address 1.2.3.4 is not allowed by the IP ACL [ReqId: 1]", "network"),
        (403, "Access denied: blocked by network policy", "network"),
        (403, "Source IP address: 1.2.3.4 is blocked by Databricks IP access list", "IP access"),
        (403, "This principal may not skip", "CAN QUERY"),
        (403, "temporarily disabled due to a Databricks-set rate limit of 0", "switched off"),
        (404, "Endpoint with name 'rivers' does not exist.", "workspace.example.com"),
        (413, "too large", "4 MiB for foundation models"),
        (429, "account daily spend limit exceeded", "hours"),
        (503, "scaling up from zero", "cold_start_timeout"),
        (400, "no", None),
        (400, "Model is missing inputs ['a'].", "needs the column 'a' as well"),
        (
            400,
            "Model is missing inputs ['a', 'b']. Note that there were extra inputs: ['c'].",
            "needs the columns 'a', 'b' as well, and does not know the column 'c'",
        ),
        (400, 'Bad request: json: unknown field "input"', "client.endpoints.get(name).task"),
        (429, "slow down", None),
        (500, "no", None),
    ],
)
def test_a_known_cause_has_a_hint(shell, status, message, hint):
    error = failure(shell, status, said(message))
    if hint is None:
        assert error.hint is None
    else:
        assert hint in error.hint
        assert str(error).endswith(f"; hint: {error.hint}")


def test_a_model_that_failed_has_its_stack_named(shell):
    error = failure(shell, 400, {"json": {"message": "no", "stack_trace": "in predict"}})
    assert error.hint == "the model's own code failed; error.body['stack_trace'] shows where"
    assert failure(shell, 400, {"text": "no"}).hint is None


def test_a_page_that_refuses_is_not_taken_for_a_workspace(shell):
    error = failure(shell, 403, {"html": "<html>Forbidden by the firewall</html>"})
    assert error.hint.startswith("this is no answer of a workspace")


def test_a_wait_for_a_cold_start_that_was_too_short_is_not_told_to_begin_one(shell):
    client = shell.client(
        wire.json_reply({"message": "scaling up from zero"}, status=503),
        retry=RetryPolicy(cold_start_timeout=5),
    )
    with pytest.raises(EndpointNotReadyError) as caught:
        shell.wait(client.chat.completions.create(model="m", messages=wire.USER))
    assert caught.value.retry_stopped_by == "cold_start"
    assert "longer cold_start_timeout" in caught.value.hint


def test_a_page_that_is_not_there_asks_whether_the_host_is_a_workspace(shell):
    error = failure(shell, 404, {"html": "<html>Not here</html>"})
    assert error.hint == "is workspace.example.com the address of a workspace?"


@pytest.mark.parametrize("status", [401, 403])
def test_a_personal_token_at_a_route_optimised_endpoint_is_told(shell, status):
    error = failure(shell, status, said("no"), host=OPTIMISED)
    assert "route_optimized" in error.hint
    other = failure(shell, status, said("no"), host=OPTIMISED, token="eyJhbGciOi")
    assert "route_optimized" not in (other.hint or "")
    assert wire.TOKEN not in str(error)


@pytest.mark.parametrize(
    ("body", "call"),
    [
        ({"messages": []}, "client.agents"),
        ({"output": []}, "client.responses"),
        ({"predictions": [1]}, "client.predict"),
        ({"data": []}, "client.embeddings"),
        ({"choices": 7, "messages": []}, None),
        ({"something": 1}, None),
    ],
)
def test_the_answer_of_another_task_is_known(shell, body, call):
    said = str(failure(shell, 200, {"json": body}))
    assert "choices is not a list" in said
    other = f"; it is an answer for {call}: this endpoint has another task"
    assert (other in said) if call else ("it is an answer for" not in said)
