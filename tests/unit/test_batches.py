"""How texts are shared out among requests, and which refusals ask for smaller ones."""

import pytest
import recordings

from databricks_serving._core.batches import batches_of, cut, halves, name_of, sizes_of
from databricks_serving._core.excess import Excess, excess_of
from databricks_serving.errors import (
    APIConnectionError,
    APIStatusError,
    BadRequestError,
    PayloadTooLargeError,
    RateLimitError,
)


@pytest.mark.parametrize(
    ("sizes", "most", "most_bytes", "batches"),
    [
        ([], 3, 9, []),
        ([1], 3, 9, [(0, 1)]),
        ([1, 1, 1], 3, 9, [(0, 3)]),
        ([1, 1, 1, 1], 3, 9, [(0, 3), (3, 4)]),
        ([5, 4, 1], 3, 9, [(0, 2), (2, 3)]),
        ([5, 5, 5], 3, 9, [(0, 1), (1, 2), (2, 3)]),
        ([99, 1, 99], 3, 9, [(0, 1), (1, 2), (2, 3)]),
        ([1, 1, 1], 1, 9, [(0, 1), (1, 2), (2, 3)]),
    ],
)
def test_batches_are_as_large_as_both_limits_let_them_be(sizes, most, most_bytes, batches):
    assert batches_of(sizes, most, most_bytes) == [range(*batch) for batch in batches]


def test_a_size_is_that_of_the_json():
    assert sizes_of(["", "a", "é", '"', "\n", "\ud800"]) == [3, 4, 5, 5, 5, 9]


def test_a_batch_is_halved_and_cut():
    assert halves(range(4, 7)) == [range(4, 5), range(5, 7)]
    assert cut(range(4, 9), 2) == [range(4, 6), range(6, 8), range(8, 9)]
    assert cut(range(4, 6), 2) == [range(4, 6)]


def test_a_batch_is_named_by_its_ends():
    assert name_of(range(4, 7)) == "texts[4] to texts[6]"
    assert name_of(range(4, 5)) == "texts[4]"


@pytest.mark.parametrize(
    ("message", "excess"),
    [
        ("Input embeddings size is too large, exceeding 150 limit for a-model", Excess.TEXTS),
        ("batch size 97 > maximum allowed batch size 32", Excess.TEXTS),
        ("total number of texts must be at most 96 texts, received 97", Excess.TEXTS),
        ("at most 100 requests can be in one batch", Excess.TEXTS),
        ('Bad request: "input" must have at most 150 items, got 151', Excess.TEXTS),
        ("Invalid 'input': array too long. Expected at most 2048 elements", Excess.TEXTS),
        ("Too many inputs in request, split them", Excess.TEXTS),
        ("This model's maximum context length is 512 tokens, you asked for 600", Excess.SIZE),
        ("Invalid 'input[2]': maximum input length is 8192 tokens.", Excess.SIZE),
        ("Requested 310000 tokens, max 300000 tokens per request", Excess.SIZE),
        (
            "Input validation error: `inputs` must have less than 512 tokens. Given: 600",
            Excess.SIZE,
        ),
        ("Too many tokens in batch. Max is 16384 got 17000", Excess.SIZE),
        ("Too many input tokens. Max input tokens: 8192, request has 9000", Excess.SIZE),
        ("The max allowed tokens per submitted batch is 120000.", Excess.SIZE),
        ("The input token count (9000) exceeds the limit", Excess.SIZE),
        ("input exceeds 8192 tokens", Excess.SIZE),
        ("Input is too long for requested model.", Excess.SIZE),
        ("input (600 tokens) is too large to process", Excess.SIZE),
        ("Request body too large", Excess.SIZE),
        ("Request size is too large", Excess.SIZE),
    ],
)
def test_the_wordings_of_servers_are_known(message, excess):
    assert excess_of(BadRequestError(message, status_code=400)) is excess
    assert excess_of(APIStatusError(message, status_code=422)) is excess


def test_the_recorded_refusal_is_known():
    found = [one for one in recordings.own() if one.name == "errors/400-too-many-texts"]
    message = found[0].expect["message"]
    assert excess_of(BadRequestError(message, status_code=400)) is Excess.TEXTS


@pytest.mark.parametrize(
    "error",
    [
        BadRequestError('json: unknown field "dimension"', status_code=400),
        BadRequestError("max_tokens must be at least 1", status_code=400),
        BadRequestError("dimensions must be at most 1024", status_code=400),
        BadRequestError("the input was flagged by a guardrail", status_code=400),
        RateLimitError("too many tokens per minute: exceeded 1000 tokens", status_code=429),
        APIStatusError("request body too large", status_code=500),
        APIConnectionError("too many texts"),
    ],
)
def test_other_errors_ask_for_nothing_smaller(error):
    assert excess_of(error) is None


def test_whatever_it_says_413_is_too_large():
    assert excess_of(PayloadTooLargeError("no", status_code=413)) is Excess.SIZE
    by_count = PayloadTooLargeError("maximum allowed batch size 32", status_code=413)
    assert excess_of(by_count) is Excess.TEXTS
