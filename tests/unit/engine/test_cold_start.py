"""How an endpoint that scales up from zero is told from one that is broken."""

import pytest

from databricks_serving._core.cold_start import is_cold_start


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (None, "The endpoint is scaling up from zero."),
        (None, "Model server is loading"),
        (None, "Endpoint is scaled to zero, please wait"),
        (None, "model is not ready"),
        (None, "Not yet ready"),
        (None, "cold start in progress"),
        (None, "The container is starting up"),
        (None, "still starting"),
        ("ENDPOINT_NOT_READY", "wait"),
        ("SCALING_UP", "wait"),
    ],
)
def test_words_of_a_cold_start_at_status_503(code, message):
    assert is_cold_start(503, code, message)
    assert not is_cold_start(500, code, message)
    assert not is_cold_start(200, code, message)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (None, ""),
        # recording: errors/503-capacity, as the platform words a lack of capacity.
        ("TEMPORARILY_UNAVAILABLE", "unable to satisfy this request due to capacity constraints"),
        (None, "scale the request down"),
        (None, "this model already has a scale factor"),
        (None, "the not readyable"),
    ],
)
def test_other_503s_are_not(code, message):
    assert not is_cold_start(503, code, message)
