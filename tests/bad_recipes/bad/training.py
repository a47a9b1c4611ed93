"""Trainings that fail, forget, or change what they are given."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bad.good import NUMBERS, Good, Model, Training, fitted
from recipe_kit import Field, TrainParameters


class CannotTrain(Good):
    def train(self, data: pd.DataFrame, parameters: Training) -> Model:
        return fitted(data.rename(columns={"label": "bought"}), parameters.ridge)


class MeasuresNothing(Good):
    def evaluate(self, model: Model, data: pd.DataFrame, parameters: Training) -> dict[str, float]:
        return {"accuracy": 0.9, "precision": float("nan")}


class ForgetsItsMetrics(Good):
    def evaluate(self, model: Model, data: pd.DataFrame, parameters: Training) -> dict[str, float]:
        return {}


class ScalesInPlace(Good):
    def train(self, data: pd.DataFrame, parameters: Training) -> Model:
        if len(data) > 1:
            data["income"] = data["income"] / 1000
        return fitted(data.assign(income=data["income"] * 1000), parameters.ridge)


class WithAList(TrainParameters):
    ridge: float = Field(0.1, ge=0, description="Strength of the L2 penalty.")
    columns: list[str] = Field(default=["label", "city"], description="Columns to look at, most important last.")


class UsesUpItsParameters(Good):
    def train(self, data: pd.DataFrame, parameters: WithAList) -> Model:
        while parameters.columns:
            data[parameters.columns.pop()]
        return fitted(data, parameters.ridge)

    def evaluate(self, model: Model, data: pd.DataFrame, parameters: WithAList) -> dict[str, float]:
        return super().evaluate(model, data, parameters)


class IgnoresTheSeed(Good):
    def train(self, data: pd.DataFrame, parameters: Training) -> Model:
        model = fitted(data, parameters.ridge)
        model.weights = model.weights + np.random.default_rng().normal(0, 0.1, len(NUMBERS) + 1 + len(model.cities))
        return model
