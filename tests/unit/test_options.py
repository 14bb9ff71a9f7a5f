"""Timeouts, retries and headers of a client, and of its copies."""

import asyncio
import contextlib
import copy
import json
import pickle

import httpx
import pytest
import raw_server
import wire

from databricks_serving import Limits, RetryPolicy, Timeouts
from databricks_serving.errors import (
    APIConnectionError,
    ConfigError,
    InternalServerError,
    InvalidRequestError,
)

BAD_SECONDS = [0, -1, float("nan"), float("inf"), True, "5", b"5", 10**400, 2e9, [5], object()]


PHASES = ["pool", "connect", "write", "first_byte", "idle", "total"]


def timeouts_of(client):
    return client._caller.settings.timeouts


@pytest.mark.parametrize("seconds", BAD_SECONDS, ids=lambda s: repr(s)[:8])
@pytest.mark.parametrize("phase", PHASES)
def test_a_phase_that_is_no_number_of_seconds_is_refused_by_name(seconds, phase):
    with pytest.raises(ConfigError, match=rf"timeout \({phase}\)"):
        Timeouts(**{phase: seconds})


@pytest.mark.parametrize("seconds", BAD_SECONDS, ids=lambda s: repr(s)[:8])
def test_a_timeout_that_is_no_number_of_seconds_is_refused(shell, seconds):
    with pytest.raises(ConfigError, match="timeout must be"):
        shell.client(timeout=seconds)
    with pytest.raises(ConfigError, match="timeout must be"):
        shell.client().with_options(timeout=seconds)


@pytest.mark.parametrize("retries", [-1, 11, 1.0, True, "2", 10**9])
def test_a_number_of_retries_outside_its_range_is_refused(shell, retries):
    with pytest.raises(ConfigError, match="max_retries must be a whole number from 0 to 10"):
        shell.client(max_retries=retries)


def test_one_number_is_a_limit_for_each_phase_but_connecting_stays_short(shell):
    expected = Timeouts(connect=5.0, pool=60, write=60, first_byte=60, idle=60, total=600)
    assert timeouts_of(shell.client(timeout=60)) == expected
    short = Timeouts(**dict.fromkeys(PHASES, 2.5) | {"total": 600.0})
    assert timeouts_of(shell.client(timeout=2.5)) == short


def test_a_long_timeout_lengthens_the_whole_call(shell):
    assert timeouts_of(shell.client(timeout=900)).total == 900


@pytest.mark.parametrize("given", [{"deadline": 7}, {"timeout": Timeouts(total=7)}])
def test_a_whole_call_has_a_limit_of_its_own(shell, given):
    assert timeouts_of(shell.client(**given)).total == 7
    assert timeouts_of(shell.client().with_options(**given)).total == 7


@pytest.mark.parametrize("seconds", BAD_SECONDS, ids=lambda s: repr(s)[:8])
def test_a_deadline_that_is_no_number_of_seconds_is_refused(shell, seconds):
    with pytest.raises(ConfigError, match="deadline must be"):
        shell.client(deadline=seconds)
    client = shell.client(wire.json_reply(wire.chat()))
    with pytest.raises(InvalidRequestError, match="deadline must be"):
        shell.wait(client.chat.completions.create(model="m", messages=wire.USER, deadline=seconds))
    assert shell.transport.requests == []


@pytest.mark.parametrize(
    ("policy", "requests"),
    [(RetryPolicy(), 3), (RetryPolicy(max_reruns=0), 2), (RetryPolicy(max_retries=0), 2)],
)
def test_without_a_second_run_a_connection_that_breaks_is_not_replaced(shell, policy, requests):
    answer = raw_server.response(json.dumps(wire.chat("Hi")).encode())
    with raw_server.raw_server(answer, raw_server.then_close(b""), answer) as server:
        client = shell.client_class(server.host, wire.TOKEN, retry=policy)
        create = client.chat.completions.create
        shell.wait(create(model="m", messages=wire.USER))
        with contextlib.suppress(APIConnectionError):
            shell.wait(create(model="m", messages=wire.USER))
        assert len(server.requests) == requests
        shell.wait(client.close())


GIVEN = {
    "timeout": 20,
    "deadline": 30,
    "max_retries": 0,
    "retry": RetryPolicy(max_reruns=0, cap=7),
    "idempotent": False,
}


@pytest.mark.parametrize("order", [1, -1])
def test_options_that_are_given_one_by_one_add_up_in_any_order(shell, order):
    client = shell.client()
    for name in list(GIVEN)[::order]:
        client = client.with_options(**{name: GIVEN[name]})
    limits = dict.fromkeys(("pool", "write", "first_byte", "idle"), 20)
    assert client.timeouts == Timeouts(connect=5, total=30, **limits)
    assert client.retry == RetryPolicy(max_retries=0, max_reruns=0, cap=7)
    assert client.idempotent is False
    assert client.with_options(timeout=Timeouts(idle=5)).timeouts.first_byte == 20
    assert client.with_options(timeout=Timeouts(idle=None)).timeouts.idle is None
    assert client.with_options(timeout=900).timeouts.total == 30


def test_a_whole_call_lasts_as_long_as_its_longest_phase_unless_told(shell):
    client = shell.client(timeout=Timeouts(first_byte=1200))
    assert client.timeouts.total == 1200
    assert client.with_options(timeout=20).timeouts.total == 600
    assert client.with_options(timeout=Timeouts(first_byte=None)).timeouts.total == 600


def test_what_equals_a_default_is_given_all_the_same(shell):
    client = shell.client(retry=RetryPolicy(max_retries=5), timeout=20)
    client = client.with_options(retry=RetryPolicy(max_retries=2), timeout=Timeouts(idle=60.0))
    assert client.retry.max_retries == 2
    assert client.timeouts.idle == 60.0


def test_values_that_were_copied_or_pickled_know_what_was_given(shell):
    client = shell.client(timeout=20, max_retries=0)
    for clone in (copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))):  # noqa: S301 - our own
        assert client.with_options(timeout=clone(Timeouts())).timeouts == client.timeouts
        assert client.with_options(retry=clone(RetryPolicy())).retry.max_retries == 0


def test_a_callback_stays_with_another_policy(shell):
    client = shell.client(retry=RetryPolicy(on_cold_start=print))
    assert client.with_options(retry=RetryPolicy(cap=7)).retry.on_cold_start is print


@pytest.mark.parametrize("value", [1, 0, "no", [], {}], ids=repr)
def test_a_client_refuses_what_is_neither_true_nor_false(shell, value):
    with pytest.raises(ConfigError, match="idempotent must be a bool"):
        shell.client(idempotent=value)


@pytest.mark.parametrize(("client", "call", "requests"), [(None, None, 2), (False, None, 1),
    (False, True, 2), (None, False, 1)])  # fmt: skip
def test_a_call_goes_before_its_client(shell, client, call, requests):
    one = shell.client(wire.json_reply({}, status=500), idempotent=client)
    create = one.chat.completions.create
    with pytest.raises(InternalServerError):
        shell.wait(create(model="m", messages=wire.USER, idempotent=call))
    assert len(shell.transport.requests) == requests


@pytest.mark.parametrize("value", [1, 0, "no", [], {}], ids=repr)
def test_idempotent_is_true_or_false(shell, value):
    client = shell.client(wire.json_reply(wire.chat()))
    with pytest.raises(InvalidRequestError, match="idempotent must be a bool"):
        shell.wait(client.chat.completions.create(model="m", messages=wire.USER, idempotent=value))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("max_retries", value) for value in (-1, 11, 1.5, True, "2")),
        *(("max_reruns", value) for value in (-1, 11, 1.5, True)),
        *(("base", value) for value in (0, -1, float("nan"), float("inf"), "1", True)),
        *(("cap", value) for value in (0, float("nan"), None)),
        *(("max_retry_after", value) for value in (0, -1, float("nan"))),
        *(("cold_start_timeout", value) for value in (-1, float("nan"), "300", True)),
        ("on_cold_start", 7),
        ("on_cold_start", asyncio.sleep),
    ],
    ids=lambda value: getattr(value, "__name__", repr(value)),
)
def test_a_retry_policy_with_impossible_values_is_refused_by_name(name, value):
    with pytest.raises(ConfigError, match=name):
        RetryPolicy(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("connections", value) for value in (0, -1, 1.5, True, "9", None)),
        *(("keepalive_connections", value) for value in (-1, None)),
        *(("request_bytes", value) for value in (0, None)),
        *(("response_bytes", value) for value in (0, -1, 1.0)),
        *(("event_bytes", value) for value in (0, None)),
        *(("stream_bytes", value) for value in (0, None)),
    ],
    ids=repr,
)
def test_limits_with_impossible_values_are_refused_by_name(name, value):
    with pytest.raises(ConfigError, match=name):
        Limits(**{name: value})


@pytest.mark.parametrize(("name", "value"), [("retry", 3), ("limits", 3), ("retry", {})])
def test_policies_and_limits_are_values_of_their_type(shell, name, value):
    with pytest.raises(ConfigError, match=f"{name} must be"):
        shell.client(**{name: value})


def test_policies_are_values():
    for value in (RetryPolicy(max_retries=3), Limits(connections=3)):
        assert copy.deepcopy(value) == value == pickle.loads(pickle.dumps(value))  # noqa: S301 - our own
        assert hash(value) == hash(copy.copy(value))


def test_a_number_of_retries_goes_over_the_policy(shell):
    policy = RetryPolicy(max_retries=7, base=3)
    client = shell.client(retry=policy, max_retries=1)
    assert client._caller.settings.retry == RetryPolicy(max_retries=1, base=3)
    assert client.with_options(retry=policy)._caller.settings.retry == policy


@pytest.mark.parametrize("option", [{"proxy": "http://127.0.0.1:1"}, {"ssl_context": 1}], ids=list)
def test_options_of_the_default_transport_are_refused_beside_another(shell, option):
    with pytest.raises(ConfigError, match=f"{next(iter(option))} is for the default transport"):
        shell.client(**option)


def test_none_waits_without_end_in_that_phase():
    assert Timeouts(first_byte=None).first_byte is None


def test_timeouts_are_values():
    timeouts = Timeouts(idle=7)
    assert copy.deepcopy(timeouts) == timeouts == pickle.loads(pickle.dumps(timeouts))  # noqa: S301 - our own
    assert hash(timeouts) == hash(Timeouts(idle=7))
    with pytest.raises(AttributeError):
        timeouts.idle = 8


def test_the_defaults_let_a_model_run_for_minutes(shell):
    assert timeouts_of(shell.client()) == Timeouts(
        pool=30.0, connect=5.0, write=60.0, first_byte=300.0, idle=60.0, total=600.0
    )


def test_each_phase_reaches_the_transport(shell):
    client = shell.client(
        wire.json_reply(wire.chat()), timeout=Timeouts(connect=1, pool=2, write=3, first_byte=4)
    )
    shell.wait(client.chat.completions.create(model="m", messages=wire.USER))
    sent = shell.transport.requests[0].extensions["timeout"]
    assert sent == {"connect": 1, "pool": 2, "write": 3, "read": 4}


@pytest.mark.parametrize(("given", "read"), [(7, 7), (Timeouts(first_byte=8), 8), (None, 300.0)])
def test_a_call_can_have_its_own_timeout(shell, given, read):
    client = shell.client(wire.json_reply(wire.chat()))
    shell.wait(client.chat.completions.create(model="m", messages=wire.USER, timeout=given))
    assert shell.transport.requests[0].extensions["timeout"]["read"] == read


@pytest.mark.parametrize("seconds", BAD_SECONDS, ids=lambda s: repr(s)[:8])
def test_a_bad_timeout_of_a_call_is_a_bad_argument(shell, seconds):
    client = shell.client(wire.json_reply(wire.chat()))
    with pytest.raises(InvalidRequestError, match="timeout must be"):
        shell.wait(client.chat.completions.create(model="m", messages=wire.USER, timeout=seconds))
    assert shell.transport.requests == []


def test_default_headers_go_with_every_request(shell):
    client = shell.client(wire.json_reply(wire.chat()), default_headers={"X-Team": "rivers"})
    shell.wait(client.chat.completions.create(model="m", messages=wire.USER))
    assert shell.transport.requests[0].headers["x-team"] == "rivers"


def test_the_user_agent_names_package_and_python_and_can_be_replaced(shell):
    client = shell.client(wire.json_reply(wire.chat()))
    shell.wait(client.chat.completions.create(model="m", messages=wire.USER))
    assert shell.transport.requests[0].headers["user-agent"].startswith("databricks-serving/")
    copied = client.with_options(default_headers={"User-Agent": "app/1"})
    shell.wait(copied.chat.completions.create(model="m", messages=wire.USER))
    assert shell.transport.requests[1].headers["user-agent"] == "app/1"


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer x"},
        {"HOST": "evil.example"},
        {"content-length": "3"},
        {"Content-Type": "text/plain"},
        {"transfer-encoding": "chunked"},
        {"bad name": "x"},
        {"": "x"},
        {"naïve": "x"},
        {"x\r\ny": "x"},
        {7: "x"},
        {"x": "a\r\nb: c"},
        {"x": "a\x00"},
        {"x": "naïve"},
        {"x": " a"},
        {"x": "a "},
        {"x": b"a"},
        {"x": 7},
        {"x": None},
        [("x", "a")],
        "x: a",
    ],
    ids=repr,
)
def test_a_header_that_cannot_be_sent_is_refused(shell, headers):
    with pytest.raises(InvalidRequestError, match="default_headers"):
        shell.client(default_headers=headers)
    client = shell.client(wire.json_reply(wire.chat()))
    with pytest.raises(InvalidRequestError, match="default_headers"):
        client.with_options(default_headers=headers)
    with pytest.raises(InvalidRequestError, match="extra_headers"):
        shell.wait(
            client.chat.completions.create(model="m", messages=wire.USER, extra_headers=headers)
        )
    assert shell.transport.requests == []


def test_a_refused_header_value_is_not_shown(shell):
    with pytest.raises(InvalidRequestError) as caught:
        shell.client(default_headers={"x-key": "canary\n"})
    assert "canary" not in str(caught.value)


def test_headers_of_a_call_go_over_those_of_the_client(shell):
    client = shell.client(wire.json_reply(wire.chat()), default_headers={"x-a": "1", "x-b": ""})
    shell.wait(
        client.chat.completions.create(
            model="m", messages=wire.USER, extra_headers={"X-A": "2", "x-c": "3"}
        )
    )
    sent = shell.transport.requests[0].headers
    assert (sent["x-a"], sent["x-b"], sent["x-c"]) == ("2", "", "3")


def test_a_copy_keeps_what_is_not_changed(shell):
    client = shell.client(timeout=9, max_retries=4, default_headers={"x-a": "1"})
    settings = client.with_options(default_headers={"x-b": "2"})._caller.settings
    assert settings.timeouts.first_byte == 9
    assert settings.retry.max_retries == 4
    assert {"x-a": "1", "x-b": "2"}.items() <= settings.headers.reveal().items()
    changed = client.with_options(timeout=Timeouts(idle=None), max_retries=0)._caller.settings
    assert changed.timeouts.idle is None
    assert changed.retry.max_retries == 0
    assert client._caller.settings.headers.reveal().get("x-b") is None


def test_an_option_that_a_client_does_not_have_is_named(shell):
    with pytest.raises(
        ConfigError, match="a client has no option 'time_out'; did you mean 'timeout'"
    ):
        shell.client(time_out=3)
    with pytest.raises(ConfigError, match=r"a client has no option 'colour'$"):
        shell.client().with_options(colour="red")


def test_timeouts_of_other_libraries_lead_to_ours(shell):
    said = r"timeout must be a number of seconds, or Timeouts\(\.\.\.\), not Timeout"
    with pytest.raises(ConfigError, match=said):
        shell.client(timeout=httpx.Timeout(5))
    with pytest.raises(InvalidRequestError, match=said):
        shell.wait(
            shell.client().chat.completions.create(
                model="m", messages=wire.USER, timeout=httpx.Timeout(5)
            )
        )


@pytest.mark.parametrize(
    ("option", "said"),
    [("base_url", "its host= is"), ("api_key", "its token= is"), ("http_client", "transport=")],
)
def test_options_of_other_clients_lead_to_ours(shell, option, said):
    with pytest.raises(ConfigError, match=f"a client has no option '{option}': .*{said}"):
        shell.client(**{option: "x"})
