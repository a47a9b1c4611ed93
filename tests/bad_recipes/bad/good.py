"""A small recipe that keeps the contract: who will buy, by least squares on age, income and city."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np
import pandas as pd

from recipe_kit import Field, Recipe, ScoreParameters, TrainParameters

NUMBERS = ["age", "income"]
Columns: TypeAlias = Mapping[str, type | None]


class Training(TrainParameters):
    ridge: float = Field(0.1, ge=0, description="Strength of the L2 penalty.")


@dataclass
class Model:
    centre: pd.Series
    spread: pd.Series
    cities: list[str]
    weights: np.ndarray


def features_of(data: pd.DataFrame, model: Model) -> np.ndarray:
    numbers = ((data[NUMBERS] - model.centre) / model.spread).fillna(0.0).to_numpy(dtype=float)
    cities = [(data["city"] == city).to_numpy(dtype=float) for city in model.cities]
    return np.column_stack([np.ones(len(data)), numbers, *cities])


def fitted(data: pd.DataFrame, ridge: float) -> Model:
    if len(data) < 2:
        raise ValueError(f"at least two rows are needed to learn from, and there are {len(data)}")
    if data["label"].isna().any():
        raise ValueError("column 'label' has nulls, which nothing can be learnt from")
    spread = data[NUMBERS].std().replace(0.0, 1.0)
    model = Model(data[NUMBERS].mean(), spread, sorted(data["city"].dropna().unique()), np.zeros(0))
    features = features_of(data, model)
    penalty = ridge * np.eye(features.shape[1])
    model.weights = np.linalg.solve(features.T @ features + penalty, features.T @ data["label"].to_numpy(dtype=float))
    return model


class Good(Recipe):
    """Keeps the contract."""

    score_in_batches = True
    training_columns: ClassVar[Columns] = {"age": int, "income": float, "city": str, "label": int}
    scoring_columns: ClassVar[Columns] = {"age": int, "income": float, "city": str}

    def train(self, data: pd.DataFrame, parameters: Training) -> Model:
        return fitted(data, parameters.ridge)

    def evaluate(self, model: Model, data: pd.DataFrame, parameters: Training) -> dict[str, float]:
        bought = features_of(data, model) @ model.weights > 0.5
        return {"accuracy": float((bought == data["label"]).mean())}

    def score(self, model: Model, data: pd.DataFrame, parameters: ScoreParameters) -> pd.DataFrame:
        return data.assign(score=features_of(data, model) @ model.weights)
