"""Reading Parquet files, which know their own types."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from recipe_kit.data.csv_files import Types
from recipe_kit.data.locations import DataFile
from recipe_kit.data.parts import Block, Part, reading
from recipe_kit.data.schema import type_name_of
from recipe_kit.data.values import NOUNS, to_type, without_zones
from recipe_kit.errors import EmptyDataError, MalformedDataError

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_AT_ONCE = 1 << 16


def look(file: DataFile) -> Part:
    """The file's columns, and whether it has any row."""
    with _opened(file) as parquet:
        return Part(file, tuple(parquet.schema_arrow.names), parquet.metadata.num_rows > 0)


def infer(part: Part, known: Types) -> dict[str, pa.DataType]:
    """The types that the file declares, with those that are ``known`` in their place."""
    with _opened(part.file) as parquet:
        declared = without_zones(parquet.schema_arrow.empty_table()).schema
    return {field.name: _kept_type(field.type, known.get(field.name)) for field in declared}


def _kept_type(declared: pa.DataType, known: pa.DataType | None) -> pa.DataType:
    """Of the same kind in another width, what the file has is right, and may be half as large."""
    import pyarrow.types as kinds

    if known is None:
        return declared
    exact = kinds.is_integer(declared) or kinds.is_floating(declared)
    return declared if exact and type_name_of(declared) == type_name_of(known) else known


def read_whole(part: Part, types: Types) -> pa.Table:
    """All rows of the file with exactly those types."""
    with _opened(part.file) as parquet:
        return _typed(part.file, parquet.read(), types)


def blocks(part: Part) -> Iterator[Block]:
    """The row groups of the file."""
    with _opened(part.file) as parquet:
        for index in range(parquet.num_row_groups):
            size = parquet.metadata.row_group(index).total_byte_size
            yield Block(part.file, part.columns, length=size, row_group=index)


def read_block(block: Block, types: Types) -> pa.Table:
    """The rows of a row group with exactly those types."""
    with _opened(block.file) as parquet:
        return _typed(block.file, parquet.read_row_group(block.row_group), types)


def batches(part: Part, types: Types) -> Iterator[pa.Table]:
    """The rows of the file some ten thousand at a time, however large its row groups are."""
    import pyarrow as pa

    with _opened(part.file) as parquet:
        for batch in parquet.iter_batches(_ROWS_AT_ONCE):
            yield _typed(part.file, pa.Table.from_batches([batch]), types)


def _typed(file: DataFile, table: pa.Table, types: Types) -> pa.Table:
    import pyarrow as pa

    table = without_zones(table.replace_schema_metadata(None))
    for index, name in enumerate(table.column_names):
        kind = types[name]
        try:
            column = to_type(table[name], kind)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            expected = NOUNS.get(type_name_of(kind), str(kind))
            raise MalformedDataError(
                f"{file.name}, column {name!r}: {table[name].type} where {expected} is expected"
            ) from None
        table = table.set_column(index, pa.field(name, kind), column)
    return table


@contextlib.contextmanager
def _opened(file: DataFile) -> Iterator[Any]:
    import pyarrow as pa
    from pyarrow import parquet

    with reading(file):
        if file.size == 0:
            raise EmptyDataError(f"{file.name} is empty")
        try:
            with file.open_plain() as stream:
                # A Parquet file is read from its end, which a compressed stream cannot jump to.
                source = pa.BufferReader(stream.read()) if file.compression else stream
                with parquet.ParquetFile(source) as opened:
                    yield opened
        except pa.ArrowInvalid as error:
            raise MalformedDataError(f"{file.name} is not a whole Parquet file") from error
