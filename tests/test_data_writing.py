"""A table appears whole or not at all, and its text depends on nothing but its rows."""

from __future__ import annotations

import csv
import datetime
import io
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_disk import mounted_disk, read_only_disk
from tables import put, read_each_way, rows

from recipe_kit.data import TableWriter, format_block, read_table, resolve_location, write_table
from recipe_kit.errors import OutputError

TABLE = pa.table({"a": [1, 2], "b": ["x", 'y, "z"']})


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_frame_is_written_like_a_table(tmp_path: Path) -> None:
    location = resolve_location("scores.csv", tmp_path)
    assert write_table(pd.DataFrame({"a": [1, 2], "b": ["x", 'y, "z"']}), location) == 2
    assert (tmp_path / "scores.csv").read_text() == 'a,b\n1,x\n2,"y, ""z"""\n'


def test_missing_folders_are_made(tmp_path: Path) -> None:
    write_table(TABLE, resolve_location("new/deep/scores.csv", tmp_path))
    assert _names(tmp_path / "new" / "deep") == ["scores.csv"]


@pytest.mark.parametrize("name", ["scores.csv", "scores.csv.gz", "scores.csv.zst", "scores.parquet", "scores.jsonl"])
def test_pieces_are_written_one_after_the_other(tmp_path: Path, name: str) -> None:
    location = resolve_location(name, tmp_path)
    with TableWriter(location) as writer:
        for start in (0, 1):
            writer.write(TABLE.slice(start, 1))
    assert writer.rows == 2
    assert read_each_way(location).equals(TABLE)


def test_text_that_was_formatted_elsewhere_is_written_as_it_is(tmp_path: Path) -> None:
    location = resolve_location("scores.csv.gz", tmp_path)
    with TableWriter(location) as writer:
        writer.write_formatted(format_block(TABLE, header=True), rows=2)
        writer.write_formatted(format_block(TABLE, header=False), rows=2)
    assert writer.rows == 4
    assert read_table(location).equals(pa.concat_tables([TABLE, TABLE]))


@pytest.mark.parametrize("name", ["scores.csv", "scores.csv.gz", "scores.csv.zst", "scores.parquet", "scores.jsonl"])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_table_and_nothing_else(tmp_path: Path, name: str, error: type[BaseException]) -> None:
    (tmp_path / name).write_text("old")

    def fail() -> None:
        with TableWriter(resolve_location(name, tmp_path)) as writer:
            writer.write(TABLE)
            raise error

    with pytest.raises(error):
        fail()
    assert (tmp_path / name).read_text() == "old"
    assert _names(tmp_path) == [name]


def test_a_failure_leaves_nothing_in_another_store() -> None:
    fsspec = pytest.importorskip("fsspec")

    def fail() -> None:
        with TableWriter(resolve_location("memory://store/scores.csv", Path())) as writer:
            writer.write(TABLE)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert fsspec.filesystem("memory").glob("store/**") == []


@pytest.mark.parametrize("name", ["scores.csv", "scores.csv.gz", "scores.csv.zst", "scores.parquet", "scores.jsonl"])
def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    table = pa.table({"a": [float(number) ** 0.5 for number in range(50_000)]})
    with mounted_disk(tmp_path / "disk", "64k") as disk:
        with pytest.raises(OutputError) as caught:
            write_table(table, resolve_location(name, disk))
        assert str(caught.value) == (
            f"cannot write '{disk / name}', the disk is full: free some space or choose another place"
        )
        assert _names(disk) == []


def test_a_read_only_place_is_one_sentence(tmp_path: Path) -> None:
    with read_only_disk(tmp_path / "disk") as disk, pytest.raises(OutputError, match="the file system is read-only"):
        write_table(TABLE, resolve_location("new/scores.csv", disk))


def test_a_folder_in_place_of_a_file_is_one_sentence(tmp_path: Path) -> None:
    put(tmp_path, "scores/part.csv", "a\n1\n")
    with pytest.raises(OutputError) as caught:
        write_table(TABLE, resolve_location("scores", tmp_path))
    assert str(caught.value) == f"cannot write '{tmp_path / 'scores'}', it is a folder: give the name of a file"


def test_a_pattern_cannot_be_written_to(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"cannot write '\*\.csv', it is a pattern: give the name of a file"):
        write_table(TABLE, resolve_location("*.csv", tmp_path))


def test_pieces_with_other_columns_are_refused(tmp_path: Path) -> None:
    def write() -> None:
        with TableWriter(resolve_location("scores.csv", tmp_path)) as writer:
            writer.write(TABLE)
            writer.write(TABLE.select(["b", "a"]))

    with pytest.raises(
        OutputError, match=r"a piece of scores\.csv has the columns b, a, the first piece had a, b: give"
    ):
        write()
    assert _names(tmp_path) == []


def test_pieces_with_other_types_are_refused_where_types_are_kept(tmp_path: Path) -> None:
    def write() -> None:
        with TableWriter(resolve_location("scores.parquet", tmp_path)) as writer:
            writer.write(pa.table({"a": [1]}))
            writer.write(pa.table({"a": [1.5]}))

    with pytest.raises(OutputError, match=r"a piece of scores\.parquet has other types than the first one"):
        write()
    assert _names(tmp_path) == []


# -- the text of a CSV file -----------------------------------------------------------------------------------------


def test_values_are_written_in_one_way_each() -> None:
    table = pa.table(
        {
            "integer": [1, None],
            "number": [1.0, 0.1],
            "boolean": [True, False],
            "text": ["", "é"],
            "date": [datetime.date(2024, 2, 29), None],
            "timestamp": pa.array([datetime.datetime(2024, 2, 29, 1, 2, 3), None], pa.timestamp("us")),
            "list": [[1, 2], None],
        }
    )
    assert format_block(table, header=True).decode() == (
        "integer,number,boolean,text,date,timestamp,list\n"
        '1,1,true,,2024-02-29,2024-02-29 01:02:03.000000,"[1, 2]"\n'
        ",0.1,false,é,,,\n"
    )


def test_a_row_has_the_same_text_whatever_is_around_it() -> None:
    table = pa.table({"a": ["x", 'say "no"', None, "y\nz"], "b": [1.5, None, 3.0, 4.0]})
    whole = format_block(table, header=False)
    assert whole == b"".join(format_block(table.slice(row, 1), header=False) for row in range(4))
    assert whole.decode() == 'x,1.5\n"say ""no""",\n,3\n"y\nz",4\n'


def test_a_null_alone_in_its_row_is_still_a_row(tmp_path: Path) -> None:
    table = pa.table({"a": [1, None, 3]})
    location = resolve_location("a.csv", tmp_path)
    write_table(table, location)
    assert read_each_way(location).equals(table)


def test_odd_names_are_quoted(tmp_path: Path) -> None:
    table = pa.table({"a,b": [1], 'c"d': [2], "e\nf": [3]})
    location = resolve_location("a.csv", tmp_path)
    write_table(table, location)
    assert rows(read_each_way(location)) == rows(table)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.text(st.sampled_from('a",\n\r\té;'), max_size=5), st.booleans()), max_size=8))
def test_the_text_is_what_any_csv_reader_understands(records: list[tuple[str, bool]]) -> None:
    table = pa.table({"a": pa.array([text for text, _ in records], pa.string()), "b": [flag for _, flag in records]})
    for delimiter in (",", "\t"):
        text = format_block(table, header=True, delimiter=delimiter).decode()
        found = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
        assert found == [["a", "b"], *([text, str(flag).lower()] for text, flag in records)]
