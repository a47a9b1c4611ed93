"""What the columns of a table are: names in order, each with one of six types."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from recipe_kit.errors import MalformedDataError

if TYPE_CHECKING:
    import pyarrow as pa

TEXT, INTEGER, NUMBER, BOOLEAN, DATE, TIMESTAMP = "text", "integer", "number", "boolean", "date", "timestamp"
ANY = "any"
"""The type of a column that may hold anything: it is decided by what the data hold."""

TYPE_NAMES = (TEXT, INTEGER, NUMBER, BOOLEAN, DATE, TIMESTAMP, ANY)

_PYTHON_TYPES: Mapping[type, str] = {
    str: TEXT,
    int: INTEGER,
    float: NUMBER,
    bool: BOOLEAN,
    datetime.date: DATE,
    datetime.datetime: TIMESTAMP,
}
_OF_SPARK: Mapping[str, str] = {
    "string": TEXT,
    "char": TEXT,
    "varchar": TEXT,
    "byte": INTEGER,
    "short": INTEGER,
    "integer": INTEGER,
    "long": INTEGER,
    "float": NUMBER,
    "double": NUMBER,
    "decimal": NUMBER,
    "boolean": BOOLEAN,
    "date": DATE,
    "timestamp": TIMESTAMP,
    "timestamp_ntz": TIMESTAMP,
}
_SPARK_TYPES = {
    TEXT: "STRING",
    INTEGER: "BIGINT",
    NUMBER: "DOUBLE",
    BOOLEAN: "BOOLEAN",
    DATE: "DATE",
    TIMESTAMP: "TIMESTAMP_NTZ",
    ANY: "STRING",
}


class Schema(Mapping[str, str]):
    """An ordered, frozen mapping of column name to type name; see ``TYPE_NAMES``."""

    def __init__(self, columns: Mapping[str, str] | None = None) -> None:
        """The schema of columns given as type names."""
        self._columns = dict(columns or {})
        for column, type_name in self._columns.items():
            if type_name not in TYPE_NAMES:
                raise MalformedDataError(
                    f"column {column!r} has the unknown type {type_name!r}", hint=f"one of {', '.join(TYPE_NAMES)}"
                )

    def __getitem__(self, column: str) -> str:
        """The type name of a column."""
        return self._columns[column]

    def __iter__(self) -> Iterator[str]:
        """The column names, in order."""
        return iter(self._columns)

    def __len__(self) -> int:
        """How many columns there are."""
        return len(self._columns)

    def __repr__(self) -> str:
        """The schema as Python that makes it."""
        return f"Schema({self._columns!r})"

    def __hash__(self) -> int:
        """Equal for equal schemas."""
        return hash(frozenset(self._columns.items()))

    @classmethod
    def declared(cls, columns: Mapping[str, type | str | None]) -> Schema:
        """The schema of columns declared as Python types (``str``, ``int``, ...), type names, or ``None`` for any."""
        return cls({column: _type_name(column, declared) for column, declared in columns.items()})

    @classmethod
    def from_json(cls, document: Mapping[str, str]) -> Schema:
        """The schema that :meth:`to_json` gave."""
        return cls(document)

    def to_json(self) -> dict[str, str]:
        """Column name to type name, in order: what a manifest keeps."""
        return dict(self._columns)

    @classmethod
    def from_arrow(cls, schema: pa.Schema) -> Schema:
        """The schema of an Arrow table; a type that is none of the six (a list, bytes) is ``any``."""
        return cls({field.name: type_name_of(field.type) for field in schema})

    @classmethod
    def from_spark(cls, schema: Any) -> Schema:
        """The schema of a Spark frame (its ``StructType``); a type that is none of the six is ``any``."""
        return cls({field.name: _OF_SPARK.get(field.dataType.typeName(), ANY) for field in schema.fields})

    def to_arrow(self) -> pa.Schema:
        """Arrow fields of the types that a CSV file is read as; ``any`` is Arrow's null type."""
        import pyarrow as pa

        return pa.schema([(column, arrow_type(type_name)) for column, type_name in self._columns.items()])

    def to_spark_ddl(self) -> str:
        """The columns as Spark's DDL, in order: ``"`text` STRING, `stars` BIGINT"``."""
        return ", ".join(
            f"`{column.replace('`', '``')}` {_SPARK_TYPES[type_name]}" for column, type_name in self._columns.items()
        )

    def updated(self, other: Mapping[str, str]) -> Schema:
        """This schema with the columns of ``other`` added, or replaced where ``other`` knows more than ``any``."""
        known = {column: kind for column, kind in other.items() if kind != ANY or column not in self._columns}
        return Schema({**self._columns, **known})


def _type_name(column: str, declared: type | str | None) -> str:
    if declared is None:
        return ANY
    if isinstance(declared, str):
        return declared
    if declared in _PYTHON_TYPES:
        return _PYTHON_TYPES[declared]
    names = ", ".join(known.__name__ for known in _PYTHON_TYPES)
    raise MalformedDataError(
        f"column {column!r} is declared as {getattr(declared, '__name__', declared)!s}, which no column can be",
        hint=f"one of {names}, or None",
    )


def arrow_type(type_name: str) -> pa.DataType:
    """The Arrow type that a column of that type name is read as."""
    import pyarrow as pa

    return {
        TEXT: pa.string(),
        INTEGER: pa.int64(),
        NUMBER: pa.float64(),
        BOOLEAN: pa.bool_(),
        DATE: pa.date32(),
        TIMESTAMP: pa.timestamp("us"),
        ANY: pa.null(),
    }[type_name]


def type_name_of(data_type: pa.DataType) -> str:
    """The type name of an Arrow type."""
    import pyarrow.types as kinds

    if kinds.is_dictionary(data_type):
        data_type = data_type.value_type
    if kinds.is_string(data_type) or kinds.is_large_string(data_type):
        return TEXT
    if kinds.is_boolean(data_type):
        return BOOLEAN
    if kinds.is_integer(data_type):
        return INTEGER
    if kinds.is_floating(data_type) or kinds.is_decimal(data_type):
        return NUMBER
    if kinds.is_date(data_type):
        return DATE
    if kinds.is_timestamp(data_type):
        return TIMESTAMP
    return ANY
