"""Rows that are no frame: dicts, lists and arrays, in each of the four forms."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest

from databricks_serving._core.rows.forms import write_rows
from databricks_serving.errors import InvalidRequestError
from databricks_serving.models import DataframeSplit

NAN = float("nan")


def sent(form, value):
    return json.loads(write_rows(form, value).data.data)


@pytest.mark.parametrize(
    ("form", "value", "expected"),
    [
        ("dataframe_split", {"columns": ["a"], "data": [[1]]}, None),
        ("dataframe_split", {"data": []}, None),
        ("dataframe_split", {"index": None, "data": [[None]]}, {"data": [[None]]}),
        ("dataframe_split", {"data": [[NAN]]}, {"data": [[None]]}),
        (
            "dataframe_split",
            {"columns": ["a"], "data": np.ones((1, 1))},
            {"columns": ["a"], "data": [[1.0]]},
        ),
        ("dataframe_split", DataframeSplit(data=[[1]]), {"data": [[1]]}),
        ("dataframe_records", [{"a": 1}], None),
        ("dataframe_records", ({"a": NAN, "b": np.int8(1)},), [{"a": None, "b": 1}]),
        ("instances", [1, [2], {"a": None}], None),
        ("instances", np.array([[1, 2]], dtype="int8"), [[1, 2]]),
        ("instances", [np.float32(0.5), np.bool_(1), np.str_("a")], [0.5, True, "a"]),
        ("instances", np.array([b"a"]), ["YQ=="]),
        ("instances", np.array(["a", "日本"]), ["a", "日本"]),
        ("inputs", {"a": np.zeros((1, 2)), "b": [b"a"]}, {"a": [[0.0, 0.0]], "b": ["YQ=="]}),
        ("inputs", np.array(5), 5),
        ("inputs", np.array([{"a": np.int64(1)}], dtype=object), [{"a": 1}]),
        ("inputs", np.array(["2020-01-01"], dtype="M8[D]"), ["2020-01-01"]),
        ("inputs", "sea", None),
        ("inputs", ["\ud800"], None),
    ],
    ids=str,
)
def test_rows_are_sent_as_they_are_but_for_what_json_has_not(form, value, expected):
    assert sent(form, value) == (value if expected is None else expected)


@pytest.mark.parametrize(
    ("form", "value", "said"),
    [
        ("dataframe_split", 3, "must be a frame, or a dict of columns and data, not int"),
        ("dataframe_split", pd.Series([1]), "not Series"),
        ("dataframe_split", [{"a": 1}], "not list"),
        ("dataframe_split", {"data": [[1]], "colums": 1}, "not 'colums'"),
        ("dataframe_split", {"columns": ["a"]}, "its data must be a list of rows, not NoneType"),
        ("dataframe_split", {"columns": ["a"], "data": [[1], [1, 2]]}, "row 1 has 2 cells, for 1"),
        ("dataframe_split", {"columns": ["a", "a"], "data": []}, "two columns have the name 'a'"),
        ("dataframe_split", {"columns": ["a"], "data": [[1j]]}, ".data[0][0] is a complex"),
        ("dataframe_records", {"a": 1}, "must be a frame, or a list of dicts, not dict"),
        ("dataframe_records", [1], "row 0 must be a dict, not int"),
        ("dataframe_records", [{"a": float("inf")}], "dataframe_records[0].a is infinite"),
        ("instances", {"a": 1}, "must be a list or an array, not dict"),
        ("instances", "abc", "must be a list or an array, not str"),
        ("instances", pd.DataFrame({"a": [1]}), "pass a frame as dataframe_split="),
        ("instances", pl.DataFrame({"a": [1]}), "pass a frame as dataframe_split="),
        ("instances", [NAN], "instances[0] is missing (NaN or the like)"),
        ("instances", np.array([[1.0, NAN]]), "instances[0][1] is missing"),
        ("instances", np.array(["NaT"], dtype="M8[s]"), "instances[0] is missing"),
        ("inputs", {"a": np.array([0, np.inf])}, "inputs.a[1] is infinite"),
        ("inputs", {"a": np.array([1j])}, "inputs.a is a complex number"),
        ("inputs", {"a": np.array([1], dtype="m8[s]")}, "inputs.a is a duration"),
        ("inputs", {"a": pd.Series([1])}, "inputs.a is of type Series (pass its tolist()"),
        ("inputs", {"a": [pd.DataFrame()]}, "inputs.a[0] is of type DataFrame (pass a frame as"),
        ("inputs", {"a": {1: 2}}, "inputs.a has a key of type int"),
        ("inputs", np.float64(NAN), "inputs is missing"),
        ("inputs", [2**64], "inputs[0] is an integer of more than 64 bits"),
        ("inputs", [pd.NA], "inputs[0] is missing"),
    ],
    ids=str,
)
def test_rows_that_cannot_be_sent_are_refused_by_place(form, value, said):
    with pytest.raises(InvalidRequestError) as caught:
        write_rows(form, value)
    assert str(caught.value).startswith(form)
    assert said in str(caught.value)


def test_rows_that_contain_themselves_are_refused():
    rows = []
    rows.append(rows)
    with pytest.raises(InvalidRequestError, match="contains itself"):
        write_rows("inputs", rows)
    with pytest.raises(InvalidRequestError, match="column 'a' is nested too deep"):
        write_rows("dataframe_split", pd.DataFrame({"a": pd.Series([rows], dtype=object)}))


def test_deep_rows_are_refused_without_delay():
    rows = 1j
    for _ in range(100):
        rows = [rows]
    with pytest.raises(InvalidRequestError, match=r"\[0\]\[0\] is a complex number"):
        write_rows("inputs", rows)
    deep = 1
    for _ in range(300):
        deep = [deep]
    with pytest.raises(InvalidRequestError, match="nested"):
        write_rows("inputs", deep)


def test_what_was_given_may_change_after_it_was_written():
    rows = [[1]]
    written = write_rows("instances", rows)
    rows[0].append(2)
    assert written.data.data == b"[[1]]"
    assert "1" not in repr(written.data)
