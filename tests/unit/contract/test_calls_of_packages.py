"""What the packages that `contract endpoint` makes send and read, with both clients."""

import datetime as dt
import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
import wire

from databricks_serving import ServingClient, errors
from databricks_serving.contract import runtime
from databricks_serving.models import ChatCompletion


@pytest.fixture
def call(shell):
    """Call a function of a package, or its twin, and return what it gives and what was sent."""

    def run(package, answer, *arguments, function="predict", **keywords):
        client = shell.client(wire.json_reply(answer))
        name = function if shell.client_class is ServingClient else f"{function}_async"
        result = shell.wait(getattr(package, name)(client, *arguments, **keywords))
        return result, shell.transport.bodies[-1], shell.transport.requests[-1]

    return run


def wine(package, **values):
    return package.Row(
        **{"fixed_acidity": 7.4, "class_": 2, "style": "red", "organic": True, **values}
    )


GOOD = {"predictions": [{"quality": 5.5, "best before": "2031-05-01T00:00:00"}]}


def test_rows_of_a_table_are_sent_in_the_order_of_the_signature(package, call):
    api = package("wine")
    bottled = dt.datetime(2025, 3, 1, 12, tzinfo=dt.UTC)
    origin = api.RowOrigin(region="Veneto", since=dt.datetime(1987, 1, 1, tzinfo=dt.UTC))
    row = wine(api, bottled_at=bottled, origin=origin, tags={"oak": 0.5})
    results, body, request = call(api, GOOD, [row, wine(api)], threshold=0.25, timeout_=[3])
    assert request.url.path == "/serving-endpoints/wine/invocations"
    # No row has notes, so the column is left out.
    columns = ["fixed acidity", "class", "style", "organic", "bottled at", "origin", "tags"]
    place = {"region": "Veneto", "since": "1987-01-01T00:00:00+00:00"}
    first = [7.4, 2, "red", True, "2025-03-01T12:00:00+00:00", place, {"oak": 0.5}]
    assert body == {
        "dataframe_split": {
            "columns": columns,
            "data": [first, [7.4, 2, "red", True, None, None, None]],
        },
        "params": {"threshold": 0.25, "timeout": [3]},
    }
    assert results == [api.Result(quality=5.5, best_before=dt.datetime(2031, 5, 1))]  # noqa: DTZ001


def test_options_of_calls_and_other_endpoints_are_taken(package, call):
    api = package("wine")
    _, body, request = call(
        api, GOOD, [wine(api)], endpoint="wine-2", served_model="b", extra_headers={"x-a": "1"}
    )
    assert request.url.path == "/serving-endpoints/wine-2/served-models/b/invocations"
    assert request.headers["x-a"] == "1"
    assert "params" not in body


def test_endpoints_that_take_records_are_sent_records(package):
    api = package("lakes")
    columns = (("area", True, False), ("name", False, True))
    rows = (api.Row(area=2), api.Row(name="Upper", area=3))
    assert runtime.records(rows, api.Row, columns) == [
        {"area": 2},
        {"name": "Upper", "area": 3},
    ]
    frame = runtime.records(pd.DataFrame({"name": ["a"], "area": [1]}), api.Row, columns)
    assert list(frame.columns) == ["area", "name"]


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        (wine, "rows must be a list, an entry of Row for each row, not Row"),
        (
            lambda api: [wine(api), {"style": "red"}],
            r"rows\[1\] must be of the class Row, not dict",
        ),
        (lambda api: [wine(api, style=None)], r"rows\[0\] has no value for 'style'"),
        (lambda api: [wine(api, extra={"x": 1})], r"rows\[0\] has 'x', which is no column"),
    ],
    ids=["alone", "dict", "missing", "unknown"],
)
def test_rows_that_do_not_fit_are_refused_before_anything_is_sent(
    package, call, shell, rows, fault
):
    api = package("wine")
    with pytest.raises(errors.InvalidRequestError, match=fault):
        call(api, GOOD, rows(api))
    assert shell.transport.requests == []


FRAMES = [pd.DataFrame, pl.DataFrame]
COLUMNS = {"style": ["red"], "organic": [True], "class": [2], "fixed acidity": [7.4]}


@pytest.mark.parametrize("frame", FRAMES, ids=["pandas", "polars"])
def test_a_frame_is_sent_in_the_order_of_the_signature(package, call, frame):
    _, body, _ = call(package("wine"), GOOD, frame(COLUMNS))
    columns = ["fixed acidity", "class", "style", "organic"]
    assert body == {"dataframe_split": {"columns": columns, "data": [[7.4, 2, "red", True]]}}


@pytest.mark.parametrize("frame", FRAMES, ids=["pandas", "polars"])
def test_a_frame_with_other_columns_is_refused(package, call, shell, frame):
    api = package("wine")
    with pytest.raises(errors.InvalidRequestError, match="rows has no column 'fixed acidity'"):
        call(api, GOOD, frame({"style": ["red"]}))
    with pytest.raises(errors.InvalidRequestError, match="rows has 'mood', which is no column"):
        call(api, GOOD, frame({**COLUMNS, "mood": ["calm"]}))
    assert shell.transport.requests == []


@pytest.mark.parametrize(
    ("predictions", "fault"),
    [
        ({"quality": 1.0}, "predictions must be a list, not an object"),
        ([{"quality": 1.0}, 2.0], r"predictions\[1\] must be an object, not a number with"),
        ([{}], r"predictions\[0\] has no 'quality', which the contract lists"),
        ([{"quality": "high"}], r"predictions\[0\].quality must be a number, not a text"),
        ([{"quality": None}], r"predictions\[0\].quality must be a number, not null"),
        ([{"quality": True}], r"predictions\[0\].quality must be a number, not true or false"),
        ([{"quality": 1, "best before": "soon"}], r"predictions\[0\].best before must be a date"),
    ],
)
def test_predictions_that_do_not_fit_name_the_place(package, call, predictions, fault):
    api = package("wine")
    with pytest.raises(errors.InvalidResponseError, match=fault) as caught:
        call(api, {"predictions": predictions}, [wine(api)])
    assert "high" not in str(caught.value)


def test_keys_that_the_contract_does_not_list_are_kept(package, call):
    api = package("wine")
    answer = {"predictions": [{"quality": 1, "best before": None, "mood": "calm"}]}
    (result,), _, _ = call(api, answer, [wine(api)])
    assert (result.quality, result.best_before, result.extra) == (1, None, {"mood": "calm"})
    assert result.to_dict() == answer["predictions"][0]


def test_a_reply_of_a_feature_endpoint_is_read_from_its_outputs(package, call):
    api = package("wine")
    results, _, _ = call(api, {"outputs": [{"quality": 2.0}]}, [wine(api)])
    assert results == [api.Result(quality=2.0)]
    with pytest.raises(errors.InvalidResponseError, match=r"outputs\[0\].quality"):
        call(api, {"outputs": [{"quality": "x"}]}, [wine(api)])


@pytest.mark.parametrize(
    "batch", [np.zeros((2, 2, 2, 1), dtype="uint8"), [[[[0], [1]], [[2], [3]]]]], ids=type
)
def test_a_batch_of_images_is_an_array_or_nested_lists(package, call, batch):
    result, body, _ = call(package("image"), {"predictions": [[0.5, 1, 2]]}, batch)
    assert body == {"inputs": batch if isinstance(batch, list) else batch.tolist()}
    assert result == [[0.5, 1, 2]]


@pytest.mark.parametrize("batch", [np.zeros((2, 3, 2, 1)), [[1, 2]], "text", None], ids=repr)
def test_a_batch_of_another_shape_is_refused(package, call, shell, batch):
    fault = r"rows must have the shape \(any, 2, 2, 1\), and has"
    with pytest.raises(errors.InvalidRequestError, match=fault):
        call(package("image"), {"predictions": []}, batch)
    assert shell.transport.requests == []


def test_named_tensors_are_sent_by_name_whatever_the_name_is(package, call):
    api = package("named")
    inputs = {"a b": np.ones((1, 2)), "prompt": ["x"]}
    result, body, _ = call(api, {"predictions": {"scores": [0.5]}}, inputs)
    assert body == {"inputs": {"a b": [[1.0, 1.0]], "prompt": ["x"]}}
    assert result == api.Result(scores=[0.5])


@pytest.mark.parametrize(
    ("inputs", "fault"),
    [
        ([1], "inputs must be a dict of arrays, not list"),
        ({"a b": [[1, 2]]}, "inputs has no 'prompt'"),
        ({"a b": [[1, 2]], "prompt": ["x"], "c": 1}, "inputs has 'c', which the contract does"),
        ({"a b": [1, 2], "prompt": ["x"]}, r"inputs\['a b'\] must have the shape \(any, 2\)"),
    ],
)
def test_named_tensors_that_do_not_fit_are_refused(package, call, inputs, fault):
    with pytest.raises(errors.InvalidRequestError, match=fault):
        call(package("named"), {"predictions": {}}, inputs)


def test_a_column_without_a_name_is_a_list(package, call):
    api = package("texts")
    result, body, _ = call(api, {"predictions": ["2026-01-01T00:00:00"]}, ["a"])
    assert (body, result) == ({"inputs": ["a"]}, [dt.datetime(2026, 1, 1)])  # noqa: DTZ001
    with pytest.raises(errors.InvalidRequestError, match="rows must be a list, an entry of str"):
        call(api, {"predictions": []}, "a")


def test_an_agent_is_asked_as_the_client_asks(package, call):
    reply, body, request = call(
        package("agent"), wire.chat(), "Name a river.", function="ask", temperature=0.5, persona="x"
    )
    assert isinstance(reply, ChatCompletion)
    assert reply.text == "The Po."
    assert request.url.path == "/serving-endpoints/agent/invocations"
    assert body == {"messages": wire.USER, "temperature": 0.5, "persona": "x"}


@pytest.mark.parametrize(
    ("name", "answer", "sent"),
    [
        ("older", {"messages": [{"role": "assistant", "content": "The Po."}]}, {"persona": "x"}),
        (
            "responses",
            {
                "output": [
                    {
                        "type": "message",
                        "role": "assistant",
                        "content": [{"type": "output_text", "text": "The Po."}],
                    }
                ]
            },
            {"depth": 2},
        ),
    ],
)
def test_other_agents_are_asked_by_their_own_methods(package, call, name, answer, sent):
    reply, body, _ = call(package(name), answer, "Name a river.", function="ask", **sent)
    assert reply.text == "The Po."
    subject = "input" if name == "responses" else "messages"
    (said,) = body.pop(subject)
    assert (said["role"], said["content"], body) == ("user", "Name a river.", sent)


def test_what_stands_in_extra_body_goes_before_a_keyword(package, call):
    api = package("agent")
    options = {"extra_body": {"persona": "y", "tone": "z"}}
    _, body, _ = call(api, wire.chat(), "Name a river.", function="ask", persona="x", **options)
    assert body == {"messages": wire.USER, "persona": "y", "tone": "z"}
    _, body, _ = call(api, wire.chat(), "Name a river.", function="ask")
    assert body == {"messages": wire.USER}


def test_the_document_of_an_endpoint_gives_names_order_and_descriptions(package, call):
    api = package("lakes")
    assert api.ENDPOINT == "lake-depths"
    rows = [api.Row(area=3.5), api.Row(name="Upper", area=2)]
    result, body, _ = call(api, {"predictions": [1, 2.5]}, rows, unit="feet")
    assert body == {
        "dataframe_split": {"columns": ["area", "name"], "data": [[3.5, None], [2, "Upper"]]},
        "params": {"unit": "feet"},
    }
    assert result == [1, 2.5]
    assert "unit: Metres or feet." in api.predict.__doc__


def test_no_value_is_in_an_error(package, call):
    api = package("wine")
    answer = {"predictions": [{"quality": "a secret of somebody"}]}
    with pytest.raises(errors.InvalidResponseError) as caught:
        call(api, answer, [wine(api, style="another secret")])
    assert "secret" not in json.dumps([str(caught.value), repr(caught.value)])
