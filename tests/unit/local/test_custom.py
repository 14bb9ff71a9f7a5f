"""The local endpoint's custom model, by the rules of MLflow's scoring server."""

import json

import pytest

from databricks_serving.local import LocalEndpoint


def predict(call, **body):
    answer = call("local-custom", body)
    assert answer.status == 200, answer.body
    return answer.json["predictions"]


@pytest.mark.parametrize(
    ("body", "predictions"),
    [
        ({"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2.5], [3, None]]}}, [3.5, 3]),
        ({"dataframe_split": {"data": []}}, []),
        ({"dataframe_split": {"index": ["x"], "columns": [0], "data": [[7]]}}, [7]),
        ({"dataframe_records": [{"a": 1, "b": "text"}, {"a": True}]}, [1, 0]),
        ({"instances": [1, [2, [3]], {"a": [4]}]}, [1, 5, 4]),
        ({"inputs": [[1, 2], [3]]}, [3, 3]),
        ({"inputs": {"a": [[1, 2], [3]], "b": 4}}, {"a": [3, 3], "b": [4]}),
        ({"inputs": [1], "params": {"scale": 2.5}}, [2.5]),
        ({"inputs": [1], "params": {"other": 1}, "client_request_id": "c"}, [1]),
        ({"inputs": [1], "instances": None}, [1]),
        ({"inputs": [[1e308, 1e308]]}, [None]),
        (
            {"dataframe_records": [{"prompt": "Hi. You?", "stop": ["."]}, {"prompt": "Hi."}]},
            ["You said: Hi", "You said: Hi."],
        ),
        ({"inputs": [10**400], "params": {"scale": 1.5}}, [None]),
    ],
    ids=str,
)
def test_a_prediction_is_the_sum_of_a_row(call, body, predictions):
    assert predict(call, **body) == predictions


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "found none of them"),
        ({"params": {}}, "found none of them"),
        ({"inputs": [1], "instances": [1]}, "found 'instances', 'inputs'"),
        ({"messages": [{"role": "user", "content": "Hi"}]}, "found none of them"),
        ({"dataframe_split": [1]}, "dataframe_split must be an object"),
        ({"dataframe_split": {"columns": ["a"]}}, "must have data"),
        ({"dataframe_split": {"data": [], "dtype": 1}}, "and no more"),
        ({"dataframe_split": {"data": 1}}, "data must be a list"),
        ({"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}}, "rows of another length"),
        ({"dataframe_split": {"index": [1], "data": []}}, "1 labels, and 0 rows"),
        ({"dataframe_records": {"a": 1}}, "must be a list of objects"),
        ({"dataframe_records": [[1]]}, "must be a list of objects"),
        ({"instances": {"a": 1}}, "instances must be a list"),
        ({"inputs": 7}, "inputs must be a list or an object"),
        ({"inputs": [1], "params": [1]}, "params must be an object"),
        ({"inputs": [1], "params": {"scale": "2"}}, "params.scale must be a number"),
    ],
    ids=str,
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_mlflow_refuses_is_refused(call, body, said, stream):
    answer = call("local-custom", {**body, "stream": stream})
    assert answer.status == 400
    assert answer.json["error_code"] in {"BAD_REQUEST", "INVALID_PARAMETER_VALUE"}
    assert said in answer.json["message"]


def test_a_body_that_is_no_object_is_refused(call):
    assert call("local-custom", b"[1]").status == 400
    assert call("local-custom", b'{"inputs": [NaN]}').status == 400
    assert call("local-custom", {"inputs": [1]}, headers={"Content-Type": None}).status == 415


def test_a_stream_has_an_event_for_each_row_and_no_end_mark(call):
    answer = call("local-custom", {"instances": [1, [2, 3]], "stream": True})
    assert answer.headers["content-type"] == "text/event-stream"
    events = answer.body.decode().removesuffix("\n\n").split("\n\n")
    assert [json.loads(event.removeprefix("data: ")) for event in events] == [
        {"row": 0, "prediction": 1},
        {"row": 1, "prediction": 5},
    ]


def test_a_stream_of_named_tensors_has_an_event_for_each_name(call):
    answer = call("local-custom", {"inputs": {"a": [1], "b": [2]}, "stream": True})
    assert b'data: {"name":"b","prediction":[2]}\n\n' in answer.body


def test_it_says_that_it_is_no_model(call):
    assert call("local-custom", {"inputs": [1]}).headers["served-model-name"] == (
        "deterministic-echo"
    )


def test_an_endpoint_of_any_name_is_a_custom_model_on_request(caller):
    with LocalEndpoint(endpoints={"rivers": "custom"}) as local:
        assert predict(lambda _, body: caller(local)("rivers", body), inputs=[1]) == [1]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"params": False}, "params must be an object"),
        ({"params": ""}, "params must be an object"),
        ({"params": []}, "params must be an object"),
        ({"usage_context": {"a": 1}}, 'field "usage_context.a" of type string'),
        ({"client_request_id": 7}, 'field "client_request_id" of type string'),
        ({"stream": "yes"}, 'field "stream" of type bool'),
        ({"databricks_options": {"conversation_id": {}}}, "databricks_options.conversation_id"),
        ({"databricks_options": {"return_trace": "yes"}}, "databricks_options.return_trace"),
        ({"databricks_options": 0}, "databricks_options"),
    ],
)
def test_what_stands_beside_the_rows_has_its_type(call, more, words):
    answer = call("local-custom", {"inputs": [1], **more})
    assert answer.status == 400
    assert words in answer.json["message"]


def test_what_is_null_or_unknown_beside_the_rows_is_passed_over(call):
    options = {"return_trace": None, "other": 1}
    assert predict(call, inputs=[1], params=None, databricks_options=options) == [1]
    assert predict(call, inputs=[1], databricks_options=None) == [1]
