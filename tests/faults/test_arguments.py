"""Arguments that cannot work are refused before anything is sent; section 2.5."""

import asyncio
import datetime as dt
import decimal
import inspect
import json
import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path
from urllib.parse import quote

import chance
import pytest
from raw_server import body_of, headers_of, path_of

from databricks_serving import ServingClient, parts
from databricks_serving.errors import APIStatusError, ConfigError, InvalidRequestError
from databricks_serving.options import Limits, RetryPolicy, Timeouts

from .support.answers import reply
from .support.canary import PASSWORD, PROMPT, SECRET, TOKEN
from .support.house import USER

NAN, INF = float("nan"), float("inf")
SERVED = re.compile(r"(?!\.+$)[A-Za-z0-9_.-]{1,255}")


def refused(house, match, /, **arguments):
    """Make a call that must be refused, over a server that must not notice."""
    server, client = house.serve()
    error = house.fails(client, InvalidRequestError, match, **arguments)
    assert server.connections == 0
    assert (error.attempts, error.history) == (0, ())
    assert (error.maybe_executed, error.retryable) == (False, False)
    return error


def misconfigured(house, match, /, host="https://w.example.com", token=TOKEN, **options):
    """Make a client that must be refused."""
    with house.raising(ConfigError, match):
        house.shell.client_class(host, token, **options)


def sent(house, **arguments):
    """Make a call and return the body that arrived."""
    server, client = house.serve()
    house.call(client, **arguments)
    return body_of(server.requests[0])


@pytest.mark.row("A-01")
@pytest.mark.parametrize(
    ("messages", "kind"),
    [
        ([], "an empty one"),
        (PROMPT, "str"),
        (USER[0], "dict"),
        ((m for m in USER), "generator"),
        (None, "NoneType"),
        (7, "int"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_messages_are_a_list_of_at_least_one(house, messages, kind):
    match = rf"^messages must be a list of at least one message such as \{{.*\}}, not {kind}$"
    refused(house, match, messages=messages)


@pytest.mark.row("A-01")
@pytest.mark.parametrize("streamed", [True, False])
def test_a_stream_is_refused_when_it_is_asked_for(house, streamed):
    match = r"^messages\[1\]\.content must be"
    messages = [*USER, {"role": "user", "content": {PROMPT}}]
    if streamed:
        refused(house, match, messages=messages, stream=True)
        return
    server, client = house.serve()
    stream = house.events(client, messages=messages)
    with house.raising(InvalidRequestError, match), house.opened(stream):
        pass
    assert server.connections == 0


@pytest.mark.row("A-02")
@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ({"content": PROMPT}, "has no role"),
        ({"role": "user"}, "has no content"),
        ({"role": "assistant", "content": None}, "has neither content nor tool_calls"),
        ({"role": "user", "content": {"text": PROMPT}}, "content must be a text or a list"),
        (PROMPT, "must be a dict or a message model, not str"),
    ],
    ids=repr,
)
def test_a_message_that_lacks_something_is_named_by_its_place(house, message, fault):
    refused(house, rf"^messages\[1\].{fault}", messages=[*USER, message])


@pytest.mark.row("A-02")
def test_a_role_that_the_contract_does_not_know_is_sent(house):
    messages = [*USER, {"role": "narrator", "mood": "calm"}]
    assert sent(house, messages=messages)["messages"] == messages


NAMES = ["", None, " ", "a b", "a/b", ".", "..", "%2e%2e", "a?x=1", "a#b", "a\nb", "a\x00b"]
NAMES += ["na\N{LATIN SMALL LETTER I WITH DIAERESIS}ve", "a" * 300, b"a", 7]


@pytest.mark.row("A-03")
@pytest.mark.parametrize("name", NAMES, ids=lambda name: repr(name)[:24])
def test_a_name_that_is_no_segment_of_a_path_is_refused(house, name):
    refused(house, "^model must be the name of a serving endpoint", model=name)


def hostile_names(source, number):
    nasty = "ab-_./%2e?#&=;:@+~ \\\"'\r\n\t\x00\x7f\u00e9\u2028\u202e\ud800\U0001f600"
    for _ in range(number):
        letters = source.choice([nasty, "aZ9-_.", "."])
        yield "".join(source.choices(letters, k=source.choice([1, 2, 3, 8, 255, 300])))


@pytest.mark.row("A-03")
def test_of_500_hostile_names_those_that_are_served_are_one_segment(house):
    server, client = house.serve()
    served = []
    for name in hostile_names(chance.source(5), 500):
        if SERVED.fullmatch(name):
            house.call(client, model=name)
            served.append(name)
        else:
            house.fails(client, InvalidRequestError, model=name)
    seen = [path_of(request) for request in server.requests]
    assert seen == [f"/serving-endpoints/{quote(name, safe='')}/invocations" for name in served]
    assert 50 < len(served) < 450


@pytest.mark.row("A-04")
@pytest.mark.parametrize(
    "form",
    [
        "http://127.0.0.1:{}",
        "HTTP://127.0.0.1:{}/",
        " http://127.0.0.1:{}// \n",
        "http://LocalHost:{}",
    ],
)
@pytest.mark.parametrize("prefix", ["", "/gate/"])
def test_a_host_is_understood_however_it_is_written(house, form, prefix):
    server = house.server()
    host = form.format(server.port)
    client = house.client(host if not prefix else host.strip().rstrip("/") + prefix)
    assert house.call(client).text == "Hi"
    path = f"{prefix.rstrip('/')}/serving-endpoints/m/invocations"
    assert path_of(server.requests[0]) == path


@pytest.mark.row("A-04")
@pytest.mark.parametrize(
    ("host", "fault"),
    [
        (f"https://user:{PASSWORD}@w.example.com", "user name or password"),
        (f"user:{PASSWORD}@w.example.com", "user name or password"),
        (f"https://w.example.com?token={SECRET}", "query or fragment"),
        (f"https://w.example.com#{SECRET}", "query or fragment"),
        ("javascript:alert(1)", "port"),
        ("javascript://alert(1)", "https"),
        ("https://w example.com", "space"),
        ("https://w.example.com\nx", "control"),
        ("", "empty"),
        ("https://[::1", "valid URL"),
        ("dapi" + "0a" * 16, "swapped"),
        (7, "int"),
    ],
)
def test_a_host_that_cannot_work_is_refused_and_not_echoed(house, host, fault):
    misconfigured(house, fault, host)


@pytest.mark.row("A-05")
@pytest.mark.parametrize(
    "host", ["http://w.example.com", "http://10.0.0.1", "http://localhost.example"]
)
def test_a_token_does_not_travel_in_clear(house, host):
    misconfigured(house, "https", host)


@pytest.mark.row("A-06")
@pytest.mark.parametrize(
    "host", ["models.example.org", "https://10.1.2.3:8443", "https://xn--bcher-kva.example"]
)
def test_a_host_of_any_domain_is_taken(house, host):
    client = house.shell.client_class(host, TOKEN)
    assert host.removeprefix("https://") in repr(client)
    house.wait(client.close())


@pytest.mark.row("A-06")
def test_the_token_goes_to_the_given_host_alone(house):
    other = house.server()
    elsewhere = reply({}, 307, f"Location: {other.host}/serving-endpoints/m/invocations")
    server, client = house.serve(elsewhere)
    house.fails(client, APIStatusError, "redirect")
    assert (len(server.requests), other.connections) == (1, 0)


@pytest.mark.row("A-07")
@pytest.mark.parametrize(
    "host",
    [
        "https://169.254.169.254",
        "http://169.254.169.254",
        "https://[fe80::1]",
        "https://[::ffff:169.254.169.254]",
        "https://[2002:a9fe:a9fe::]",
        "https://[fd00:ec2::254]",
        "https://168.63.129.16",
        "https://metadata.google.internal",
        "https://0.0.0.0",
    ],
)
def test_where_a_cloud_keeps_its_metadata_no_token_is_sent(house, host):
    misconfigured(house, "not the address of a workspace|must use https", host)


TOKENS = [
    ("", "empty"),
    ("  ", "empty"),
    (f"{TOKEN}\n", "line break"),
    (f"{TOKEN}\r\nX-Evil: 1", "line break"),
    (f"{TOKEN}\N{RIGHT SINGLE QUOTATION MARK}", "character"),
    (f"Bearer {TOKEN}", "without 'Bearer'"),
    (TOKEN * 4000, "longer"),
    (TOKEN.encode(), "bytes"),
]


@pytest.mark.row("A-08")
@pytest.mark.parametrize(("token", "fault"), TOKENS, ids=range(len(TOKENS)))
def test_a_token_that_cannot_be_one_is_refused_and_not_shown(house, token, fault):
    misconfigured(house, f"^token .*{fault}", token=token)


@pytest.mark.row("A-08")
def test_spaces_around_a_token_are_not_sent(house):
    server = house.server()
    client = house.shell.client_class(server.host, f"  {TOKEN}\t ")
    house.call(client)
    house.wait(client.close())
    assert headers_of(server.requests[0])["authorization"] == f"Bearer {TOKEN}"


HEADERS = [
    ({"x-a": f"{SECRET}\r\nx-b: 1"}, r"\['x-a'\] must be a str of printable"),
    ({"x-a": f"{SECRET}\n"}, r"\['x-a'\] must be a str of printable"),
    ({"x-a": SECRET.encode()}, r"\['x-a'\] must be a str of printable"),
    ({"x-a": 7}, r"\['x-a'\] must be a str of printable"),
    ({"x-a": f"\N{EM DASH}{SECRET}"}, r"\['x-a'\] must be a str of printable"),
    ({f"x-a: {SECRET}": ""}, "invalid header name, beginning with 'x-a'"),
    ({f"\n{SECRET}": ""}, "invalid header name, without a beginning"),
    ({7: "a"}, "invalid header name, of type int"),
    ({"": "a"}, "invalid header name"),
    *[
        ({name: SECRET}, f"must not set {name}: the client does")
        for name in (
            "Authorization",
            "Host",
            "Content-Length",
            "Content-Type",
            "Transfer-Encoding",
            "Connection",
            "Content-Encoding",
            "Expect",
            "TE",
            "Trailer",
            "Upgrade",
        )
    ],
    ([("x-a", SECRET)], "must be a dict, not list"),
]


@pytest.mark.row("A-09")
@pytest.mark.parametrize(("headers", "fault"), HEADERS, ids=range(len(HEADERS)))
def test_a_header_that_cannot_be_sent_is_refused_and_its_value_not_shown(house, headers, fault):
    refused(house, f"^extra_headers.*{fault}", extra_headers=headers)
    with house.raising(InvalidRequestError, f"^default_headers.*{fault}"):
        house.shell.client_class("w.example.com", TOKEN, default_headers=headers)


@pytest.mark.row("A-09")
def test_a_header_of_a_call_replaces_the_client_s_whatever_its_capitals(house):
    server, client = house.serve()
    house.call(client, extra_headers={"X-Client-SECRET": "mine", "User-Agent": "own"})
    head = server.requests[0].partition(b"\r\n\r\n")[0].lower()
    assert head.count(b"x-client-secret") == head.count(b"user-agent") == 1
    assert b"x-client-secret: mine" in head
    assert b"user-agent: own" in head


@pytest.mark.row("A-10")
@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("temperature", NAN, "is not a finite number"),
        ("temperature", INF, "is not a finite number"),
        ("top_p", -INF, "is not a finite number"),
        ("temperature", "0.5", "must be a number, not str"),
        ("temperature", True, "must be a number, not bool"),
        ("max_tokens", 1.5, "must be a whole number, not float"),
        ("max_tokens", True, "must be a whole number, not bool"),
        ("max_tokens", "16", "must be a whole number, not str"),
        ("max_tokens", 2**70, "is an integer of more than 64 bits"),
        ("temperature", -(2**70), "is an integer of more than 64 bits"),
        ("logprobs", 1, "must be true or false, not int"),
        ("stop", 7, "must be a text or a list, not int"),
        ("user", b"a", "must be a text, not bytes"),
        ("logit_bias", [], "must be a dict, not list"),
        ("tools", {}, "must be a list, not dict"),
    ],
)
def test_a_parameter_of_another_type_is_refused_by_name(house, name, value, fault):
    refused(house, rf"\b{name} {fault}$", **{name: value})


@pytest.mark.row("A-10")
@pytest.mark.parametrize(
    "given",
    [
        {"temperature": -1, "top_p": 2, "n": 0},
        {"temperature": 1, "max_tokens": 0},
        {"max_tokens": -1, "stop": ["."] * 100, "seed": 2**63},
    ],
    ids=repr,
)
def test_what_range_a_number_may_have_is_left_to_the_server(house, given):
    body = sent(house, **given)
    assert {name: body[name] for name in given} == given


class Array:
    """What an array of numpy is to the client."""

    def tolist(self):
        """Return plain numbers."""
        return [0.5]


class Number(float):
    """What a number of numpy is to the client: a subclass of Python's."""

    __slots__ = ()

    def tolist(self):
        """Return a plain number."""
        return float(self)


class Table:
    """What a table is to the client."""


for kind, module in ((Array, "numpy"), (Number, "numpy"), (Table, "pandas")):
    kind.__module__ = module


@pytest.mark.row("A-11")
@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (dt.datetime(2027, 1, 1, tzinfo=dt.UTC), r"datetime \(pass its isoformat\(\) instead\)"),
        ({PROMPT}, "set"),
        (PROMPT.encode(), "bytes"),
        (Array(), r"Array \(pass its tolist\(\) instead\)"),
        (Number(0.5), r"Number \(pass its tolist\(\) instead\)"),
        (decimal.Decimal("0.5"), "Decimal"),
        (Table(), "Table"),
        (object(), "object"),
        (1j, "complex"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_json_cannot_hold_is_named_by_place_and_kind(house, value, kind):
    part = {"type": "text", "text": value}
    messages = [*USER, *USER, {"role": "user", "content": [part]}]
    refused(house, rf"messages\[2\]\.content\[0\]\.text is of type {kind}$", messages=messages)
    refused(
        house, rf"custom_inputs\.a\[1\] is of type {kind}$", custom_inputs={"a": [PROMPT, value]}
    )


@pytest.mark.row("A-11")
def test_a_part_that_is_no_part_is_named_by_its_place(house):
    messages = [*USER, *USER, {"role": "user", "content": [dt.date(2027, 1, 1)]}]
    refused(
        house, r"^messages\[2\]\.content\[0\] must be a dict or a part model", messages=messages
    )


@pytest.mark.row("A-11")
def test_what_contains_itself_is_refused(house):
    loop = {"a": [PROMPT]}
    loop["a"].append(loop)
    refused(house, r"JSON: loop\.a\[1\]\.a\[1\].* contains itself", extra_body={"loop": loop})
    message = {"role": "user", "content": [loop]}
    refused(
        house, r"JSON: messages\[0\]\.content\[0\]\.a\[1\].* contains itself", messages=[message]
    )


TEXTS = {
    "lone surrogate": f"{PROMPT} \ud83d and \udfff",
    "NUL": f"{PROMPT} \x00 \x1b",
    "composed": unicodedata.normalize("NFC", f"{PROMPT} e\u0301"),
    "decomposed": unicodedata.normalize("NFD", f"{PROMPT} \u00e9"),
    "separators": f"{PROMPT} \u2028 \u2029 \x85 \ufeff",
    "a million": "r\u00edo " * 250_000,
}


@pytest.mark.row("A-12")
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_arrives_as_it_was_given(house, text):
    server, client = house.serve()
    house.call(client, messages=[{"role": "user", "content": text}])
    content = server.requests[0].partition(b"\r\n\r\n")[2]
    assert json.loads(content.decode())["messages"][0]["content"] == text


@pytest.mark.row("A-13")
def test_a_request_is_refused_from_its_first_byte_past_the_limit_on(house):
    server, client = house.serve()
    house.call(client)
    size = len(server.requests[0].partition(b"\r\n\r\n")[2])
    exact, small = (
        house.client(server.host, limits=Limits(request_bytes=n), healthy=n == size)
        for n in (size, size - 1)
    )
    house.call(exact)
    match = rf"{size} bytes, more than the {size - 1} of Limits\(request_bytes=\.\.\.\)"
    house.fails(small, InvalidRequestError, match)
    assert len(server.requests) == 2


@pytest.mark.row("A-13")
def test_the_documented_limit_holds_until_it_is_raised(house):
    text = "x" * (16 * 1024 * 1024)
    messages = [{"role": "user", "content": text}]
    refused(house, "more than the 16777216 of", messages=messages)
    server = house.server()
    house.call(house.client(server.host, limits=Limits(request_bytes=2**25)), messages=messages)
    assert len(body_of(server.requests[0])["messages"][0]["content"]) == len(text)


@pytest.mark.row("A-14")
@pytest.mark.parametrize(
    "options",
    [
        *[
            {name: value}
            for name in ("timeout", "deadline")
            for value in (0, -1, NAN, INF, "5", True)
        ],
        *[{"max_retries": value} for value in (-1, 1.5, 1e9, 11, NAN, "2", True)],
        {"retry": 3},
        {"limits": 3},
    ],
    ids=repr,
)
def test_an_option_that_cannot_work_is_refused_by_name(house, options):
    (name,) = options
    misconfigured(house, rf"^{name}\b", **options)


@pytest.mark.row("A-14")
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (Timeouts, {"idle": 0}),
        (Timeouts, {"total": NAN}),
        (RetryPolicy, {"base": -1}),
        (RetryPolicy, {"max_reruns": 11}),
        (RetryPolicy, {"cold_start_timeout": "5"}),
        (RetryPolicy, {"on_cold_start": 3}),
        (Limits, {"connections": 0}),
        (Limits, {"event_bytes": None}),
        (Limits, {"response_bytes": -1}),
    ],
    ids=repr,
)
def test_options_check_themselves(house, kind, options):
    (name,) = options
    with house.raising(ConfigError, rf"^(\w+ \()?{name}\)? must be"):
        kind(**options)


@pytest.mark.row("A-14")
@pytest.mark.parametrize(
    "given",
    [
        *[{name: value} for name in ("timeout", "deadline") for value in (0, -1, NAN, "5", True)],
        {"idempotent": "no"},
    ],
    ids=repr,
)
def test_an_option_of_a_call_that_cannot_work_is_refused_by_name(house, given):
    (name,) = given
    refused(house, rf"^{name}\b", **given)


@pytest.mark.row("A-14")
def test_none_stands_for_what_the_client_does_anyway(house):
    server = house.server()
    names = ("timeout", "deadline", "max_retries", "retry", "limits")
    client = house.client(server.host, **dict.fromkeys(names))
    plain = house.client(server.host)
    assert client._caller.settings.timeouts == plain._caller.settings.timeouts == Timeouts()
    assert client._caller.settings.retry == plain._caller.settings.retry == RetryPolicy()
    house.call(client, timeout=None, deadline=None, idempotent=None)


@pytest.mark.row("A-16")
@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("temprature", r"did you mean 'temperature'\? \(extra_body="),
        ("max_token", r"did you mean 'max_tokens'\? \(extra_body="),
        ("prompt", r"the conversation is messages="),
        ("wholly_else", r"extra_body="),
        ("max_retries", r"use with_options"),
    ],
)
def test_an_unknown_keyword_is_refused_with_the_nearest_one(house, name, hint):
    refused(house, rf"^unknown parameter '{name}'.*{hint}", **{name: 1})


@pytest.mark.row("A-16")
def test_a_keyword_that_the_contract_does_not_know_can_be_sent(house):
    assert sent(house, extra_body={"temprature": 1})["temprature"] == 1


@pytest.mark.row("A-17")
def test_what_is_sent_again_is_what_was_given_first(house):
    messages = [{"role": "user", "content": PROMPT}]

    def busy(connection):
        messages[0]["content"] = "changed"
        messages.append({"role": "user", "content": "more"})
        connection.sendall(reply({}, 503))

    server, client = house.serve(busy, busy, on_clock=True)
    house.call(client, messages=messages)
    assert [body_of(request)["messages"] for request in server.requests] == [USER] * 3


@pytest.mark.row("A-18")
@pytest.mark.parametrize("name", ["DATABRICKS_HOST", "DATABRICKS_TOKEN"])
@pytest.mark.parametrize("value", [None, ""], ids=["unset", "empty"])
def test_an_empty_variable_counts_as_unset(house, name, value):
    given = {"DATABRICKS_HOST": "https://w.example.com", "DATABRICKS_TOKEN": TOKEN, name: value}
    inherited = {key: os.environ[key] for key in ("PYTHONPATH",) if key in os.environ}
    # Without a token a look at this machine may still find a login: that is for the first call.
    use = ".auth.describe()"
    use = f"asyncio.run(client(){use})" if house.kind == "async" else f"client(){use}"
    program = (
        f"import asyncio, databricks_serving as d\nclient = d.{house.shell.client_class.__name__}\n"
        f"try: {use}\nexcept d.ServingError as error: print(type(error).__name__, error)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        env=inherited | {key: text for key, text in given.items() if text is not None},
        capture_output=True,
        check=True,
        text=True,
        timeout=20,
    )
    assert run.stdout.startswith("ConfigError no ")
    assert name in run.stdout
    assert TOKEN not in run.stdout + run.stderr


@pytest.mark.row("A-20")
def test_a_call_works_inside_a_running_loop(house):
    server, client = house.serve()

    async def ask():
        value = client.chat.completions.create(model="m", messages=USER)
        return await value if inspect.isawaitable(value) else value

    if isinstance(client, ServingClient):
        assert asyncio.run(ask()).text == "Hi"
    else:
        assert house.wait(ask()).text == "Hi"
    assert len(server.requests) == 1


@pytest.mark.row("A-20")
def test_a_client_used_like_the_other_one_is_a_type_error_and_sends_nothing_twice(house):
    server, client = house.serve()
    if isinstance(client, ServingClient):

        async def ask():
            async with client:
                pass

        with pytest.raises(TypeError, match="ServingClient"):
            asyncio.run(ask())
    else:
        with pytest.raises(TypeError, match="AsyncServingClient"), client:
            pass
        # Nothing is sent before the call is awaited.
        client.chat.completions.create(model="m", messages=USER).close()
    assert server.connections == 0


@pytest.mark.row("A-19")
def test_a_file_that_cannot_be_sent_is_refused_when_the_part_is_made(house, tmp_path):
    large, pipe, empty = (tmp_path / name for name in ("large.png", "pipe.png", "empty.png"))
    with large.open("wb") as opened:
        opened.truncate(2**30)
    os.mkfifo(pipe)
    empty.touch()
    for source, match in [
        (tmp_path / "missing.png", r"missing\.png': No such file"),
        (tmp_path, "is a directory"),
        (pipe, r"pipe\.png' is no regular file"),
        (large, "has 1024 MiB, more than max_bytes"),
        (empty, "the source is empty"),
        (PROMPT.encode(), r"say it by (media_type|format)="),
    ]:
        for make in (parts.image, parts.file, parts.audio, parts.video_url):
            with house.raising(InvalidRequestError, match):
                make(source)


@pytest.mark.row("A-19")
def test_a_text_is_never_read_as_a_path(house, tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"\x89PNG\r\n\x1a\n" + SECRET.encode())
    for text in (str(secret), secret.as_uri(), f"file:{secret}", os.path.relpath(secret)):
        for make in (parts.image, parts.file, parts.audio, parts.video_url):
            with house.raising(InvalidRequestError, r"for a file pass pathlib\.Path"):
                make(text)
    assert parts.image(Path(secret))


@pytest.mark.row("A-19")
def test_a_url_in_a_part_is_sent_and_never_fetched(house):
    site = house.server()
    content = [parts.image(f"{site.host}/a.png"), parts.video_url(f"{site.host}/a.mp4")]
    body = sent(house, messages=[{"role": "user", "content": content}])
    assert body["messages"][0]["content"] == content
    assert site.connections == 0
