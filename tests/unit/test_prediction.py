"""Predictions as frames."""

import sys

import pandas as pd
import polars as pl
import pytest

from databricks_serving import Prediction
from databricks_serving._core.optional import optional
from databricks_serving.errors import ConfigError, InvalidResponseError
from databricks_serving.models import PredictionResponse

INDEX = pd.Index(["x", "y"], name="place")


def prediction(value, index=None):
    return Prediction(PredictionResponse(predictions=value), index)


def frame_of(value):
    return prediction(value).to_frame().to_dict(orient="list")


@pytest.mark.parametrize(
    ("value", "columns"),
    [
        ([0.5, 1.5], {"predictions": [0.5, 1.5]}),
        (["a", "b"], {"predictions": ["a", "b"]}),
        ([[1, 2], [3, 4]], {0: [1, 3], 1: [2, 4]}),
        ([{"a": 1, "b": 2}, {"b": 4, "a": 3}], {"a": [1, 3], "b": [2, 4]}),
        ({"a": [1, 3], "b": [2, 4]}, {"a": [1, 3], "b": [2, 4]}),
        ({"label": "sea", "score": 0.5}, {"label": ["sea"], "score": [0.5]}),
        ([[1], [1, 2]], {"predictions": [[1], [1, 2]]}),
        ([], {"predictions": []}),
        (7, {"predictions": [7]}),
        ("text", {"predictions": ["text"]}),
    ],
    ids=str,
)
def test_rows_and_columns_become_a_frame(value, columns):
    assert frame_of(value) == columns
    names = {f"column_{key}" if isinstance(key, int) else key: v for key, v in columns.items()}
    assert prediction(value).to_polars().to_dict(as_series=False) == names


def test_keys_that_a_row_lacks_are_missing():
    rows = [{"a": 2**53 + 1}, {"b": "x"}]
    frame = prediction(rows).to_frame()
    # A float would lose the last digit.
    assert frame["a"].tolist() == [2**53 + 1, pd.NA]
    wide = prediction([{"a": 2**70}, {}]).to_frame()
    assert wide["a"].tolist() == [2**70, None]
    assert frame["b"].isna().tolist() == [True, False]
    assert prediction(rows).to_polars().rows() == [(2**53 + 1, None), (None, "x")]


def test_the_index_of_the_frame_that_was_sent_is_put_back():
    frame = prediction([1, 2], INDEX).to_frame()
    assert frame.index is INDEX or frame.index.equals(INDEX)
    assert frame.index.name == "place"
    assert prediction([1, 2], INDEX).to_series().to_dict() == {"x": 1, "y": 2}
    assert list(prediction([1], INDEX).to_frame().index) == [0]


def test_one_column_becomes_a_series():
    series = prediction([0.5, 1.5]).to_series()
    assert (series.name, series.tolist()) == ("predictions", [0.5, 1.5])
    assert prediction([{"a": 1}]).to_series().name == "a"
    with pytest.raises(InvalidResponseError, match=r"have 2 columns: use to_frame\(\)"):
        prediction([[1, 2]]).to_series()


@pytest.mark.parametrize("value", [{"a": [1], "b": [1, 2]}, {"a": [1], "b": 2}])
def test_what_is_no_table_is_refused(value):
    with pytest.raises(InvalidResponseError, match="the predictions are neither"):
        prediction(value).to_frame()


def test_numbers_of_both_kinds_are_floats_and_other_mixtures_refused():
    assert prediction([1, 2.5, None]).to_polars()["predictions"].to_list() == [1.0, 2.5, None]
    for value in ([1, "a"], [1.5, True], ["a", [1]], [[1], ["a", "b"]]):
        with pytest.raises(InvalidResponseError, match="'predictions' mixes types"):
            prediction(value).to_polars()


def test_nan_stays_nan():
    nan = float("nan")
    assert prediction([1.5, nan]).to_series().isna().tolist() == [False, True]
    assert prediction([1.5, nan]).to_polars()["predictions"].is_nan().to_list() == [False, True]


@pytest.mark.parametrize(
    ("library", "method"),
    [("pandas", "to_frame"), ("pandas", "to_series"), ("polars", "to_polars")],
)
def test_a_library_that_is_missing_is_named_with_its_extra(monkeypatch, library, method):
    monkeypatch.setitem(sys.modules, library, None)
    said = rf"^{method}\(\) needs {library}: pip install 'databricks-serving\[{library}\]'"
    with pytest.raises(ConfigError, match=said):
        getattr(prediction([1]), method)()


def test_a_library_that_is_broken_says_so_itself(monkeypatch, tmp_path):
    (tmp_path / "broken_frames.py").write_text("import not_there\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="not_there"):
        optional("broken_frames", "to_frame()")


def test_a_reply_of_outputs_names_its_column_so():
    seen = Prediction(PredictionResponse(outputs=[1, 2]))
    assert seen.to_frame().columns.tolist() == ["outputs"]
    assert isinstance(seen.to_polars(), pl.DataFrame)
