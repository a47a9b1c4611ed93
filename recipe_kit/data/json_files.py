"""Reading JSON lines: one object per line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from recipe_kit.data.csv_files import Types
from recipe_kit.data.csv_records import whole_records
from recipe_kit.data.diagnosis import first_problem_in_json_lines
from recipe_kit.data.locations import DataFile
from recipe_kit.data.parts import BLOCK_BYTES, Block, Part, blocks_of, first_line, in_order, reading
from recipe_kit.data.values import common_type, inferred_type, to_type
from recipe_kit.errors import DataError, EmptyDataError, MalformedDataError

if TYPE_CHECKING:
    import pyarrow as pa


def look(file: DataFile) -> Part:
    """The file, and whether it has any line; its columns are known only when all lines have been read."""
    with reading(file), file.open_plain() as stream:
        if file.size == 0:
            raise EmptyDataError(f"{file.name} is empty")
        has_rows = False
        while not has_rows and (chunk := stream.read(1 << 16)):
            has_rows = bool(chunk.strip())
    return Part(file, (), has_rows)


def infer(part: Part, known: Types, *, first_block_only: bool = False) -> dict[str, pa.DataType]:
    """The types of all columns that occur; those that are not ``known`` are inferred from all lines."""

    def infer_block(block: Block) -> dict[str, pa.DataType]:
        table = _parse(block, known)
        names = set(table.column_names)
        if any(table[name].null_count == table.num_rows for name in known):
            # A column that is asked for by its type is there, all null, even where no line has that key.
            names &= set(_parse(block, {}).column_names)
        return {
            name: known[name] if name in known else inferred_type(table[name])
            for name in table.column_names
            if name in names
        }

    import pyarrow as pa

    types: dict[str, pa.DataType] = {}
    for found in in_order(infer_block, blocks(part), workers=2):
        types.update({name: common_type(types.get(name, pa.null()), kind) for name, kind in found.items()})
        if first_block_only:
            break
    return types


def blocks(part: Part, size: int = BLOCK_BYTES) -> Iterator[Block]:
    """The lines of the file in pieces of about ``size`` bytes."""
    return blocks_of(part, size, None)


def read_block(block: Block, types: Types, *, threads: bool = False) -> pa.Table:
    """The lines of a block with exactly those columns and types; keys that a line lacks are null."""
    import pyarrow as pa

    table = _parse(block, types, threads=threads)
    columns = []
    for name, kind in types.items():
        column = table[name] if name in table.column_names else pa.chunked_array([pa.nulls(table.num_rows)])
        try:
            columns.append(to_type(column, kind))
        except pa.ArrowInvalid as error:
            raise _problem(block, types, error) from error
    return pa.table(columns, schema=pa.schema(list(types.items())))


def find_problem(part: Part, types: Types) -> DataError | None:
    """The first line that cannot be read, found slowly; none if all is well."""
    with reading(part.file), part.file.open_plain() as stream:
        lines = (line for data in whole_records(stream, 1 << 20, None) for line in data.splitlines(keepends=True))
        return first_problem_in_json_lines(lines, part.file, types, 1)


def _parse(block: Block, types: Types, *, threads: bool = False) -> pa.Table:
    import pyarrow as pa

    data = block.read()
    if data.isspace():
        return pa.schema(list(types.items())).empty_table()
    try:
        return _parse_bytes(data, types, threads)
    except pa.ArrowInvalid as error:
        # What is known to be an integer may be written as 3.0.
        floats = {name: pa.float64() if kind == pa.int64() else kind for name, kind in types.items()}
        try:
            return _parse_bytes(data, floats, threads)
        except pa.ArrowInvalid:
            raise _problem(block, types, error) from error


def _parse_bytes(data: bytes, types: Types, threads: bool) -> pa.Table:
    import pyarrow as pa
    import pyarrow.types as kinds
    from pyarrow import json as arrow_json

    # Dates are text in JSON; they are turned by the same rules as those of a CSV file.
    written = [
        (name, pa.string() if kinds.is_date(kind) or kinds.is_timestamp(kind) else kind) for name, kind in types.items()
    ]
    return arrow_json.read_json(
        pa.BufferReader(data),
        arrow_json.ReadOptions(use_threads=threads, block_size=len(data) + 1),
        arrow_json.ParseOptions(explicit_schema=pa.schema(written), unexpected_field_behavior="infer"),
    )


def _problem(block: Block, types: Types, error: Exception) -> DataError:
    lines = block.read().splitlines(keepends=True)
    problem = first_problem_in_json_lines(lines, block.file, types, first_line(block))
    return problem or MalformedDataError(f"{block.file.name} cannot be read as JSON lines, {error}")
