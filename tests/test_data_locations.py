"""Where tables are found, and what they look like from the outside."""

from __future__ import annotations

import gzip
import hashlib
import pickle
from pathlib import Path

import pytest
from tables import put, read_each_way, rows

from recipe_kit.data import (
    Location,
    Schema,
    TableWriter,
    files_of,
    fingerprint,
    iter_batches,
    plan_blocks,
    read_table,
    resolve_location,
    total_bytes,
    write_table,
)
from recipe_kit.errors import DataError, OutputError


def _read(location: Location) -> list[int]:
    return [row["a"] for row in rows(read_each_way(location))]


def test_a_relative_path_starts_at_the_base_and_an_absolute_one_does_not(tmp_path: Path) -> None:
    put(tmp_path, "data/a.csv", "a\n1\n")
    for text in ("data/a.csv", str(tmp_path / "data" / "a.csv"), f"file://{tmp_path}/data/a.csv"):
        assert _read(resolve_location(text, tmp_path)) == [1]


def test_a_file_uri_may_have_escaped_characters(tmp_path: Path) -> None:
    put(tmp_path, "my data.csv", "a\n1\n")
    assert _read(resolve_location(f"file://{tmp_path}/my%20data.csv", Path("/"))) == [1]


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    put(tmp_path, "a.csv", "a\n1\n")
    assert _read(resolve_location("~/a.csv", Path("/nowhere"))) == [1]


def test_a_uri_is_opened_through_fsspec(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    folder = f"memory://{tmp_path.name}"
    for name in ("part-1.csv", "part-2.csv.gz"):
        write_table(read_table(put(tmp_path, "a.csv", "a\n1\n2\n")), resolve_location(f"{folder}/{name}", tmp_path))
    assert _read(resolve_location(f"{folder}/part-1.csv", tmp_path)) == [1, 2]
    assert _read(resolve_location(folder, tmp_path)) == [1, 2, 1, 2]
    assert _read(resolve_location(f"{folder}/*.gz", tmp_path)) == [1, 2]
    assert fingerprint(resolve_location(f"{folder}/part-1.csv", tmp_path)) == fingerprint(
        resolve_location("a.csv", tmp_path)
    )


def test_a_folder_of_parts_is_one_table_in_order_of_name(tmp_path: Path) -> None:
    for name, value in (("part-2.csv", 2), ("part-1.csv", 1), (".part-1.csv.crc", 9), ("_SUCCESS", 9)):
        put(tmp_path, f"scores/{name}", f"a,b\n{value},x\n")
    assert _read(resolve_location("scores", tmp_path)) == [1, 2]
    assert _read(resolve_location("scores/part-*.csv", tmp_path)) == [1, 2]
    assert _read(resolve_location("**/part-?.csv", tmp_path)) == [1, 2]


def test_parts_may_have_their_columns_in_another_order_and_narrower_types(tmp_path: Path) -> None:
    put(tmp_path, "parts/1.csv", "a,b,c\n1,007,\n")
    put(tmp_path, "parts/2.csv", "c,b,a\n2024-01-01,x,1.5\n")
    table = read_each_way(resolve_location("parts", tmp_path))
    assert Schema.from_arrow(table.schema).to_json() == {"a": "number", "b": "text", "c": "date"}
    assert [row["b"] for row in rows(table)] == ["007", "x"]


def test_parts_without_rows_are_no_matter_if_another_has_some(tmp_path: Path) -> None:
    put(tmp_path, "parts/1.csv", "")
    put(tmp_path, "parts/2.csv", "a,b\n")
    put(tmp_path, "parts/3.csv", "a,b\n1,2\n")
    assert _read(resolve_location("parts", tmp_path)) == [1]


def test_files_in_a_folder_that_are_no_tables_are_skipped_and_mentioned(tmp_path: Path) -> None:
    put(tmp_path, "data/a.csv", "a\n1\n")
    put(tmp_path, "data/README.md", "# Read me\n")
    log: list[str] = []
    read_table(resolve_location("data", tmp_path), log=log.append)
    assert log == ["data: skipped files that are no tables: README.md"]


def test_a_name_with_brackets_that_exists_is_no_pattern(tmp_path: Path) -> None:
    assert _read(put(tmp_path, "a[1].csv", "a\n1\n")) == [1]


def test_a_base_folder_with_brackets_in_its_name_is_no_pattern(tmp_path: Path) -> None:
    base = tmp_path / "[old] data?"
    put(base, "a-1.csv", "a\n1\n")
    assert _read(resolve_location("a-*.csv", base)) == [1]
    write_table(read_table(resolve_location("a-1.csv", base)), resolve_location("scores.csv", base))
    assert _read(resolve_location("scores.csv", base)) == [1]


def test_the_query_of_a_web_address_is_no_part_of_its_extension_and_no_pattern(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    uri = f"memory://{tmp_path.name}/a.csv?version=2"
    fsspec.filesystem("memory").pipe_file(uri, b"a\n1\n")
    log: list[str] = []
    assert _read(resolve_location(uri, tmp_path)) == [1]
    assert files_of(resolve_location(uri, tmp_path), log.append)[0].format == "csv"
    assert log == []


def test_whatever_a_store_raises_is_one_sentence(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")

    class Broken(fsspec.AbstractFileSystem):  # type: ignore[misc,name-defined]
        def ls(self, path: str, detail: bool = True, **options: object) -> list[object]:
            raise RuntimeError("token expired")

        def info(self, path: str, **options: object) -> dict[str, object]:
            raise RuntimeError("token expired")

    fsspec.register_implementation("broken", Broken, clobber=True)
    with pytest.raises(DataError) as caught:
        read_table(resolve_location("broken://bucket/*.csv", tmp_path))
    assert str(caught.value) == "cannot open 'broken://bucket/*.csv', RuntimeError: token expired"
    with pytest.raises(OutputError, match=r"cannot write 'broken://bucket/a\.csv', RuntimeError: token"):
        write_table(read_table(put(tmp_path, "a.csv", "a\n1\n")), resolve_location("broken://bucket/a.csv", tmp_path))


@pytest.mark.parametrize(("name", "said"), [("scores.net", "unknown extension '.net'"), ("scores", "no extension")])
def test_an_unknown_extension_is_csv_and_the_log_says_so(tmp_path: Path, name: str, said: str) -> None:
    log: list[str] = []
    location = put(tmp_path, name, "a\n1\n")
    read_table(location, log=log.append)
    list(iter_batches(location, log=log.append))
    with TableWriter(location, log=log.append) as writer:
        writer.write(read_table(location))
    assert log == [f"{name}: {said}, read as CSV"] * 2 + [f"{name}: {said}, written as CSV"]


def test_the_fingerprint_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    location = put(tmp_path, "a.csv", "a\n1\n")
    assert fingerprint(location) == "sha256:" + hashlib.sha256(b"a\n1\n").hexdigest()


def test_the_fingerprint_of_parts_changes_with_any_of_them_and_with_nothing_else(tmp_path: Path) -> None:
    put(tmp_path, "parts/1.csv", "a\n1\n")
    put(tmp_path, "parts/2.csv", "a\n2\n")
    location = resolve_location("parts", tmp_path)
    before = fingerprint(location)
    put(tmp_path, "parts/_SUCCESS", "")
    assert fingerprint(location) == before == fingerprint(resolve_location("parts/*.csv", tmp_path))
    put(tmp_path, "parts/2.csv", "a\n3\n")
    assert fingerprint(location) != before


def test_blocks_can_be_sent_to_another_process_and_know_their_lines(tmp_path: Path) -> None:
    body = "".join(f'{number},"x\n"\n' for number in range(100))
    for name, content in (("a.csv", f"a,b\n{body}".encode()), ("a.csv.gz", gzip.compress(f"a,b\n{body}".encode()))):
        blocks = list(plan_blocks(put(tmp_path, name, content), block_bytes=200))
        assert len(blocks) > 1
        assert pickle.loads(pickle.dumps(blocks)) == blocks
        assert b"".join(block.read() for block in blocks) == body.encode()
        assert sum(block.length for block in blocks) == len(body)
        assert all((block.data is None) == (name == "a.csv") for block in blocks)


def test_the_size_of_a_table_is_that_of_its_files(tmp_path: Path) -> None:
    put(tmp_path, "parts/1.csv", "a\n1\n")
    put(tmp_path, "parts/2.csv", "a\n22\n")
    assert total_bytes(files_of(resolve_location("parts", tmp_path))) == 9
