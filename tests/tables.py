"""Small ways to put tables into files and to read them back, for the tests of `recipe_kit.data`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa

from recipe_kit.data import (
    Location,
    Schema,
    infer_schema,
    iter_batches,
    plan_blocks,
    read_block,
    read_table,
    resolve_location,
)


def put(folder: Path, name: str, content: str | bytes) -> Location:
    """A file with that content, as a location."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return resolve_location(name, folder)


def rows(table: pa.Table) -> list[dict[str, Any]]:
    """The table's rows."""
    return list(table.to_pylist())


def kinds(table: pa.Table) -> dict[str, str]:
    """The type names of the table's columns."""
    return Schema.from_arrow(table.schema).to_json()


def read_in_blocks(location: Location, block_bytes: int, schema: Schema | None = None) -> pa.Table:
    """The table, read in blocks of that size."""
    types = infer_schema(location, schema=schema)
    return joined(read_block(block, types) for block in plan_blocks(location, block_bytes=block_bytes))


def joined(tables: Iterable[pa.Table]) -> pa.Table:
    """The tables as one; they must have exactly the same columns and types."""
    return pa.concat_tables(list(tables))


def read_each_way(location: Location, schema: Schema | None = None) -> pa.Table:
    """The table, read whole, as a stream and in small blocks, which must give the same."""
    whole = read_table(location, schema=schema)
    assert joined(iter_batches(location, schema=schema)).equals(whole)
    assert read_in_blocks(location, 20, schema).equals(whole)
    return whole
