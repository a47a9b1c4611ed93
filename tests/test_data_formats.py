"""Parquet, JSON lines and compressed files hold the same tables, read each way."""

from __future__ import annotations

import datetime
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet
from tables import joined, kinds, put, read_each_way, rows

from recipe_kit.data import Schema, iter_batches, read_table, resolve_location, write_table

TABLE = pa.table(
    {
        "text": ["a", None, 'q"u, o\nted', "é"],
        "integer": [1, None, 3, 2**53 + 1],
        "number": [1.5, None, 0.1, 1e300],
        "boolean": [True, None, False, True],
        "date": pa.array([datetime.date(2024, 2, 29), None, datetime.date(1999, 1, 1), datetime.date(2000, 1, 1)]),
        "timestamp": pa.array([datetime.datetime(2024, 2, 29, 1, 2, 3, 4), None, *[datetime.datetime(1999, 1, 1)] * 2]),
    }
)


@pytest.mark.parametrize("compression", ["", ".gz", ".zst"])
@pytest.mark.parametrize("extension", [".csv", ".tsv", ".parquet", ".jsonl"])
def test_what_is_written_is_read_back(tmp_path: Path, extension: str, compression: str) -> None:
    location = resolve_location(f"scores{extension}{compression}", tmp_path)
    assert write_table(TABLE, location) == 4
    schema = Schema.from_arrow(TABLE.schema)
    assert read_each_way(location, schema).equals(TABLE)
    if extension != ".jsonl":  # a date is a timestamp there, as long as nobody knows better
        assert read_each_way(location).equals(TABLE)


def test_the_same_table_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.csv", "a.csv.gz", "a.csv.zst", "a.parquet", "a.jsonl"):
        write_table(TABLE, resolve_location(f"1/{name}", tmp_path))
        write_table(TABLE, resolve_location(f"2/{name}", tmp_path))
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_parquet_keeps_its_types_where_nobody_knows_better(tmp_path: Path) -> None:
    table = pa.table(
        {
            "small": pa.array([1, 2], pa.int8()),
            "single": pa.array([1.5, 2.5], pa.float32()),
            "list": [[1], [2, 3]],
            "category": pa.array(["a", "b"]).dictionary_encode(),
            "zoned": pa.array([datetime.datetime(2024, 1, 1)] * 2, pa.timestamp("us", tz="Europe/Berlin")),
        }
    )
    parquet.write_table(table, tmp_path / "a.parquet")
    found = read_each_way(resolve_location("a.parquet", tmp_path))
    assert found["small"].type == pa.int8()
    assert found["single"].type == pa.float32()
    assert found["category"].type == pa.string()
    assert found["zoned"].to_pylist() == [datetime.datetime(2024, 1, 1)] * 2
    assert kinds(found)["list"] == "any"


def test_parquet_is_read_as_the_types_that_are_known(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"a": [1.0, None], "b": [1, 2], "c": [None, None]}), tmp_path / "a.parquet")
    schema = Schema({"a": "integer", "b": "number", "c": "text"})
    assert kinds(read_each_way(resolve_location("a.parquet", tmp_path), schema)) == schema.to_json()


def test_parquet_parts_share_the_wider_type(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    parquet.write_table(pa.table({"a": pa.array([1], pa.int32())}), tmp_path / "parts" / "1.parquet")
    parquet.write_table(pa.table({"a": [1.5]}), tmp_path / "parts" / "2.parquet")
    assert read_each_way(resolve_location("parts", tmp_path))["a"].to_pylist() == [1.0, 1.5]


def test_a_large_row_group_is_streamed_in_pieces(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"a": range(200_000)}), tmp_path / "a.parquet")
    location = resolve_location("a.parquet", tmp_path)
    batches = list(iter_batches(location))
    assert len(batches) > 2
    assert joined(batches).equals(read_table(location))


def test_json_lines_may_lack_keys_and_have_new_ones(tmp_path: Path) -> None:
    table = read_each_way(put(tmp_path, "a.jsonl", '{"a": 1}\n\n{"b": "x", "a": 2.5}\n{"c": [1]}'))
    assert rows(table) == [
        {"a": 1.0, "b": None, "c": None},
        {"a": 2.5, "b": "x", "c": None},
        {"a": None, "b": None, "c": [1]},
    ]


def test_a_known_integer_may_be_written_as_a_whole_number_with_a_point(tmp_path: Path) -> None:
    table = read_each_way(put(tmp_path, "a.jsonl", '{"a": 1}\n{"a": 2.0}\n'), Schema({"a": "integer"}))
    assert rows(table) == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize("rows_at_once", [1, 3, 7, 1000])
@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.jsonl"])
def test_batches_have_as_many_rows_as_asked_for(tmp_path: Path, name: str, rows_at_once: int) -> None:
    location = resolve_location(name, tmp_path)
    table = pa.table({"a": range(10), "b": ["x"] * 10})
    write_table(table, location)
    batches = list(iter_batches(location, batch_rows=rows_at_once))
    assert [batch.num_rows for batch in batches[:-1]] == [rows_at_once] * (len(batches) - 1)
    assert joined(batches).equals(table)
