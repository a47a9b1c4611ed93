"""A frame is what `pandas.read_csv` would have given, with dates as dates; and any frame can be written."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tables import put, rows

from recipe_kit.data import frame_to_table, read_table, table_to_pandas
from recipe_kit.errors import OutputError


def test_a_frame_is_the_one_that_read_csv_gives(tmp_path: Path) -> None:
    content = (
        "text,integer,gaps,number,flag,flag_gaps,none,stamp\n"
        'a,1,1,1.5,True,True,,10:30\n,2,,,False,,,11:00\n"x, y",3,3,2,True,False,,\n'
    )
    location = put(tmp_path, "a.csv", content)
    frame = table_to_pandas(read_table(location))
    pd.testing.assert_frame_equal(frame, pd.read_csv(tmp_path / "a.csv"))
    assert frame["text"].isna().tolist() == [False, True, False]
    assert isinstance(frame["text"][1], float)


def test_dates_and_timestamps_are_datetimes(tmp_path: Path) -> None:
    location = put(tmp_path, "a.csv", "a,b\n2024-02-29,2024-02-29 10:00\n,\n")
    frame = table_to_pandas(read_table(location))
    expected = pd.read_csv(tmp_path / "a.csv", parse_dates=["a", "b"])
    pd.testing.assert_frame_equal(frame, expected)


def test_a_date_that_nanoseconds_cannot_hold_is_kept() -> None:
    frame = table_to_pandas(pa.table({"a": [datetime.date(9999, 12, 31), None], "b": ["x", None]}))
    assert frame["a"][0].year == 9999
    assert frame["a"].isna().tolist() == [False, True]


def test_a_frame_can_be_changed_in_place() -> None:
    frame = table_to_pandas(pa.table({"a": [1.0, 2.0], "b": [1, 2]}))
    frame.loc[0, "a"] = 5.0
    frame.iloc[1, 1] = 7
    assert frame.to_dict("list") == {"a": [5.0, 2.0], "b": [1, 7]}


def test_a_table_without_rows_keeps_its_columns() -> None:
    frame = table_to_pandas(pa.table({"a": pa.array([], pa.string()), "b": pa.array([], pa.date32())}))
    assert list(frame.columns) == ["a", "b"]
    assert len(frame) == 0


def test_nan_none_and_nat_are_null() -> None:
    frame = pd.DataFrame({"a": [np.nan, 1.0], "b": ["x", None], "c": [pd.NaT, pd.Timestamp("2024-01-01")]})
    assert frame_to_table(frame).column("a").null_count == 1
    assert rows(frame_to_table(frame))[0] == {"a": None, "b": "x", "c": None}


def test_categories_are_plain_values_and_mixed_ones_text() -> None:
    frame = pd.DataFrame({"a": pd.Categorical(["x", None]), "b": [1, "y"], "c": pd.Categorical([1, 2])})
    table = frame_to_table(frame)
    assert [str(kind) for kind in table.schema.types] == ["string", "string", "int64"]
    assert rows(table) == [{"a": "x", "b": "1", "c": 1}, {"a": None, "b": "y", "c": 2}]


def test_a_named_index_is_kept_and_a_nameless_one_is_not() -> None:
    frame = pd.DataFrame({"a": [1, 2]}, index=[7, 8])
    assert frame_to_table(frame).column_names == ["a"]
    assert frame_to_table(frame.rename_axis("id")).column_names == ["id", "a"]
    assert frame_to_table(frame.rename_axis("a")).column_names == ["a"]
    assert rows(frame_to_table(frame.groupby("a").size().to_frame("count"))) == [
        {"a": 1, "count": 1},
        {"a": 2, "count": 1},
    ]


def test_names_that_are_no_text_become_text() -> None:
    assert frame_to_table(pd.DataFrame([[1, 2]])).column_names == ["0", "1"]


def test_two_columns_of_one_name_are_refused() -> None:
    with pytest.raises(OutputError, match="the table has two columns named 'a': rename one of them"):
        frame_to_table(pd.DataFrame([[1, 2]], columns=["a", "a"]))


def test_a_slice_of_a_frame_is_written_without_its_old_row_numbers() -> None:
    frame = pd.DataFrame({"a": range(10)})
    assert rows(frame_to_table(frame[frame["a"] > 8])) == [{"a": 9}]
