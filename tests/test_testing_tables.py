"""Tables that differ are told apart by row and column."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from recipe_kit.testing import assert_tables_equal

TABLE = pd.DataFrame({"city": ["Ulm", "Bern", None], "share": [0.25, 0.5, np.nan]})


def _difference(actual: object, expected: object, **options: object) -> str:
    with pytest.raises(AssertionError) as error:
        assert_tables_equal(actual, expected, **options)
    return str(error.value)


def test_equal_tables_pass_whatever_their_kind_index_and_order_of_columns() -> None:
    assert_tables_equal(TABLE, TABLE.copy())
    assert_tables_equal(TABLE.set_axis([7, 8, 9]), TABLE[["share", "city"]])
    assert_tables_equal(pa.Table.from_pandas(TABLE), TABLE)
    assert_tables_equal(TABLE["city"], TABLE[["city"]])


def test_a_different_value_is_named_by_row_and_column_with_both_values() -> None:
    changed = TABLE.assign(share=[0.25, 0.75, np.nan])
    assert _difference(changed, TABLE) == "the tables differ:\n  row 1, column 'share': 0.75 instead of 0.5"
    assert "row 2, column 'city': 'Graz' instead of None" in _difference(TABLE.fillna({"city": "Graz"}), TABLE)


def test_missing_and_unexpected_columns_and_rows_are_named() -> None:
    text = _difference(TABLE.rename(columns={"share": "part"}).head(1), TABLE)
    assert "column 'share' is missing" in text
    assert "column 'part' is unexpected" in text
    assert "1 row instead of 3" in text


def test_nulls_of_any_kind_are_equal() -> None:
    nulls = [None, np.nan, pd.NA, pd.NaT]
    assert_tables_equal(
        pd.DataFrame({"a": pd.Series(nulls, dtype=object)}), pd.DataFrame({"a": pd.Series(nulls[::-1], dtype=object)})
    )
    assert_tables_equal(pd.DataFrame({"a": pd.array([1, None], "Int64")}), pd.DataFrame({"a": [1.0, np.nan]}))
    assert "row 0, column 'a': 1 instead of None" in _difference(
        pd.DataFrame({"a": [1]}, dtype=object), pd.DataFrame({"a": [None]})
    )


def test_numbers_may_be_apart_by_the_tolerance() -> None:
    near = TABLE.assign(share=TABLE["share"] * (1 + 1e-7))
    assert "row 0, column 'share'" in _difference(near, TABLE)
    assert_tables_equal(near, TABLE, tolerance=1e-6)


def test_the_order_of_rows_counts_unless_it_is_said_not_to() -> None:
    other_order = TABLE.iloc[[2, 0, 1]]
    assert "row 0, column 'city': None instead of 'Ulm'" in _difference(other_order, TABLE)
    assert_tables_equal(other_order, TABLE, check_order=False)


def test_the_order_of_columns_counts_only_if_asked_for() -> None:
    text = _difference(TABLE[["share", "city"]], TABLE, check_column_order=True)
    assert "the columns come as 'share', 'city' instead of 'city', 'share'" in text


def test_types_count_only_if_asked_for() -> None:
    whole, fractional = pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [1.0, 2.0]})
    assert_tables_equal(whole, fractional)
    assert "column 'a' is of type int64 instead of float64" in _difference(whole, fractional, check_types=True)


def test_of_many_differences_the_first_ones_are_shown_and_the_rest_counted() -> None:
    zeros, ones = pd.DataFrame({"a": [0] * 30, "b": [0] * 30}), pd.DataFrame({"a": [1] * 30, "b": [0] * 30})
    lines = _difference(zeros, ones).splitlines()
    assert lines[1] == "  row 0, column 'a': 0 instead of 1"
    assert lines[-1] == "  and 20 more, in 30 of 30 rows"


def test_lists_dicts_dates_and_truth_values_are_compared_as_what_they_are() -> None:
    day = datetime.date(2024, 2, 29)
    table = pd.DataFrame({"list": [[1.0, 2.0]], "dict": [{"a": 1}], "day": [day], "flag": [True]})
    assert_tables_equal(table, table.copy())
    assert "column 'list': [1.0, 3.0] instead of [1.0, 2.0]" in _difference(table.assign(list=[[1.0, 3.0]]), table)
    assert "column 'dict'" in _difference(table.assign(dict=[{"a": 2}]), table)
    assert "column 'flag': False instead of True" in _difference(table.assign(flag=[False]), table)


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(TypeError, match="list is no table; give a data frame of pandas or Spark"):
        assert_tables_equal([1], TABLE)


@pytest.mark.spark
def test_tables_of_spark_are_compared_too(spark) -> None:
    from pyspark.ml.linalg import Vectors

    frame = spark.createDataFrame([("Ulm", 0.25), ("Bern", 0.5), (None, None)], "city string, share double")
    assert_tables_equal(frame, TABLE)
    assert "row 0, column 'share': 0.25 instead of 1.25" in _difference(frame, TABLE.assign(share=TABLE["share"] + 1))
    vectors = spark.createDataFrame([(Vectors.dense(1, 2),)], ["vector"])
    assert_tables_equal(vectors, spark.createDataFrame([(Vectors.sparse(2, [0, 1], [1, 2]),)], ["vector"]))
    assert "column 'vector'" in _difference(vectors, spark.createDataFrame([(Vectors.dense(1, 3),)], ["vector"]))
