"""A project whose recipe shows, row by row, what its batches look like; and the ways to score with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from recipe_kit import default_hooks, models
from recipe_kit.context import Context, RunRecord
from recipe_kit.parameters import ScoreParameters
from recipe_kit.project import import_recipe
from recipe_kit.recipe import Recipe
from recipe_kit.scoring import score_in_batches, score_on_spark
from recipe_kit.scoring.batches import BATCH_BYTES

ROWS = 120

MODULE = '''
import os, signal, sys, time
from pathlib import Path

import pandas as pd
from recipe_kit import Recipe, ScoreParameters, TrainParameters


def at_home():
    """Whether this is the process that the others work for."""
    home = os.environ.get("ROWWISE_HOME")
    return home == str(os.getpid()) if home else "pyspark.worker" not in sys.modules


class Rowwise(Recipe):
    """Tells of each value what it is and of which dtype its column is."""

    score_in_batches = True

    def train(self, data: pd.DataFrame, parameters: TrainParameters) -> dict:
        return {"factor": 3.0}

    def score(self, model: dict, data: pd.DataFrame, parameters: ScoreParameters) -> pd.DataFrame:
        seen = {f"{name} as": [f"{value!r} {data[name].dtype}" for value in data[name]] for name in data.columns}
        return data.assign(**seen)


class Numbers(Rowwise):
    def score(self, model, data, parameters):
        return pd.DataFrame({"id": data["id"], "score": data["id"] * model["factor"] / 7})


class Widening(Rowwise):
    """Scores that are whole numbers until there are other ones."""

    def score(self, model, data, parameters):
        half = (data["id"] / 2).where(data["id"] > 40, data["id"])
        return pd.DataFrame({"id": data["id"], "half": half if (half % 1).any() else half.astype(int)})


class Shortening(Rowwise):
    def score(self, model, data, parameters):
        return data.iloc[1:]


class Shifting(Rowwise):
    def score(self, model, data, parameters):
        return data if data["id"].iloc[0] == 0 else data.assign(more=1)


class Listing(Rowwise):
    def score(self, model, data, parameters):
        return [1] * len(data)


class Elsewhere(Numbers):
    """Leaves the rest to the other processes once it has scored two batches in the first."""

    def load_model(self, folder: Path):
        if not at_home() and "pyspark.worker" not in sys.modules:
            (self.context.folder / f"helper-{os.getpid()}").touch()
        return super().load_model(folder)

    def score(self, model, data, parameters):
        first = data["id"].iloc[0] == 0
        if at_home() and not first:
            deadline = time.monotonic() + 60
            while not list(self.context.folder.glob("helper-*")) and time.monotonic() < deadline:
                time.sleep(0.02)
            time.sleep(0.02)
        if not at_home():
            self.away(data)
        return super().score(model, data, parameters)

    def away(self, data):
        print("scored away from home", end="; ")
        print("and complained", file=sys.stderr)
        self.context.logger.info("seed %s in %s", self.context.seed, self.context.folder.name)


class RaisingElsewhere(Elsewhere):
    def away(self, data):
        raise ValueError("cannot be scored here")


class DyingElsewhere(Elsewhere):
    def away(self, data):
        os.kill(os.getpid(), signal.SIGKILL)


class LongElsewhere(Elsewhere):
    def away(self, data):
        time.sleep(60)
'''


def difficult_rows() -> pd.DataFrame:
    """Rows whose columns, late in the table, hold what nothing before has announced."""
    number = list(range(ROWS))
    return pd.DataFrame(
        {
            "id": number,
            "text": ["plain", "with, comma", 'with "quotes"', "two\nlines", "Grüße, 世界 🎈", None] * (ROWS // 6),
            "whole": [None if row == 100 else row for row in number],
            "whole always": number,
            "number": [None if row % 7 == 0 else row / 3 for row in number],
            "late fraction": [row + 0.5 if row == 110 else row for row in number],
            "truth": [None if row == 101 else row % 2 == 0 for row in number],
            "truth always": [row % 3 == 0 for row in number],
            "day": pd.date_range("2024-02-27", periods=ROWS).strftime("%Y-%m-%d"),
            "moment": pd.date_range("2024-02-27 10:00:00", periods=ROWS, freq="7min").strftime("%Y-%m-%d %H:%M:%S"),
            "late word": ["word" if row == 105 else str(row) for row in number],
            "nothing": [None] * ROWS,
            "late day": ["2024-01-01" if row == 119 else None for row in number],
        }
    ).astype({"whole": "Int64", "truth": "boolean"})


def write_source(folder: Path) -> Path:
    """Write the recipes into `folder`, and return it."""
    (folder / "rowwise").mkdir(parents=True)
    (folder / "rowwise" / "__init__.py").touch()
    (folder / "rowwise" / "recipe.py").write_text(MODULE)
    return folder


class Rowwise:
    """The project, with a model; each way to score returns the bytes that were written."""

    def __init__(self, folder: Path, source: Path | None = None) -> None:
        """A project in `folder`, its code in `source` where that was written before."""
        self.folder = folder
        self.source = source or write_source(folder / "source")
        self.run = folder / "run"
        self.run.mkdir()
        self.notes: list[str] = []
        self.record = RunRecord(note=self.notes.append)

    def entry(self, recipe: str) -> str:
        """Return where a recipe of the project is."""
        return f"rowwise.recipe:{recipe}"

    def recipe(self, name: str, **context: Any) -> Recipe:
        """Return a recipe of the project with a context."""
        recipe = import_recipe(self.entry(name), self.source)()
        self.record.read.clear()
        self.record.written.clear()
        recipe.context = Context(folder=self.run, data_folder=self.folder, record=self.record, seed=11, **context)
        return recipe

    def model(self) -> models.StoredModel:
        """Return a stored model."""
        description = models.ModelDescription(recipe="rowwise", entry=self.entry("Rowwise"))
        place = self.folder / "model"
        if place.exists():
            return models.open_model(place)
        return models.save(
            place, write=lambda files: models.default_save({"factor": 3.0}, files), description=description
        )

    def parameters(self, data: str, results: str) -> ScoreParameters:
        """Return parameters with those locations."""
        return ScoreParameters(scoring_data_location=data, scoring_results_location=results)

    def whole(self, name: str, data: str, *, results: str = "whole.csv") -> bytes:
        """Score all rows at once, as is done for a recipe without `score_in_batches`."""
        recipe, parameters = self.recipe(name), self.parameters(data, results)
        scores = recipe.score({"factor": 3.0}, recipe.load_scoring_data(parameters), parameters)
        default_hooks.save(recipe.context, scores, results)
        return (self.run / results).read_bytes()

    def in_batches(
        self, name: str, data: str, *, results: str = "batches.csv", block_bytes: int = BATCH_BYTES, **options: Any
    ) -> bytes:
        """Score batch by batch, in this process or in several."""
        recipe, stored = self.recipe(name), self.model()
        rows = score_in_batches(
            recipe,
            recipe.load_model(stored.folder_of_files),
            stored,
            self.parameters(data, results),
            recipe_entry=self.entry(name),
            source_folder=self.source,
            block_bytes=block_bytes,
            **options,
        )
        assert [table.rows for table in (*self.record.read, *self.record.written)] == [rows, rows]
        return (self.run / results).read_bytes()

    def on_spark(
        self, name: str, data: str, session: Any, *, results: str = "spark.csv", block_bytes: int = BATCH_BYTES
    ) -> bytes:
        """Score on Spark; the session has been given the project's source folder."""
        recipe, stored = self.recipe(name), self.model()
        rows = score_on_spark(
            recipe,
            recipe.load_model(stored.folder_of_files),
            stored,
            self.parameters(data, results),
            session=session,
            block_bytes=block_bytes,
        )
        assert [table.rows for table in (*self.record.read, *self.record.written)] == [rows, rows]
        place = self.run / results
        return place.read_bytes() if place.is_file() else b""

    def left_over(self) -> list[str]:
        """Return the names of everything in the run's folder that is neither a result nor a helper's sign."""
        return sorted(path.name for path in self.run.iterdir() if not path.name.startswith("helper-"))
