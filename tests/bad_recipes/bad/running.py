"""Recipes that lean on the place where they run."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

from bad.good import Good, Model, Training, fitted
from recipe_kit import ScoreParameters


class WritesBesideItsCode(Good):
    def train(self, data: pd.DataFrame, parameters: Training) -> Model:
        Path(__file__).with_name("last_training.txt").write_text(f"{len(data)} rows", encoding="utf-8")
        return fitted(data, parameters.ridge)


class WritesIntoTheCurrentFolder(Good):
    def score(self, model: Model, data: pd.DataFrame, parameters: ScoreParameters) -> pd.DataFrame:
        data.to_csv("scored.csv")
        return super().score(model, data, parameters)


class NeedsMoreThanItRequires(Good):
    def train(self, data: pd.DataFrame, parameters: Training) -> Model:
        import sklearn  # is on the developer's machine, and not among the project's requirements

        assert sklearn.__version__
        return fitted(data, parameters.ridge)


class ScoresOtherwiseOnExecutors(Good):
    def score(self, model: Model, data: pd.DataFrame, parameters: ScoreParameters) -> pd.DataFrame:
        scores = super().score(model, data, parameters)
        return scores.assign(score=scores["score"] + _on_an_executor())


def _on_an_executor() -> bool:
    pyspark = sys.modules.get("pyspark")
    return pyspark is not None and pyspark.TaskContext.get() is not None
