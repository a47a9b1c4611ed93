"""The rules for single values: which text is null, true or a date, and which type two parts of a column share."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from recipe_kit.data.schema import ANY, BOOLEAN, DATE, INTEGER, NUMBER, TEXT, TIMESTAMP, arrow_type, type_name_of

if TYPE_CHECKING:
    import pyarrow as pa

NULL_SPELLINGS = (
    "",
    "#N/A",
    "#N/A N/A",
    "#NA",
    "-1.#IND",
    "-1.#QNAN",
    "-NaN",
    "-nan",
    "1.#IND",
    "1.#QNAN",
    "<NA>",
    "N/A",
    "NA",
    "NULL",
    "NaN",
    "None",
    "n/a",
    "nan",
    "null",
)
"""What is null in a CSV file, in columns of every type, quoted or not: the same as for ``pandas.read_csv``."""

TRUE_SPELLINGS = ("true", "True", "TRUE")
FALSE_SPELLINGS = ("false", "False", "FALSE")

NOUNS: Mapping[str, str] = {
    TEXT: "text",
    INTEGER: "an integer",
    NUMBER: "a number",
    BOOLEAN: "true or false",
    DATE: "a date (YYYY-MM-DD)",
    TIMESTAMP: "a timestamp (YYYY-MM-DD HH:MM:SS)",
}

_EARLIEST, _LATEST = datetime.date(1678, 1, 1), datetime.date(2262, 1, 1)
"""The days that pandas' nanoseconds can hold; a column with others, such as 9999-12-31, stays text."""


def common_type(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    """The narrowest inferred type that holds the values of both: nothing, then integer, number, text."""
    import pyarrow as pa
    import pyarrow.types as kinds

    if one.equals(other) or kinds.is_null(other):
        return one
    if kinds.is_null(one):
        return other
    names = {type_name_of(one), type_name_of(other)}
    zones = {kind.tz for kind in (one, other) if kinds.is_timestamp(kind)}
    if names == {TIMESTAMP} and len(zones) == 1:
        return pa.timestamp("us", tz=zones.pop())
    if names == {DATE, TIMESTAMP} and zones == {None}:
        return arrow_type(TIMESTAMP)
    if names == {INTEGER, NUMBER}:
        return arrow_type(NUMBER)
    if len(names) == 1 and not names & {TIMESTAMP, ANY}:
        return arrow_type(names.pop())
    if kinds.is_nested(one) or kinds.is_nested(other):
        fields = [pa.schema([("value", kind)]) for kind in (one, other)]
        try:
            return pa.unify_schemas(fields, promote_options="permissive").field(0).type
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            return pa.string()
    return pa.string()


def inferred_type(column: pa.ChunkedArray) -> pa.DataType:
    """The type that a column, as Arrow inferred it, is given: one of the six, in one unit each.

    A time of day is none of the six and stays text, and so do dates that pandas cannot hold.
    """
    import pyarrow as pa
    import pyarrow.types as kinds

    kind = column.type
    if kinds.is_time(kind):
        return pa.string()
    if kinds.is_date(kind) or kinds.is_timestamp(kind):
        if not _within_pandas(column):
            return pa.string()
        return kind if kinds.is_date(kind) else pa.timestamp("us", tz=kind.tz)
    return kind


def _within_pandas(column: pa.ChunkedArray) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    ends = pc.min_max(column.cast(pa.date32(), safe=False)).as_py()
    return ends["min"] is None or (ends["min"] >= _EARLIEST and ends["max"] < _LATEST)


def to_type(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """The column as that type, where no value is lost by it; raises ``pyarrow.ArrowInvalid`` otherwise."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as kinds

    if column.type.equals(kind):
        return column
    if kinds.is_null(kind):
        if column.null_count < len(column):
            raise pa.ArrowInvalid("a value in a column that has none elsewhere")
        return pa.chunked_array([pa.nulls(len(column))])
    if kinds.is_dictionary(column.type):
        return to_type(column.cast(column.type.value_type), kind)
    if kinds.is_string(column.type) and not kinds.is_string(kind):
        return _from_text(pc.utf8_trim_whitespace(column), kind)
    if kinds.is_timestamp(column.type) and kinds.is_timestamp(kind):
        # Nanoseconds below the microsecond are cut off everywhere; a zone is turned to UTC and dropped.
        return column.cast(pa.timestamp("us", tz=column.type.tz), safe=False).cast(kind)
    if kinds.is_string(kind) and not (kinds.is_string(column.type) or kinds.is_large_string(column.type)):
        if kinds.is_null(column.type):
            return column.cast(kind)
        raise pa.ArrowInvalid(f"{column.type} where text is expected")
    return column.cast(kind)


def _from_text(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """Text as values, a little more generous than inference is: the type is known, so ``3.0`` is an integer."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as kinds

    if kinds.is_boolean(kind):
        spellings = {"true": True, "false": False, "1": True, "0": False}
        keys = pa.array(spellings, pa.string())
        found = pc.index_in(pc.utf8_lower(column), value_set=keys)
        if found.null_count > column.null_count:
            raise pa.ArrowInvalid("neither true nor false")
        return pc.take(pa.array(spellings.values(), pa.bool_()), found)
    attempts: list[Any] = [lambda: column.cast(kind)]
    if kinds.is_integer(kind):
        attempts.append(lambda: column.cast(pa.float64()).cast(kind))
    elif kinds.is_date(kind):
        attempts.append(lambda: column.cast(pa.timestamp("us")).cast(kind))
    elif kinds.is_timestamp(kind):
        attempts.append(lambda: column.cast(pa.timestamp("ns")).cast(kind, safe=False))
        attempts.append(lambda: column.cast(pa.timestamp("us", tz="UTC")).cast(kind))
        attempts.append(lambda: column.cast(pa.timestamp("ns", tz="UTC")).cast(kind, safe=False))
    for attempt in attempts[:-1]:
        try:
            return attempt()
        except pa.ArrowInvalid:
            continue
    return attempts[-1]()


def without_zones(table: pa.Table) -> pa.Table:
    """The table with its timestamps in UTC and without a zone, and dictionaries as plain values."""
    import pyarrow as pa
    import pyarrow.types as kinds

    for index, field in enumerate(table.schema):
        kind = field.type
        if kinds.is_dictionary(kind):
            table = table.set_column(index, field.name, table.column(index).cast(kind.value_type))
        elif kinds.is_timestamp(kind) and kind.tz is not None:
            table = table.set_column(index, field.name, to_type(table.column(index), pa.timestamp("us")))
    return table
