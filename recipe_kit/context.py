"""What a recipe may ask of the run that it is part of, and what the run keeps of what the recipe read and wrote."""

from __future__ import annotations

import logging
import random
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from recipe_kit.parameters import WireScalar

if TYPE_CHECKING:
    from datetime import datetime

    from pyspark.sql import SparkSession

    from recipe_kit.data import Schema


@dataclass(frozen=True)
class TableRead:
    """A table that the kit read for a recipe."""

    location: str
    rows: int
    schema: Schema


@dataclass(frozen=True)
class TableWritten:
    """A table that the kit wrote for a recipe."""

    location: str
    rows: int


@dataclass
class RunRecord:
    """What happened in a run so far: the tables read and written, and the lines of its `execution` log."""

    note: Callable[[str], None] = lambda _: None
    """Adds a line to the `execution` log."""
    read: list[TableRead] = field(default_factory=list)
    written: list[TableWritten] = field(default_factory=list)


@dataclass(frozen=True)
class Context:
    """What a recipe may ask of the run that it is part of.

    Outside a run (in a notebook, in a debugger) a recipe has a plain one: the current folder, seed 0.
    """

    logger: logging.Logger = field(default_factory=lambda: logging.getLogger("recipe"))
    folder: Path = field(default_factory=Path.cwd)
    """The run's folder; relative output locations are below it."""
    data_folder: Path = field(default_factory=Path.cwd)
    """Where relative input locations start."""
    seed: int = 0
    scheduled_time: datetime | None = None
    """When a scheduled run was due (aware, UTC); `None` for a run that somebody started."""
    platform: Mapping[str, WireScalar] = field(default_factory=dict)
    """Parameters of the platform's own (`tenantId`, `timeframe`, ...) by key, as they came."""
    known_schema: Schema | None = None
    """The columns that the model was trained on; scoring reads those it shares with the same types."""
    record: RunRecord = field(default_factory=RunRecord, repr=False)
    open_spark: Callable[[], SparkSession] | None = field(default=None, repr=False)

    @property
    def spark(self) -> SparkSession:
        """The Spark session of this process, started on first use.

        Raises:
            SparkUnavailableError: Java is missing or too old, or the cluster does not answer.
            MissingExtraError: pyspark is not installed.
        """
        if self.open_spark is not None:
            return self.open_spark()
        from recipe_kit.spark import SparkOptions, open_session

        return open_session(SparkOptions(), app_name="recipe")


def logger_to(stream: TextIO) -> logging.Logger:
    """Return a logger for a recipe that writes to `stream`, one line per message, its level first."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logger = logging.Logger("recipe", logging.INFO)
    logger.addHandler(handler)
    return logger


def seed_generators(seed: int) -> None:
    """Start the global random generators of Python, and of NumPy where it is in use, from `seed`."""
    random.seed(seed)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(seed % 2**32)
