"""Comparing tables, and saying which row and column differ."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 10
"""How many differences a message lists."""


def assert_tables_equal(
    actual: Any,
    expected: Any,
    *,
    check_order: bool = True,
    check_column_order: bool = False,
    check_types: bool = False,
    tolerance: float = 1e-9,
) -> None:
    """Return if two tables hold the same; otherwise say which rows and columns differ, with both values.

    Args:
        actual: A data frame of pandas or Spark, or a pyarrow table.
        expected: The same; it need not be of the same kind.
        check_order: Whether the rows must come in the same order. Without it both are sorted first.
        check_column_order: Whether the columns must come in the same order.
        check_types: Whether columns must have the same type, so that 1 and 1.0 differ.
        tolerance: How far numbers may be apart, absolutely or as a share of the larger one. Nulls equal each other.

    Raises:
        AssertionError: The tables differ.
    """
    __tracebackhide__ = True
    found = differences(
        actual,
        expected,
        check_order=check_order,
        check_column_order=check_column_order,
        check_types=check_types,
        tolerance=tolerance,
    )
    if found:
        raise AssertionError("the tables differ:\n" + "\n".join(f"  {line}" for line in found))


def differences(
    actual: Any,
    expected: Any,
    *,
    check_order: bool = True,
    check_column_order: bool = False,
    check_types: bool = False,
    tolerance: float = 1e-9,
) -> list[str]:
    """Return what differs between two tables, a line each; the arguments are those of `assert_tables_equal`."""
    here, there = as_pandas(actual).reset_index(drop=True), as_pandas(expected).reset_index(drop=True)
    found = _column_differences(list(here.columns), list(there.columns), check_column_order)
    if len(here) != len(there):
        found.append(f"{_rows(len(here))} instead of {len(there)}")
    shared = [column for column in there.columns if column in here.columns]
    if check_types:
        found += [
            f"column '{column}' is of type {here[column].dtype} instead of {there[column].dtype}"
            for column in shared
            if here[column].dtype != there[column].dtype
        ]
    if len(here) != len(there):
        return found
    if not check_order:
        here, there = _sorted(here, shared), _sorted(there, shared)
    return found + _value_differences(here, there, shared, tolerance)


def as_pandas(table: Any) -> pd.DataFrame:
    """Return a table as a pandas data frame.

    Args:
        table: A data frame of pandas or Spark, a series or a pyarrow table.

    Raises:
        TypeError: It is none of these.
    """
    import pandas as pd

    if isinstance(table, pd.DataFrame):
        return table
    if isinstance(table, pd.Series):
        return table.to_frame(table.name if table.name is not None else "value")
    for convert in ("toPandas", "to_pandas"):
        if hasattr(table, convert):
            converted: pd.DataFrame = getattr(table, convert)()
            return converted
    raise TypeError(f"{type(table).__name__} is no table; give a data frame of pandas or Spark")


def same_value(one: Any, other: Any, tolerance: float) -> bool:
    """Return whether two cells hold the same; nulls of any kind equal each other."""
    if _is_null(one) or _is_null(other):
        return _is_null(one) and _is_null(other)
    if _is_number(one) and _is_number(other):
        return math.isclose(one, other, rel_tol=tolerance, abs_tol=tolerance)
    if hasattr(one, "toArray") and hasattr(other, "toArray"):  # vectors of Spark ML
        one, other = one.toArray(), other.toArray()
    if hasattr(one, "__len__") and hasattr(other, "__len__") and not isinstance(one, str | bytes):
        if isinstance(one, dict) or isinstance(other, dict):
            return bool(one == other)
        return len(one) == len(other) and all(same_value(a, b, tolerance) for a, b in zip(one, other, strict=True))
    return bool(one == other)


def _column_differences(here: list[Any], there: list[Any], check_order: bool) -> list[str]:
    found = [f"column '{column}' is missing" for column in there if column not in here]
    found += [f"column '{column}' is unexpected" for column in here if column not in there]
    if check_order and not found and here != there:
        found.append(f"the columns come as {_names(here)} instead of {_names(there)}")
    return found


def _value_differences(here: pd.DataFrame, there: pd.DataFrame, columns: list[Any], tolerance: float) -> list[str]:
    found: list[tuple[int, str]] = []
    for column in columns:
        if here[column].equals(there[column]):
            continue
        pairs = zip(here[column].tolist(), there[column].tolist(), strict=True)
        for row, (one, other) in enumerate(pairs):
            if not same_value(one, other, tolerance):
                found.append((row, f"row {row}, column '{column}': {_shown(one)} instead of {_shown(other)}"))
    found.sort(key=lambda difference: difference[0])
    lines = [line for _, line in found[:SHOWN]]
    if len(found) > SHOWN:
        rows = len({row for row, _ in found})
        lines.append(f"and {len(found) - SHOWN} more, in {rows} of {_rows(len(there))}")
    return lines


def _sorted(frame: pd.DataFrame, columns: list[Any]) -> pd.DataFrame:
    # Floats last: two that are equal within the tolerance must not decide where a row goes before the others have.
    keys = sorted(columns, key=lambda column: frame[column].dtype.kind == "f")
    order = sorted(range(len(frame)), key=lambda row: [_sort_key(frame[column].iloc[row]) for column in keys])
    return frame.iloc[order].reset_index(drop=True)


def _sort_key(value: Any) -> tuple[int, Any]:
    if _is_null(value):
        return (0, 0)
    return (1, float(value)) if _is_number(value) else (2, str(value))


def _is_null(value: Any) -> bool:
    if value is None:
        return True
    try:
        return bool(value != value)  # NaN and NaT; pandas.NA refuses the question
    except (TypeError, ValueError):
        return type(value).__name__ == "NAType"


def _is_number(value: Any) -> bool:
    return hasattr(value, "__float__") and not hasattr(value, "__len__") and not isinstance(value, str)


def _shown(value: Any) -> str:
    text = repr(value.item() if hasattr(value, "item") and not hasattr(value, "__len__") else value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _names(columns: list[Any]) -> str:
    return ", ".join(f"'{column}'" for column in columns)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"
