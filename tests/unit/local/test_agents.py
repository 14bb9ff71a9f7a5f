"""The agents of the local endpoint, called with the client that they are for."""

import pytest

from databricks_serving import ServingClient
from databricks_serving.errors import BadRequestError

ROUTES = ["invocations", "openai", "open-responses", "ai-gateway"]


@pytest.fixture(scope="module")
def client(local):
    with ServingClient(local.host, local.token, max_retries=0) as client:
        yield client


@pytest.mark.parametrize("route", ROUTES)
def test_an_agent_uses_its_tool_and_answers(client, route):
    reply = client.responses.create(
        model="local-responses", input="Name a river.", custom_inputs={"a": 1}, route=route
    )
    assert [item.type_ for item in reply.output] == [
        "function_call",
        "function_call_output",
        "message",
    ]
    assert reply.output[1].output == "3"
    assert reply.text == "You said: Name a river."
    assert reply.custom_outputs == {"a": 1}


@pytest.mark.parametrize("route", ROUTES)
def test_a_streamed_answer_is_the_whole_one(client, route):
    ask = {"model": "local-responses", "input": "Name a river.", "route": route}
    options = {"databricks_options": {"return_trace": True}}
    with client.responses.stream(**ask, **options) as stream:
        assert "".join(stream.text_stream) == "You said: Name a river."
        assert stream.chunks.terminated_cleanly
        assert stream.snapshot.trace_id == "tr-local"
    whole = client.responses.create(**ask, **options)
    assert whole.trace_id == "tr-local"
    assert [i.type_ for i in stream.snapshot.output] == [i.type_ for i in whole.output]


def test_the_conversation_goes_on(client):
    first = client.responses.create(model="local-responses", input="One.")
    items = [
        {"role": "user", "content": "One."},
        *first.to_input(),
        {"role": "user", "content": [{"type": "input_text", "text": "Two."}]},
    ]
    assert client.responses.create(model="local-responses", input=items).text == "You said: Two."


def test_an_agent_of_the_older_kind_answers(client):
    ask = {"model": "local-agent", "messages": [{"role": "user", "content": "Name a river."}]}
    whole = client.agents.create(**ask)
    assert [m.role for m in whole.messages] == ["assistant", "tool", "assistant"]
    with client.agents.stream(**ask) as stream:
        final = stream.get_final_completion()
    assert final.text == whole.text == "You said: Name a river."
    assert [m.role for m in final.messages] == [m.role for m in whole.messages]
    assert final.finish_reason == "stop"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"input": []}, "must not be empty"),
        ({"input": "Hi"}, "array"),
        ({"input": [{"role": "user"}], "colour": "red"}, 'unknown field "colour"'),
        ({}, '"input" is a required property'),
    ],
)
def test_what_an_agent_cannot_read_is_refused(call, given, message):
    answer = call("local-responses", given)
    assert answer.status == 400
    assert message in answer.json["message"]


def test_a_route_of_agents_does_not_serve_models(client):
    with pytest.raises(BadRequestError, match="does not serve this API"):
        client.responses.create(model="local-chat", input="Hi", route="openai")
