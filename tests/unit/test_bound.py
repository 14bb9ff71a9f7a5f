"""Handles for one endpoint: merging, transforming, what is sent, through both clients."""

import asyncio
import copy
import functools
import json
import pickle
import traceback
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pandas as pd
import pytest
import wire

from databricks_serving import AsyncServingClient, Prediction, ServingClient
from databricks_serving.errors import (
    ClientClosedError,
    InvalidRequestError,
    InvalidResponseError,
    NotFoundError,
    PermissionDeniedError,
)
from databricks_serving.models import (
    AgentReply,
    ChatCompletion,
    Completion,
    EmbeddingResponse,
    ResponsesReply,
    UserMessage,
)

SECRET = "a prompt of nobody's business"
RESPONSES = {
    "output": [
        {
            "type": "message",
            "id": "i",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Yes."}],
        }
    ]
}
AGENT = {"messages": [{"role": "assistant", "content": "Yes.", "id": "1"}]}
ANSWERS = {
    "chat": wire.chat(),
    "completions": wire.completion(),
    "embeddings": wire.embeddings([1.0, 0.0]),
    "responses": RESPONSES,
    "agents": AGENT,
    "custom": {"predictions": [1]},
}
SUBJECTS = {
    "chat": ("Hi", {"messages": [{"role": "user", "content": "Hi"}]}),
    "completions": ("Hi", {"prompt": "Hi"}),
    "embeddings": (["a"], {"input": ["a"]}),
    "responses": ("Hi", {"input": [{"role": "user", "content": "Hi"}]}),
    "agents": ("Hi", {"messages": [{"role": "user", "content": "Hi"}]}),
    "custom": ([{"a": 1}], {"dataframe_records": [{"a": 1}]}),
}
REPLIES = {
    "chat": ChatCompletion,
    "completions": Completion,
    "embeddings": EmbeddingResponse,
    "responses": ResponsesReply,
    "agents": AgentReply,
    "custom": Prediction,
}
TASKS = list(SUBJECTS)


def answer_of(task):
    return lambda _: wire.json_reply(ANSWERS[task])


def handle(shell, task="chat", answer=None, **options):
    client = shell.client(answer or answer_of(task))
    return client.endpoint("m", task=task, **options)


def refusal(call):
    with pytest.raises(InvalidRequestError) as caught:
        call()
    return str(caught.value)


@pytest.mark.parametrize("task", TASKS)
def test_a_handle_sends_its_subject_and_returns_the_reply_of_its_task(shell, task):
    endpoint = handle(shell, task)
    subject, body = SUBJECTS[task]
    assert shell.transport.requests == []
    assert isinstance(shell.wait(endpoint.invoke(subject)), REPLIES[task])
    assert shell.transport.bodies == [body]
    assert shell.transport.requests[0].url.path == "/serving-endpoints/m/invocations"


def test_a_handle_is_for_chat_unless_it_is_said(shell):
    endpoint = shell.client(answer_of("chat")).endpoint("m")
    assert (endpoint.name, endpoint.task) == ("m", "chat")
    assert shell.wait(endpoint.invoke(messages=wire.USER)).text == "The Po."
    assert shell.transport.bodies == [{"messages": wire.USER}]


def test_the_parameters_of_a_call_go_before_those_of_every_call(shell):
    defaults = {"temperature": 0.1, "max_tokens": 5, "stop": None}
    endpoint = handle(shell, defaults=defaults, served_model="a")
    shell.wait(endpoint.invoke("Hi", temperature=0.9, max_tokens=None))
    shell.wait(endpoint.invoke("Hi", served_model="b"))
    first, second = shell.transport.bodies
    assert (first["temperature"], first["max_tokens"]) == (0.9, 5)
    assert "stop" not in first
    assert second["temperature"] == 0.1
    paths = [request.url.path for request in shell.transport.requests]
    assert paths == [f"/serving-endpoints/m/served-models/{name}/invocations" for name in "ab"]
    assert defaults == {"temperature": 0.1, "max_tokens": 5, "stop": None}


def test_options_of_every_call_are_defaults_too(shell):
    headers = {"x-team": "maps"}
    endpoint = handle(shell, route="openai", defaults={"extra_headers": headers})
    headers["x-team"] = "other"
    shell.wait(endpoint.invoke("Hi"))
    request = shell.transport.requests[0]
    assert request.url.path == "/serving-endpoints/chat/completions"
    assert request.headers["x-team"] == "maps"


def test_a_transform_sees_the_request_and_returns_what_is_sent(shell):
    seen = []

    def transform(**request):
        seen.append(request)
        return {**request, "max_tokens": 3, "min_p": 0.1, "temperature": None}

    endpoint = handle(shell, transform_input=transform, defaults={"temperature": 1})
    shell.wait(endpoint.invoke("Hi", extra_body={"seed": 4}, timeout=3))
    messages = [{"role": "user", "content": "Hi"}]
    assert seen == [{"messages": messages, "temperature": 1, "seed": 4}]
    assert shell.transport.bodies == [
        {"messages": messages, "max_tokens": 3, "min_p": 0.1, "seed": 4}
    ]


@pytest.mark.parametrize(
    "transform",
    [
        lambda messages, **others: {"messages": messages, **others},
        functools.partial(dict, max_tokens=3),
        dict,
    ],
)
def test_a_transform_may_be_anything_that_takes_keywords(shell, transform):
    shell.wait(handle(shell, transform_input=transform).invoke(wire.USER))
    assert shell.transport.bodies[0]["messages"] == wire.USER


def test_a_transform_cannot_change_what_the_caller_has(shell):
    def transform(**request):
        request["messages"][0]["content"] = "other"
        request["messages"].append({"role": "user", "content": "more"})
        request["extra"]["list"].append(2)
        return request

    messages, extra, defaults = copy.deepcopy(wire.USER), {"extra": {"list": [1]}}, {"stop": ["."]}
    endpoint = handle(shell, transform_input=transform, defaults=defaults)
    shell.wait(endpoint.invoke(messages, extra_body=extra))
    shell.wait(endpoint.invoke(messages, extra_body=extra))
    assert (messages, extra, defaults) == (wire.USER, {"extra": {"list": [1]}}, {"stop": ["."]})
    assert [body["extra"]["list"] for body in shell.transport.bodies] == [[1, 2], [1, 2]]


@pytest.mark.parametrize(
    ("form", "make", "change"),
    [
        (None, lambda: pd.DataFrame({"a": [1]}), lambda frame: frame.insert(0, "b", [2])),
        ("instances", lambda: np.ones((1, 2)), lambda array: array.fill(3)),
    ],
)
def test_a_transform_cannot_change_frames_and_arrays(shell, form, make, change):
    def transform(**request):
        change(next(iter(request.values())))
        return request

    rows = make()
    endpoint = handle(shell, "custom", transform_input=transform)
    shell.wait(endpoint.invoke(rows, form=form))
    assert np.array_equal(rows, make())
    untouched = handle(shell, "custom")
    shell.wait(untouched.invoke(rows, form=form))
    assert shell.transport.bodies[0] == {
        form or "dataframe_split": [[1.0, 1.0]] if form else {"columns": ["a"], "data": [[1]]}
    }


def test_a_transform_sees_models_as_dicts_and_cannot_change_them(shell):
    def transform(**request):
        request["messages"][0]["content"] = "other"
        return request

    message = UserMessage(content="Hi")
    shell.wait(handle(shell, transform_input=transform).invoke([message]))
    assert message.content == "Hi"
    assert shell.transport.bodies[0]["messages"][0]["content"] == "other"


@pytest.mark.parametrize("task", TASKS)
def test_both_transforms_work_for_every_task(shell, task):
    endpoint = handle(
        shell,
        task,
        transform_input=lambda **request: {**request, "client_request_id": "r"},
        transform_output=lambda reply: [type(reply)],
    )
    subject, body = SUBJECTS[task]
    assert shell.wait(endpoint.invoke(subject)) == [REPLIES[task]]
    assert shell.transport.bodies == [{**body, "client_request_id": "r"}]


@pytest.mark.parametrize(
    ("task", "events"),
    [
        ("chat", [wire.chunk("Po"), wire.chunk(None, "stop")]),
        ("completions", [wire.text_chunk("Po"), wire.text_chunk("", "stop")]),
        (
            "responses",
            [
                {"type": "response.output_text.delta", "item_id": "i", "delta": "Po"},
                {"type": "response.output_item.done", "item": RESPONSES["output"][0]},
                {"type": "response.completed", "response": RESPONSES},
            ],
        ),
        ("agents", [{"delta": {"role": "assistant", "content": "Po", "id": "1"}}]),
        ("custom", [{"row": 0}]),
    ],
)
def test_streams_take_defaults_and_input_but_leave_the_answer_alone(shell, task, events):
    endpoint = handle(
        shell,
        task,
        lambda _: wire.stream(*events, *([] if task in {"custom", "agents"} else ["[DONE]"])),
        defaults={"extra_headers": {"x-a": "b"}},
        transform_input=lambda **request: {**request, "client_request_id": "r"},
        transform_output=lambda _: pytest.fail("an answer that streams is not transformed"),
    )
    subject, body = SUBJECTS[task]
    with shell.opened(endpoint.stream(subject)) as stream:
        assert shell.items(stream)
    assert shell.transport.bodies == [{**body, "client_request_id": "r", "stream": True}]
    assert shell.transport.requests[0].headers["x-a"] == "b"


def test_a_stream_refuses_what_a_call_refuses_on_entry(shell):
    stream = handle(shell).stream("Hi", temprature=1)
    with pytest.raises(InvalidRequestError, match="did you mean 'temperature'"):
        shell.wait(stream.__enter__() if shell.name == "sync" else stream.__aenter__())


@pytest.mark.parametrize(
    ("rows", "form", "body"),
    [
        (pd.DataFrame({"a": [1]}), None, {"dataframe_split": {"columns": ["a"], "data": [[1]]}}),
        (pd.DataFrame({"a": [1]}), "dataframe_records", {"dataframe_records": [{"a": 1}]}),
        ({"x": [1]}, "inputs", {"inputs": {"x": [1]}}),
        ({"prompt": "Hi"}, "inputs", {"prompt": "Hi"}),
    ],
)
def test_rows_go_in_the_form_that_is_named_or_fits(shell, rows, form, body):
    shell.wait(handle(shell, "custom").invoke(rows, form=form))
    assert shell.transport.bodies == [body]


def test_a_form_that_is_none_is_refused(shell):
    said = refusal(lambda: shell.wait(handle(shell, "custom").invoke([1], form="rows")))
    assert said.startswith("form must be one of dataframe_split, dataframe_records, instances")


def test_predictions_keep_the_index_and_a_transform_may_choose_another_form(shell):
    frame = pd.DataFrame({"a": [1]}, index=["x"])
    split = handle(shell, "custom", transform_output=lambda reply: reply.to_series())
    assert list(shell.wait(split.invoke(frame)).index) == ["x"]
    other = handle(
        shell, "custom", transform_input=lambda **request: {"inputs": request["dataframe_records"]}
    )
    shell.wait(other.invoke([{"a": 1}]))
    assert shell.transport.bodies == [{"inputs": [{"a": 1}]}]


class TransformError(Exception):
    """Somebody's own."""


@pytest.mark.parametrize("option", ["transform_input", "transform_output"])
def test_an_error_of_a_transform_comes_as_it_is_without_our_frames(shell, option):
    def transform(*_, **__):
        raise TransformError("mine")

    endpoint = handle(shell, **{option: transform})
    with pytest.raises(TransformError, match="mine") as caught:
        shell.wait(endpoint.invoke(SECRET))
    frames = [frame for frame, _ in traceback.walk_tb(caught.tb)]
    assert frames[-1].f_code.co_name == "transform"
    modules = {frame.f_globals["__name__"].partition(".")[0] for frame in frames}
    assert not modules & {"databricks_serving", "databricks_serving_api"}
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("option", "transform", "said"),
    [
        ("transform_input", lambda prompt, **request: {**request, "prompt": prompt}, "'prompt'"),
        ("transform_output", len, "has no len"),
        ("transform_output", str.upper, "upper"),
    ],
)
def test_a_transform_that_cannot_be_called_so_shows_no_frame_of_ours(
    shell, option, transform, said
):
    endpoint = handle(shell, **{option: transform})
    with pytest.raises(TypeError, match=said) as caught:
        shell.wait(endpoint.invoke(SECRET))
    modules = {frame.f_globals["__name__"] for frame, _ in traceback.walk_tb(caught.tb)}
    assert not {module for module in modules if module.startswith("databricks_serving")}


@pytest.mark.parametrize(
    ("made", "kind"), [(None, "NoneType"), ([1], "list"), ({1: 2}, "dict"), ("Hi", "str")]
)
def test_a_transform_that_returns_no_parameters_is_refused(shell, made, kind):
    endpoint = handle(shell, transform_input=lambda **_: made)
    said = refusal(lambda: shell.wait(endpoint.invoke(SECRET)))
    assert "transform_input must return a dict of the request's parameters" in said
    assert said.endswith(f"not {kind}")
    assert shell.transport.requests == []


def test_what_is_given_is_checked_before_a_transform_sees_it(shell):
    def transform(**request):
        pytest.fail(f"got {request}")

    endpoint = handle(shell, transform_input=transform)
    reply = ChatCompletion.from_dict(wire.chat()).choices[0].message
    for messages, said in (
        ([], "messages must be a list of at least one"),
        (None, "messages must be a list of at least one"),
        ([reply], "send its to_request_message() instead"),
    ):
        assert said in refusal(lambda m=messages: shell.wait(endpoint.invoke(m)))


def test_what_a_transform_returns_is_checked_as_what_is_given(shell):
    endpoint = handle(shell, transform_input=lambda **_: {"messages": []})
    assert "messages must be a list of at least one" in refusal(
        lambda: shell.wait(endpoint.invoke("Hi"))
    )
    streams = handle(shell, transform_input=lambda **request: {**request, "stream": True})
    assert "must not set stream" in refusal(lambda: shell.wait(streams.invoke("Hi")))


def test_a_request_that_has_no_end_is_refused_with_a_transform_as_without(shell):
    loop = {}
    loop["self"] = loop
    for options in ({}, {"transform_input": lambda **request: request}):
        endpoint = handle(shell, **options)
        said = refusal(lambda e=endpoint: shell.wait(e.invoke("Hi", extra_body={"a": loop})))
        assert "nested deeper" in said
    endpoint = handle(shell, transform_input=lambda **request: request)
    said = refusal(lambda: shell.wait(endpoint.invoke("Hi", extra_body={1: 2})))
    assert said == "extra_body has a key of type int"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"temprature": 1}, "unknown parameter 'temprature'; did you mean 'temperature'?"),
        ({"model": "m"}, "unknown parameter 'model': the handle has its endpoint"),
        ({"stream": True}, "unknown parameter 'stream': stream() of the handle streams"),
        ({"temperature": "hot"}, "temperature must be a number, not str"),
        ({"deadline": -1}, "must be positive"),
    ],
)
def test_a_call_refuses_what_its_task_does_not_take(shell, arguments, said):
    assert said in refusal(lambda: shell.wait(handle(shell).invoke("Hi", **arguments)))
    assert shell.transport.requests == []


async def asynchronous(**request):
    return request


class Asynchronous:
    async def __call__(self, **request):
        return request


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("a/b", {}, "name must be the name of a serving endpoint"),
        (7, {}, "name must be the name of a serving endpoint"),
        ("", {}, "give the name of an endpoint, or cluster_id= and port="),
        ("m", {"task": "chats"}, "task must be one of chat, completions, embeddings"),
        ("m", {"task": ["chat"]}, "task must be one of"),
        ("m", {"task": "agent/v2/chat"}, "of an endpoint with this task it is 'agents'"),
        ("m", {"tsak": "chat"}, "unknown parameter 'tsak'; did you mean 'task'?"),
        ("m", {"temperature": 1}, "'temperature': parameters of every call go into defaults"),
        ("m", {"endpoint_name": "m"}, "'endpoint_name': the name of the endpoint comes first"),
        ("m", {"transform_input_fn": dict}, "did you mean 'transform_input'?"),
        ("m", {"defaults": [1]}, "defaults must be a dict, not list"),
        ("m", {"defaults": {"temprature": 1}}, "defaults: unknown parameter 'temprature'; did"),
        ("m", {"defaults": {"temperature": "hot"}}, "defaults: temperature must be a number"),
        ("m", {"defaults": {"served_model": 7}}, "defaults: served_model must be a text"),
        ("m", {"defaults": {"extra_body": [1]}}, "defaults: extra_body must be a dict, not list"),
        ("m", {"defaults": {"messages": []}}, "defaults: unknown parameter 'messages'"),
        ("m", {"defaults": {"stream": True}}, "defaults: unknown parameter 'stream'"),
        ("m", {"served_model": "a/b"}, "served_model must be the name of a served model"),
        ("m", {"served_model": "a", "defaults": {"served_model": "b"}}, "given twice"),
        ("m", {"route": "nowhere"}, "route must be one of"),
        ("m", {"defaults": {"route": "x"}}, "route must be one of"),
        ("m", {"transform_input": 7}, "transform_input must be a function, not int"),
        ("m", {"transform_input": asynchronous}, "transform_input must be a plain function"),
        ("m", {"transform_output": Asynchronous()}, "transform_output must be a plain function"),
        ("m", {"transform_output": functools.partial(asynchronous)}, "must be a plain function"),
        ("m", {"transform_input": lambda request: request}, "as def transform(**request)"),
        ("m", {"transform_input": lambda *, messages: messages}, "as def transform(**request)"),
        ("m", {"transform_output": lambda: 1}, "must be written as def transform(reply)"),
        ("m", {"transform_output": lambda **reply: reply}, "as def transform(reply)"),
        ("m", {"wrap": None}, "wrap= is for task='text'"),
        ("m", {"task": "text", "wrap": "instances"}, "wrap must be 'dataframe_records' or None"),
        ("m", {"task": "text", "wrap": ["a"]}, "wrap must be 'dataframe_records' or None"),
        ("m", {"cluster_id": "c", "port": 1}, "an endpoint, or cluster_id= and port= of an app"),
        ("", {"cluster_id": "c"}, "an app on a cluster needs port="),
        ("", {"port": 7777}, "an app on a cluster needs cluster_id="),
        ("", {"cluster_id": "c", "port": 1, "task": "chat"}, "has task='text'"),
        ("", {"cluster_id": "c", "port": 1, "wrap": None}, "wrap= is for endpoints"),
        ("", {"cluster_id": "c", "port": 1, "served_model": "a"}, "served_model= is for endpoints"),
        ("", {"cluster_id": "c", "port": 1, "route": "openai"}, "route= is for endpoints"),
        ("", {"cluster_id": "c/d", "port": 1}, "cluster_id must be the id of a cluster"),
        ("", {"cluster_id": "..", "port": 1}, "cluster_id must be the id of a cluster"),
        ("", {"cluster_id": 7, "port": 1}, "cluster_id must be the id of a cluster"),
        ("", {"cluster_id": "c", "port": 0}, "port must be a whole number from 1 to 65535"),
        ("", {"cluster_id": "c", "port": 2**16}, "port must be a whole number"),
        ("", {"cluster_id": "c", "port": True}, "port must be a whole number"),
        ("", {"cluster_id": "c", "port": "7777"}, "port must be a whole number"),
        ("", {"cluster_id": "c", "port": 1, "org_id": "a"}, "org_id must be a text of digits"),
        ("", {"cluster_id": "c", "port": 1, "org_id": 7}, "org_id must be a text of digits"),
        *[
            ("", {"cluster_id": "c", "port": 1, "path": path}, "path must be a plain path")
            for path in ("/../x", "a/..", "a//b", "?a=1", "a#b", "%2e%2e", "a b", "./a", 7, "a\n")
        ],
    ],
)
def test_a_handle_that_cannot_be_is_refused_when_it_is_made(shell, name, options, said):
    client = shell.client(answer_of("chat"))
    assert said in refusal(lambda: client.endpoint(name, **options))


def test_a_misspelt_option_is_not_told_to_go_into_the_body(shell):
    said = refusal(lambda: shell.client().endpoint("m", tsak="chat"))
    assert said == "unknown parameter 'tsak'; did you mean 'task'?"


def test_a_handle_shows_no_values_and_does_not_change(shell):
    endpoint = handle(shell, defaults={"stop": [SECRET]}, served_model="a")
    kind = "ChatEndpoint" if shell.name == "sync" else "AsyncChatEndpoint"
    assert repr(endpoint) == f"{kind}('m', task='chat', defaults=[stop, served_model])"
    assert repr(handle(shell, "custom")).endswith("PredictionEndpoint('m', task='custom')")
    for change in (
        lambda: setattr(endpoint, "name", "n"),
        lambda: setattr(endpoint, "_caller", None),
        lambda: delattr(endpoint, "_binding"),
        lambda: setattr(endpoint, "other", 1),
    ):
        with pytest.raises(AttributeError, match="a handle does not change"):
            change()
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(endpoint)
    assert not hasattr(endpoint, "__dict__")


def test_a_handle_works_over_its_client_and_ends_with_it(shell):
    client = shell.client(answer_of("chat"))
    copied = client.with_options(default_headers={"x-team": "maps"}).endpoint("m")
    shell.wait(copied.invoke("Hi"))
    assert shell.transport.requests[0].headers["x-team"] == "maps"
    shell.wait(client.close())
    with pytest.raises(ClientClosedError):
        shell.wait(copied.invoke("Hi"))


def test_threads_and_tasks_share_a_handle():
    def answer(request):
        return wire.json_reply(wire.chat(request.read().decode()))

    def transform(**request):
        request["messages"][0]["content"] += "!"
        return request

    options = {"transform_input": transform, "transform_output": lambda reply: reply.text}
    with ServingClient(wire.HOST, "t", transport=httpx.MockTransport(answer)) as client:
        endpoint = client.endpoint("m", **options)
        with ThreadPoolExecutor(8) as pool:
            texts = list(pool.map(endpoint.invoke, map(str, range(200))))
    assert all(f'"{n}!"' in text for n, text in enumerate(texts))

    async def tasks():
        transport = httpx.MockTransport(answer)
        async with AsyncServingClient(wire.HOST, "t", transport=transport) as client:
            endpoint = client.endpoint("m", **options)
            return await asyncio.gather(*(endpoint.invoke(str(n)) for n in range(200)))

    assert all(f'"{n}!"' in text for n, text in enumerate(asyncio.run(tasks())))


# The legacy completion contract.


def text(shell, answer, *calls, **options):
    """Call a text endpoint; return what came."""
    client = shell.client(lambda _: httpx.Response(200, content=json.dumps(answer)))
    endpoint = client.endpoint("m", task="text", **options)
    return [shell.wait(endpoint.invoke(*call[:1], **call[1])) for call in calls]


def test_a_text_endpoint_takes_a_record_and_returns_its_prediction(shell):
    calls = [("Hi", {}), ("Hi", {"stop": "."}), ("Hi", {"stop": ["."], "temperature": 0})]
    assert text(shell, {"predictions": ["Good"]}, *calls) == ["Good"] * 3
    records = [{"prompt": "Hi"}, {"prompt": "Hi", "stop": ["."]}]
    records.append({"prompt": "Hi", "stop": ["."], "temperature": 0})
    assert shell.transport.bodies == [{"dataframe_records": [record]} for record in records]


def test_a_text_endpoint_without_wrapping_returns_the_whole_reply(shell):
    defaults = {"stop": "."}
    [got] = text(shell, "Good", ("Hi", {"extra_body": {"k": 1}}), wrap=None, defaults=defaults)
    assert got == "Good"
    assert shell.transport.bodies == [{"prompt": "Hi", "stop": ["."], "k": 1}]


@pytest.mark.parametrize(
    ("answer", "options", "said"),
    [
        ({"predictions": [{"text": SECRET}]}, {}, "the answer is no text but JSON of type dict"),
        ({"predictions": [7]}, {}, "no text but JSON of type int: give transform_output="),
        ({"predictions": []}, {}, "predictions is an empty list"),
        ({"answer": SECRET}, {}, "there are no predictions; wrap=None takes the whole reply"),
        ([SECRET], {}, "there are no predictions"),
        ({"text": SECRET}, {"wrap": None}, "no text but JSON of type dict"),
        (None, {"wrap": None}, "no text but JSON of type NoneType"),
    ],
)
def test_an_answer_that_is_no_text_is_an_error_that_says_what_came(shell, answer, options, said):
    with pytest.raises(InvalidResponseError) as caught:
        text(shell, answer, ("Hi", {}), **options)
    assert said in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.endpoint == "m"


@pytest.mark.parametrize(
    ("answer", "options", "value"),
    [
        ({"predictions": [{"a": 1}]}, {}, {"a": 1}),
        ({"predictions": "whole"}, {}, "whole"),
        ({"a": [1]}, {"wrap": None}, {"a": [1]}),
        (None, {"wrap": None}, None),
        (3.5, {"wrap": None}, 3.5),
    ],
)
def test_a_transform_of_a_text_endpoint_gets_the_raw_json(shell, answer, options, value):
    assert text(shell, answer, ("Hi", {}), transform_output=lambda it: [it], **options) == [[value]]


def test_a_transform_of_a_text_endpoint_may_ask_in_another_way(shell):
    def transform(**request):
        return {"question": request["prompt"] + " Be short.", "extra": {"stop": request["stop"]}}

    [got] = text(
        shell,
        "good",
        ("How are you?", {"stop": "."}),
        wrap=None,
        transform_input=transform,
        transform_output=str.upper,
    )
    assert got == "GOOD"
    assert shell.transport.bodies == [
        {"question": "How are you? Be short.", "extra": {"stop": ["."]}}
    ]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ((7, {}), "prompt must be a str, not int"),
        ((None, {}), "prompt must be a str, not NoneType"),
        ((["Hi"], {}), "prompt must be a str, not list"),
        (("Hi", {"stop": 7}), "stop must be a text or a list, not int"),
        (("Hi", {"seed": 7}), "unknown parameter 'seed'"),
        (("Hi", {"temprature": 7}), "did you mean 'temperature'?"),
    ],
)
def test_a_text_endpoint_refuses_what_it_does_not_take(shell, call, said):
    assert said in refusal(lambda: text(shell, "Good", call))


def test_a_text_endpoint_can_pin_a_served_model_but_has_no_other_route(shell):
    text(shell, {"predictions": ["x"]}, ("Hi", {}), served_model="a")
    assert shell.transport.requests[0].url.path.endswith("/served-models/a/invocations")
    assert "does not serve this task" in refusal(
        lambda: text(shell, "x", ("Hi", {}), route="openai")
    )


# Apps behind the driver proxy of a cluster.


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({}, "/driver-proxy-api/o/0/0101-c/7777"),
        ({"org_id": "12", "path": "generate"}, "/driver-proxy-api/o/12/0101-c/7777/generate"),
        ({"path": "/v1/chat/completions"}, "/driver-proxy-api/o/0/0101-c/7777/v1/chat/completions"),
        ({"path": "/a.b/"}, "/driver-proxy-api/o/0/0101-c/7777/a.b/"),
        ({"path": "/"}, "/driver-proxy-api/o/0/0101-c/7777/"),
    ],
)
def test_an_app_on_a_cluster_gets_the_request_as_it_is(shell, options, path):
    client = shell.client(lambda _: wire.json_reply("Good"), route="openai")
    endpoint = client.endpoint(cluster_id="0101-c", port=7777, **options)
    assert shell.wait(endpoint.invoke("Hi", stop=".", extra_query={"a": "b"})) == "Good"
    request = shell.transport.requests[0]
    assert (request.method, request.url.path) == ("POST", path)
    assert request.url.query == b"a=b"
    assert request.headers["authorization"] == f"Bearer {wire.TOKEN}"
    assert shell.transport.bodies == [{"prompt": "Hi", "stop": ["."]}]
    assert (endpoint.name, endpoint.task) == ("0101-c:7777", "text")
    assert "TextEndpoint('0101-c:7777', task='text')" in repr(endpoint)


def test_an_app_on_a_cluster_is_tried_again_and_its_errors_are_those_of_all_calls(shell):
    answers = iter([wire.json_reply({}, 503), wire.json_reply("Good")])
    endpoint = shell.client(lambda _: next(answers)).endpoint(cluster_id="c", port=1)
    assert shell.wait(endpoint.invoke("Hi")) == "Good"
    for status, kind, hint in (
        (403, PermissionDeniedError, "allowed to attach to the cluster"),
        (404, NotFoundError, "that the app runs on the driver node"),
    ):
        client = shell.client(wire.json_reply({"message": "No."}, status))
        with pytest.raises(kind) as caught:
            shell.wait(client.endpoint(cluster_id="c", port=1).invoke(SECRET))
        assert hint in caught.value.hint
        assert caught.value.endpoint == "c:1"
        assert SECRET not in str(caught.value)


def test_an_app_that_answers_no_json_is_an_error(shell):
    endpoint = shell.client(httpx.Response(200, text="Good")).endpoint(cluster_id="c", port=1)
    with pytest.raises(InvalidResponseError, match="the body is not JSON"):
        shell.wait(endpoint.invoke("Hi"))


@pytest.mark.parametrize("option", ["served_model", "route"])
def test_an_app_has_no_routes_and_no_served_models_in_a_call(shell, option):
    endpoint = shell.client(wire.json_reply("Good")).endpoint(cluster_id="c", port=1)
    said = refusal(lambda: shell.wait(endpoint.invoke("Hi", **{option: "openai"})))
    assert f"{option}= is for endpoints, not for an app on a cluster" in said


# Tasks that are asked for.


class Workspace:
    """Describes its endpoint, and answers by its task."""

    def __init__(self, task, answer, status=200):
        self.task, self.answer_with, self.status = task, answer, status
        self.asked = self.called = 0

    def __call__(self, request):
        if request.method == "GET":
            self.asked += 1
            assert request.url.path == "/api/2.0/serving-endpoints/m"
            return wire.json_reply({"name": "m", "task": self.task}, self.status)
        self.called += 1
        return wire.json_reply(self.answer_with)


@pytest.mark.parametrize(
    ("named", "task"),
    [
        ("llm/v1/chat", "chat"),
        ("agent/v1/chat", "chat"),
        ("llm/v1/completions", "completions"),
        ("llm/v1/embeddings", "embeddings"),
        ("agent/v1/responses", "responses"),
        ("agent/v2/chat", "agents"),
        (None, "custom"),
    ],
)
def test_a_task_is_asked_for_once_at_the_first_call(shell, named, task):
    workspace = Workspace(named, ANSWERS[task])
    endpoint = shell.client(workspace).endpoint("m", task="infer", defaults={"timeout": 9})
    assert (workspace.asked, endpoint.task) == (0, "infer")
    subject, body = SUBJECTS[task]
    for _ in range(2):
        assert isinstance(shell.wait(endpoint.invoke(subject)), REPLIES[task])
    assert (workspace.asked, workspace.called, endpoint.task) == (1, 2, task)
    assert json.loads(shell.transport.requests[-1].content) == body


def test_a_handle_that_asked_transforms_and_refuses_as_the_one_of_the_task(shell):
    endpoint = shell.client(Workspace("llm/v1/chat", wire.chat())).endpoint(
        "m",
        task="infer",
        transform_input=lambda **request: {**request, "max_tokens": 3},
        transform_output=lambda reply: reply.text.upper(),
    )
    assert shell.wait(endpoint.invoke("Hi", temperature=0)) == "THE PO."
    assert "did you mean 'temperature'?" in refusal(
        lambda: shell.wait(endpoint.invoke("Hi", temprature=0))
    )


def test_a_task_that_nobody_knows_is_an_error_that_names_those_there_are(shell):
    workspace = Workspace("llm/v1/rerank", {})
    endpoint = shell.client(workspace).endpoint("m", task="infer")
    said = refusal(lambda: shell.wait(endpoint.invoke("Hi")))
    assert "endpoint 'm' has the task 'llm/v1/rerank', for which there is no handle" in said
    assert "chat, completions, embeddings, responses, agents, custom or text" in said
    assert workspace.called == 0


def test_defaults_that_the_task_does_not_take_are_refused_when_it_is_known(shell):
    endpoint = shell.client(Workspace("llm/v1/embeddings", {})).endpoint(
        "m", task="infer", defaults={"max_tokens": 3}
    )
    assert "defaults: unknown parameter 'max_tokens'" in refusal(
        lambda: shell.wait(endpoint.invoke("Hi"))
    )


def test_a_workspace_that_does_not_tell_is_asked_again_by_the_next_call(shell):
    workspace = Workspace("llm/v1/chat", wire.chat(), status=404)
    endpoint = shell.client(workspace).endpoint("m", task="infer")
    with pytest.raises(NotFoundError):
        shell.wait(endpoint.invoke("Hi"))
    workspace.status = 200
    assert shell.wait(endpoint.invoke("Hi")).text == "The Po."
    assert workspace.asked == 2


def test_a_deadline_is_for_the_question_and_the_call_together(shell):
    workspace = Workspace("llm/v1/chat", wire.chat())

    def slow(request):
        shell.clock.advance(4 if request.method == "GET" else 0)
        return workspace(request) if request.method == "GET" else wire.json_reply({}, 503)

    endpoint = shell.client(slow, rand=1.0).endpoint("m", task="infer")
    began = shell.clock.monotonic()
    with pytest.raises(Exception, match="503"):
        shell.wait(endpoint.invoke("Hi", deadline=5, timeout=9))
    assert shell.clock.monotonic() - began <= 5


# Helpers for embeddings.


def test_helpers_for_embeddings_take_the_defaults_of_a_handle(shell):
    defaults = {"instruction": "Find it.", "user": "u", "extra_headers": {"x-a": "b"}}
    endpoint = handle(shell, "embeddings", defaults=defaults)
    assert shell.wait(endpoint.embed_query("a lake", query_params={"dimensions": 2})) == [1.0, 0.0]
    assert shell.wait(endpoint.embed_documents(["a"], instruction="Other.")) == [[1.0, 0.0]]
    first, second = shell.transport.bodies
    assert first["input"] == "a lake"
    assert (first["instruction"], first["user"], first["dimensions"]) == ("Find it.", "u", 2)
    assert second == {"input": ["a"], "instruction": "Other.", "user": "u"}
    assert all(request.headers["x-a"] == "b" for request in shell.transport.requests)
    partial = shell.wait(endpoint.embed_documents([], fail_on_error=False))
    assert partial.failures == {}


@pytest.mark.parametrize("option", ["transform_input", "transform_output"])
@pytest.mark.parametrize("helper", ["embed_query", "embed_documents"])
def test_helpers_for_embeddings_refuse_transforms_instead_of_passing_them_over(
    shell, option, helper
):
    endpoint = handle(shell, "embeddings", **{option: dict})
    assert "transforms are for invoke" in refusal(
        lambda: shell.wait(getattr(endpoint, helper)("a"))
    )


def test_helpers_for_embeddings_refuse_what_they_do_not_take(shell):
    endpoint = handle(shell, "embeddings")
    assert "did you mean 'dimensions'" in refusal(
        lambda: shell.wait(endpoint.embed_query("a", dimension=3))
    )
    assert "text must be a str, not list" in refusal(
        lambda: shell.wait(endpoint.embed_query(["a"]))
    )
