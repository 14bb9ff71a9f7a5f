"""Endpoints as things: listed, described, waited for and created."""

import json

import httpx
import pytest
import wire

from databricks_serving.errors import (
    APIConnectionError,
    ConflictError,
    EndpointWaitError,
    InvalidRequestError,
    InvalidResponseError,
    NotFoundError,
    PermissionDeniedError,
)
from databricks_serving.models import ServingEndpoint

SECRET = "sk-canary-in-plain-text"
REFERENCE = "{{secrets/team/openai}}"
NEW = {
    "name": "chat",
    "model": "gpt-9",
    "provider": "openai",
    "task": "llm/v1/chat",
    "config": {"openai_api_key": REFERENCE},
}


def described(ready="READY", config_update="NOT_UPDATING", *, message=None, **fields):
    entity = {"name": "e-1", "state": {"deployment_state_message": message}}
    state = {"ready": ready, "config_update": config_update}
    config = {"served_entities": [entity]}
    return {"name": "m", "id": "0123", "state": state, "config": config, **fields}


def in_turn(*answers):
    """Answer each request by the next of these, and then by the last."""
    left = list(answers)

    def answer(_):
        given = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(given, Exception):
            raise given
        return given if isinstance(given, httpx.Response) else wire.json_reply(given)

    return answer


def test_endpoints_are_listed(shell):
    client = shell.client(wire.json_reply({"endpoints": [described(task="llm/v1/chat")]}))
    (endpoint,) = shell.wait(client.endpoints.list())
    assert (endpoint.name, endpoint.task, endpoint.is_ready) == ("m", "llm/v1/chat", True)
    (request,) = shell.transport.requests
    assert (request.method, request.url.path) == ("GET", "/api/2.0/serving-endpoints")
    assert request.content == b""
    assert request.headers["authorization"] == f"Bearer {wire.TOKEN}"


def test_a_workspace_without_endpoints_lists_none(shell):
    client = shell.client(wire.json_reply({}))
    assert shell.wait(client.endpoints.list()) == []


def test_a_request_without_a_body_does_not_offer_extra_body(shell):
    with pytest.raises(InvalidRequestError, match=r"^unknown parameter 'page_size'$"):
        shell.wait(shell.client().endpoints.list(page_size=3))


def test_an_endpoint_is_described_without_loss(shell):
    data = described(task=None, tags=[{"key": "team", "value": "a"}], brand_new={"kept": 1})
    client = shell.client(wire.json_reply(data, x_request_id="r-1"))
    endpoint = shell.wait(client.endpoints.get("m"))
    assert endpoint.to_dict() == data
    assert endpoint.request_id == "r-1"
    assert [entity.name for entity in endpoint.served_entities] == ["e-1"]
    assert shell.transport.requests[0].url.path == "/api/2.0/serving-endpoints/m"


def test_the_older_key_of_served_entities_is_read_as_well():
    endpoint = ServingEndpoint.from_dict(
        {"name": "m", "config": {"served_models": [{"name": "v"}]}}
    )
    assert [entity.name for entity in endpoint.served_entities] == ["v"]
    assert ServingEndpoint.from_dict({"name": "m"}).served_entities == []
    assert not ServingEndpoint.from_dict({"name": "m"}).is_ready


def test_the_contract_of_an_endpoint_is_read(shell):
    document = {"openapi": "3.1.0", "info": {"title": "m"}, "paths": {"/invocations": {}}}
    reply = httpx.Response(200, text=json.dumps(document))  # as the server sends it: text/plain
    client = shell.client(reply)
    assert shell.wait(client.endpoints.get_openapi("m")).to_dict() == document
    assert shell.transport.requests[0].url.path == "/api/2.0/serving-endpoints/m/openapi"


@pytest.mark.parametrize(
    ("call", "body", "place"),
    [
        ("list", {"endpoints": [{}]}, r"endpoints\[0\]\.name is not a text"),
        ("list", {"endpoints": {}}, "endpoints is not a list"),
        ("get", {"name": 7}, "name is not a text"),
        ("get", {"name": "m", "state": {"ready": 1}}, "state.ready is not a text"),
        ("get", {"name": "m", "config": []}, "config is not an object"),
        (
            "get",
            {"name": "m", "config": {"served_entities": [{"name": "v"}, 1]}},
            r"config.served_entities\[1\] is not an object",
        ),
        (
            "get",
            {
                "name": "m",
                "config": {"served_models": [{"state": {"deployment_state_message": []}}]},
            },
            r"config.served_models\[0\].state.deployment_state_message is not a text",
        ),
        ("get_openapi", {"paths": {}}, "openapi is not a version of OpenAPI"),
        ("get_openapi", [], "a JSON list, not an object"),
    ],
)
def test_a_reply_of_another_shape_is_refused(shell, call, body, place):
    client = shell.client(wire.json_reply(body))
    arguments = () if call == "list" else ("m",)
    with pytest.raises(InvalidResponseError, match=place):
        shell.wait(getattr(client.endpoints, call)(*arguments))


def test_errors_are_those_of_every_call(shell):
    body = {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such endpoint"}
    client = shell.client(wire.json_reply(body, 404))
    with pytest.raises(NotFoundError) as caught:
        shell.wait(client.endpoints.get("m"))
    assert caught.value.endpoint == "m"


def test_a_question_is_asked_again_like_every_call(shell):
    client = shell.client(in_turn(httpx.ConnectError("refused"), {"endpoints": []}))
    assert shell.wait(client.endpoints.list()) == []
    assert len(shell.transport.requests) == 2


@pytest.mark.parametrize("name", ["", "a/b", "..", None, 7])
def test_a_name_that_is_none_is_refused(shell, name):
    client = shell.client(wire.json_reply(described()))
    for call in (client.endpoints.get, client.endpoints.wait_ready, client.endpoints.get_openapi):
        with pytest.raises(
            InvalidRequestError, match="name must be the name of a serving endpoint"
        ):
            shell.wait(call(name))
    assert shell.transport.requests == []


def test_an_unknown_option_is_refused(shell):
    client = shell.client(wire.json_reply(described()))
    with pytest.raises(InvalidRequestError, match="did you mean 'timeout'"):
        shell.wait(client.endpoints.get("m", timeot=1))


def test_waiting_asks_until_the_endpoint_is_ready(shell):
    answers = [described("NOT_READY", "IN_PROGRESS")] * 3
    client = shell.client(in_turn(*answers, described("READY", "IN_PROGRESS"), described()))
    seen = []
    endpoint = shell.wait(client.endpoints.wait_ready("m", on_poll=seen.append))
    assert endpoint.is_ready
    assert [one.is_ready for one in seen] == [False, False, False, True, True]
    assert shell.clock.slept == [1.0, 2.0, 3.0, 4.0]


def test_pauses_grow_to_ten_seconds(shell):
    client = shell.client(in_turn(*[described("NOT_READY")] * 14, described()), rand=0.5)
    shell.wait(client.endpoints.wait_ready("m"))
    assert shell.clock.slept[8:] == [9.5, 10.5, 10.5, 10.5, 10.5, 10.5]


def test_an_endpoint_that_is_ready_is_not_waited_for(shell):
    client = shell.client(wire.json_reply(described()))
    shell.wait(client.endpoints.wait_ready("m"))
    assert shell.clock.slept == []


def test_an_endpoint_whose_change_failed_but_that_serves_is_ready(shell):
    client = shell.client(wire.json_reply(described("READY", "UPDATE_FAILED")))
    assert shell.wait(client.endpoints.wait_ready("m")).is_ready


@pytest.mark.parametrize("update", ["UPDATE_FAILED", "UPDATE_CANCELED"])
def test_a_failure_ends_the_wait_with_its_reasons(shell, update):
    failed = described("NOT_READY", update, message="no such image")
    pending = {"served_entities": [{"name": "e-2", "state": {"deployment_state_message": "later"}}]}
    client = shell.client(in_turn(described("NOT_READY"), failed | {"pending_config": pending}))
    with pytest.raises(EndpointWaitError, match=f"{update}.*e-2: later; e-1: no such") as caught:
        shell.wait(client.endpoints.wait_ready("m"))
    error = caught.value
    assert (error.endpoint, error.ready, error.config_update) == ("m", "NOT_READY", update)
    assert error.reasons == ("e-2: later", "e-1: no such image")
    assert not error.timed_out
    assert error.elapsed == 1.0


def test_the_wait_ends_with_its_deadline(shell):
    client = shell.client(wire.json_reply(described("NOT_READY", "IN_PROGRESS")))
    with pytest.raises(EndpointWaitError, match="is not ready after 30 s") as caught:
        shell.wait(client.endpoints.wait_ready("m", deadline=30))
    assert caught.value.timed_out
    assert sum(shell.clock.slept) == 30


def test_errors_that_pass_do_not_end_the_wait(shell):
    broken = [wire.json_reply({"message": "busy"}, 503)] * 3
    client = shell.client(in_turn(*broken, described()))
    assert shell.wait(client.endpoints.wait_ready("m")).is_ready


def test_a_lasting_error_ends_the_wait(shell):
    client = shell.client(wire.json_reply({"message": "not yours"}, 403))
    with pytest.raises(PermissionDeniedError):
        shell.wait(client.endpoints.wait_ready("m"))


@pytest.mark.parametrize("deadline", ["1", -1, 0, True])
def test_a_deadline_that_is_none_is_refused(shell, deadline):
    client = shell.client(wire.json_reply(described()))
    with pytest.raises(InvalidRequestError, match="deadline must be"):
        shell.wait(client.endpoints.wait_ready("m", deadline=deadline))


def test_an_endpoint_for_an_external_model_is_created(shell):
    client = shell.client(wire.json_reply(described("NOT_READY", "IN_PROGRESS")))
    endpoint = shell.wait(
        client.endpoints.create_external(**NEW, served_name="v1", tags={"team": "a"})
    )
    assert not endpoint.is_ready
    (request,) = shell.transport.requests
    assert (request.method, request.url.path) == ("POST", "/api/2.0/serving-endpoints")
    external = {
        "name": "gpt-9",
        "provider": "openai",
        "task": "llm/v1/chat",
        "openai_config": {"openai_api_key": REFERENCE},
    }
    assert shell.transport.bodies[0] == {
        "name": "chat",
        "config": {"served_entities": [{"name": "v1", "external_model": external}]},
        "tags": [{"key": "team", "value": "a"}],
    }


def test_creating_is_not_repeated_where_it_may_have_come_through(shell):
    client = shell.client(in_turn(httpx.ReadError("reset"), described()))
    with pytest.raises(APIConnectionError):
        shell.wait(client.endpoints.create_external(**NEW))
    assert len(shell.transport.requests) == 1


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"openai_api_key": SECRET}, r"config\['openai_api_key'\] must be a reference"),
        ({"openai_api_key": "{{secrets/a}}"}, "must be a reference to a secret"),
        ({"openai_api_key_plaintext": SECRET}, "would send a secret in plain text"),
        ({"aws_secret_access_key": SECRET}, r"config\['aws_secret_access_key'\] must be"),
        ({"aws_access_key_id": 7}, r"config\['aws_access_key_id'\] must be"),
        ({"private_key": SECRET}, r"config\['private_key'\] must be"),
        ({"databricks_api_token": SECRET}, r"config\['databricks_api_token'\] must be"),
        ({"microsoft_entra_client_secret": SECRET}, "must be a reference"),
        ({"bearer_token_auth": {"token": SECRET}}, r"config\['bearer_token_auth.token'\] must"),
        ({"api_key_auth": {"key": "x-key", "value": SECRET}}, r"'api_key_auth.value'\] must be"),
        ({"api_key_auth": {"key": "x", "value_plaintext": SECRET}}, "in plain text"),
        ({"bearer_token_auth": SECRET}, r"config\['bearer_token_auth'\] must be a dict, not str"),
        ({"OPENAI_API_KEY": SECRET}, r"config\['OPENAI_API_KEY'\] must be a reference"),
        ([SECRET], "config must be a dict, not list"),
    ],
)
def test_a_secret_in_plain_text_is_refused_and_not_shown(shell, config, message):
    client = shell.client(wire.json_reply(described()))
    with pytest.raises(InvalidRequestError, match=message) as caught:
        shell.wait(client.endpoints.create_external(**NEW | {"config": config}))
    assert SECRET not in repr(caught.value)
    assert shell.transport.requests == []


def test_a_secret_in_plain_text_is_sent_if_it_must_be(shell):
    client = shell.client(wire.json_reply(described()))
    config = {"openai_api_key_plaintext": SECRET, "openai_api_base": "https://x.example.com"}
    shell.wait(client.endpoints.create_external(**NEW | {"config": config}, allow_plaintext=True))
    entity = shell.transport.bodies[0]["config"]["served_entities"][0]
    assert entity["external_model"]["openai_config"] == config
    still = NEW | {"config": {"openai_api_key": SECRET}}
    with pytest.raises(InvalidRequestError, match="goes under 'openai_api_key_plaintext'"):
        shell.wait(client.endpoints.create_external(**still, allow_plaintext=True))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": "a b"}, "name must have letters"),
        ({"name": "-a"}, "begin and end with a letter or digit"),
        ({"name": "a" * 64}, "at most 63"),
        ({"name": 7}, "name must be a text, not int"),
        ({"model": ""}, "model must be a text"),
        ({"provider": "acme"}, r"provider must be one of ai21labs, amazon-bedrock.*, not 'acme'"),
        ({"tags": ["a"]}, "tags must be a dict, not list"),
        ({"tags": {"a": object()}}, r"tags\[0\].value is of type object"),
    ],
)
def test_what_cannot_be_created_is_refused(shell, given, message):
    client = shell.client(wire.json_reply(described()))
    with pytest.raises(InvalidRequestError, match=message):
        shell.wait(client.endpoints.create_external(**NEW | given))
    assert shell.transport.requests == []


def test_the_callers_objects_are_left_alone(shell):
    client = shell.client(wire.json_reply(described()))
    config, tags = {"openai_api_key": REFERENCE}, {"team": "a"}
    shell.wait(client.endpoints.create_external(**NEW | {"config": config}, tags=tags))
    assert (config, tags) == ({"openai_api_key": REFERENCE}, {"team": "a"})


@pytest.mark.parametrize("code", ["RESOURCE_ALREADY_EXISTS", "ALREADY_EXISTS"])
def test_a_name_that_is_taken_is_not_tried_again(shell, code):
    client = shell.client(lambda _: wire.json_reply({"error_code": code, "message": "no"}, 409))
    with pytest.raises(ConflictError):
        shell.wait(client.endpoints.create_external(**NEW))
    assert len(shell.transport.requests) == 1


async def show_later(described):
    """Show a description, some time."""


@pytest.mark.parametrize("on_poll", [7, "print", show_later])
def test_what_is_to_be_called_with_each_description_must_be_a_function(shell, on_poll):
    client = shell.client(wire.json_reply(described()))
    with pytest.raises(InvalidRequestError, match="on_poll must be a function, and not an async"):
        shell.wait(client.endpoints.wait_ready("m", on_poll=on_poll))
    assert shell.transport.requests == []
