"""What exactly is wrong with a file, found by a slow second look after the fast reader has refused it."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from recipe_kit.data.csv_records import ends_inside_quotes
from recipe_kit.data.locations import DataFile
from recipe_kit.data.schema import arrow_type, type_name_of
from recipe_kit.data.values import NOUNS, NULL_SPELLINGS, to_type
from recipe_kit.errors import DataError, EncodingError, MalformedDataError

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_AT_ONCE = 20_000
_LONGEST_SHOWN = 60
_NULLS = frozenset(NULL_SPELLINGS)


def first_problem_in_csv(
    lines: Iterable[str],
    file: DataFile,
    columns: Sequence[str],
    types: Mapping[str, pa.DataType],
    first_line: int,
) -> DataError | None:
    """The error for the first record that has the wrong number of fields, bytes that are no UTF-8, or a misfit value.

    ``lines`` are decoded with ``surrogateescape``, line ends kept; ``first_line`` is the number of the first of them.
    """
    rows: list[list[str]] = []
    starts: list[int] = []
    problem: DataError | None = None
    for start, row, is_open in _numbered_rows(lines, file.delimiter, first_line):
        if is_open:
            problem = MalformedDataError(
                f"{file.name}, line {start}: a quote is opened and never closed", hint="close it, or double it"
            )
        else:
            problem = _bad_bytes(file, columns, row, start) or _bad_length(file, columns, row, start)
        if problem:
            break
        rows.append(row)
        starts.append(start)
        if len(rows) == _ROWS_AT_ONCE:
            if misfit := _misfit(file, columns, types, rows, starts):
                return misfit
            rows, starts = [], []
    return _misfit(file, columns, types, rows, starts) or problem


def _numbered_rows(lines: Iterable[str], delimiter: str, first_line: int) -> Iterator[tuple[int, list[str], bool]]:
    """Each record with the line that it starts at and whether the text ends within its quotes; blank lines left out."""
    taken: list[str] = []

    def watched() -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield line

    with _no_field_limit():
        start, last_text = first_line, ""
        reader = csv.reader(watched(), delimiter=delimiter)
        pending: tuple[int, list[str]] | None = None
        for row in reader:
            if pending:
                yield *pending, False
                pending = None
            if row:
                pending, last_text = (start, row), "".join(taken)
            taken.clear()
            start = first_line + reader.line_num
        if pending:
            # Only the last record can be open: whatever follows an open quote belongs to it.
            raw = io.BytesIO(last_text.encode("utf-8", "surrogateescape"))
            yield *pending, ends_inside_quotes(raw, delimiter)


@contextmanager
def _no_field_limit() -> Iterator[None]:
    before = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _bad_bytes(file: DataFile, columns: Sequence[str], row: Sequence[str], start: int) -> DataError | None:
    line = start
    for index, value in enumerate(row):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            line += value.count("\n", 0, error.start)
            column = f", column {columns[index]!r}" if index < len(columns) else ""
            byte = ord(value[error.start]) - 0xDC00
            return EncodingError(
                f"{file.name}, line {line}{column}: byte {byte:#04x} is not UTF-8",
                hint="save the file as UTF-8, for instance with: iconv -f latin1 -t utf-8",
            )
        line += value.count("\n")
    return None


def _bad_length(file: DataFile, columns: Sequence[str], row: Sequence[str], start: int) -> DataError | None:
    if len(row) == len(columns):
        return None
    fields = f"{len(row)} field{'s' if len(row) != 1 else ''}"
    hint = "put quotes round a value that holds a comma" if len(row) > len(columns) else "is a value missing?"
    return MalformedDataError(f"{file.name}, line {start}: {fields} where the header has {len(columns)}", hint=hint)


def _misfit(
    file: DataFile,
    columns: Sequence[str],
    types: Mapping[str, pa.DataType],
    rows: Sequence[Sequence[str]],
    starts: Sequence[int],
) -> DataError | None:
    """The error for the first value, by line, that its column's type cannot hold."""
    found: tuple[int, int] | None = None
    for index, column in enumerate(columns):
        if column in types:
            values = [None if row[index] in _NULLS else row[index] for row in rows]
            position = _first_misfit(values, types[column])
            if position is not None and (found is None or position < found[0]):
                found = position, index
    if found is None:
        return None
    position, index = found
    column = columns[index]
    expected = NOUNS.get(type_name_of(types[column]), "empty, as in all rows before")
    return MalformedDataError(
        f"{file.name}, line {starts[position]}, column {column!r}: {shortened(rows[position][index])} is not {expected}"
    )


def _first_misfit(values: Sequence[str | None], kind: pa.DataType) -> int | None:
    import pyarrow as pa

    def fits(some: Sequence[str | None]) -> bool:
        try:
            to_type(pa.chunked_array([pa.array(some, pa.string())]), kind)
        except pa.ArrowInvalid:
            return False
        return True

    if fits(values):
        return None
    low, high = 0, len(values)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(values[low:middle]) else (low, middle)
    return low


def shortened(value: Any) -> str:
    """The value as a message shows it."""
    text = repr(value) if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 4]}...{text[-1]}"


def first_problem_in_json_lines(
    lines: Iterable[bytes], file: DataFile, types: Mapping[str, pa.DataType], first_line: int
) -> DataError | None:
    """The error for the first line that is no JSON object, or has a value that its column's type cannot hold.

    Columns without a given type must keep to the kind of value (text, number, ...) that they start with.
    """
    nouns = {column: NOUNS[name] for column, kind in types.items() if (name := type_name_of(kind)) in NOUNS}
    for number, line in enumerate(lines, first_line):
        if not line.strip():
            continue
        try:
            record = json.loads(line.rstrip(b"\r\n").decode())
        except UnicodeDecodeError as error:
            byte = line[error.start]
            return EncodingError(f"{file.name}, line {number}: byte {byte:#04x} is not UTF-8", hint="save it as UTF-8")
        except json.JSONDecodeError as error:
            hint = "JSON lines have one object per line, not one array" if line.lstrip()[:1] == b"[" else None
            reason = error.msg[:1].lower() + error.msg[1:]
            return MalformedDataError(f"{file.name}, line {number}, column {error.colno}: {reason}", hint=hint)
        if not isinstance(record, dict):
            hint = 'JSON lines have one object per line, such as {"a": 1}'
            return MalformedDataError(f"{file.name}, line {number}: {shortened(record)} is not an object", hint=hint)
        for column, value in record.items():
            if value is None:
                continue
            noun = nouns.setdefault(column, _noun_of(value))
            if not _json_fits(value, noun):
                return MalformedDataError(
                    f"{file.name}, line {number}, column {column!r}: {shortened(value)} is not {noun}"
                )
    return None


def _noun_of(value: Any) -> str:
    if isinstance(value, bool):
        return NOUNS["boolean"]
    if isinstance(value, (int, float)):
        return NOUNS["number"]
    if isinstance(value, str):
        return NOUNS["text"]
    return "an object" if isinstance(value, dict) else "a list"


def _json_fits(value: Any, noun: str) -> bool:
    if noun == NOUNS["integer"]:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and float(value).is_integer()
    if noun in (NOUNS["date"], NOUNS["timestamp"]):
        name = "date" if noun == NOUNS["date"] else "timestamp"
        return isinstance(value, str) and _first_misfit([value], arrow_type(name)) is None
    return _noun_of(value) == noun
