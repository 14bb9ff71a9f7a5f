"""Rate limits as buckets that fill up again."""

import pytest

from databricks_serving import ServingClient
from databricks_serving.errors import RateLimitError
from databricks_serving.local import LocalEndpoint
from databricks_serving.local.rates import Limiter, tokens_of

HELLO = {"messages": [{"role": "user", "content": "Hello"}]}


def test_queries_are_counted_and_come_back_with_time(desk):
    ask = desk(mine={"rate_limit": {"queries_per_minute": 3}})
    assert [ask("mine", HELLO).status for _ in range(4)] == [200, 200, 200, 429]
    refused = ask("mine", HELLO)
    assert refused.json == {
        "error_code": "REQUEST_LIMIT_EXCEEDED",
        "message": "REQUEST_LIMIT_EXCEEDED: Exceeded queries per minute rate limit for mine.",
    }
    assert refused.headers["retry-after"] == "20"
    ask.pace.time += 20
    assert [ask("mine", HELLO).status for _ in range(2)] == [200, 429]
    ask.pace.time += 1e6
    assert [ask("mine", HELLO).status for _ in range(4)] == [200, 200, 200, 429]


def test_other_endpoints_have_their_own_limits(desk):
    ask = desk(mine={"rate_limit": {"queries_per_second": 1}}, other={})
    assert [ask("mine", HELLO).status, ask("mine", HELLO).status] == [200, 429]
    assert [ask("other", HELLO).status for _ in range(5)] == [200] * 5


def test_the_wait_can_be_kept_secret(desk):
    ask = desk(mine={"rate_limit": {"queries_per_minute": 1, "retry_after": False}})
    ask("mine", HELLO)
    refused = ask("mine", HELLO)
    assert refused.status == 429
    assert "retry-after" not in refused.headers


@pytest.mark.parametrize("stream", [False, True])
def test_tokens_are_reserved_in_advance_and_given_back(desk, stream):
    ask = desk(mine={"rate_limit": {"tokens_per_minute": 1000}})
    assert ask("mine", {**HELLO, "max_tokens": 990, "stream": stream}).status == 200
    assert ask("mine", {**HELLO, "max_tokens": 980}).status == 200
    assert ask("mine", {**HELLO, "max_tokens": 990}).status == 429


def test_a_request_larger_than_the_bucket_is_told_no_wait(desk):
    ask = desk(mine={"rate_limit": {"tokens_per_minute": 100}})
    refused = ask("mine", {**HELLO, "max_tokens": 5000})
    assert refused.status == 429
    assert "tokens per minute" in refused.json["message"]
    assert "retry-after" not in refused.headers


def test_a_refused_request_takes_nothing_from_other_limits():
    limiter = Limiter({"queries_per_minute": 1, "tokens_per_minute": 10}, now=0.0, retry_after=True)
    for _ in range(3):
        with pytest.raises(Exception, match="tokens per minute"):
            limiter.charge("mine", {"max_tokens": 1000}, 0.0)
    assert limiter.charge("mine", {"max_tokens": 2}, 0.0) == 2


def test_tokens_are_estimated_from_all_texts():
    texts = {"messages": [{"content": "x" * 40}, {"content": [{"text": "\ud800"}]}]}
    assert tokens_of(texts) == 11
    assert tokens_of({**texts, "max_completion_tokens": 5}) == 16
    assert tokens_of({"max_tokens": "many"}) == 1


def test_a_client_waits_as_long_as_it_is_told():
    limit = {"queries_per_second": 1}
    with (
        LocalEndpoint(config={"endpoints": {"mine": {"rate_limit": limit}}}) as local,
        ServingClient(local.host, local.token, max_retries=0) as client,
    ):
        client.chat.completions.create(model="mine", **HELLO)
        with pytest.raises(RateLimitError) as caught:
            client.chat.completions.create(model="mine", **HELLO)
    assert caught.value.retry_after == 1.0
