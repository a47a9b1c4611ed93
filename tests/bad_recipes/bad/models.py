"""Models that are not whole: a part of them stays in the process that trained."""

from __future__ import annotations

from dataclasses import make_dataclass

import numpy as np
import pandas as pd

from bad.good import Good, Model, Training, features_of, fitted
from recipe_kit import ScoreParameters

OFFSETS: dict[str, float] = {}


class ModelOfAPassingClass(Good):
    def train(self, data: pd.DataFrame, parameters: Training) -> Model:
        # joblib notes where a class is found, and in another process nothing is there.
        passing = make_dataclass("Passing", ["centre", "spread", "cities", "weights"])
        passing.__module__ = __name__
        globals()["Passing"] = passing
        return passing(**vars(fitted(data, parameters.ridge)))


class KeepsStateInItsModule(Good):
    def train(self, data: pd.DataFrame, parameters: Training) -> Model:
        model = fitted(data, parameters.ridge)
        OFFSETS["buyers"] = float(data["label"].mean())
        return model

    def score(self, model: Model, data: pd.DataFrame, parameters: ScoreParameters) -> pd.DataFrame:
        return data.assign(score=features_of(data, model) @ model.weights + OFFSETS.get("buyers", 0.0))


class KeepsStateOnSelf(Good):
    def train(self, data: pd.DataFrame, parameters: Training) -> Model:
        model = fitted(data, parameters.ridge)
        self.weights = model.weights
        model.weights = np.zeros(0)
        return model

    def evaluate(self, model: Model, data: pd.DataFrame, parameters: Training) -> dict[str, float]:
        return {"mean": float((features_of(data, model) @ self.weights).mean())}

    def score(self, model: Model, data: pd.DataFrame, parameters: ScoreParameters) -> pd.DataFrame:
        return data.assign(score=features_of(data, model) @ self.weights)
