"""Reading tables: whole, as a stream of batches, or block by block wherever the caller likes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING

from recipe_kit.data import csv_files, json_files, parquet_files
from recipe_kit.data.csv_files import Types
from recipe_kit.data.locations import CSV, JSON_LINES, PARQUET, Location, Log, files_of, no_log
from recipe_kit.data.parts import BLOCK_BYTES, Block, Part, in_order
from recipe_kit.data.schema import ANY, Schema, arrow_type
from recipe_kit.data.values import common_type, without_zones
from recipe_kit.errors import DataError, EmptyDataError, MalformedDataError, MissingColumnError
from recipe_kit.nearest import did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa

_FORMATS: dict[str, ModuleType] = {CSV: csv_files, PARQUET: parquet_files, JSON_LINES: json_files}


def read_table(
    location: Location, *, schema: Schema | None = None, required: Iterable[str] = (), log: Log = no_log
) -> pa.Table:
    """All rows of the table.

    The columns that ``schema`` knows get its types, the others the narrowest that holds all their values. Columns of
    ``schema`` that the table lacks are no error, those of ``required`` are. Raises :class:`DataNotFoundError`,
    :class:`EmptyDataError` (no rows), :class:`MissingColumnError`, :class:`MalformedDataError` (with file, line and
    column) or :class:`EncodingError`.
    """
    import pyarrow as pa

    parts = _parts(location, required, log)
    known = _known(schema)
    if parts[0].file.format == CSV:
        tables = [csv_files.read_whole(part, known) for part in parts]
        types = _merged([dict(zip(table.schema.names, table.schema.types, strict=True)) for table in tables])
        tables = [
            csv_files.as_types(part, table, types).select(list(types))
            for part, table in zip(parts, tables, strict=True)
        ]
    else:
        types = _types(parts, known)
        _require(list(types), required, location)
        if parts[0].file.format == PARQUET:
            tables = [parquet_files.read_whole(part, types).select(list(types)) for part in parts]
        else:
            tables = [
                json_files.read_block(block, types, threads=True) for part in parts for block in json_files.blocks(part)
            ]
    return without_zones(pa.concat_tables(tables))


def iter_batches(
    location: Location,
    *,
    schema: Schema | None = None,
    required: Iterable[str] = (),
    batch_rows: int | None = None,
    log: Log = no_log,
) -> Iterator[pa.Table]:
    """The rows of the table in order, in pieces that together are what :func:`read_table` gives, types included.

    Memory does not grow with the table. A piece is what was convenient to read, or exactly ``batch_rows`` rows (the
    last one may be shorter). Columns that ``schema`` does not know cost one more pass over the files, to find their
    types.
    """
    types = infer_schema(location, schema=schema, required=required, log=log)
    tables = _tables(location, types)
    return tables if batch_rows is None else _exactly(tables, batch_rows)


def _tables(location: Location, types: pa.Schema) -> Iterator[pa.Table]:
    parts = _parts(location, (), no_log)
    if parts[0].file.format == PARQUET:
        wanted = dict(zip(types.names, types.types, strict=True))
        for part in parts:
            for table in parquet_files.batches(part, wanted):
                yield without_zones(table.select(types.names))
        return
    # One block is read while the caller works on the one before.
    for table in in_order(lambda block: read_block(block, types), _blocks(parts, BLOCK_BYTES), workers=1):
        if table.num_rows:
            yield table


def _exactly(tables: Iterator[pa.Table], rows: int) -> Iterator[pa.Table]:
    import pyarrow as pa

    if rows < 1:
        raise ValueError("a batch has at least one row")
    left: pa.Table | None = None
    for table in tables:
        whole = table if left is None else pa.concat_tables([left, table])
        full = whole.num_rows - whole.num_rows % rows
        for start in range(0, full, rows):
            yield whole.slice(start, rows)
        left = whole.slice(full) if full < whole.num_rows else None
    if left is not None:
        yield left


def infer_schema(
    location: Location,
    *,
    schema: Schema | None = None,
    required: Iterable[str] = (),
    first_block_only: bool = False,
    log: Log = no_log,
) -> pa.Schema:
    """The columns of the table with the types that :func:`read_table` would find; what :func:`read_block` needs.

    Where ``schema`` knows all columns of a CSV file only its header is read; otherwise every row is, in little memory.
    ``first_block_only`` guesses from the first some megabytes; a later value that does not fit is then an error of
    :func:`read_block`. A column without any value has Arrow's null type. Raises what :func:`read_table` raises.
    """
    import pyarrow as pa

    parts = _parts(location, required, log)
    known = _known(schema)
    if first_block_only and parts[0].file.format != PARQUET:
        types: Types = _FORMATS[parts[0].file.format].infer(parts[0], known, first_block_only=True)
    else:
        types = _types(parts, known)
    _require(list(types), required, location)
    return pa.schema(list(types.items()))


def plan_blocks(location: Location, *, block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """The table in blocks of whole records, in order, found in passing: each can be read by itself, in any process.

    CSV and JSON lines are cut every ``block_bytes`` or so; Parquet files by row group. Empty blocks do not occur.
    """
    return _blocks(_parts(location, (), no_log), block_bytes)


def _blocks(parts: Iterable[Part], block_bytes: int) -> Iterator[Block]:
    for part in parts:
        if part.file.format == PARQUET:
            yield from parquet_files.blocks(part)
        else:
            yield from _FORMATS[part.file.format].blocks(part, block_bytes)


def read_block(block: Block, types: pa.Schema) -> pa.Table:
    """The rows of one block, with the columns and types that :func:`infer_schema` gave, in one thread.

    Raises :class:`MalformedDataError` or :class:`EncodingError` with the line and column where something does not fit.
    """
    wanted = dict(zip(types.names, types.types, strict=True))
    table: pa.Table = _FORMATS[block.file.format].read_block(block, wanted)
    return without_zones(table.select(types.names))


def diagnose(location: Location, *, schema: Schema | None = None, required: Iterable[str] = ()) -> DataError | None:
    """The first thing that is wrong with the table, as the error that reading it raises; none if all is well.

    It is slow and exact, meant for after a reader (Spark's, say) has refused the table.
    """
    known = _known(schema)
    try:
        for part in _parts(location, required, no_log):
            if part.file.format == PARQUET:
                for _ in parquet_files.batches(part, parquet_files.infer(part, known)):
                    pass
            else:
                find = csv_files.find_problem if part.file.format == CSV else json_files.find_problem
                if problem := find(part, known):
                    return problem
        infer_schema(location, schema=schema, required=required)
    except DataError as error:
        return error
    return None


def _known(schema: Schema | None) -> dict[str, pa.DataType]:
    return {name: arrow_type(kind) for name, kind in (schema or {}).items() if kind != ANY}


def _parts(location: Location, required: Iterable[str], log: Log) -> list[Part]:
    """The files that have rows, with their columns checked."""
    parts: list[Part] = []
    empty: EmptyDataError | None = None
    for file in files_of(location, log):
        try:
            part: Part = _FORMATS[file.format].look(file)
        except EmptyDataError as error:
            empty = empty or error
            continue
        _same_columns(parts[0] if parts else part, part)
        parts.append(part)
    if not parts:
        raise empty or EmptyDataError(f"{location.text} is empty")
    if parts[0].columns:
        _require(parts[0].columns, required, location)
    filled = [part for part in parts if part.has_rows]
    if not filled:
        raise EmptyDataError(f"{location.text} has {'a header but ' if parts[0].file.format == CSV else ''}no rows")
    return filled


def _same_columns(first: Part, part: Part) -> None:
    lacks = [name for name in first.columns if name not in part.columns]
    adds = [name for name in part.columns if name not in first.columns]
    if lacks or adds:
        said = [f"{word} {', '.join(map(repr, names))}" for word, names in (("lacks", lacks), ("adds", adds)) if names]
        raise MalformedDataError(
            f"{part.file.name} has other columns than {first.file.name}, it {' and '.join(said)}",
            hint="the files of one table have the same columns",
        )


def _require(columns: Iterable[str], required: Iterable[str], location: Location) -> None:
    there = list(columns)
    missing = [name for name in required if name not in there]
    if not missing:
        return
    hint = did_you_mean(missing[0], there)
    if len(there) == 1 and any(mark in there[0] for mark in ";\t|"):
        hint = "its fields are not separated by commas"
    what = f"column{'s' if len(missing) > 1 else ''} {', '.join(map(repr, missing))}"
    raise MissingColumnError(f"{location.text} has no {what} (it has {', '.join(there)})", hint=hint)


def _types(parts: Iterable[Part], known: Types) -> dict[str, pa.DataType]:
    return _merged([_FORMATS[part.file.format].infer(part, known) for part in parts])


def _merged(all_types: Iterable[Types]) -> dict[str, pa.DataType]:
    merged: dict[str, pa.DataType] = {}
    for types in all_types:
        for name, kind in types.items():
            merged[name] = common_type(merged[name], kind) if name in merged else kind
    return merged
