"""Tables for Spark recipes: the same values, types and errors as everywhere else, because the same code reads them.

Small tables are read here and handed over. Of larger ones only the types are found here; the rows are read on the
executors, block by block, by the kit's own readers. Spark's own CSV reader has other ideas of nulls, quotes and
numbers, and packs files into tasks by size, so that rows would change their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from recipe_kit.atomic import atomic_folder
from recipe_kit.data import (
    Block,
    DataFile,
    Location,
    Log,
    Schema,
    TableWriter,
    files_of,
    infer_schema,
    iter_batches,
    no_log,
    plan_blocks,
    read_block,
    read_table,
)
from recipe_kit.errors import DataError
from recipe_kit.spark import foreign_tables
from recipe_kit.spark.failures import in_one_sentence

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

SMALL_TABLE_BYTES = 32 * 1024**2
"""A table up to this size is read in this process, and written from it."""

TASK_BYTES = 32 * 1024**2
"""About how much of a larger file one task reads."""

_LIKELY_COMPRESSION = 5
_ROWS_PER_BATCH = 10_000
_BYTES_PER_PIECE = 8 * 1024**2
_EXTENSIONS = {"csv": ".csv", "parquet": ".parquet", "jsonl": ".jsonl"}


def read_spark_table(
    session: SparkSession,
    location: Location,
    *,
    schema: Schema | None = None,
    required: Iterable[str] = (),
    log: Log = no_log,
) -> DataFrame:
    """The table as a Spark data frame, in the order of its rows; types and errors are those of `data.read_table`.

    Dates are ``DATE``, timestamps ``TIMESTAMP_NTZ``, a column without any value is ``DOUBLE``. A location that only the
    cluster can open (an ``s3a://`` address without s3fs, say) is left to Spark's own readers, and the log says so.

    Raises:
        DataError: whatever `data.read_table` raises. In a large table a value that does not fit a type of `schema` can
            come to light only when the rows are read; `failures.in_one_sentence` then finds the same sentence.
    """
    required = tuple(required)
    try:
        files = files_of(location, log)
    except (DataError, OSError) as error:
        if foreign_tables.can_spark_try(location, error):
            return foreign_tables.read_with_spark(session, location, schema=schema, required=required, log=log)
        raise
    if sum(_weight(file) for file in files) <= SMALL_TABLE_BYTES:
        table = as_spark_has_it(read_table(location, schema=schema, required=required))
        return session.createDataFrame(table, struct_of(table.schema))
    types = infer_schema(location, schema=schema, required=required)
    return _read_on_executors(session, _pieces(location, files), types)


def write_spark_table(frame: DataFrame, location: Location, *, log: Log = no_log) -> int:
    """How many rows were written; the location then has all of them, in order, or what it had before.

    A location whose name ends in ``/`` becomes a folder with one file per partition, any other a single file, written
    as `data.write_table` writes it. Executors compute in parallel, this process joins: no shared disk is needed.

    Raises:
        DataError: an input of the frame cannot be read.
        OutputError: the location cannot be written.
    """
    if location.text.endswith("/"):
        if location.path is None:
            return foreign_tables.write_with_spark(frame, location, log=log)
        return _write_folder(frame, location, location.path, log)
    with TableWriter(location, log=log) as writer:
        for _, table in _tables(frame):
            writer.write(table)
    return writer.rows


# -- reading --------------------------------------------------------------------------------------------------------


def _weight(file: DataFile) -> int:
    return file.size * (_LIKELY_COMPRESSION if file.compression or file.format == "parquet" else 1)


def _pieces(location: Location, files: Sequence[DataFile]) -> list[Block | DataFile]:
    """What one task each reads: blocks where a file can be entered anywhere, else whole files."""
    if any(file.format != "parquet" and (file.path is None or file.compression) for file in files):
        return list(files)
    return list(plan_blocks(location, block_bytes=TASK_BYTES))


def _read_on_executors(session: SparkSession, pieces: list[Block | DataFile], types: pa.Schema) -> DataFrame:
    wanted = as_spark_has_it(types.empty_table()).schema

    def read(numbers: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in numbers:
            for number in batch.column(0).to_pylist():
                for table in _tables_of(pieces[number], types):
                    yield from as_spark_has_it(table).cast(wanted).to_batches(max_chunksize=_ROWS_PER_BATCH)

    numbers = session.range(0, len(pieces), 1, len(pieces))
    return numbers.mapInArrow(read, struct_of(wanted))


def _tables_of(piece: Block | DataFile, types: pa.Schema) -> Iterator[pa.Table]:
    if isinstance(piece, Block):
        yield read_block(piece, types)
        return
    place = Location(piece.name, path=Path(piece.path) if piece.path else None, uri=piece.uri)
    for table in iter_batches(place, schema=Schema.from_arrow(types)):
        yield table.select(types.names).cast(types)


def as_spark_has_it(table: pa.Table) -> pa.Table:
    """The table with the few types replaced that Spark lacks: no type at all, unsigned and half-precision numbers."""
    import pyarrow as pa
    import pyarrow.types as kinds

    for index, field in enumerate(table.schema):
        kind = field.type
        if kinds.is_null(kind):
            kind = pa.float64()
        elif kinds.is_unsigned_integer(kind):
            kind = pa.int64()
        elif kinds.is_float16(kind):
            kind = pa.float32()
        elif kinds.is_large_string(kind):
            kind = pa.string()
        if not kind.equals(field.type):
            table = table.set_column(index, field.name, table.column(index).cast(kind))
    return table.replace_schema_metadata(None)


def struct_of(schema: pa.Schema) -> StructType:
    """The Spark schema of an Arrow one that Spark has all types of."""
    from pyspark.sql.pandas.types import from_arrow_schema

    return from_arrow_schema(schema, prefer_timestamp_ntz=True)


# -- writing --------------------------------------------------------------------------------------------------------


def _write_folder(frame: DataFrame, location: Location, path: Path, log: Log) -> int:
    rows = 0
    with atomic_folder(path) as folder:
        format_name = foreign_tables.format_of_folder(location, log)
        writer: TableWriter | None = None
        current = -1
        for partition, table in _tables(frame):
            if partition != current or writer is None:
                _finish(writer)
                current = partition
                name = folder / f"part-{partition:05d}{_EXTENSIONS[format_name]}"
                writer = TableWriter(Location(str(name), path=name))
                writer.__enter__()
            writer.write(table)
            rows += table.num_rows
        _finish(writer)
    return rows


def _finish(writer: TableWriter | None) -> None:
    if writer is not None:
        writer.__exit__(None, None, None)


def _tables(frame: DataFrame) -> Iterator[tuple[int, pa.Table]]:
    """The rows with the number of their partition, in order; at least one table, so that the columns are known."""
    frame = foreign_tables.with_plain_columns(frame)
    try:
        if _is_surely_small(frame):
            yield 0, frame.toArrow()
            return
        yield from _tables_by_partition(frame)
    except Exception as error:
        sentence = in_one_sentence(error)
        if sentence is None:
            raise
        raise sentence from error


def _is_surely_small(frame: DataFrame) -> bool:
    """Whether Spark's own estimate, which is an upper bound for plans without joins, says that the result is small."""
    try:
        estimate = frame._jdf.queryExecution().optimizedPlan().stats().sizeInBytes()
        return int(estimate.toString()) <= SMALL_TABLE_BYTES
    except Exception:  # Spark Connect has no such estimate; it is no more than a hint
        return False


def _tables_by_partition(frame: DataFrame) -> Iterator[tuple[int, pa.Table]]:
    import pyarrow as pa
    from pyspark import StorageLevel

    names, struct = frame.columns, frame.schema
    packed = frame.mapInArrow(_packer(), "partition int, content binary").persist(StorageLevel.DISK_ONLY)
    try:
        packed.count()  # all partitions at once; fetching them is one after the other
        found = False
        for row in packed.toLocalIterator(prefetchPartitions=True):
            with pa.ipc.open_stream(row.content) as stream:
                yield row.partition, stream.read_all().rename_columns(names)
            found = True
        if not found:
            yield 0, frame.sparkSession.createDataFrame([], struct).toArrow()
    finally:
        packed.unpersist()


def _packer() -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def pack(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa
        from pyspark import TaskContext

        context = TaskContext.get()
        partition = context.partitionId() if context is not None else 0
        for piece in _gathered(batches):
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, piece[0].schema) as stream:
                for batch in piece:
                    stream.write_batch(batch)
            content = pa.array([sink.getvalue().to_pybytes()], pa.binary())
            yield pa.record_batch([pa.array([partition], pa.int32()), content], ["partition", "content"])

    return pack


def _gathered(batches: Iterator[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    """The batches in lists of some megabytes: few large cells travel faster than many small ones."""
    pending: list[pa.RecordBatch] = []
    for batch in batches:
        if batch.num_rows:
            pending.append(batch)
        if sum(waiting.nbytes for waiting in pending) >= _BYTES_PER_PIECE:
            yield pending
            pending = []
    if pending:
        yield pending
