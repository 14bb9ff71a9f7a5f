"""The service and the endpoint as it was recorded: do they still agree?"""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from reviews import app

from databricks_serving.testing import Cassette, verify_contract

CASSETTES = Path(__file__).parent / "cassettes"
REVIEWS = {"texts": ["Quick and friendly.", "Too dear."]}


@pytest.mark.usefixtures("serving_cassette")
def test_reviews_are_summed_up() -> None:
    with TestClient(app) as service:
        answer = service.post("/summaries", json=REVIEWS)
    assert answer.status_code == 200
    assert answer.json()["text"]
    assert answer.json()["tokens"] > 0


def test_words_are_streamed(serving_cassette: Cassette) -> None:
    with TestClient(app) as service:
        answer = service.post("/summaries/stream", json=REVIEWS)
    assert answer.text
    assert "[interrupted]" not in answer.text
    assert serving_cassette.unplayed == []


def test_the_recordings_agree_with_the_contract() -> None:
    verify_contract(CASSETTES)
