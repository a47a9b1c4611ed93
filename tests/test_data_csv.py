"""What a CSV file says, and how it is understood, whichever way it is read."""

from __future__ import annotations

import csv
import datetime
import io
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tables import joined, kinds, put, read_each_way, read_in_blocks, rows

from recipe_kit.data import NULL_SPELLINGS, Schema, infer_schema, iter_batches, read_table, resolve_location
from recipe_kit.data.csv_records import RecordCutter, ends_inside_quotes, record_ends, whole_records


def _column(folder: Path, *values: str, schema: Schema | None = None) -> pa.ChunkedArray:
    location = put(folder, "column.csv", "a,b\n" + "".join(f"{value},x\n" for value in values))
    return read_each_way(location, schema)["a"]


# -- the form of the file -------------------------------------------------------------------------------------------


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    table = read_each_way(put(tmp_path, "a.csv", "\ufeffa,b\n1,2\n"))
    assert table.column_names == ["a", "b"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_the_way_of_any_system(tmp_path: Path, end: str) -> None:
    table = read_each_way(put(tmp_path, "a.csv", end.join(["a,b", "1,x", "2,y", ""])))
    assert rows(table) == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]


def test_the_last_line_needs_no_end_and_blank_lines_are_no_rows(tmp_path: Path) -> None:
    table = read_each_way(put(tmp_path, "a.csv", "\n\na,b\n\n1,x\n\n\n2,y"))
    assert [row["a"] for row in rows(table)] == [1, 2]


def test_a_quoted_value_holds_commas_quotes_and_line_breaks(tmp_path: Path) -> None:
    records = [["1", 'say "no"'], ["2", "a,b"], ["3", "one\ntwo\r\nthree"], ["4", "\n"], ["5", '"'], ["6", ',"\n"']]
    text = io.StringIO()
    csv.writer(text).writerows([["a", "b"], *records])
    table = read_each_way(put(tmp_path, "a.csv", text.getvalue()))
    assert [row["b"] for row in rows(table)] == [record[1] for record in records]


def test_a_quoted_name_may_hold_a_line_break(tmp_path: Path) -> None:
    table = read_each_way(put(tmp_path, "a.csv", '"a\nb",c\n1,2\n'))
    assert table.column_names == ["a\nb", "c"]


def test_a_stray_quote_is_text(tmp_path: Path) -> None:
    table = read_each_way(put(tmp_path, "a.csv", 'a,b\n5" disk,x\n8" disk,"y\nz"\n1,2"\n'))
    assert [row["b"] for row in rows(table)] == ["x", "y\nz", '2"']


def test_a_record_longer_than_a_block_is_read(tmp_path: Path) -> None:
    long = "word\n" * 500_000
    table = read_table(put(tmp_path, "a.csv", f'a,b\n1,x\n2,"{long}"\n3,y\n'))
    assert [row["b"] for row in rows(table)] == ["x", long, "y"]


def test_a_nameless_column_gets_the_name_that_pandas_gives_it(tmp_path: Path) -> None:
    assert read_each_way(put(tmp_path, "a.csv", ",a\n0,x\n")).column_names == ["Unnamed: 0", "a"]


def test_tabs_separate_the_fields_of_a_tsv_file(tmp_path: Path) -> None:
    assert rows(read_each_way(put(tmp_path, "a.tsv", "a\tb\n1,5\tx\n"))) == [{"a": "1,5", "b": "x"}]


# -- types ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "2"], "integer"),
        (["1", "2.5"], "number"),
        (["1", "", "2"], "integer"),
        (["1", "x"], "text"),
        (["1.5", "x"], "text"),
        (["TRUE", "false", "True"], "boolean"),
        (["true", "1"], "text"),
        (["yes", "no"], "text"),
        (["2024-02-29", "2024-03-01"], "date"),
        (["2024-02-29", "2024-03-01 10:00"], "timestamp"),
        (["2/29/24", "3/1/24"], "text"),
        (["10:30", "11:00"], "text"),
        (["2024-01-01", "9999-12-31"], "text"),
        (["2024-01-01", "5"], "text"),
        (["", ""], "any"),
    ],
)
def test_a_column_gets_the_narrowest_type_that_holds_all_its_values(
    tmp_path: Path, values: list[str], kind: str
) -> None:
    many = [values[0]] * 40 + values
    assert kinds(pa.table({"a": _column(tmp_path, *many)})) == {"a": kind}


def test_text_keeps_what_was_written_even_where_it_looked_like_a_number_at_first(tmp_path: Path) -> None:
    assert _column(tmp_path, "007", "1.50", "x").to_pylist() == ["007", "1.50", "x"]


def test_a_code_with_leading_zeros_is_a_number_unless_it_is_declared_to_be_text(tmp_path: Path) -> None:
    assert _column(tmp_path, "007", "012").to_pylist() == [7, 12]
    assert _column(tmp_path, "007", "012", schema=Schema({"a": "text"})).to_pylist() == ["007", "012"]


@pytest.mark.parametrize("spelling", NULL_SPELLINGS)
@pytest.mark.parametrize("quoted", [True, False])
def test_null_is_spelt_as_for_pandas_in_every_type(tmp_path: Path, spelling: str, quoted: bool) -> None:
    spelling = f'"{spelling}"' if quoted else spelling
    for value in ("word", "1", "1.5", "true", "2024-01-01"):
        assert _column(tmp_path, value, spelling).null_count == 1


def test_every_spelling_of_null_is_one_for_pandas_too(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    spellings = set(NULL_SPELLINGS) - ({"None"} if pandas.__version__ < "2" else set())
    file = tmp_path / "a.csv"
    file.write_text("a,b\n" + "".join(f"{spelling},x\n" for spelling in spellings))
    assert pandas.read_csv(file)["a"].isna().all()


def test_a_timestamp_with_a_zone_is_turned_to_utc(tmp_path: Path) -> None:
    column = _column(tmp_path, "2024-01-01T00:00:00Z", "2024-01-01T00:00:00+02:00")
    assert column.to_pylist() == [datetime.datetime(2024, 1, 1), datetime.datetime(2023, 12, 31, 22)]
    known = _column(tmp_path, "2024-01-01T00:00:00Z", schema=Schema({"a": "timestamp"}))
    assert known.to_pylist() == [datetime.datetime(2024, 1, 1)]


def test_a_known_type_is_read_from_any_spelling_that_loses_nothing(tmp_path: Path) -> None:
    def read(kind: str, *values: str) -> list[object]:
        return list(_column(tmp_path, *values, schema=Schema({"a": kind})).to_pylist())

    assert read("integer", "1", "2.0", "") == [1, 2, None]
    assert read("number", "1", "2") == [1.0, 2.0]
    assert read("boolean", "1", "0", "True", "FALSE") == [True, False, True, False]
    assert read("date", "2024-01-01", "2024-01-02 00:00:00") == [
        datetime.date(2024, 1, 1),
        datetime.date(2024, 1, 2),
    ]
    assert read("timestamp", "2024-01-01") == [datetime.datetime(2024, 1, 1)]
    assert read("any", "1", "2") == [1, 2]


def test_columns_that_the_schema_knows_and_the_table_lacks_are_no_matter(tmp_path: Path) -> None:
    table = read_each_way(put(tmp_path, "a.csv", "a\n1\n"), Schema({"label": "integer", "a": "number"}))
    assert kinds(table) == {"a": "number"}


def test_a_type_that_changes_after_many_megabytes_is_seen(tmp_path: Path) -> None:
    location = put(tmp_path, "a.csv", "a,b\n" + "1,2\n" * 3_000_000 + "1.5,x\n")
    assert kinds(read_table(location)) == {"a": "number", "b": "text"}
    types = infer_schema(location)
    assert Schema.from_arrow(types).to_json() == {"a": "number", "b": "text"}
    batches = list(iter_batches(location))
    assert len(batches) > 1
    assert all(batch.schema.equals(types) for batch in batches)


_VALUES = st.one_of(
    st.integers(-(10**6), 10**6).map(str),
    st.floats(allow_nan=False, allow_infinity=False, width=32).map(str),
    st.sampled_from(["", "NA", "true", "False", "2024-01-01", "2024-01-01 10:00:00", "10:30", "007", "9999-01-01"]),
    st.text(st.sampled_from('ab",\n\r é'), max_size=6),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(_VALUES, st.sampled_from(["1", "2.5", "x"])), min_size=1, max_size=30), st.integers(1, 64))
def test_the_size_of_a_block_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, records: list[tuple[str, str]], size: int
) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([("a", "b"), *records])
    location = put(tmp_path_factory.getbasetemp(), "any.csv", text.getvalue())
    whole = read_table(location)
    assert whole.num_rows == len(records)
    assert read_in_blocks(location, size).equals(whole)
    assert joined(iter_batches(location, batch_rows=3)).equals(whole)


# -- where records end ----------------------------------------------------------------------------------------------


def _ends_by_hand(data: str, delimiter: str) -> list[int]:
    """The same rules, one character at a time."""
    ends, inside, may_open = [], False, True
    for position, character in enumerate(data):
        if character == '"' and inside:
            inside, may_open = False, True
        elif character == '"' and may_open:
            inside = True
        else:
            may_open = not inside and character in f"{delimiter}\r\n"
            if character == "\n" and not inside:
                ends.append(position + 1)
    return ends


@settings(max_examples=500, deadline=None)
@given(st.text(st.sampled_from('a",\n\r'), max_size=60), st.integers(1, 12))
def test_records_are_never_cut_wherever_the_chunks_end(data: str, size: int) -> None:
    expected = _ends_by_hand(data, ",")
    pieces = list(whole_records(io.BytesIO(data.encode()), size, RecordCutter(",")))
    assert b"".join(pieces) == data.encode()
    position = 0
    for piece in pieces[:-1]:
        position += len(piece)
        assert position in expected
    cutter = RecordCutter(",")
    found = [start + cutter.last_end(data[start : start + 1].encode()) for start in range(len(data))]
    assert [end for start, end in enumerate(found) if end > start] == expected
    assert set(list(record_ends(io.BytesIO(data.encode()), size, RecordCutter(",")))[:-1]) <= set(expected)
    assert ends_inside_quotes(io.BytesIO(data.encode()), ",") == cutter.inside


def test_a_large_file_with_quoted_line_breaks_is_cut_into_blocks(tmp_path: Path) -> None:
    body = '1,"one\ntwo"\n2,plain\n3,"say ""no"""\n' * 40_000
    location = put(tmp_path, "a.csv", "a,b\n" + body)
    table = read_in_blocks(location, 100_000)
    assert table.equals(read_table(location))
    assert table.num_rows == 120_000


def test_types_can_be_guessed_from_the_first_block_alone(tmp_path: Path) -> None:
    location = put(tmp_path, "a.csv", "a\n" + "1\n" * 5_000_000 + "x\n")
    assert Schema.from_arrow(infer_schema(location, first_block_only=True)).to_json() == {"a": "integer"}
    assert Schema.from_arrow(infer_schema(location)).to_json() == {"a": "text"}


def test_the_real_reviews_are_read_as_pandas_reads_them(review_data: object) -> None:
    pandas = pytest.importorskip("pandas")
    file: Path = review_data.training  # type: ignore[attr-defined]
    table = read_table(resolve_location(str(file), Path.cwd()))
    assert rows(table) == pandas.read_csv(file).to_dict("records")
