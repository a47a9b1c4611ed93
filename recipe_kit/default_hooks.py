"""What a recipe's hooks do unless its author overrides them: read tables, hold rows out, write scores, keep models."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from recipe_kit import models
from recipe_kit.context import Context, TableRead, TableWritten
from recipe_kit.data import (
    Schema,
    files_of,
    fingerprint,
    read_table,
    resolve_location,
    table_to_pandas,
    total_bytes,
    write_table,
)
from recipe_kit.errors import DataError, InvalidParameterError, RecipeDefinitionError

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame as SparkDataFrame

HELD_OUT_SHARE = 0.2
"""The share of the training rows that `evaluate` sees and `train` does not."""

SPLIT_KEYS = ("evaluation.trainRatio", "evaluation.seed")
"""The platform's parameters that decide which rows those are."""

_SPLIT_BUCKETS = 1_000_000

# What a location may raise that only a recipe's own loading understands; a query, say, is too long for a file's name.
_NOT_FOR_THE_KIT = (DataError, OSError, RuntimeError, ValueError)


def load(
    context: Context, kind: Literal["pandas", "spark"], location: str, columns: Mapping[str, type | None]
) -> pd.DataFrame | SparkDataFrame:
    """Return the table at `location` as a data frame of `kind`.

    Columns that the recipe declares must be there and hold what it says; those that the model was trained on are read
    with the same types; the values of the others decide theirs.
    """
    place = resolve_location(location, context.data_folder)
    schema = expected_schema(context, columns)
    note = context.record.note
    if kind == "spark":
        from recipe_kit.spark import read_spark_table

        frame = read_spark_table(context.spark, place, schema=schema, required=tuple(columns), log=note)
        context.record.read.append(TableRead(place.target, frame.count(), _schema_of(frame)))
        return frame
    table = read_table(place, schema=schema, required=tuple(columns), log=note)
    context.record.read.append(TableRead(place.target, table.num_rows, Schema.from_arrow(table.schema)))
    return table_to_pandas(table)


def expected_schema(context: Context, columns: Mapping[str, type | None]) -> Schema:
    """Return the types of the columns that are known before reading: those of the model, then those declared."""
    return (context.known_schema or Schema()).updated(Schema.declared(columns))


def split(context: Context, data: Any) -> tuple[Any, Any]:
    """Return the rows of `data` to train on, and those held out; the same ones for the same seed.

    On pandas the share is exact. On Spark a row is held out by a hash of its values, so that the split does not
    depend on how the rows are spread over a cluster; equal rows then fall on the same side.
    """
    share = 1 - _ratio(context, "evaluation.trainRatio", 1 - HELD_OUT_SHARE)
    seed = _seed(context)
    if hasattr(data, "iloc"):
        return _split_pandas(data, share, seed)
    from pyspark.sql import functions

    # In backticks a dot is part of the name, and not the way to a field of a struct.
    columns = [functions.col(f"`{name.replace('`', '``')}`") for name in data.columns]
    bucket = functions.pmod(functions.xxhash64(functions.lit(seed), *columns), functions.lit(_SPLIT_BUCKETS))
    held_out = bucket < int(share * _SPLIT_BUCKETS)
    return data.where(~held_out), data.where(held_out)


def save(context: Context, scores: Any, location: str) -> None:
    """Write `scores` to `location`, whole or not at all."""
    place = resolve_location(location, context.folder)
    note = context.record.note
    if hasattr(scores, "sparkSession"):
        from recipe_kit.spark import write_spark_table

        rows = write_spark_table(scores, place, log=note)
    elif hasattr(scores, "to_numpy"):
        rows = write_table(scores, place, log=note)
    else:
        raise RecipeDefinitionError(
            f"hook 'score' returned {type(scores).__name__}, which is no table", hint="return a data frame"
        )
    context.record.written.append(TableWritten(place.target, rows))


def count_rows(data: Any) -> int:
    """Return how many rows a data frame of pandas or Spark has."""
    return int(data.count()) if hasattr(data, "sparkSession") else len(data)


def fingerprint_of(context: Context, location: str | None) -> str | None:
    """Return the digest of the files at `location`, or `None` where the kit cannot read that place."""
    if location is None:
        return None
    try:
        return fingerprint(resolve_location(location, context.data_folder))
    except _NOT_FOR_THE_KIT:
        return None


def bytes_at(context: Context, location: str | None) -> int | None:
    """Return the size of the files at `location`, or `None` where the kit cannot read that place."""
    if location is None:
        return None
    try:
        return total_bytes(files_of(resolve_location(location, context.data_folder)))
    except _NOT_FOR_THE_KIT:
        return None


def save_model(model: Any, folder: Path) -> None:
    """Write `model` into `folder`: a Spark ML model in Spark's own format, anything else with joblib."""
    models.default_save(model, folder)


def load_model(folder: Path) -> Any:
    """Return what `save_model` wrote into `folder`."""
    return models.default_load(folder)


def _schema_of(frame: SparkDataFrame) -> Schema:
    from pyspark.sql.pandas.types import to_arrow_schema

    return Schema.from_arrow(to_arrow_schema(frame.schema))


def _split_pandas(data: pd.DataFrame, share: float, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    import numpy as np

    held_out = np.zeros(len(data), dtype=bool)
    count = round(len(data) * share)
    held_out[np.random.default_rng(seed).permutation(len(data))[:count]] = True
    return data[~held_out], data[held_out]


def _ratio(context: Context, key: str, default: float) -> float:
    value = _number(context, key, default)
    if not 0 < value <= 1:
        raise InvalidParameterError(f"bad value {value:g} for the platform's parameter '{key}': must be within 0 and 1")
    return value


def _seed(context: Context) -> int:
    value = context.platform.get("evaluation.seed")
    if value in (None, ""):
        return context.seed
    if not str(value).isdecimal():
        raise InvalidParameterError(
            f"bad value {value!r} for the platform's parameter 'evaluation.seed': must be a whole number of at least 0"
        )
    return int(str(value))


def _number(context: Context, key: str, default: float) -> float:
    value = context.platform.get(key)
    if value in (None, ""):
        return default
    try:
        return float(value)
    except ValueError:
        raise InvalidParameterError(
            f"bad value {value!r} for the platform's parameter '{key}': must be a number"
        ) from None
