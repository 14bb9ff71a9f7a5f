"""The local endpoint's app behind the driver proxy of a cluster."""

import pytest

APP = "/driver-proxy-api/o/0/0101-000000-abc/7777"


@pytest.mark.parametrize("path", [APP, f"{APP}/", f"{APP}/generate"])
def test_an_app_answers_a_prompt_with_a_bare_text(call, path):
    answer = call("", {"prompt": "How are you? Well?", "stop": ["?"]}, path=path)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json == "You said: How are you"


@pytest.mark.parametrize(
    ("body", "said"), [({}, "wants a prompt"), ({"prompt": "a", "stop": "."}, "a list of strings")]
)
def test_an_app_refuses_what_is_no_prompt(call, body, said):
    answer = call("", body, path=APP)
    assert (answer.status, said in answer.json["message"]) == (400, True)


@pytest.mark.parametrize("path", ["/driver-proxy-api/o/0/c", "/driver-proxy-api/o/0/c/port"])
def test_a_path_without_a_port_is_none(call, path):
    assert call("", {"prompt": "a"}, path=path).status == 404


def test_an_app_takes_no_get_and_asks_for_the_token(call):
    assert call("", path=APP, method="GET").status == 405
    assert call("", {"prompt": "a"}, path=APP, headers={"Authorization": None}).status == 401
