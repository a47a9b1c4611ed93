"""What columns are, in Python, JSON, Arrow and Spark."""

from __future__ import annotations

import datetime
import pickle
import subprocess
import sys

import pyarrow as pa
import pytest

from recipe_kit.data import TYPE_NAMES, Schema

ALL = Schema({name: name for name in TYPE_NAMES})


def test_columns_are_declared_as_python_types_or_names() -> None:
    declared = Schema.declared(
        {"a": str, "b": int, "c": float, "d": bool, "e": datetime.date, "f": datetime.datetime, "g": None, "h": "text"}
    )
    assert list(declared.items()) == [
        ("a", "text"),
        ("b", "integer"),
        ("c", "number"),
        ("d", "boolean"),
        ("e", "date"),
        ("f", "timestamp"),
        ("g", "any"),
        ("h", "text"),
    ]


def test_a_schema_survives_json_arrow_and_pickle() -> None:
    assert Schema.from_json(ALL.to_json()) == ALL
    assert Schema.from_arrow(ALL.to_arrow()) == ALL
    assert pickle.loads(pickle.dumps(ALL)) == ALL
    assert hash(Schema({"a": "text"})) == hash(Schema({"a": "text"}))
    assert repr(Schema({"a": "text"})) == "Schema({'a': 'text'})"


def test_widths_and_wrappings_of_a_type_are_the_same_type() -> None:
    schema = pa.schema(
        [
            ("a", pa.large_string()),
            ("b", pa.dictionary(pa.int8(), pa.string())),
            ("c", pa.uint8()),
            ("d", pa.decimal128(5, 2)),
            ("e", pa.timestamp("s", tz="UTC")),
            ("f", pa.binary()),
            ("g", pa.time32("s")),
        ]
    )
    assert list(Schema.from_arrow(schema).values()) == [
        "text",
        "text",
        "integer",
        "number",
        "timestamp",
        "any",
        "any",
    ]


def test_spark_gets_its_own_words() -> None:
    assert Schema({"a b": "text", "c`d": "integer", "e": "timestamp"}).to_spark_ddl() == (
        "`a b` STRING, `c``d` BIGINT, `e` TIMESTAMP_NTZ"
    )


def test_the_columns_of_a_spark_frame_are_understood() -> None:
    types = pytest.importorskip("pyspark.sql.types")
    ddl = ALL.to_spark_ddl()
    fields = {
        "text": types.StringType(),
        "integer": types.ShortType(),
        "number": types.DecimalType(),
        "boolean": types.BooleanType(),
        "date": types.DateType(),
        "timestamp": types.TimestampNTZType(),
        "any": types.ArrayType(types.StringType()),
    }
    frame = types.StructType([types.StructField(name, kind) for name, kind in fields.items()])
    assert Schema.from_spark(frame) == ALL
    assert ddl.startswith("`text` STRING, `integer` BIGINT, `number` DOUBLE")


def test_a_later_schema_wins_unless_it_knows_nothing() -> None:
    known = Schema({"a": "integer", "b": "text"})
    assert known.updated(Schema({"a": "number", "b": "any", "c": "any"})) == Schema(
        {"a": "number", "b": "text", "c": "any"}
    )


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, recipe_kit.data, recipe_kit.models; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "pandas", "pyarrow", "fsspec", "joblib", "pyspark", "pydantic"} & set(loaded)
