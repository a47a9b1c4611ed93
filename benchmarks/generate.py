"""The data of the benchmarks, made up; the same for every run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv

_ROWS_AT_ONCE = 500_000
FEATURES = [f"x{number}" for number in range(11)]


def write_sales(file: Path, *, rows: int, seed: int) -> None:
    """Write weekly sales of 45 stores in the columns of a retailer's table."""
    random = np.random.default_rng(seed)
    store = np.arange(rows) % 45 + 1
    week = np.arange(rows) // 45
    date = pd.Timestamp("2010-02-05") + pd.to_timedelta(7 * week, unit="D")
    size = random.integers(34_000, 220_000, 45)[store - 1]
    holiday = np.isin(week % 52, (1, 31, 42, 47))
    temperature = np.round(60 + 25 * np.sin(week / 52 * 2 * np.pi) + random.normal(0, 6, rows), 2)
    mark_down = np.round(np.where(random.random(rows) < 0.6, 0, random.gamma(2, 5_000, rows)), 2)
    sales = 8 * size * (1 + 0.25 * holiday) * random.normal(1, 0.08, rows) + 4 * mark_down + 900 * (90 - temperature)
    pd.DataFrame(
        {
            "date": [f"{d.month}/{d.day}/{d.year % 100}" for d in date],
            "store": store,
            "storeType": np.array(["A", "B", "C"])[store % 3],
            "weeklySales": np.round(sales, 2),
            "storeSize": size,
            "temperature": temperature,
            "regionalFuelPrice": np.round(random.normal(3.3, 0.4, rows), 3),
            "markDown": mark_down,
            "cpi": np.round(random.normal(171, 39, rows), 7),
            "unemployment": np.round(random.normal(8, 1.8, rows), 3),
            "isHoliday": np.where(holiday, "TRUE", "FALSE"),
        }
    ).to_csv(file, index=False)


def write_numbers(file: Path, *, rows: int, seed: int, with_label: bool = False) -> None:
    """Write an id and eleven numbers of four decimals per row, 12 columns and 93 bytes or less; perhaps a label."""
    random = np.random.default_rng(seed)
    weights = np.linspace(0.3, 1.7, len(FEATURES))
    unfinished = file.with_suffix(".part")
    with unfinished.open("wb") as stream:
        names = ["id", *FEATURES, *(["y"] if with_label else [])]
        stream.write((",".join(names) + "\n").encode())
        for start in range(0, rows, _ROWS_AT_ONCE):
            count = min(_ROWS_AT_ONCE, rows - start)
            numbers = np.rint(random.normal(0, 20, (len(FEATURES), count)) * 1e4) / 1e4
            columns = [pa.array(np.arange(start, start + count)), *map(pa.array, numbers)]
            if with_label:
                columns.append(pa.array(weights @ numbers + random.normal(0, 1, count)))
            csv.write_csv(pa.table(columns, names=names), stream, csv.WriteOptions(include_header=False))
    unfinished.rename(file)
