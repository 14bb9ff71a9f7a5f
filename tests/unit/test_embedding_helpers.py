"""embed_query and embed_documents: any number of texts, whatever an endpoint takes at once."""

import asyncio
import json
import threading
import traceback

import chance
import httpx
import pytest
import wire

from databricks_serving import Limits, PartialVectors, Vectors
from databricks_serving.errors import (
    APIStatusError,
    APITimeoutError,
    BadRequestError,
    InternalServerError,
    InvalidRequestError,
    InvalidResponseError,
    NotFoundError,
    PayloadTooLargeError,
)

TOO_MANY = {"error_code": "BAD_REQUEST", "message": "size is too large, exceeding 2 limit"}
TOO_LONG = {"error_code": "BAD_REQUEST", "message": "input exceeds 512 tokens"}


def vector(text):
    """What the fake model makes of a text."""
    return [float(len(text)), float(sum(map(ord, text)) % 1000), 1.0]


class Endpoint:
    """A fake endpoint that takes so many texts, of so many characters, and refuses some."""

    def __init__(self, most=10**6, longest=10**6, poison=()):
        self.most, self.longest, self.poison = most, longest, set(poison)
        self.batches, self.taken = [], []
        self.lock = threading.Lock()

    def __call__(self, request):
        texts = json.loads(request.content)["input"]
        with self.lock:
            self.batches.append(texts)
            return self.answer(texts)

    def answer(self, texts):
        if len(texts) > self.most:
            return wire.json_reply(TOO_MANY, 400)
        if any(len(text) > self.longest for text in texts):
            return wire.json_reply(TOO_LONG, 400)
        if self.poison.intersection(texts):
            return wire.json_reply({"message": "flagged"}, 400)
        self.taken += texts
        usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
        return wire.json_reply(
            wire.embeddings(*map(vector, texts)) | {"model": "made-up", "usage": usage}
        )


def embed(shell, texts, answer=None, /, *, client=None, **arguments):
    made = shell.client(answer, **(client or {}))
    return shell.wait(made.embeddings.embed_documents(texts, model="m", **arguments))


def fails(shell, kind, match, /, *args, **arguments):
    with pytest.raises(kind, match=match) as caught:
        embed(shell, *args, **arguments)
    return caught.value


def test_a_query_is_one_vector(shell):
    client = shell.client(wire.json_reply(wire.embeddings("AACAPwAAAEA=")))
    found = shell.wait(
        client.embeddings.embed_query(
            "a lake",
            model="m",
            query_params={"instruction": "a", "user": "u"},
            instruction="b",
            encoding_format="base64",
            extra_body={"new": 1},
        )
    )
    assert found == [1.0, 2.0]
    assert shell.transport.bodies == [
        {"input": "a lake", "user": "u", "instruction": "b", "encoding_format": "base64", "new": 1}
    ]


def test_texts_are_embedded_in_batches_and_in_order(shell):
    endpoint = Endpoint()
    texts = [f"text {number}" for number in range(200)]
    found = embed(shell, texts, endpoint)
    assert type(found) is Vectors
    assert found == [vector(text) for text in texts]
    assert sorted(map(len, endpoint.batches)) == [8, 96, 96]
    assert (found.model, found.dimensions, found.failures) == ("made-up", 3, {})
    assert (found.usage.calls, found.usage.prompt_tokens) == (3, 200)


def test_batches_are_bounded_in_bytes(shell):
    endpoint = Endpoint()
    embed(shell, ["a" * 7] * 5 + ["b" * 40, "c"], endpoint, batch_bytes=20, concurrency=1)
    assert [len(batch) for batch in endpoint.batches] == [2, 2, 1, 1, 1]


def test_the_parameters_are_those_of_every_batch(shell):
    params = {"user": "u", "dimensions": 5}
    embed(
        shell,
        ["a", "b"],
        Endpoint(),
        batch_size=1,
        documents_params=params,
        dimensions=3,
        extra_headers={"x-team": "rivers"},
    )
    assert {len(body.pop("input")) for body in shell.transport.bodies} == {1}
    for request in shell.transport.requests:
        assert request.headers["x-team"] == "rivers"
        assert {"user": "u", "dimensions": 3}.items() <= json.loads(request.content).items()
    assert params == {"user": "u", "dimensions": 5}
    keys = {request.headers["idempotency-key"] for request in shell.transport.requests}
    assert len(keys) == 2


@pytest.mark.parametrize("fail_on_error", [True, False])
def test_no_texts_need_no_call(shell, fail_on_error):
    found = embed(shell, [], Endpoint(), fail_on_error=fail_on_error)
    assert (found, found.dimensions, found.failures, found.model) == ([], 0, {}, None)
    assert shell.transport.requests == []


def test_any_ordered_iterable_of_texts_will_do(shell):
    for texts in (iter(["a", "bc"]), ("a", "bc"), {"a": 1, "bc": 2}.keys().__iter__()):
        assert embed(shell, texts, Endpoint()) == [vector("a"), vector("bc")]


@pytest.mark.parametrize(
    ("texts", "match"),
    [
        ("one text", r"^texts must be a list .*, not one str; see embed_query"),
        (b"bytes", r"not one bytes"),
        ({"a": 1}, r"not dict"),
        ({"a"}, r"not set"),
        (7, r"not int"),
        (None, r"not NoneType"),
        (["a", None], r"texts\[1\] is NoneType"),
        (["a", "b", ["c"]], r"texts\[2\] is list"),
    ],
)
def test_what_is_no_list_of_texts_is_refused(shell, texts, match):
    fails(shell, InvalidRequestError, match, texts, Endpoint())
    assert shell.transport.requests == []


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"document_params": {}}, "'document_params'; did you mean 'documents_params'"),
        ({"query_params": {}}, "'query_params'"),
        ({"endpoint": "m"}, "'endpoint': the endpoint is named by model="),
        ({"chunk_size": 3}, "'chunk_size': batch_size= and batch_bytes="),
        ({"max_concurrency": 3}, "use concurrency="),
        ({"documents_params": {"dimension": 3}}, "^documents_params: .*'dimension'; did you mean"),
        ({"documents_params": {"input": "a"}}, "^documents_params: .*'input'"),
        ({"documents_params": [1]}, "^documents_params must be a dict, not list"),
        ({"documents_params": {"dimensions": "3"}}, "^dimensions must be a whole number, not str"),
        ({"dimensions": "3"}, "^dimensions must be a whole number, not str"),
        ({"extra_body": {"input": ["a"]}}, "^extra_body must not set input"),
        ({"batch_size": 0}, "^batch_size must be a whole number from 1 on"),
        ({"batch_size": True}, "^batch_size must be a whole number from 1 on"),
        ({"batch_bytes": 1.5}, "^batch_bytes must be a whole number from 1 on"),
        ({"concurrency": 1001}, "^concurrency must be a whole number from 1 to 1000"),
        ({"fail_on_error": "no"}, "^fail_on_error must be a bool, not str"),
        ({"on_progress": 3}, "^on_progress must be a function"),
        ({"on_progress": asyncio.sleep}, "and not an async one"),
        ({"deadline": 0}, "^deadline"),
    ],
)
@pytest.mark.parametrize("texts", [["a"], []])
def test_arguments_that_cannot_work_are_refused(shell, texts, arguments, match):
    fails(shell, InvalidRequestError, match, texts, Endpoint(), **arguments)
    assert shell.transport.requests == []


def test_a_name_from_elsewhere_is_explained_before_the_right_one_is_missed(shell):
    embeddings = shell.client(Endpoint()).embeddings
    for method, subject in ((embeddings.embed_query, "a"), (embeddings.embed_documents, ["a"])):
        with pytest.raises(InvalidRequestError, match="the endpoint is named by model="):
            shell.wait(method(subject, endpoint="m"))


@pytest.mark.parametrize(
    ("text", "arguments", "match"),
    [
        (["a"], {}, "^text must be a str, not list; embed_documents"),
        ("a", {"query_param": {}}, "did you mean 'query_params'"),
        ("a", {"query_params": {"instructions": "b"}}, "did you mean 'instruction'"),
        ("a", {"batch_size": 3}, "'batch_size'"),
        ("a", {"endpoint": "m"}, "'endpoint': the endpoint is named by model="),
        ("a", {"extra_body": {"input": "b"}}, "^extra_body must not set input"),
    ],
)
def test_a_query_that_cannot_work_is_refused(shell, text, arguments, match):
    client = shell.client(Endpoint())
    with pytest.raises(InvalidRequestError, match=match):
        shell.wait(client.embeddings.embed_query(text, model="m", **arguments))
    assert shell.transport.requests == []


def test_a_text_that_no_request_has_room_for_is_named_before_anything_is_sent(shell):
    texts = ["a", "b" * 2000]
    limits = {"limits": Limits(request_bytes=1500)}
    fails(
        shell, InvalidRequestError, r"^texts\[1\] has 2003 bytes", texts, Endpoint(), client=limits
    )
    assert shell.transport.requests == []
    # Smaller ones are shared out so that each request has room.
    found = embed(shell, ["b" * 300] * 9, Endpoint(), client=limits)
    assert len(found) == 9
    assert all(len(request.content) <= 1500 for request in shell.transport.requests)


def test_a_batch_of_too_many_texts_is_halved_once_and_for_all(shell):
    endpoint = Endpoint(most=25)
    texts = [f"{number}" for number in range(400)]
    found = embed(shell, texts, endpoint, batch_size=100, concurrency=1)
    assert found == [vector(text) for text in texts]
    assert [len(batch) for batch in endpoint.batches] == [100, 50, *[25] * 16]


def test_a_text_that_is_too_long_is_found_and_named(shell):
    texts = [*["short"] * 17, "a" * 600, "short"]
    endpoint = Endpoint(longest=512)
    error = fails(shell, BadRequestError, "exceeds 512 tokens", texts, endpoint, concurrency=1)
    assert error.hint == "texts[17] is longer than the endpoint takes: split it"
    assert error.hint in str(error)
    assert "with texts[17]" in "".join(traceback.format_exception(error))
    assert "aaaa" not in str(error)


def test_an_empty_body_at_413_is_a_reason_to_halve(shell):
    def answer(request):
        texts = json.loads(request.content)["input"]
        return httpx.Response(413) if len(texts) > 1 else wire.json_reply(wire.embeddings([1.0]))

    assert embed(shell, ["a", "b", "c"], answer) == [[1.0]] * 3
    error = fails(shell, PayloadTooLargeError, r"texts\[0\]", ["a"], httpx.Response(413))
    assert error.hint == "texts[0] is longer than the endpoint takes: split it"


def test_another_error_is_raised_at_once_and_says_where(shell):
    endpoint = Endpoint(poison=["bad"])
    error = fails(shell, BadRequestError, "flagged", ["a", "bad", "c"], endpoint)
    assert error.__notes__ == ["with texts[0] to texts[2]"]
    assert len(endpoint.batches) == 1


def test_what_fails_is_left_out_and_the_rest_is_kept(shell):
    texts = ["a", "bad", "c", "d" * 600, "e", *["f"] * 30]
    found = embed(
        shell, texts, Endpoint(longest=512, poison=["bad"]), fail_on_error=False, batch_size=8
    )
    assert type(found) is PartialVectors
    assert [row for row, one in enumerate(found) if one is None] == [1, 3]
    assert list(found.failures) == [1, 3]
    assert all(isinstance(error, BadRequestError) for error in found.failures.values())
    assert found.failures[3].hint.startswith("texts[3] is longer")
    assert found.vectors == [vector(text) for text in texts if text not in {"bad", "d" * 600}]
    assert found.usage.prompt_tokens == 33


def test_kept_failures_hold_no_texts(shell):
    found = embed(shell, ["secret", "b"], Endpoint(poison=["secret"]), fail_on_error=False)
    failure = found.failures[0]
    while failure is not None:
        assert failure.__traceback__ is None
        failure = failure.__cause__ or failure.__context__


def test_parameters_that_are_refused_are_not_blamed_on_each_text(shell):
    texts = [f"text {number}" for number in range(1000)]
    answer = Endpoint(poison=texts)
    found = embed(shell, texts, answer, fail_on_error=False, batch_size=100)
    assert found == [None] * 1000
    assert list(found.failures) == list(range(1000))
    assert len(answer.batches) < 80


def test_what_fails_for_all_texts_ends_the_calls(shell):
    answer = wire.json_reply({"error_code": "NOT_FOUND", "message": "no such endpoint"}, 404)
    found = embed(shell, ["a"] * 500, answer, fail_on_error=False, batch_size=1, concurrency=2)
    assert len(shell.transport.requests) <= 2
    assert {type(error) for error in found.failures.values()} == {NotFoundError}
    assert len(found.failures) == 500


def test_a_batch_that_fails_for_the_server_s_reasons_keeps_its_error_in_each_row(shell):
    def answer(request):
        if "b" in json.loads(request.content)["input"]:
            return wire.json_reply({"message": "broken"}, 500)
        return wire.json_reply(wire.embeddings([1.0], [1.0]))

    found = embed(
        shell, ["a", "a", "a", "b"], answer, fail_on_error=False, batch_size=2, concurrency=1
    )
    assert found == [[1.0], [1.0], None, None]
    assert isinstance(found.failures[2], InternalServerError)
    assert found.failures[2] is found.failures[3]
    assert found.failures[2].attempts == 2


def test_each_batch_is_tried_again_as_any_call(shell):
    left = {"a": 2}

    def answer(request):
        texts = json.loads(request.content)["input"]
        if texts == ["a"] and left["a"]:
            left["a"] -= 1
            return wire.json_reply({"message": "busy"}, 429)
        return wire.json_reply(wire.embeddings(*map(vector, texts)))

    assert embed(shell, ["a", "b"], answer, batch_size=1) == [vector("a"), vector("b")]


@pytest.mark.parametrize("of_client", [True, False])
def test_the_deadline_is_for_all_batches_together(shell, of_client):
    def answer(_request):
        shell.clock.advance(4)
        return wire.json_reply(wire.embeddings([1.0]))

    place = {"client": {"deadline": 10}} if of_client else {"deadline": 10}
    texts = ["a"] * 6
    options = {"batch_size": 1, "concurrency": 1}
    error = fails(shell, APITimeoutError, "phase total", texts, answer, **place, **options)
    assert error.phase == "total"
    assert len(shell.transport.requests) == 3
    found = embed(shell, texts, answer, fail_on_error=False, **place, **options)
    assert found.rows == [0, 1]
    assert {error.phase for error in found.failures.values()} == {"total"}
    assert len(shell.transport.requests) == 3


def test_progress_is_told_after_each_batch(shell):
    told = []
    embed(shell, ["a"] * 7, Endpoint(), batch_size=2, on_progress=lambda *done: told.append(done))
    assert told == [(2, 7), (4, 7), (6, 7), (7, 7)] or sorted(told) == told
    assert told[-1] == (7, 7)
    assert len(told) == 4


def test_an_error_of_on_progress_is_the_user_s_own(shell):
    def stop(*_done):
        raise KeyError("enough")

    fails(shell, KeyError, "enough", ["a"], Endpoint(), on_progress=stop)


def test_batches_of_different_lengths_are_told_by_their_rows(shell):
    def answer(request):
        texts = json.loads(request.content)["input"]
        return wire.json_reply(wire.embeddings(*([1.0] * len(text) for text in texts)))

    match = r"the vector of texts\[2\] has 3 numbers, and that of texts\[0\] 2"
    texts = ["aa", "bb", "ccc", "ddd"]
    fails(shell, InvalidResponseError, match, texts, answer, batch_size=2)


def test_a_batch_without_a_vector_for_each_text_is_an_error(shell):
    answer = wire.json_reply(wire.embeddings([1.0]))
    fails(shell, InvalidResponseError, "2 texts", ["a", "b"], answer)


def test_no_more_requests_are_under_way_than_may():
    from shells import SyncShell  # noqa: PLC0415 - threads alone meet here

    now, most = [], []
    barrier = threading.Barrier(3)

    def answer(_request):
        now.append(1)
        most.append(len(now))
        barrier.wait(10)
        now.pop()
        return wire.json_reply(wire.embeddings([1.0]))

    embed(SyncShell(), ["a"] * 9, answer, batch_size=1, concurrency=3)
    assert max(most) <= 3


@pytest.mark.parametrize("seed", range(60))
def test_however_texts_are_batched_they_have_the_vectors_that_each_has_alone(shell, seed):
    source = chance.source(seed)
    texts = ["é" * source.randrange(12) for _ in range(source.randrange(60))]
    texts = [f"{row} {text}" for row, text in enumerate(texts)]
    longest = source.choice([8, 12, 100])
    endpoint = Endpoint(most=source.randrange(1, 40), longest=longest)
    endpoint.poison = set(source.sample(texts, min(len(texts), source.randrange(3))))
    found = embed(
        shell,
        texts,
        endpoint,
        fail_on_error=False,
        batch_size=source.randrange(1, 50),
        batch_bytes=source.choice([1, 30, 200, 10**6]),
        concurrency=source.randrange(1, 6),
    )
    bad = {text for text in texts if len(text) > longest} | endpoint.poison
    # Where nothing is ever taken, texts are not tried one by one to the end.
    if endpoint.taken:
        assert found.rows == [row for row, text in enumerate(texts) if text not in bad]
        assert sorted(found.failures) == [row for row, text in enumerate(texts) if text in bad]
    assert all(one is None or one == vector(text) for one, text in zip(found, texts, strict=True))
    assert len(endpoint.taken) == len(set(endpoint.taken)) == len(found.rows)
    assert all(isinstance(error, APIStatusError) for error in found.failures.values())
