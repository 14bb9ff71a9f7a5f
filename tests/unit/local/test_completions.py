import pytest


@pytest.fixture
def complete(call):
    def ask(prompt="Once upon", **fields):
        answer = call("local-completion", {"prompt": prompt, **fields})
        assert answer.status == 200, answer.body
        return answer.events if fields.get("stream") else answer.json

    return ask


def texts(reply):
    return [choice["text"] for choice in reply["choices"]]


def test_a_completion_repeats_its_prompt(complete):
    reply = complete()
    assert reply["id"].startswith("cmpl_")
    assert reply["object"] == "text_completion"
    assert reply["model"] == "deterministic-echo"
    assert reply["choices"] == [
        {"index": 0, "text": " You said: Once upon", "finish_reason": "stop", "logprobs": None}
    ]
    assert reply["usage"] == {"prompt_tokens": 2, "completion_tokens": 4, "total_tokens": 6}


def test_every_prompt_gets_its_choices_in_order(complete):
    reply = complete(["a", "b"], n=2)
    assert [choice["index"] for choice in reply["choices"]] == [0, 1, 2, 3]
    assert texts(reply) == [" You said: a", " I heard: a", " You said: b", " I heard: b"]


def test_echo_puts_the_prompt_before_and_suffix_is_put_after(complete):
    reply = complete(echo=True, suffix=" The end.", max_tokens=1)
    assert texts(reply) == ["Once upon You The end."]
    assert reply["choices"][0]["finish_reason"] == "length"
    assert reply["usage"]["completion_tokens"] == 5


def test_stop_ends_a_completion(complete):
    assert texts(complete(stop=["Once"])) == [" You said: "]


def test_seed_picks_the_opening(complete):
    assert texts(complete(seed=1)) == [" I heard: Once upon"]


def test_log_probabilities_are_lists_side_by_side(complete):
    logprobs = complete(echo=True, logprobs=2, max_tokens=2)["choices"][0]["logprobs"]
    assert logprobs["tokens"] == ["Once", " upon", " You", " said:"]
    assert logprobs["text_offset"] == [0, 4, 9, 13]
    assert len(logprobs["token_logprobs"]) == 4
    assert [len(top) for top in logprobs["top_logprobs"]] == [2, 2, 2, 2]
    assert complete(logprobs=0)["choices"][0]["logprobs"]["top_logprobs"][0] == {}


def test_a_stream_says_what_the_whole_completion_says(complete):
    fields = {"n": 2, "echo": True, "suffix": "!", "max_tokens": 3}
    whole = complete(["a", "b c"], **fields)
    events = complete(["a", "b c"], **fields, stream=True)
    streamed, ends = ["", "", "", ""], [None] * 4
    for event in events:
        (choice,) = event["choices"]
        assert event["object"] == "text_completion"
        streamed[choice["index"]] += choice["text"]
        ends[choice["index"]] = choice["finish_reason"]
    assert streamed == texts(whole)
    assert ends == ["stop", "stop", "length", "length"]
    assert events[-1]["usage"] == whole["usage"]
    spent = [event["usage"]["completion_tokens"] for event in events]
    assert spent == sorted(spent)


def test_a_prompt_longer_than_the_context_is_refused(call):
    answer = call("local-completion", {"prompt": ["a " * 20_000] * 2, "stream": True})
    assert answer.status == 400
    assert "more than the maximum of 32768" in answer.json["message"]
