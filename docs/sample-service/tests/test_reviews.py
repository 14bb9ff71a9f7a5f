"""The service, with a model that says what the test wants: nothing is sent, nothing waits."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from reviews import app

from databricks_serving.testing import FakeServing

REVIEWS = {"texts": ["Quick and friendly.", "Too dear."]}


@pytest.fixture
def service(serving_fake: FakeServing) -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client


def test_reviews_are_summed_up(service: TestClient, serving_fake: FakeServing) -> None:
    serving_fake.chat("Good service, high prices.")
    answer = service.post("/summaries", json=REVIEWS)
    assert answer.status_code == 200
    assert answer.json()["text"] == "Good service, high prices."
    assert answer.json()["complete"] is True
    serving_fake.assert_called_once(temperature=0.0, max_tokens=60)
    assert "- Too dear." in serving_fake.last.text


def test_a_short_quota_is_waited_for(service: TestClient, serving_fake: FakeServing) -> None:
    serving_fake.error(429, retry_after=2)
    serving_fake.chat("Good.")
    assert service.post("/summaries", json=REVIEWS).json()["text"] == "Good."


def test_a_long_quota_is_passed_on(service: TestClient, serving_fake: FakeServing) -> None:
    serving_fake.error(429, retry_after=3600)
    answer = service.post("/summaries", json=REVIEWS)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "3600"


def test_a_failure_names_the_request(service: TestClient, serving_fake: FakeServing) -> None:
    serving_fake.error(400, message="no")
    answer = service.post("/summaries", json=REVIEWS)
    assert answer.status_code == 502
    assert "request" in answer.json()["detail"]


def test_words_are_streamed(service: TestClient, serving_fake: FakeServing) -> None:
    serving_fake.chat_stream(["Good ", "service."])
    assert service.post("/summaries/stream", json=REVIEWS).text == "Good service."


def test_a_stream_that_breaks_is_not_taken_for_a_summary(
    service: TestClient, serving_fake: FakeServing
) -> None:
    serving_fake.chat_stream(["Good ", "service."], cut_after=1)
    answer = service.post("/summaries/stream", json=REVIEWS)
    assert answer.text.endswith("[interrupted]")
