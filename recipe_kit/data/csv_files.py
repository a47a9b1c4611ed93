"""Reading CSV files: whole, in blocks, and the types of columns that nobody declared."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from recipe_kit.data.csv_records import RecordCutter, ends_inside_quotes
from recipe_kit.data.diagnosis import first_problem_in_csv
from recipe_kit.data.locations import DataFile
from recipe_kit.data.parts import BLOCK_BYTES, Block, Part, blocks_of, first_line, in_order, reading
from recipe_kit.data.values import (
    FALSE_SPELLINGS,
    NULL_SPELLINGS,
    TRUE_SPELLINGS,
    common_type,
    inferred_type,
    to_type,
)
from recipe_kit.errors import DataError, EmptyDataError, EncodingError, MalformedDataError

if TYPE_CHECKING:
    import pyarrow as pa

Types = Mapping[str, "pa.DataType"]

_HEAD_BYTES = 1 << 16
_UTF8_MARK = b"\xef\xbb\xbf"


def look(file: DataFile) -> Part:
    """The file's columns, and whether any row follows; raises for a header that is missing or cannot be read."""
    with reading(file), file.open_plain() as stream:
        head = stream.read(_HEAD_BYTES)
        while chunk := b"" if _end_of_header(head, file.delimiter) else stream.read(len(head)):
            head += chunk
        size = _end_of_header(head, file.delimiter) or len(head)
        columns = _columns(file, head[:size])
        rest = head[size:]
        while not rest.strip() and (chunk := stream.read(_HEAD_BYTES)):
            rest = chunk
    return Part(file, columns, bool(rest.strip()), head_bytes=size, head_lines=head.count(b"\n", 0, size) or 1)


def _end_of_header(head: bytes, delimiter: str) -> int:
    """Where the first line that is not blank ends; 0 where it does not end in ``head``."""
    start = len(head) - len(head.removeprefix(_UTF8_MARK).lstrip(b"\r\n"))
    cutter, position = RecordCutter(delimiter), start
    for line_break in re.finditer(rb"\r\n|\r|\n", head[start:]):
        cutter.last_end(head[position : start + line_break.end()])
        position = start + line_break.end()
        if not cutter.inside:
            return position
    return 0


def _columns(file: DataFile, head: bytes) -> tuple[str, ...]:
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise EncodingError(f"{file.name} is UTF-16, not UTF-8", hint="save it as UTF-8")
    head = head.removeprefix(_UTF8_MARK)
    if not head.strip():
        raise EmptyDataError(f"{file.name} is empty")
    lines_before = len(head) - len(head.lstrip(b"\r\n"))
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        line = head.count(b"\n", 0, error.start) + 1
        raise EncodingError(
            f"{file.name}, line {line}: byte {head[error.start]:#04x} of the header is not UTF-8",
            hint="save the file as UTF-8",
        ) from None
    names = next(csv.reader(io.StringIO(text[lines_before:], newline=""), delimiter=file.delimiter))
    # A nameless column is what DataFrame.to_csv makes of an index; it gets the name that read_csv gives it.
    columns = tuple(name or f"Unnamed: {index}" for index, name in enumerate(names))
    for name in columns:
        if columns.count(name) > 1:
            raise MalformedDataError(f"{file.name} has two columns named {name!r}", hint="rename one of them")
    return columns


def read_whole(part: Part, known: Types) -> pa.Table:
    """All rows of the file; columns that are not ``known`` get the narrowest type that holds all their values."""
    import pyarrow as pa

    quoted = _may_have_quotes(part)
    try:
        table = _parse(part.records(), part, part.columns, known, may_break_lines=quoted)
        if quoted and _last_row_breaks_lines(table):
            _refuse_open_quotes(part)
    except pa.ArrowInvalid:
        # A bad row, a misfit of a known type that can be mended, or a record too long for Arrow's own blocks.
        types = infer(part, known)
        tables = [read_block(block, types, threads=True) for block in blocks(part)]
        return pa.concat_tables(tables)
    inferred = {name: inferred_type(table[name]) for name in part.columns if name not in known}
    _refuse_bytes(part, inferred)
    return as_types(part, table, inferred)


def as_types(part: Part, table: pa.Table, types: Types) -> pa.Table:
    """The table with those columns in those types; what becomes text is read again, as it was written."""
    import pyarrow as pa
    import pyarrow.types as kinds

    again = [name for name, kind in types.items() if kinds.is_string(kind) and not _textual(table[name].type)]
    text = _read_text(part, again) if again else None
    for name, kind in types.items():
        column = text[name] if text is not None and name in again else table[name]
        if not column.type.equals(kind):
            column = to_type(column, kind)
        table = table.set_column(table.schema.get_field_index(name), pa.field(name, kind), column)
    return table


def _textual(kind: pa.DataType) -> bool:
    import pyarrow.types as kinds

    return bool(kinds.is_string(kind) or kinds.is_null(kind))


def _read_text(part: Part, columns: Sequence[str]) -> pa.Table:
    import pyarrow as pa

    types = dict.fromkeys(columns, pa.string())
    try:
        return _parse(part.records(), part, columns, types, may_break_lines=_may_have_quotes(part))
    except pa.ArrowInvalid:
        return pa.concat_tables([_parse_block(block, columns, types) for block in blocks(part)])


def infer(part: Part, known: Types, *, first_block_only: bool = False) -> dict[str, pa.DataType]:
    """The types of all columns; those that are not ``known`` are inferred from all rows, in little memory."""
    import pyarrow as pa

    types = {name: known.get(name, pa.null()) for name in part.columns}
    unknown = [name for name in part.columns if name not in known]
    if not unknown or not part.has_rows:
        return types

    def infer_block(block: Block) -> dict[str, pa.DataType]:
        data = block.read()
        try:
            table = _parse_block(block, unknown, {}, data)
        except pa.ArrowInvalid as error:
            raise problem_of(block, known, data, error) from error
        found = {name: inferred_type(table[name]) for name in unknown}
        if any(pa.types.is_binary(kind) for kind in found.values()):
            raise problem_of(block, known, data, None)
        return found

    for found in in_order(infer_block, blocks(part), workers=2):
        types.update({name: common_type(types[name], kind) for name, kind in found.items()})
        if first_block_only:
            break
    return types


def blocks(part: Part, size: int = BLOCK_BYTES) -> Iterator[Block]:
    """The rows of the file in pieces of about ``size`` bytes, cut where a record ends.

    Raises :class:`MalformedDataError` after the last piece if a quote was never closed.
    """
    cutter = RecordCutter(part.file.delimiter)
    yield from blocks_of(part, size, cutter)
    if cutter.inside:
        _raise_first_problem(part, {})


def read_block(block: Block, types: Types, *, threads: bool = False) -> pa.Table:
    """The rows of a block with exactly those types, in the order of the block's own columns.

    Raises the error that names the line, the column and the value where something does not fit.
    """
    import pyarrow as pa

    data = block.read()
    try:
        return _parse_block(block, block.columns, types, data, threads=threads)
    except pa.ArrowInvalid as error:
        try:
            text = _parse_block(block, block.columns, dict.fromkeys(block.columns, pa.string()), data)
            columns = [to_type(text[name], types[name]) for name in block.columns]
        except pa.ArrowInvalid:
            raise problem_of(block, types, data, error) from error
        return pa.table(columns, schema=pa.schema([(name, types[name]) for name in block.columns]))


def problem_of(block: Block, types: Types, data: bytes, error: Exception | None) -> DataError:
    """The first thing in a block that cannot be read, as the error to raise."""
    lines = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", errors="surrogateescape", newline="")
    problem = first_problem_in_csv(lines, block.file, block.columns, types, first_line(block))
    return problem or MalformedDataError(f"{block.file.name} cannot be read as CSV, {error or 'for an unknown reason'}")


def _parse_block(
    block: Block, columns: Sequence[str], types: Types, data: bytes | None = None, *, threads: bool = False
) -> pa.Table:
    import pyarrow as pa

    data = block.read() if data is None else data
    if data.isspace():
        return pa.schema([(name, types.get(name, pa.null())) for name in columns]).empty_table()
    part = Part(block.file, block.columns, True)
    # The block is parsed in one piece: Arrow's own cutting would have to look for quoted line breaks once more.
    size = len(data) + 1
    return _parse(pa.BufferReader(data), part, columns, types, size=size, threads=threads)


def _parse(
    stream: Any,
    part: Part,
    columns: Sequence[str],
    types: Types,
    *,
    size: int | None = None,
    threads: bool = True,
    may_break_lines: bool = False,
) -> pa.Table:
    from pyarrow import csv as arrow_csv

    with reading(part.file):
        return arrow_csv.read_csv(
            stream,
            arrow_csv.ReadOptions(column_names=part.columns, use_threads=threads, block_size=size),
            arrow_csv.ParseOptions(delimiter=part.file.delimiter, newlines_in_values=may_break_lines),
            arrow_csv.ConvertOptions(
                include_columns=list(columns),
                column_types={name: types[name] for name in columns if name in types},
                null_values=NULL_SPELLINGS,
                strings_can_be_null=True,
                true_values=TRUE_SPELLINGS,
                false_values=FALSE_SPELLINGS,
            ),
        )


def _may_have_quotes(part: Part) -> bool:
    """Whether line breaks within quotes have to be reckoned with, which costs Arrow a third of its speed."""
    if part.file.path is None or part.file.compression:
        return True
    # A buffer that stays in the processor's cache makes this a twentieth of the time that reading takes.
    buffer = bytearray(1 << 18)
    with reading(part.file), open(part.file.path, "rb", buffering=0) as stream:  # noqa: PTH123 - unbuffered
        while size := stream.readinto(buffer):
            if buffer.find(b'"', 0, size) >= 0:
                return True
    return False


def _last_row_breaks_lines(table: pa.Table) -> bool:
    last = table.slice(max(table.num_rows - 1, 0)).to_pylist()
    return any(isinstance(value, str) and "\n" in value for row in last for value in row.values())


def _refuse_open_quotes(part: Part) -> None:
    with reading(part.file), part.records() as stream:
        open_quotes = ends_inside_quotes(stream, part.file.delimiter)
    if open_quotes:
        _raise_first_problem(part, {})


def _refuse_bytes(part: Part, types: Types) -> None:
    import pyarrow.types as kinds

    if any(kinds.is_binary(kind) for kind in types.values()):
        _raise_first_problem(part, {})


def _raise_first_problem(part: Part, types: Types) -> None:
    raise find_problem(part, types) or MalformedDataError(f"{part.file.name} cannot be read as CSV")


def find_problem(part: Part, types: Types) -> DataError | None:
    """The first thing in the file that cannot be read, found slowly; none if all is well."""
    with reading(part.file), part.records() as stream:
        lines = io.TextIOWrapper(stream, encoding="utf-8", errors="surrogateescape", newline="")
        return first_problem_in_csv(lines, part.file, part.columns, types, part.head_lines + 1)
