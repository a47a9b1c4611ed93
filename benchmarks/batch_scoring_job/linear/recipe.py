"""A linear model of eleven columns; its scores are the row's id and the prediction."""

from __future__ import annotations

import pandas as pd
from sklearn.linear_model import LinearRegression

from recipe_kit import Recipe, ScoreParameters, TrainParameters

FEATURES = [f"x{number}" for number in range(11)]


class Linear(Recipe):
    """A linear regression."""

    score_in_batches = True

    def train(self, data: pd.DataFrame, parameters: TrainParameters) -> LinearRegression:
        """Return a fitted model."""
        return LinearRegression().fit(data[FEATURES], data["y"])

    def score(self, model: LinearRegression, data: pd.DataFrame, parameters: ScoreParameters) -> pd.DataFrame:
        """Return id and prediction."""
        return pd.DataFrame({"id": data["id"], "prediction": model.predict(data[FEATURES])})
