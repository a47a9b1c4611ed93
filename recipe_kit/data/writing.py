"""Writing tables so that they appear whole or not at all."""

from __future__ import annotations

import csv
import gzip
import io
import json
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from recipe_kit.atomic import atomic_file, output_error
from recipe_kit.data.frames import frame_to_table
from recipe_kit.data.locations import CSV, PARQUET, Location, Log, filesystem_of, form_of, no_log
from recipe_kit.errors import OutputError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_GZIP_LEVEL = 6


def write_table(table: pa.Table | pd.DataFrame, location: Location, *, log: Log = no_log) -> int:
    """How many rows were written to the location, which then has the whole table; the format follows its name.

    Raises :class:`OutputError`, in which case what was there before is still there.
    """
    with TableWriter(location, log=log) as writer:
        writer.write(table)
    return writer.rows


class TableWriter:
    """A table that is written piece by piece and takes its place when the ``with`` block ends well.

    When the block ends with an exception, Ctrl-C included, what was written is removed and what was at the location
    before is untouched. Raises :class:`OutputError` for whatever the operating system refuses.
    """

    def __init__(self, location: Location, *, log: Log = no_log) -> None:
        """A writer for that location; nothing is opened before the ``with`` block."""
        self.location = location
        self.rows = 0
        """How many rows have been written."""
        kind, self.delimiter, self._compression = form_of(location.target)
        self.format = kind or CSV
        """``csv``, ``parquet`` or ``jsonl``."""
        if location.is_glob:
            raise OutputError(f"cannot write {location.text!r}, it is a pattern", hint="give the name of a file")
        if kind is None:
            suffix = PurePosixPath(location.target).suffix
            said = f"unknown extension {suffix!r}" if suffix else "no extension"
            log(f"{location.text}: {said}, written as CSV")
        self._columns: list[str] | None = None
        self._parquet: Any = None
        self._schema: pa.Schema | None = None

    def __enter__(self) -> Self:
        """The writer, ready for the first piece."""
        with ExitStack() as stack:
            temporary = stack.enter_context(_place(self.location))
            self._stream = stack.enter_context(_opened(temporary, self._compression, self.location))
            self._stack = stack.pop_all()
        return self

    def write(self, table: pa.Table | pd.DataFrame) -> None:
        """Adds rows; all pieces have the columns of the first."""
        import pyarrow as pa

        if not isinstance(table, pa.Table):
            table = frame_to_table(table)
        if self._columns is None:
            self._columns = list(table.column_names)
            first = True
        else:
            first = False
            self._same_columns(table)
        if self.format == PARQUET:
            self._write_parquet(table)
        elif self.format == CSV:
            self._stream.write(format_block(table, header=first, delimiter=self.delimiter))
        else:
            self._stream.write(_json_lines(table))
        self.rows += table.num_rows

    def write_formatted(self, data: bytes | memoryview, rows: int) -> None:
        """Adds ``rows`` rows of CSV text that :func:`format_block` made; the first text has the header."""
        if self.format != CSV:
            raise ValueError(f"formatted text is for CSV, not {self.format}")
        self._stream.write(data)
        self.rows += rows

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Puts the table in its place, or removes what was written if there was an exception."""
        if self._parquet is not None:
            self._stack.callback(self._close_parquet, failed=kind is not None)
        self._stack.__exit__(kind, error, traceback)

    def _close_parquet(self, *, failed: bool) -> None:
        with suppress(Exception) if failed else nullcontext():
            self._parquet.close()

    def _same_columns(self, table: pa.Table) -> None:
        if table.column_names != self._columns:
            raise OutputError(
                f"a piece of {self.location.text} has the columns {', '.join(table.column_names)}, the first piece had "
                f"{', '.join(self._columns or ())}",
                hint="give every piece the same columns in the same order",
            )

    def _write_parquet(self, table: pa.Table) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        if self._parquet is None:
            self._schema = table.schema.remove_metadata()
            self._parquet = parquet.ParquetWriter(self._stream, self._schema)
        try:
            self._parquet.write_table(table.cast(self._schema))
        except pa.ArrowInvalid as error:
            raise OutputError(
                f"a piece of {self.location.text} has other types than the first one, {error}",
                hint="give every piece the same types, or write CSV",
            ) from error


@contextmanager
def _place(location: Location) -> Iterator[Path]:
    """A file of this machine to write to that becomes the location when the block ends well."""
    if location.path is not None:
        with atomic_file(location.path) as temporary:
            yield temporary
        return
    with tempfile.TemporaryDirectory(prefix="recipe-kit-") as folder:
        temporary = Path(folder) / "table"
        try:
            yield temporary
        except OSError as error:
            raise output_error(location.text, error) from error
        _send(temporary, location)


def _send(file: Path, location: Location) -> None:
    """Puts a file of this machine into another store, first under a hidden name."""
    filesystem, path = filesystem_of(str(location.uri))
    parent, _, name = path.rpartition("/")
    hidden = f"{parent}/.{name}.{secrets.token_hex(6)}.partial"
    try:
        if filesystem.isdir(path):
            raise OutputError(f"cannot write {location.text!r}, it is a folder", hint="give the name of a file")
        filesystem.makedirs(parent, exist_ok=True)
        try:
            filesystem.put_file(str(file), hidden)
            filesystem.mv(hidden, path)
        except BaseException:
            with suppress(Exception):
                filesystem.rm_file(hidden)
            raise
    except OutputError:
        raise
    except Exception as error:  # each store has errors of its own
        raise OutputError(f"cannot write {location.text!r}, {type(error).__name__}: {error}") from error


@contextmanager
def _opened(path: Path, compression: str | None, location: Location) -> Iterator[Any]:
    import pyarrow as pa

    with path.open("wb") as plain:
        if compression == "gzip":
            # No name and no time inside, so that the same table gives the same bytes.
            with gzip.GzipFile(filename="", mode="wb", compresslevel=_GZIP_LEVEL, fileobj=plain, mtime=0) as packed:
                yield packed
        elif compression == "zstd":
            with pa.CompressedOutputStream(plain, "zstd") as packed:
                yield packed
        else:
            yield plain


def format_block(table: pa.Table, *, header: bool, delimiter: str = ",") -> bytes:
    """The table as CSV text in UTF-8, lines ending in ``\\n``; equal rows give equal text, whatever is around them.

    A value is quoted where it has to be. Null is nothing, ``true`` and ``false`` are lower case, numbers are the
    shortest text that reads back as the same number (``1``, not ``1.0``).
    """
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    sink = pa.BufferOutputStream()
    if header:
        sink.write(_header(table.column_names, delimiter))
    if table.num_columns == 1 and table.column(0).null_count:
        # A line without any text would not be read back as a row.
        sink.write(_joined(table, delimiter, null='""'))
        return _bytes(sink)
    start = sink.tell()
    try:
        options = arrow_csv.WriteOptions(include_header=False, delimiter=delimiter, quoting_style="none")
        arrow_csv.write_csv(_writable(table), sink, options)
    except pa.ArrowInvalid:
        # Some text needs quotes. Arrow would quote all of the block's texts, so that a row would depend on the others.
        before = _bytes(sink)[:start]
        return before + bytes(_joined(table, delimiter))
    return _bytes(sink)


def _bytes(sink: pa.BufferOutputStream) -> bytes:
    return bytes(memoryview(sink.getvalue()))


def _header(names: list[str], delimiter: str) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerow(names)
    return text.getvalue().encode()


def _writable(table: pa.Table) -> pa.Table:
    """Lists and structs as JSON text, which is what a CSV file can hold of them."""
    import pyarrow as pa
    import pyarrow.types as kinds

    for index, field in enumerate(table.schema):
        if kinds.is_nested(field.type):
            values = table.column(index).to_pylist()
            texts = [None if value is None else json.dumps(value, default=_json_text) for value in values]
            table = table.set_column(index, field.name, pa.array(texts, pa.string()))
        elif kinds.is_dictionary(field.type):
            table = table.set_column(index, field.name, table.column(index).cast(field.type.value_type))
    return table


def _joined(table: pa.Table, delimiter: str, null: str = "") -> memoryview:
    """The rows as CSV text with only those values quoted that need it."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as kinds

    if not table.num_rows:
        return memoryview(b"")
    quote, end, nothing, comma = (pa.scalar(text, pa.large_string()) for text in ('"', "\n", "", delimiter))
    columns = []
    for column in _writable(table).combine_chunks().columns:
        values = pa.concat_arrays(column.chunks) if column.num_chunks != 1 else column.chunk(0)
        text = pc.cast(values, pa.large_string())
        if kinds.is_string(values.type) or kinds.is_large_string(values.type):
            needed = pc.match_substring_regex(text, f'["\r\n{delimiter}]')
            quoted = pc.binary_join_element_wise(quote, pc.replace_substring(text, '"', '""'), quote, nothing)
            text = pc.if_else(needed, quoted, text)
        columns.append(pc.fill_null(text, null))
    columns[-1] = pc.binary_join_element_wise(columns[-1], end, nothing)
    rows = pc.binary_join_element_wise(*columns, comma) if len(columns) > 1 else columns[0]
    # The texts of an Arrow array lie one after the other, which is just what a file wants.
    offsets = memoryview(rows.buffers()[1]).cast("q")
    return memoryview(rows.buffers()[2])[offsets[0] : offsets[len(rows)]]


def _json_lines(table: pa.Table) -> bytes:
    lines = (json.dumps(row, ensure_ascii=False, default=_json_text) for row in table.to_pylist())
    return "".join(f"{line}\n" for line in lines).encode()


def _json_text(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
