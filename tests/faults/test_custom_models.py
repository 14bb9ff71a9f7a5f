"""What custom models answer, and how their streams end; section 2.4."""

import pandas as pd
import pytest
from raw_server import then_close

from databricks_serving.errors import (
    BadRequestError,
    InvalidRequestError,
    InvalidResponseError,
    StreamInterruptedError,
    StreamServerError,
)

from .support.answers import reply, stream
from .support.canary import PROMPT

TABLE = pd.DataFrame({"text": [PROMPT], "depth": [1.5]})
PREDICTIONS = [[1.5], {"a": [1]}, 7, None, "text", [[{"a": [None]}]], [], {"error": "of the fit"}]


def predict(house, client, **rows):
    prediction = house.wait(client.predict("m", **(rows or {"dataframe_split": TABLE})))
    house.show(prediction)
    return prediction


@pytest.mark.row("R-14")
@pytest.mark.parametrize("value", PREDICTIONS, ids=str)
def test_predictions_are_given_as_they_came(house, value):
    _, client = house.serve(reply({"predictions": value}))
    assert predict(house, client).predictions == value


@pytest.mark.row("R-14", "R-03")
def test_numbers_that_json_lacks_are_given_as_floats(house):
    _, client = house.serve(reply(b'{"predictions": [NaN, -Infinity, 1e999]}'))
    assert str(predict(house, client).predictions) == "[nan, -inf, inf]"


@pytest.mark.row("R-14")
@pytest.mark.parametrize("data", [{}, {"prediction": [1]}, {"choices": []}], ids=str)
def test_a_reply_without_predictions_is_no_answer(house, data):
    server, client = house.serve(reply(data))
    with house.raising(InvalidResponseError, "neither predictions nor outputs"):
        predict(house, client)
    assert len(server.requests) == 1


@pytest.mark.row("R-14")
def test_a_table_that_the_model_refuses_is_not_repeated(house):
    echo = f"Failed to predict data '{PROMPT}'. \nError: the table is too wide."
    _, client = house.serve(reply({"error_code": "BAD_REQUEST", "message": echo}, 400))
    with pytest.raises(BadRequestError) as caught:
        predict(house, client)
    assert "the table is too wide" in str(caught.value)
    assert "canary" not in str(caught.value)


@pytest.mark.row("R-14", "A-11")
@pytest.mark.parametrize(
    "rows",
    [
        {"dataframe_split": pd.DataFrame({"a": [PROMPT, 1j]})},
        {"dataframe_records": [{"a": [PROMPT, float("inf")]}]},
        {"instances": [PROMPT, object]},
        {"inputs": {"a": PROMPT, "b": {PROMPT}}},
        {"inputs": {"messages": PROMPT, "stream": True}},
        {"inputs": PROMPT, "instances": [PROMPT]},
    ],
    ids=["split", "records", "instances", "inputs", "whole", "two"],
)
def test_rows_that_cannot_be_sent_are_refused_without_being_shown(house, rows):
    server, client = house.serve()
    with house.raising(InvalidRequestError):
        predict(house, client, **rows)
    assert server.requests == []


def events(house, *blocks, cut=False):
    answer = stream(*blocks, ends=not cut)
    _, client = house.serve(then_close(answer) if cut else answer, max_retries=0)
    return client.predict_stream("m", dataframe_split=TABLE)


@pytest.mark.row("R-14", "E-20", "E-24")
def test_a_stream_of_any_json_is_whole_when_it_is_closed_in_order(house):
    with house.opened(events(house, '{"a": 1}', "null", '"b"')) as opened:
        assert house.items(opened) == [{"a": 1}, None, "b"]


@pytest.mark.row("R-14", "E-20")
def test_a_stream_that_is_cut_is_not_whole(house):
    with house.opened(events(house, '{"a": 1}', cut=True)) as opened:
        _, error = house.breaks(house.iterate(opened), StreamInterruptedError)
    assert error.partial.predictions == [{"a": 1}]


@pytest.mark.row("R-14", "E-18")
def test_an_error_inside_such_a_stream_is_raised(house):
    fault = {"error_code": "BAD_REQUEST", "message": "out of luck"}
    with house.opened(events(house, '{"a": 1}', fault)) as opened:
        seen, _ = house.breaks(house.iterate(opened), StreamServerError, "out of luck")
    assert seen == [{"a": 1}]
