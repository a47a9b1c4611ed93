"""Each kind of bad input is one sentence that says which file, which line and which column."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pyarrow as pa
import pytest
from tables import put, read_in_blocks

from recipe_kit.data import Schema, diagnose, fingerprint, iter_batches, read_table, resolve_location
from recipe_kit.errors import (
    DataError,
    DataNotFoundError,
    EmptyDataError,
    EncodingError,
    MalformedDataError,
    MissingColumnError,
)

LONG = "1,x\n" * 5000

BAD = {
    "empty": ("a.csv", "", None, EmptyDataError, "a.csv is empty"),
    "blank": ("a.csv", "\n\n\r\n", None, EmptyDataError, "a.csv is empty"),
    "header only": ("a.csv", "a,b\n", None, EmptyDataError, "a.csv has a header but no rows"),
    "header only, no line end": ("a.csv", "a,b", None, EmptyDataError, "a.csv has a header but no rows"),
    "too few fields": (
        "a.csv",
        f"a,b\n{LONG}3\n",
        None,
        MalformedDataError,
        "a.csv, line 5002: 1 field where the header has 2: is a value missing?",
    ),
    "too many fields": (
        "a.csv",
        "a,b\n1,x\n2,y,z\n",
        None,
        MalformedDataError,
        "a.csv, line 3: 3 fields where the header has 2: put quotes round a value that holds a comma",
    ),
    "too few fields after quoted line breaks and blank lines": (
        "a.csv",
        '\na,b\n1,"x\ny\nz"\n\n2\n',
        None,
        MalformedDataError,
        "a.csv, line 7: 1 field where the header has 2: is a value missing?",
    ),
    "a quote that is never closed": (
        "a.csv",
        'a,b\n1,"x\ny"\n2,"z\n3,y\n',
        None,
        MalformedDataError,
        "a.csv, line 4: a quote is opened and never closed: close it, or double it",
    ),
    "latin-1": (
        "a.csv",
        b"a,b\n1,ok\n2,caf\xe9\n",
        None,
        EncodingError,
        "a.csv, line 3, column 'b': byte 0xe9 is not UTF-8: save the file as UTF-8, for instance with: "
        "iconv -f latin1 -t utf-8",
    ),
    "latin-1 in a column that is known to be text": (
        "a.csv",
        b'a,b\n1,"o\nk"\n2,caf\xe9\n',
        Schema({"b": "text"}),
        EncodingError,
        "a.csv, line 4, column 'b': byte 0xe9 is not UTF-8: save the file as UTF-8, for instance with: "
        "iconv -f latin1 -t utf-8",
    ),
    "latin-1 in the header": (
        "a.csv",
        b"caf\xe9,b\n1,2\n",
        None,
        EncodingError,
        "a.csv, line 1: byte 0xe9 of the header is not UTF-8: save the file as UTF-8",
    ),
    "UTF-16": (
        "a.csv",
        "a,b\n1,2\n".encode("utf-16"),
        None,
        EncodingError,
        "a.csv is UTF-16, not UTF-8: save it as UTF-8",
    ),
    "two columns of one name": (
        "a.csv",
        "a,b,a\n1,2,3\n",
        None,
        MalformedDataError,
        "a.csv has two columns named 'a': rename one of them",
    ),
    "text for an integer": (
        "a.csv",
        f"a,b\n{LONG}many,x\n",
        Schema({"a": "integer"}),
        MalformedDataError,
        "a.csv, line 5002, column 'a': 'many' is not an integer",
    ),
    "a fraction for an integer": (
        "a.csv",
        "a,b\n1,x\n2.5,x\n",
        Schema({"a": "integer"}),
        MalformedDataError,
        "a.csv, line 3, column 'a': '2.5' is not an integer",
    ),
    "text for a number": (
        "a.csv",
        "a,b\n1,x\n1;5,x\n",
        Schema({"a": "number"}),
        MalformedDataError,
        "a.csv, line 3, column 'a': '1;5' is not a number",
    ),
    "text for a boolean": (
        "a.csv",
        "a,b\ntrue,x\nyes,x\n",
        Schema({"a": "boolean"}),
        MalformedDataError,
        "a.csv, line 3, column 'a': 'yes' is not true or false",
    ),
    "an American date": (
        "a.csv",
        "a,b\n2024-01-01,x\n1/2/24,x\n",
        Schema({"a": "date"}),
        MalformedDataError,
        "a.csv, line 3, column 'a': '1/2/24' is not a date (YYYY-MM-DD)",
    ),
    "a long text for a timestamp": (
        "a.csv",
        f"a,b\n{'x' * 200},x\n",
        Schema({"a": "timestamp"}),
        MalformedDataError,
        f"a.csv, line 2, column 'a': '{'x' * 55}...' is not a timestamp (YYYY-MM-DD HH:MM:SS)",
    ),
    "the first of several, by line": (
        "a.csv",
        "a,b\n1,1\n2,x\ny,3\n4\n",
        Schema({"a": "integer", "b": "integer"}),
        MalformedDataError,
        "a.csv, line 3, column 'b': 'x' is not an integer",
    ),
    "not gzip": ("a.csv.gz", "a,b\n1,2\n", None, MalformedDataError, "a.csv.gz is not whole, or not gzip"),
    "gzip cut short": (
        "a.csv.gz",
        gzip.compress(b"a,b\n" + b"1,2\n" * 100)[:-20],
        None,
        MalformedDataError,
        "a.csv.gz is not whole, or not gzip",
    ),
    "ragged and compressed": (
        "a.csv.gz",
        gzip.compress(b"a,b\n1,2\n3\n"),
        None,
        MalformedDataError,
        "a.csv.gz, line 3: 1 field where the header has 2: is a value missing?",
    ),
    "empty JSON lines": ("a.jsonl", "", None, EmptyDataError, "a.jsonl is empty"),
    "no JSON": (
        "a.jsonl",
        '{"a": 1}\n{"a": }\n',
        None,
        MalformedDataError,
        "a.jsonl, line 2, column 7: expecting value",
    ),
    "a JSON array": (
        "a.json",
        '[{"a": 1},\n{"a": 2}]\n',
        None,
        MalformedDataError,
        "a.json, line 1, column 11: expecting value: JSON lines have one object per line, not one array",
    ),
    "a JSON number": (
        "a.jsonl",
        '{"a": 1}\n5\n',
        None,
        MalformedDataError,
        'a.jsonl, line 2: 5 is not an object: JSON lines have one object per line, such as {"a": 1}',
    ),
    "JSON values of two kinds": (
        "a.jsonl",
        '{"a": 1}\n{"a": "x"}\n',
        None,
        MalformedDataError,
        "a.jsonl, line 2, column 'a': 'x' is not a number",
    ),
    "a JSON number for text": (
        "a.jsonl",
        '{"a": "x"}\n{"a": 5}\n',
        Schema({"a": "text"}),
        MalformedDataError,
        "a.jsonl, line 2, column 'a': 5 is not text",
    ),
    "an empty Parquet file": ("a.parquet", "", None, EmptyDataError, "a.parquet is empty"),
    "no Parquet file": ("a.parquet", "a,b\n1,2\n", None, MalformedDataError, "a.parquet is not a whole Parquet file"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_however_it_is_read(tmp_path: Path, case: str) -> None:
    name, content, schema, kind, sentence = BAD[case]
    location = put(tmp_path, name, content)
    readers = (
        lambda: read_table(location, schema=schema),
        lambda: list(iter_batches(location, schema=schema)),
        lambda: read_in_blocks(location, 16, schema),
    )
    for read in readers:
        with pytest.raises(kind) as caught:
            read()
        assert str(caught.value) == sentence
    found = diagnose(location, schema=schema)
    assert type(found) is kind
    assert str(found) == sentence


def test_a_good_table_has_no_diagnosis(tmp_path: Path) -> None:
    for name, content in (("a.csv", 'a,b\n1,"x\ny"\n'), ("a.jsonl", '{"a": 1, "b": null}\n')):
        assert diagnose(put(tmp_path, name, content), schema=Schema({"a": "integer"}), required=["a", "b"]) is None


def test_a_missing_file_names_the_nearest_one(tmp_path: Path) -> None:
    put(tmp_path, "training.csv", "a\n1\n")
    with pytest.raises(DataNotFoundError) as caught:
        read_table(resolve_location("trainin.csv", tmp_path))
    assert str(caught.value) == (
        f"no file 'trainin.csv' (looked for {tmp_path / 'trainin.csv'}): did you mean 'training.csv'?"
    )


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataNotFoundError, match=re.escape(f"the folder '{tmp_path / 'nowhere'}' does not exist")):
        read_table(resolve_location("nowhere/a.csv", tmp_path))
    with pytest.raises(DataNotFoundError):
        fingerprint(resolve_location("nowhere/a.csv", tmp_path))


def test_a_missing_column_names_what_is_there_and_the_nearest(tmp_path: Path) -> None:
    location = put(tmp_path, "a.csv", "text,lable\nx,1\n")
    with pytest.raises(MissingColumnError) as caught:
        read_table(location, required=["text", "label"])
    assert str(caught.value) == "a.csv has no column 'label' (it has text, lable): did you mean 'lable'?"
    with pytest.raises(MissingColumnError, match=r"no columns 'x', 'y' \(it has text, lable\)$"):
        list(iter_batches(location, required=["x", "y"]))
    with pytest.raises(MissingColumnError, match=r"a.jsonl has no column 'label' \(it has text\)$"):
        read_table(put(tmp_path, "a.jsonl", '{"text": "x"}\n'), required=["label"])


def test_a_column_whose_type_is_known_is_missed_all_the_same_where_no_line_has_it(tmp_path: Path) -> None:
    known = Schema({"text": "text", "label": "integer"})
    location = put(tmp_path, "a.jsonl", '{"text": "x"}\n')
    for read in (read_table, lambda *a, **k: list(iter_batches(*a, **k))):
        with pytest.raises(MissingColumnError, match=r"a.jsonl has no column 'label' \(it has text\)$"):
            read(location, schema=known, required=["text", "label"])
    nothing_known = put(tmp_path, "b.jsonl", '{"text": "x", "label": null}\n')
    assert read_table(nothing_known, schema=known, required=["text", "label"]).column_names == ["text", "label"]


def test_another_separator_is_recognised(tmp_path: Path) -> None:
    with pytest.raises(MissingColumnError, match=r"\(it has text;label\): its fields are not separated by commas$"):
        read_table(put(tmp_path, "a.csv", "text;label\nx;1\n"), required=["text"])


def test_a_folder_without_a_data_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(EmptyDataError) as caught:
        read_table(resolve_location("folder", tmp_path))
    assert str(caught.value) == "'folder' is a folder with no data file in it: name a file"
    (tmp_path / "folder" / "2024").mkdir()
    with pytest.raises(EmptyDataError, match=r"is a folder with only folders \(2024\) in it: name a file"):
        read_table(resolve_location("folder", tmp_path))


def test_parts_with_other_columns_are_named(tmp_path: Path) -> None:
    put(tmp_path, "parts/1.csv", "a,b\n1,2\n")
    put(tmp_path, "parts/2.csv", "a,c\n1,2\n")
    with pytest.raises(MalformedDataError) as caught:
        read_table(resolve_location("parts", tmp_path))
    assert str(caught.value) == (
        "parts/2.csv has other columns than parts/1.csv, it lacks 'b' and adds 'c': "
        "the files of one table have the same columns"
    )


def test_a_bad_row_of_a_part_is_found_in_its_file(tmp_path: Path) -> None:
    put(tmp_path, "parts/1.csv", "a,b\n1,2\n")
    put(tmp_path, "parts/2.csv", "a,b\n1,2\n1\n")
    with pytest.raises(MalformedDataError, match=r"^parts/2\.csv, line 3: 1 field where the header has 2"):
        read_table(resolve_location("parts", tmp_path))


def test_a_folder_of_several_formats_is_one_sentence(tmp_path: Path) -> None:
    put(tmp_path, "parts/1.csv", "a\n1\n")
    put(tmp_path, "parts/2.jsonl", '{"a": 1}\n')
    with pytest.raises(DataError) as caught:
        read_table(resolve_location("parts", tmp_path))
    assert str(caught.value) == (
        "'parts' holds files of several formats (csv, jsonl): name one kind with a pattern such as '*.csv'"
    )


def test_a_pattern_without_a_match_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataNotFoundError, match=re.escape(f"no file matches '*.csv' (in {tmp_path})")):
        read_table(resolve_location("*.csv", tmp_path))


def test_a_type_that_the_parquet_file_does_not_have_is_one_sentence(tmp_path: Path) -> None:
    from pyarrow import parquet

    parquet.write_table(pa.table({"a": ["x"]}), tmp_path / "a.parquet")
    location = resolve_location("a.parquet", tmp_path)
    for read in (read_table, lambda *a, **k: list(iter_batches(*a, **k))):
        with pytest.raises(MalformedDataError) as caught:
            read(location, schema=Schema({"a": "integer"}))
        assert str(caught.value) == "a.parquet, column 'a': string where an integer is expected"
    assert str(diagnose(location, schema=Schema({"a": "integer"}))) == str(caught.value)


def test_a_store_whose_package_is_missing_is_one_sentence(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    with pytest.raises(DataError, match=r"^cannot open 'nostore://bucket/a\.csv', protocol not known: nostore$"):
        read_table(resolve_location("nostore://bucket/a.csv", tmp_path))


def test_an_empty_location_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataNotFoundError, match="a location is empty: give a path or a URI"):
        resolve_location(" ", tmp_path)


def test_a_type_that_no_column_can_have_is_one_sentence() -> None:
    with pytest.raises(MalformedDataError, match="column 'a' is declared as list, which no column can be: one of str,"):
        Schema.declared({"a": list})
    with pytest.raises(MalformedDataError, match="column 'a' has the unknown type 'money': one of text, integer"):
        Schema.declared({"a": "money"})
