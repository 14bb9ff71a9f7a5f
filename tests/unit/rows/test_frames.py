"""Frames as they are sent, and what is refused of them."""

import datetime as dt
import json
import time
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest

from databricks_serving._core.rows.forms import write_rows
from databricks_serving.errors import InvalidRequestError

DAY = dt.date(2020, 1, 2)


class Name(str):
    """A text of a user's own."""

    __slots__ = ()


def split(frame):
    return json.loads(write_rows("dataframe_split", frame).data.data)


def records(frame):
    return json.loads(write_rows("dataframe_records", frame).data.data)


def cell(*values, **how):
    """Return what the values of one column are sent as."""
    return [row[0] for row in split(pd.DataFrame({"a": pd.Series(values, **how)}))["data"]]


def refusal(form, value):
    with pytest.raises(InvalidRequestError) as caught:
        write_rows(form, value)
    return str(caught.value)


def test_the_default_index_is_left_out_and_any_other_sent():
    frame = pd.DataFrame({"a": [1, 2]})
    assert split(frame) == {"columns": ["a"], "data": [[1], [2]]}
    assert split(frame[1:]) == {"index": [1], "columns": ["a"], "data": [[2]]}
    dated = frame.set_index(pd.to_datetime(["2020-01-01", "2020-01-02"]))
    assert split(dated)["index"] == ["2020-01-01T00:00:00", "2020-01-02T00:00:00"]


def test_a_frame_without_columns_or_rows_keeps_its_shape():
    assert split(pd.DataFrame(index=range(2))) == {"columns": [], "data": [[], []]}
    assert split(pd.DataFrame({"a": []})) == {"columns": ["a"], "data": []}
    assert records(pd.DataFrame(index=range(2))) == [{}, {}]
    assert split(pl.DataFrame({"a": []})) == {"columns": ["a"], "data": []}


def test_numbers_name_columns_in_the_split_form_alone():
    frame = pd.DataFrame([[1, 2]])
    assert split(frame)["columns"] == [0, 1]
    assert "the name of column 0 must be a text, not the number 0" in refusal(
        "dataframe_records", frame
    )


def test_names_of_any_kind_of_text_are_sent_as_text():
    frame = pd.DataFrame([[{Name("k"): 1}]], columns=[Name("a")])
    assert records(frame) == [{"a": {"k": 1}}]
    assert split(frame)["columns"] == ["a"]


def test_a_cell_that_is_nested_too_deep_is_refused():
    value = 1
    for _ in range(260):
        value = [value]
    frame = pd.DataFrame({"a": pd.Series([value], dtype=object)})
    assert "nested deeper than" in refusal("dataframe_split", frame)
    assert "nested deeper than" in refusal(
        "dataframe_records", pl.DataFrame({"a": pl.Series([value], dtype=pl.Object)})
    )


def test_what_is_missing_is_null():
    assert cell(1.5, np.nan) == [1.5, None]
    assert cell(pd.Timestamp(0), pd.NaT) == ["1970-01-01T00:00:00", None]
    assert cell(1, None, dtype="Int64") == [1, None]
    assert cell(True, None, dtype="boolean") == [True, None]
    assert cell("a", None) == ["a", None]
    assert cell(pd.NA, pd.NaT, None, np.nan, dtype=object) == [None] * 4
    assert cell("a", None, dtype="category") == ["a", None]
    assert cell(np.datetime64("NaT"), np.float32("nan"), Decimal("NaN"), dtype=object) == [None] * 3


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (DAY, "2020-01-02"),
        (dt.datetime(2020, 1, 2, 3, 4, 5, 6), "2020-01-02T03:04:05.000006"),  # noqa: DTZ001 - so it is
        (pd.Timestamp("2020-01-02T00:00:00.000000001"), "2020-01-02T00:00:00.000000001"),
        (pd.Timestamp("2020-07-02", tz="Europe/Paris"), "2020-07-02T00:00:00+02:00"),
        (b"ab\x00", "YWIA"),
        (Decimal("1.10"), 1.1),
        ([1, np.float32(0.5), [b"a"]], [1, 0.5, ["YQ=="]]),
        ({"a": np.arange(2), "b": DAY}, {"a": [0, 1], "b": "2020-01-02"}),
        (np.datetime64("2020-01-02T00:00", "ns"), "2020-01-02T00:00:00"),
    ],
    ids=str,
)
def test_a_cell_that_json_does_not_have_is_sent_as_mlflow_reads_it(value, sent):
    assert cell(value, dtype=object) == [sent]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([1.5, np.inf], "row 1 is infinite"),
        (["a", -np.inf], "row 1 is infinite"),
        ([1j], "is a complex number"),
        ([dt.timedelta(1)], "total_seconds()"),
        ([dt.time(1)], "row 0 is a time of day"),
        ([2**64], "row 0 is an integer of more than 64 bits"),
        ([Decimal("0.12345678901234567890")], "more digits than a float holds"),
        ([Decimal("Infinity")], "row 0 is infinite"),
        ([len], "row 0 is of type builtin"),
        ([{1, 2}], "row 0 is of type set"),
        ([{"b": [0, float("inf")]}], "row 0 at .b[1] is infinite"),
        ([{1: 2}], "row 0 has a key of type int"),
        (pd.arrays.SparseArray([0, 1]), "is sparse"),
        (pd.period_range("2020", periods=1, freq="M"), "has periods"),
        (pd.interval_range(0, 1), "has intervals"),
        (np.array([1], dtype=np.longdouble), "numpy's type float128"),
    ],
    ids=str,
)
def test_a_cell_that_cannot_be_sent_is_named_by_column_and_row(values, said):
    message = refusal("dataframe_split", pd.DataFrame({"depth": values}))
    assert message.startswith("dataframe_split: column 'depth'")
    assert said in message


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "two columns have the name 'a'"),
        (pd.DataFrame([[1]], columns=[1.5]), "column 0 must be a text or a whole number"),
        (pd.DataFrame([[1]], columns=[True]), "column 0 must be a text or a whole number"),
        (
            pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])),
            "its columns have several levels",
        ),
        (pd.DataFrame({"a": [1]}, index=[[1], [2]]), "its index has several levels"),
        (pd.DataFrame({"a": [1]}, index=[np.inf]), "the index, row 0 is infinite"),
    ],
    ids=["twice", "float", "bool", "levels", "index", "label"],
)
def test_a_frame_whose_names_or_labels_cannot_be_sent_is_refused(frame, said):
    assert said in refusal("dataframe_split", frame)


def test_a_polars_frame_is_sent_alike():
    frame = pl.DataFrame(
        {
            "n": [1, None],
            "x": [0.5, float("nan")],
            "t": pl.Series([1, None], dtype=pl.Datetime("ns")),
            "z": pl.Series([0, None], dtype=pl.Datetime("us", "Asia/Kathmandu")),
            "b": [b"a", None],
            "s": [{"a": DAY}, None],
        }
    )
    first = [1, 0.5, "1970-01-01T00:00:00.000000001", "1970-01-01T05:30:00+05:30", "YQ=="]
    assert split(frame)["data"] == [[*first, {"a": "2020-01-02"}], [None] * 6]
    assert records(frame[["n"]]) == [{"n": 1}, {"n": None}]


@pytest.mark.parametrize(
    ("series", "said"),
    [
        ([1.5, float("inf")], "column 'a', row 1 is infinite"),
        ([dt.timedelta(1)], "column 'a', row 0 is a duration"),
        ([dt.time(1)], "column 'a', row 0 is a time of day"),
        (pl.Series([[1]], dtype=pl.List(pl.Datetime("ns"))), "nanoseconds inside lists"),
        (pl.Series([object()], dtype=pl.Object), "column 'a', row 0 is of type object"),
    ],
    ids=["inf", "duration", "time", "nested", "object"],
)
def test_a_polars_cell_that_cannot_be_sent_is_named(series, said):
    assert said in refusal("dataframe_split", pl.DataFrame({"a": series}))


def test_a_large_frame_takes_no_second():
    frame = pd.DataFrame(np.random.default_rng(0).random((100_000, 20)))
    frame[0] = frame[0].where(frame[0] > 0.5)
    began = time.perf_counter()
    write_rows("dataframe_split", frame)
    # Measured: 0.3 s; the rest is for busy machines.
    assert time.perf_counter() - began < 3


def test_nothing_of_a_value_is_in_a_message():
    for value in ("secret" * 3, {"secret": 1j}):
        message = refusal("dataframe_split", pd.DataFrame({"a": [{"x": [value, 1j]}]}))
        assert "secretsecret" not in message
