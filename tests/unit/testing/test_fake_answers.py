"""What a fake answers, task by task, read by both clients."""

import json
import math
import re
from pathlib import Path

import pytest
from kit import HI, ask, client_of, read

from databricks_serving import errors, parts
from databricks_serving.models import FunctionCall
from databricks_serving.testing import FakeServing, UnexpectedRequestError

RECORDINGS = Path(__file__).parents[2] / "recordings"


@pytest.fixture
def fake():
    return FakeServing()


@pytest.fixture
def client(shell, fake):
    return client_of(shell, fake)


def test_a_chat_says_what_was_scripted_in_order(shell, fake, client):
    fake.chat("The Po.")
    fake.chat("The Elbe.", finish_reason="length", reasoning="A long one.")
    one, two = ask(shell, client), ask(shell, client)
    assert (one.text, one.finish_reason, one.reasoning) == ("The Po.", "stop", "")
    assert (two.text, two.finish_reason, two.reasoning) == ("The Elbe.", "length", "A long one.")


def test_an_answer_has_the_marks_of_a_real_one(shell, fake, client):
    fake.chat("The Po.", headers={"X-Extra": "7"})
    reply = ask(shell, client)
    assert reply.request_id == "00000000-0000-4000-8000-000000000001"
    assert reply.served_model_name == reply.model == "rivers"
    assert reply.meta.headers["x-extra"] == "7"
    assert reply.usage.to_dict() == {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def test_counts_can_be_given(shell, fake, client):
    fake.chat("Po", usage={"prompt_tokens": 100, "prompt_tokens_details": {"cached_tokens": 90}})
    usage = ask(shell, client).usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens) == (100, 1, 90)
    assert usage.total_tokens == 101


def test_an_answer_is_streamed_where_a_stream_is_asked_for(shell, fake, client):
    fake.chat("The Po, of course.", reasoning="Hm.")
    chunks = read(shell, client)
    assert [chunk.text for chunk in chunks if chunk.text] == ["The", " Po,", " of", " course."]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert [chunk.usage is None for chunk in chunks] == [True] * (len(chunks) - 1) + [False]


def test_a_stream_and_a_whole_answer_come_to_the_same(shell, fake, client):
    for _ in range(2):
        fake.chat("The Po.", reasoning="Hm.", finish_reason="length")
    whole = ask(shell, client)
    with shell.opened(client.chat.completions.stream(model="rivers", messages=HI)) as stream:
        put_together = shell.wait(stream.get_final_completion())
    assert put_together.text == whole.text
    assert put_together.reasoning == whole.reasoning
    assert put_together.finish_reason == whole.finish_reason
    assert put_together.usage == whole.usage
    assert stream.chunks.terminated_cleanly


def test_a_stream_has_the_pieces_that_were_scripted(shell, fake, client):
    fake.chat_stream(["a", "", "bc"], finish_reason="length")
    chunks = read(shell, client)
    assert [chunk.text for chunk in chunks] == ["", "a", "", "bc", ""]
    assert chunks[-1].choices[0].finish_reason == "length"


@pytest.mark.parametrize("stream", [False, True])
def test_a_server_may_ignore_what_was_asked_for(shell, fake, client, stream):
    fake.chat("The Po.", stream=not stream)
    if stream:
        assert "".join(chunk.text for chunk in read(shell, client)) == "The Po."
    else:
        assert ask(shell, client).text == "The Po."


def test_there_are_as_many_answers_as_are_asked_for(shell, fake, client):
    fake.chat("Po", times=2)
    assert [choice.message.text for choice in ask(shell, client, n=3).choices] == ["Po"] * 3
    indices = {choice.index for chunk in read(shell, client, n=2) for choice in chunk.choices}
    assert indices == {0, 1}


@pytest.mark.parametrize("value", [{"name": "Po", "km": 652}, [1, "a"]])
def test_a_dict_or_list_is_said_as_json(shell, fake, client, value):
    fake.chat(value)
    assert json.loads(ask(shell, client).text) == value


def test_an_answer_can_be_an_object(shell, fake, client):
    fake.chat({"name": "Po"})
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    call = client.chat.completions.parse(model="m", messages=HI, response_format=schema)
    assert shell.wait(call).parsed == {"name": "Po"}


def test_a_refusal_is_one(shell, fake, client):
    fake.chat("", refusal="No.")
    assert ask(shell, client).message.refusal == "No."
    fake.chat("", refusal="No.")
    with shell.opened(client.chat.completions.stream(model="m", messages=HI)) as stream:
        assert "No." in [e.text for e in shell.items(stream) if e.type == "refusal.delta"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_model_calls_tools(shell, fake, client, stream):
    fake.tool_calls([("length_of", {"river": "Po"}), ("time", "{no json")], text="I look.")
    if stream:
        with shell.opened(client.chat.completions.stream(model="m", messages=HI)) as events:
            reply = shell.wait(events.get_final_completion())
    else:
        reply = ask(shell, client)
    assert [(call.id, call.function) for call in reply.tool_calls] == [
        ("call_1", FunctionCall(name="length_of", arguments='{"river":"Po"}')),
        ("call_2", FunctionCall(name="time", arguments="{no json")),
    ]
    assert (reply.text, reply.finish_reason) == ("I look.", "tool_calls")


TOOLS = [{"type": "function", "function": {"name": name}} for name in ("length_of", "time")]


def test_a_call_of_a_tool_that_the_request_does_not_offer_is_a_mistake(shell, fake, client):
    fake.tool_call("lenght_of", {"river": "Po"})
    told = r"tool_call\('lenght_of'\) calls 'lenght_of', and POST .* offers 'length_of', 'time'"
    with pytest.raises(UnexpectedRequestError, match=told):
        ask(shell, client, tools=TOOLS)
    with pytest.raises(UnexpectedRequestError, match=told):
        fake.assert_all_used()


def test_a_model_may_call_what_was_not_offered_if_the_script_says_so(shell, fake, client):
    fake.tool_calls([("time", {}), ("lenght_of", {})], offered=False)
    assert len(ask(shell, client, tools=TOOLS).tool_calls) == 2
    fake.assert_all_used()


def test_a_run_of_tools_is_a_call_and_an_answer(shell, fake, client):
    def length_of(river: str) -> int:
        """Tell the length of a river."""
        return {"Po": 652}[river]

    fake.tool_call("length_of", {"river": "Po"})
    fake.chat("652 km.", when=lambda request: request.messages[-1]["role"] == "tool")
    call = client.chat.completions.run_tools(model="m", messages=HI, tools=[length_of])
    assert shell.wait(call).text == "652 km."
    assert [request.tools for request in fake.requests] == [["length_of"]] * 2
    assert fake.last.messages[-1]["content"] == "652"
    assert fake.last.text == "Name a river."


def test_a_completion_is_one_for_each_prompt(shell, fake, client):
    fake.completion(" wet")
    call = client.completions.create(model="m", prompt=["Water is", "Rain is"])
    assert [choice.text for choice in shell.wait(call).choices] == [" wet", " wet"]
    assert fake.last.texts == ["Water is", "Rain is"]


def test_a_completion_is_streamed(shell, fake, client):
    fake.completion(" very wet", finish_reason="length")
    fake.completion_stream([" we", "t"])
    one = shell.items(shell.wait(client.completions.create(model="m", prompt="a", stream=True)))
    two = shell.items(shell.wait(client.completions.create(model="m", prompt="a", stream=True)))
    assert [chunk.text for chunk in one] == [" very", " wet", ""]
    assert [chunk.text for chunk in two] == [" we", "t", ""]
    assert [chunks[-1].choices[0].finish_reason for chunks in (one, two)] == ["length", "stop"]


def test_vectors_depend_on_their_texts_alone(shell, fake, client):
    fake.embedding(times=2)
    one = shell.wait(client.embeddings.create(model="m", input=["a", "b", "a"])).vectors
    two = shell.wait(client.embeddings.create(model="m", input="b")).vectors
    assert one[0] == one[2] != one[1] == two[0]
    assert {len(vector) for vector in one} == {1024}
    assert all(math.isclose(math.hypot(*vector), 1) for vector in one)


def test_vectors_have_the_length_and_form_that_are_asked_for(shell, fake, client):
    fake.embedding(dim=8, times=3)
    create = client.embeddings.create
    plain = shell.wait(create(model="m", input="a")).vectors[0]
    packed = shell.wait(create(model="m", input="a", encoding_format="base64")).vectors[0]
    short = shell.wait(create(model="m", input="a", dimensions=4)).vectors[0]
    assert plain == pytest.approx(packed, abs=1e-6)
    assert (len(plain), len(short)) == (8, 4)


def test_vectors_can_be_given(shell, fake, client):
    fake.embedding([[1, 0], [0.5, 0.5]])
    call = client.embeddings.embed_documents(["a", "b"], model="m")
    assert [list(vector) for vector in shell.wait(call)] == [[1.0, 0.0], [0.5, 0.5]]


def test_many_documents_take_a_reply_for_each_batch(shell, fake, client):
    fake.embedding(dim=4, times=None)
    call = client.embeddings.embed_documents(["x"] * 200, model="m", batch_size=96)
    assert len(shell.wait(call)) == 200
    assert len(fake.requests) == 3


def test_a_custom_model_predicts(shell, fake, client):
    fake.predictions([0.5, None])
    assert shell.wait(client.predict("m", inputs=[[1], [2]])).predictions == [0.5, None]
    assert fake.last.task == "predictions"
    fake.prediction_stream([{"a": 1}, "b", 3])
    with shell.opened(client.predict_stream("m", inputs=[1])) as stream:
        assert shell.items(stream) == [{"a": 1}, "b", 3]


@pytest.mark.parametrize("stream", [False, True])
def test_an_agent_answers(shell, fake, client, stream):
    fake.response("652 km.", reasoning="Look it up.")
    if stream:
        with shell.opened(client.responses.stream(model="m", input="How long?")) as events:
            shell.items(events)
            reply = events.snapshot
    else:
        reply = shell.wait(client.responses.create(model="m", input="How long?"))
    assert reply.text == "652 km."
    assert [item.type_ for item in reply.output] == ["reasoning", "message"]
    assert (fake.last.text, fake.last.task) == ("How long?", "responses")


def test_an_agent_answers_with_items_and_in_pieces(shell, fake, client):
    call = {"type": "function_call", "call_id": "c", "name": "length_of", "arguments": "{}"}
    result = {"type": "function_call_output", "call_id": "c", "output": "652"}
    fake.response(output=[call, result], times=2)
    fake.response_stream(["652", " km."])
    reply = shell.wait(client.responses.create(model="m", input="a"))
    assert [item.to_dict() for item in reply.output] == [call, result]
    with shell.opened(client.responses.stream(model="m", input="a")) as events:
        shell.items(events)
        assert [item.to_dict() for item in events.snapshot.output] == [call, result]
    with shell.opened(client.responses.stream(model="m", input="a")) as events:
        deltas = [e.text for e in shell.items(events) if e.type == "text.delta"]
        assert deltas == ["652", " km."]


def test_an_agent_of_the_older_kind_answers(shell, fake, client):
    turns = [{"role": "assistant", "content": "A.", "id": "1"}]
    fake.agent("652 km.")
    fake.agent(messages=turns)
    fake.agent_stream(["652", " km."])
    create = client.agents.create
    assert shell.wait(create(model="m", messages=HI)).text == "652 km."
    assert shell.wait(create(model="m", messages=HI)).messages[0].content == "A."
    with shell.opened(client.agents.stream(model="m", messages=HI)) as events:
        shell.items(events)
        assert events.snapshot.text == "652 km."


def test_an_answer_is_what_was_scripted_whatever_becomes_of_it(shell, fake, client):
    values, message = [1, 2], {"text": "A."}
    fake.predictions(values)
    fake.chat(message)
    values.append(3)
    message.clear()
    assert shell.wait(client.predict("m", inputs=[1])).predictions == [1, 2]
    assert json.loads(ask(shell, client).text) == {"text": "A."}


def test_any_json_and_any_events_are_sent_as_they_are(shell, fake, client):
    fake.json({"choices": [{"message": {"content": "Po"}}]})
    assert ask(shell, client).text == "Po"
    fake.events([{"choices": [{"delta": {"content": "Po"}, "finish_reason": "stop"}]}], done=False)
    assert [chunk.text for chunk in read(shell, client)] == ["Po"]


def test_a_function_answers(shell, fake, client):
    fake.respond(lambda request: request.text.upper(), times=None)
    assert ask(shell, client).text == "NAME A RIVER."
    assert len(read(shell, client)) == 5
    fake.respond(lambda request: [[float(len(text))] for text in request.texts])
    assert shell.wait(client.embeddings.create(model="m", input=["a", "bc"])).vectors == [[1], [2]]
    fake.respond(lambda _: {"predictions": [1]})
    assert shell.wait(client.predict("m", inputs=[1])).predictions == [1]
    fake.respond(lambda _: (2, 3))
    assert shell.wait(client.predict("m", inputs=[1])).predictions == [2, 3]


def test_a_function_that_returns_no_answer_is_told(shell, fake, client):
    fake.respond(lambda _: 7)
    with pytest.raises(TypeError, match="the function returned int for chat"):
        ask(shell, client)


def test_an_error_of_a_function_is_the_tests_own(shell, fake, client):
    fake.respond(lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        ask(shell, client)


RECORDED = sorted((RECORDINGS / "chat").glob("*.json"))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_recording_is_replayed(shell, fake, client, path):
    recorded = json.loads(path.read_text())
    fake.recording(path, times=None)
    request = {key: one for key, one in recorded["request"].items() if key != "stream"}
    request = {"messages": HI, **request, "stream": recorded["stream"] or None}
    expect = recorded["expect"]
    if "error" in expect:
        with pytest.raises(getattr(errors, expect["error"])):
            text_of(shell, ask(shell, client, **request))
    else:
        text = text_of(shell, ask(shell, client, **request))
        assert text == expect.get("text", text)


def text_of(shell, answer):
    return answer.text if hasattr(answer, "choices") else "".join(map(said_in, shell.items(answer)))


def said_in(chunk):
    return "".join(choice.delta.text for choice in chunk.choices if choice.index == 0)


def test_a_recording_may_be_a_dict(shell, fake, client):
    fake.recording({"status": 404, "body": {"error_code": "NOT_FOUND", "message": "No."}})
    with pytest.raises(errors.NotFoundError, match="No"):
        ask(shell, client)


def test_what_is_sent_can_be_looked_at(shell, fake, client):
    fake.chat("A.")
    image = parts.image(b"\x89PNG\r\n\x1a\n", media_type="image/png")
    content = [parts.text("What is "), image, {"type": "text", "text": "this?"}]
    messages = [{"role": "system", "content": "Be short."}, {"role": "user", "content": content}]
    ask(shell, client, messages=messages, temperature=0.5, served_model="rivers-2")
    request = fake.last
    assert request.text == "What is this?"
    assert request.body["temperature"] == 0.5
    assert (request.endpoint, request.served_model) == ("rivers", "rivers-2")
    assert (request.method, request.task, request.stream) == ("POST", "chat", False)
    assert request.path == "/serving-endpoints/rivers/served-models/rivers-2/invocations"
    assert "authorization" not in request.headers
    assert fake.token not in repr(request)
    assert re.fullmatch("[0-9a-f-]+", request.headers["idempotency-key"])


@pytest.mark.parametrize("route", ["openai", "ai-gateway", "https://x.example/mlflow/v1"])
def test_the_body_names_the_endpoint_on_other_routes(shell, fake, route):
    client = client_of(shell, fake, route=route)
    fake.chat("A.", endpoint="rivers")
    fake.embedding(endpoint="vectors", dim=2)
    fake.response("B.", endpoint="agent")
    assert ask(shell, client).text == "A."
    assert shell.wait(client.embeddings.create(model="vectors", input="a")).vectors
    assert shell.wait(client.responses.create(model="agent", input="a")).text == "B."
    assert [request.endpoint for request in fake.requests] == ["rivers", "vectors", "agent"]
