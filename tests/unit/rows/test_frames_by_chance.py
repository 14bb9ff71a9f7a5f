"""Frames of any kind, read back from their JSON by the rules of MLflow's scoring server.

It makes a frame of the parts (`pandas.DataFrame(data, index, columns)`), reads text as dates where
the signature of the model has dates, and base64 where it has bytes.
"""

import base64
import datetime as dt
import json
import math
from decimal import Decimal

import chance
import numpy as np
import pandas as pd
import polars as pl
import pytest

from databricks_serving._core.rows.forms import write_rows

ROUNDS = 400
EPOCH = pd.Timestamp("2020-01-01").value


def moment(source, unit):
    scale = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[unit]
    return pd.Timestamp(EPOCH + source.randrange(10**9) * scale)


# Each makes the values of a column, without gaps.
PLAIN = {
    "int64": lambda s: s.choice((0, -1, 2**63 - 1, -(2**63), s.randrange(1000))),
    "uint64": lambda s: s.choice((0, 2**64 - 1, 2**53 + 1)),
    "int8": lambda s: s.randrange(-128, 128),
    "float64": lambda s: s.choice((0.0, -0.0, 0.1, 1e308, 5e-324, 1 / 3, s.random())),
    "float32": lambda s: np.float32(s.random()),
    "float16": lambda s: np.float16(s.random()),
    "bool": lambda s: s.random() < 0.5,
}
TEXTS = ["", "a", "null", "NaN", "\u2028", '"', "日本", "2020-01-01"]
OBJECTS = {
    "str": lambda s: s.choice(TEXTS),
    "mixed": lambda s: s.choice((1, 2.5, "a", True, 2**53 + 1)),
    "bytes": lambda s: s.randbytes(s.randrange(5)),
    "date": lambda s: dt.date(2020, 1, 1) + dt.timedelta(days=s.randrange(10**4)),
    "datetime": lambda s: dt.datetime(2020, 1, 1, microsecond=s.randrange(10**6)),  # noqa: DTZ001 - so it is
    "list": lambda s: [s.randrange(5), None, "a"],
    "dict": lambda s: {"a": s.random(), "b": [True]},
    "decimal": lambda s: Decimal(s.randrange(10**6)).scaleb(-2),
}
GAPPY = {
    "Int64": PLAIN["int64"],
    "boolean": PLAIN["bool"],
    "Float64": PLAIN["float64"],
    "string": OBJECTS["str"],
    "category": lambda s: s.choice("abc"),
    "float": PLAIN["float64"],
}


def gappy(source, make, count):
    return [None if source.random() < 0.3 else make(source) for _ in range(count)]


def pandas_column(source, count):
    """Return a column, and what it must be read back as."""
    group = source.randrange(4)
    if group == 0:
        kind = source.choice(list(PLAIN))
        values = np.array([PLAIN[kind](source) for _ in range(count)], dtype=kind)
        return pd.Series(values), values.tolist()
    if group == 1:
        kind = source.choice(list(OBJECTS))
        values = gappy(source, OBJECTS[kind], count)
        return pd.Series(values, dtype=object), values
    if group == 2:
        kind = source.choice(list(GAPPY))
        values = gappy(source, GAPPY[kind], count)
        return pd.Series(values, dtype=kind), values
    unit = source.choice(("s", "ms", "us", "ns"))
    values = [None if source.random() < 0.2 else moment(source, unit) for _ in range(count)]
    zone = source.choice((None, "UTC", "Asia/Kathmandu"))
    series = pd.Series(pd.DatetimeIndex(values).as_unit(unit).tz_localize(zone))
    return series, [None if value is pd.NaT else value for value in series]


def polars_column(source, count):
    kinds = {
        pl.Int64: PLAIN["int64"],
        pl.UInt64: PLAIN["uint64"],
        pl.Float64: PLAIN["float64"],
        pl.Boolean: PLAIN["bool"],
        pl.String: OBJECTS["str"],
        pl.Binary: OBJECTS["bytes"],
        pl.Date: OBJECTS["date"],
        pl.Datetime("us"): OBJECTS["datetime"],
        pl.Categorical: GAPPY["category"],
        pl.Decimal(12, 2): OBJECTS["decimal"],
        pl.List(pl.Int64): lambda s: [s.randrange(5), None],
        pl.Struct({"a": pl.Float64}): lambda s: {"a": s.random()},
    }
    kind = source.choice(list(kinds))
    values = gappy(source, kinds[kind], count)
    return pl.Series(values, dtype=kind), values


def same(seen, meant):
    """Tell whether a decoded value is the one that was meant."""
    if meant is None or (isinstance(meant, float) and math.isnan(meant)):
        return seen is None
    if isinstance(meant, bytes):
        return base64.decodebytes(seen.encode()) == meant
    if isinstance(meant, dt.datetime):
        return pd.Timestamp(seen) == pd.Timestamp(meant)
    if isinstance(meant, dt.date):
        return dt.date.fromisoformat(seen) == meant
    if isinstance(meant, Decimal):
        return Decimal(str(seen)) == meant
    # Repr tells 1, 1.0 and True apart, and 0.0 from -0.0.
    return repr(seen) == repr(meant)


def check(frame, columns, labels=None):
    """Write a frame in both forms and compare each cell."""
    split = json.loads(write_rows("dataframe_split", frame).data.data)
    assert split.get("index") == labels
    read = pd.DataFrame(
        split["data"], index=split.get("index"), columns=split["columns"], dtype=object
    )
    assert list(read.columns) == list(columns)
    records = json.loads(write_rows("dataframe_records", frame).data.data)
    for position, (name, values) in enumerate(columns.items()):
        assert len(split["data"]) == len(records) == len(values)
        for row, value in enumerate(values):
            assert same(split["data"][row][position], value), (name, row)
            assert same(records[row][name], value), (name, row)


@pytest.mark.parametrize("seed", range(4))
def test_no_value_of_a_pandas_frame_is_changed(seed):
    source = chance.source(seed)
    for _ in range(ROUNDS // 4):
        count = source.randrange(1, 6)
        made = {f"c{n}": pandas_column(source, count) for n in range(source.randrange(1, 5))}
        frame = pd.DataFrame({name: series for name, (series, _) in made.items()})
        labels = None
        if source.random() < 0.5:
            labels = [f"r{source.randrange(3)}" for _ in range(count)]
            frame.index = labels
        before = frame.copy(deep=True)
        check(frame, {name: values for name, (_, values) in made.items()}, labels)
        pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("seed", range(4))
def test_no_value_of_a_polars_frame_is_changed(seed):
    source = chance.source(seed)
    for _ in range(ROUNDS // 4):
        count = source.randrange(1, 6)
        made = {f"c{n}": polars_column(source, count) for n in range(source.randrange(1, 5))}
        frame = pl.DataFrame({name: series for name, (series, _) in made.items()})
        check(frame, {name: values for name, (_, values) in made.items()})


@pytest.mark.parametrize("seed", range(4))
def test_no_value_of_an_array_is_changed(seed):
    source = chance.source(seed)
    for _ in range(ROUNDS // 4):
        kind = source.choice(list(PLAIN))
        shape = tuple(source.randrange(4) for _ in range(source.randrange(4)))
        count = math.prod(shape)
        array = np.array([PLAIN[kind](source) for _ in range(count)], dtype=kind).reshape(shape)
        seen = json.loads(write_rows("inputs", {"a": array}).data.data)["a"]
        assert repr(seen) == repr(array.tolist())
