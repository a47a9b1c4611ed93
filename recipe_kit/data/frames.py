"""Between Arrow tables, which the kit works with, and pandas frames, which an author sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recipe_kit.errors import OutputError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def table_to_pandas(table: pa.Table) -> pd.DataFrame:
    """The table as the frame that ``pandas.read_csv`` would give for it, with dates as ``datetime64``.

    Text is of dtype ``object`` (``str`` from pandas 3), nulls are NaN, integers with nulls are ``float64``, booleans
    with nulls ``object``, and a column without any value is ``float64``. Dates and timestamps are ``datetime64[ns]``
    (``[us]`` from pandas 3); a column with a date that nanoseconds cannot hold keeps a coarser unit.
    """
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    import pyarrow.types as kinds

    for index, field in enumerate(table.schema):
        if kinds.is_date(field.type):
            column = table.column(index).cast(pa.timestamp("s")).cast(pa.timestamp("us"))
            table = table.set_column(index, field.name, column)
        elif kinds.is_null(field.type):
            table = table.set_column(index, field.name, table.column(index).cast(pa.float64()))
    major = int(pd.__version__.partition(".")[0])
    try:
        frame: pd.DataFrame = table.to_pandas(ignore_metadata=True, coerce_temporal_nanoseconds=major < 3)
    except pa.ArrowInvalid:  # a date out of the range of nanoseconds
        frame = table.to_pandas(ignore_metadata=True, timestamp_as_object=major < 2)
    for index, field in enumerate(table.schema):
        plain = kinds.is_string(field.type) or kinds.is_large_string(field.type) or kinds.is_boolean(field.type)
        if plain and table.column(index).null_count and pd.api.types.is_object_dtype(frame.dtypes.iloc[index]):
            values = frame.iloc[:, index].to_numpy(dtype=object, copy=True)
            values[pd.isna(values)] = np.nan
            frame[field.name] = pd.Series(values, index=frame.index, dtype=object)
    return frame


def frame_to_table(frame: pd.DataFrame) -> pa.Table:
    """The frame as a table: NaN is null, categories are plain values, a named index becomes the first column.

    A nameless index is left out. Values of mixed types in one column become text, as they would in a CSV file. Raises
    :class:`OutputError` if two columns have the same name.
    """
    import pandas as pd
    import pyarrow as pa

    index = [name for name in frame.index.names if name is not None and name not in frame.columns]
    if index:
        levels = {name: frame.index.get_level_values(frame.index.names.index(name)) for name in index}
        labels = pd.DataFrame(levels, index=frame.index)
        frame = pd.concat([labels, frame], axis=1)
    names = [str(name) for name in frame.columns]
    for name in names:
        if names.count(name) > 1:
            raise OutputError(f"the table has two columns named {name!r}", hint="rename one of them")
    columns = []
    for position in range(len(names)):
        series = frame.iloc[:, position]
        if isinstance(series.dtype, pd.CategoricalDtype):
            series = series.astype(series.cat.categories.dtype)
        try:
            column = pa.array(series, from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
            column = pa.array([None if _is_null(value) else str(value) for value in series], pa.string())
        if pa.types.is_large_string(column.type):  # what pandas 3 keeps text in
            column = column.cast(pa.string())
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp("us", tz=column.type.tz), safe=False).cast(pa.timestamp("us"))
        columns.append(column)
    return pa.table(columns, names=names)


def _is_null(value: Any) -> bool:
    import pandas as pd

    return bool(pd.api.types.is_scalar(value) and pd.isna(value))
