"""What Spark recipes read and write is what all others do: the same values, types, order and sentences."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from recipe_kit import default_hooks
from recipe_kit.context import Context
from recipe_kit.data import Schema, read_table, resolve_location
from recipe_kit.errors import DataError, MalformedDataError, MissingColumnError, OutputError
from recipe_kit.spark import (
    SparkOptions,
    in_one_sentence,
    open_session,
    read_spark_table,
    tables,
    write_spark_table,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.spark

AWKWARD = (
    "text,whole,number,flag,day,moment,nothing,wide\n"
    '"said ""yes"", then\nleft",1,1.5,true,2020-02-29,2020-01-02 03:04:05,,1\n'
    "NA,2,NaN,false,,,,2\n"
    '"grüße, 世界 😀",-3,1e300,True,1999-12-31,2020-01-02T03:04:05.000001,,2.5\n'
    '"",,0.1,FALSE,,,,\n'
    " spaces kept ,9007199254740993,-0.5,,2020-03-01,1969-12-31 23:59:59,,7\n"
)


@pytest.fixture(scope="module")
def spark() -> SparkSession:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECIPE_KIT_SPARK_TUNING", "no-build")
        return open_session(SparkOptions(), app_name="tests")


@pytest.fixture(params=["here", "on executors"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of reading and writing: small tables here, large ones on the executors, in many pieces."""
    if request.param == "on executors":
        monkeypatch.setattr(tables, "SMALL_TABLE_BYTES", 0)
        monkeypatch.setattr(tables, "TASK_BYTES", 64)
    return str(request.param)


def _rows(frame: DataFrame) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = frame.toArrow().to_pylist()
    return rows


def _same(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> bool:
    return repr(one) == repr(other)  # NaN is NaN here, and -0.0 is not 0.0


@pytest.mark.usefixtures("way")
def test_awkward_values_are_the_same_as_without_spark(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(AWKWARD)
    location = resolve_location("rows.csv", tmp_path)
    frame = read_spark_table(spark, location)
    assert _same(_rows(frame), read_table(location).to_pylist())
    assert dict(frame.dtypes) == {
        "text": "string",
        "whole": "bigint",
        "number": "double",
        "flag": "boolean",
        "day": "date",
        "moment": "timestamp_ntz",
        "nothing": "double",
        "wide": "double",
    }


@pytest.mark.usefixtures("way")
def test_declared_types_come_before_what_the_values_look_like(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("code,count\n007,1\n008,2\n")
    frame = read_spark_table(
        spark, resolve_location("rows.csv", tmp_path), schema=Schema({"code": "text", "count": "number"})
    )
    assert _rows(frame) == [{"code": "007", "count": 1.0}, {"code": "008", "count": 2.0}]


def _write_lines(folder: Path, name: str, lines: str) -> None:
    if name.endswith(".gz"):
        (folder / name).write_bytes(gzip.compress(lines.encode()))
    else:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(lines)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("files", "location"),
    [
        ({"rows.csv.gz": "a,b\n1,x\n2,y\n"}, "rows.csv.gz"),
        ({"rows.jsonl": '{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n'}, "rows.jsonl"),
        ({"rows.tsv": "a\tb\n1\tx\n2\ty\n"}, "rows.tsv"),
        ({"rows.net": "a,b\n1,x\n2,y\n"}, "rows.net"),
        ({"parts/1.csv": "a,b\n1,x\n", "parts/2.csv": "a,b\n2,y\n", "parts/_SUCCESS": ""}, "parts"),
        ({"1.csv": "a,b\n1,x\n", "2.csv": "b,a\ny,2\n"}, "?.csv"),
    ],
)
def test_every_kind_of_location_is_read_in_order(
    spark: SparkSession, tmp_path: Path, files: dict[str, str], location: str
) -> None:
    for name, lines in files.items():
        _write_lines(tmp_path, name, lines)
    place = resolve_location(location, tmp_path)
    expected = [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
    assert _rows(read_spark_table(spark, place)) == read_table(place).to_pylist() == expected


@pytest.mark.usefixtures("way")
def test_parquet_keeps_its_types_and_gets_those_that_spark_has(spark: SparkSession, tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.table(
        {
            "small": pa.array([1, None], pa.int32()),
            "unsigned": pa.array([1, 2], pa.uint16()),
            "zoned": pa.array([0, 1], pa.timestamp("ns", tz="Europe/Berlin")),
            "list": pa.array([[1.5], []], pa.list_(pa.float64())),
            "category": pa.array(["x", "y"]).dictionary_encode(),
        }
    )
    parquet.write_table(table, tmp_path / "rows.parquet", row_group_size=1)
    location = resolve_location("rows.parquet", tmp_path)
    frame = read_spark_table(spark, location)
    assert [kind for _, kind in frame.dtypes] == ["int", "bigint", "timestamp_ntz", "array<double>", "string"]
    assert _same(_rows(frame), read_table(location).to_pylist())


BAD = {
    "ragged": "a,b\n1,2\n3\n",
    "wrong encoding": "a,b\n1,caf\xe9\n",
    "header only": "a,b\n",
    "empty": "",
}


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("kind", BAD)
def test_what_is_wrong_with_a_file_is_said_in_the_same_sentence_before_spark_sees_it(
    spark: SparkSession, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "bad.csv").write_bytes(BAD[kind].encode("latin1"))
    location = resolve_location("bad.csv", tmp_path)
    with pytest.raises(DataError) as elsewhere:
        read_table(location)
    with pytest.raises(DataError) as caught:
        read_spark_table(spark, location)
    assert (type(caught.value), str(caught.value)) == (type(elsewhere.value), str(elsewhere.value))


@pytest.mark.usefixtures("way")
def test_a_missing_column_and_a_missing_file_too(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("text,stars\nx,1\n")
    with pytest.raises(MissingColumnError, match=r"rows.csv has no column 'txt' .*: did you mean 'text'"):
        read_spark_table(spark, resolve_location("rows.csv", tmp_path), required=["txt"])
    with pytest.raises(DataError, match=r"no file 'row.csv'.*did you mean 'rows.csv'"):
        read_spark_table(spark, resolve_location("row.csv", tmp_path))


def test_a_misfit_deep_in_a_large_file_is_found_in_what_spark_raises(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "SMALL_TABLE_BYTES", 0)
    monkeypatch.setattr(tables, "TASK_BYTES", 64)
    (tmp_path / "rows.csv").write_text("a,b\n" + "1,2\n" * 50 + "1,two\n")
    known = Schema({"a": "integer", "b": "integer"})
    frame = read_spark_table(spark, resolve_location("rows.csv", tmp_path), schema=known)
    sentence = "rows.csv, line 52, column 'b': 'two' is not an integer"
    with pytest.raises(Exception, match="is not an integer") as caught:
        frame.count()
    found = in_one_sentence(caught.value)
    assert isinstance(found, MalformedDataError)
    assert str(found) == sentence
    with pytest.raises(MalformedDataError) as translated:
        write_spark_table(frame, resolve_location("out.csv", tmp_path))
    assert str(translated.value) == sentence
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows.csv"]


def test_a_failure_of_the_authors_own_code_stays_theirs() -> None:
    assert in_one_sentence(ValueError("a bug")) is None


# -- writing --------------------------------------------------------------------------------------------------------


@pytest.fixture
def frame(spark: SparkSession, tmp_path: Path, way: str) -> DataFrame:
    (tmp_path / "rows.csv").write_text(AWKWARD)
    return read_spark_table(spark, resolve_location("rows.csv", tmp_path))


@pytest.mark.parametrize("name", ["scores.csv", "scores.csv.gz", "scores.parquet", "scores.jsonl", "scores.net"])
def test_one_file_is_written_with_the_same_bytes_as_without_spark(frame: DataFrame, tmp_path: Path, name: str) -> None:
    from recipe_kit.data import write_table

    assert write_spark_table(frame, resolve_location(name, tmp_path)) == 5
    table = frame.toArrow()
    write_table(table, resolve_location(f"expected-{name}", tmp_path))
    written, expected = (read_table(resolve_location(text, tmp_path)) for text in (name, f"expected-{name}"))
    assert _same(written.to_pylist(), expected.to_pylist())
    if not name.endswith(".parquet"):
        assert (tmp_path / name).read_bytes() == (tmp_path / f"expected-{name}").read_bytes()


def test_a_name_that_ends_in_a_slash_becomes_a_folder_of_parts_in_order(frame: DataFrame, tmp_path: Path) -> None:
    (tmp_path / "scores.parquet").mkdir()
    (tmp_path / "scores.parquet" / "part-00099.parquet").write_text("of an earlier run")
    assert write_spark_table(frame, resolve_location("scores.parquet/", tmp_path)) == 5
    names = sorted(path.name for path in (tmp_path / "scores.parquet").iterdir())
    assert all(name.startswith("part-") and name.endswith(".parquet") for name in names)
    assert "part-00099.parquet" not in names
    assert _same(read_table(resolve_location("scores.parquet", tmp_path)).to_pylist(), _rows(frame))


@pytest.mark.parametrize("name", ["scores.csv", "scores/"])
def test_a_job_that_fails_leaves_what_was_there(spark: SparkSession, tmp_path: Path, name: str) -> None:
    place = tmp_path / name.rstrip("/")
    if name.endswith("/"):
        place.mkdir()
        (place / "part-00000.csv").write_text("before")
    else:
        place.write_text("before")

    def fail(batches: Iterator[Any]) -> Iterator[Any]:
        yield next(batches)
        raise ValueError("a bug in the recipe")

    with pytest.raises(Exception, match="a bug in the recipe"):
        write_spark_table(spark.range(10).mapInPandas(fail, "id bigint"), resolve_location(name, tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == [place.name]
    kept = place / "part-00000.csv" if place.is_dir() else place
    assert kept.read_text() == "before"


def test_a_place_that_cannot_be_written_costs_one_sentence(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "scores.csv").mkdir()
    with pytest.raises(OutputError, match=r"cannot write .*scores.csv', it is a folder"):
        write_spark_table(spark.range(3), resolve_location("scores.csv", tmp_path))


@pytest.mark.usefixtures("way")
def test_no_rows_are_written_as_a_header(spark: SparkSession, tmp_path: Path) -> None:
    empty = spark.createDataFrame([], "text string, score double")
    assert write_spark_table(empty, resolve_location("scores.csv", tmp_path)) == 0
    assert (tmp_path / "scores.csv").read_text() == "text,score\n"


def test_vectors_of_spark_ml_are_written_as_lists(spark: SparkSession, tmp_path: Path) -> None:
    from pyspark.ml.linalg import Vectors

    frame = spark.createDataFrame([(1, Vectors.dense([0.25, 0.75]))], ["row", "probability"])
    write_spark_table(frame, resolve_location("scores.csv", tmp_path))
    assert (tmp_path / "scores.csv").read_text() == 'row,probability\n1,"[0.25, 0.75]"\n'


def test_a_place_that_the_kit_cannot_open_is_left_to_spark(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object) -> None:
        raise DataError("cannot open far:// locations here") from ImportError()

    monkeypatch.setattr(tables, "files_of", unknown)
    monkeypatch.setattr(tables.foreign_tables, "can_spark_try", lambda location, error: True)
    (tmp_path / "rows.csv").write_text('text,stars\n"a ""b""\nc",1\n,2\n')
    said: list[str] = []
    location = resolve_location("rows.csv", tmp_path)
    frame = read_spark_table(spark, location, schema=Schema({"stars": "number"}), log=said.append)
    assert _rows(frame) == [{"text": 'a "b"\nc', "stars": 1.0}, {"text": None, "stars": 2.0}]
    assert said == ["rows.csv: opened by Spark itself, whose reader may take other spellings for nulls"]
    with pytest.raises(MissingColumnError, match="has no column 'star'"):
        read_spark_table(spark, location, required=["star"])
    with pytest.raises(DataError, match="nothing is at"):
        read_spark_table(spark, resolve_location("nowhere.csv", tmp_path))


def test_rows_are_held_out_whatever_the_columns_are_called(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(float(i), str(i)) for i in range(50)], "`sepal.length` double, `a``b` string")

    training, held_out = default_hooks.split(Context(), rows)

    assert training.count() + held_out.count() == 50
    assert 0 < held_out.count() < 25
