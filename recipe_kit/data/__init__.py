"""Tables: where they lie, how they are read and written, and what their columns are.

Nothing is imported here that is slow to import; pyarrow, pandas and fsspec are, when they are needed.
"""

from __future__ import annotations

from recipe_kit.data.frames import frame_to_table, table_to_pandas
from recipe_kit.data.locations import (
    DataFile,
    Location,
    Log,
    files_of,
    fingerprint,
    no_log,
    resolve_location,
    total_bytes,
)
from recipe_kit.data.parts import BLOCK_BYTES, Block
from recipe_kit.data.reading import diagnose, infer_schema, iter_batches, plan_blocks, read_block, read_table
from recipe_kit.data.schema import TYPE_NAMES, Schema
from recipe_kit.data.values import FALSE_SPELLINGS, NULL_SPELLINGS, TRUE_SPELLINGS
from recipe_kit.data.writing import TableWriter, format_block, write_table

__all__ = [
    "BLOCK_BYTES",
    "FALSE_SPELLINGS",
    "NULL_SPELLINGS",
    "TRUE_SPELLINGS",
    "TYPE_NAMES",
    "Block",
    "DataFile",
    "Location",
    "Log",
    "Schema",
    "TableWriter",
    "diagnose",
    "files_of",
    "fingerprint",
    "format_block",
    "frame_to_table",
    "infer_schema",
    "iter_batches",
    "no_log",
    "plan_blocks",
    "read_block",
    "read_table",
    "resolve_location",
    "table_to_pandas",
    "total_bytes",
    "write_table",
]
