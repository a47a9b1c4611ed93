"""What is left to Spark itself: places that only the cluster can open, and columns that only Spark has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from recipe_kit.data import Location, Log, Schema
from recipe_kit.data.locations import form_of
from recipe_kit.errors import DataError, DataNotFoundError, EmptyDataError, MissingColumnError, OutputError
from recipe_kit.nearest import did_you_mean

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_CSV_AS_THE_KIT_HAS_IT: dict[str, bool | str] = {"header": True, "quote": '"', "escape": '"', "encoding": "UTF-8"}


def can_spark_try(location: Location, error: Exception) -> bool:
    """Whether a place that the kit cannot open may be known to Spark: a URI whose file system is not installed here."""
    return location.path is None and (
        isinstance(error, OSError) or isinstance(error.__cause__, ImportError | ValueError)
    )


def read_with_spark(
    session: SparkSession, location: Location, *, schema: Schema | None, required: Sequence[str], log: Log
) -> DataFrame:
    """The table as Spark's own reader understands it, with the types of `schema` where that knows them.

    Raises:
        DataNotFoundError, EmptyDataError, MissingColumnError, DataError: as the kit's own reader does.
    """
    from pyspark.errors import AnalysisException
    from pyspark.sql import functions as F

    kind, delimiter, _ = form_of(location.target.rstrip("/"))
    log(f"{location.text}: opened by Spark itself, whose reader may take other spellings for nulls")
    reader = session.read.option("mode", "FAILFAST")
    try:
        if kind == "parquet":
            frame = reader.parquet(location.target)
        elif kind == "jsonl":
            frame = reader.json(location.target)
        else:
            options = {**_CSV_AS_THE_KIT_HAS_IT, "sep": delimiter, "multiLine": True, "inferSchema": True}
            frame = reader.options(**options).csv(location.target)
    except AnalysisException as error:
        if "PATH_NOT_FOUND" in str(error):
            raise DataNotFoundError(f"nothing is at {location.text!r}") from error
        raise DataError(f"Spark cannot read {location.text!r}, {str(error).splitlines()[0]}") from error
    except Exception as error:
        if type(error).__name__ not in ("Py4JJavaError", "SparkConnectGrpcException"):
            raise
        raise DataError(
            f"Spark cannot open {location.text!r} either", hint="install the fsspec package for it, or its Hadoop jar"
        ) from error
    missing = [name for name in required if name not in frame.columns]
    if missing:
        raise MissingColumnError(
            f"{location.text} has no column {', '.join(map(repr, missing))} (it has {', '.join(frame.columns)})",
            hint=did_you_mean(missing[0], frame.columns),
        )
    if frame.isEmpty():
        raise EmptyDataError(f"{location.text} has no rows")
    known = Schema({name: kind for name, kind in (schema or {}).items() if kind != "any" and name in frame.columns})
    types = {name: Schema({name: known[name]}).to_spark_ddl().rpartition(" ")[2] for name in known}
    return frame.select(*(F.col(_quoted(name)).cast(types[name]).alias(name) if name in types else _quoted(name)
                          for name in frame.columns))  # fmt: skip


def write_with_spark(frame: DataFrame, location: Location, *, log: Log) -> int:
    """How many rows Spark wrote as a folder of parts at a URI; readers wait for its ``_SUCCESS`` file.

    Raises:
        OutputError: Spark could not write there.
    """
    from pyspark import StorageLevel

    kind = format_of_folder(location, log)
    frame = with_plain_columns(frame).persist(StorageLevel.MEMORY_AND_DISK)
    try:
        rows = frame.count()
        writer = frame.write.mode("overwrite")
        if kind == "parquet":
            writer.parquet(location.target)
        elif kind == "jsonl":
            writer.json(location.target)
        else:
            writer.options(**{**_CSV_AS_THE_KIT_HAS_IT, "emptyValue": ""}).csv(location.target)
    except Exception as error:
        if type(error).__name__ not in ("Py4JJavaError", "AnalysisException", "SparkConnectGrpcException"):
            raise
        raise OutputError(f"Spark cannot write {location.text!r}, {str(error).splitlines()[0]}") from error
    finally:
        frame.unpersist()
    return rows


def format_of_folder(location: Location, log: Log) -> str:
    """The format of the parts of a folder: what its own name says (``scores.parquet/``), else CSV."""
    kind = form_of(location.target.rstrip("/"))[0]
    if kind is None:
        suffix = PurePosixPath(location.target.rstrip("/")).suffix
        said = f"unknown extension {suffix!r}" if suffix else "no extension"
        log(f"{location.text}: {said}, written as CSV")
    return kind or "csv"


def with_plain_columns(frame: DataFrame) -> DataFrame:
    """The frame with the vectors of Spark ML as lists of numbers, which every format can hold."""
    vectors = [field.name for field in frame.schema.fields if field.dataType.typeName() in ("vectorudt", "vector")]
    if not vectors:
        return frame
    from pyspark.ml.functions import vector_to_array

    return frame.withColumns({name: vector_to_array(frame[_quoted(name)]) for name in vectors})


def _quoted(name: str) -> str:
    return f"`{name.replace('`', '``')}`"
