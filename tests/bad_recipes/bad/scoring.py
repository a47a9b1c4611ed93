"""Scores that depend on more than their row, or do not keep to it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bad.good import NUMBERS, Good, Model, features_of
from recipe_kit import ScoreParameters


class SortsItsScores(Good):
    score_in_batches = False

    def score(self, model: Model, data: pd.DataFrame, parameters: ScoreParameters) -> pd.DataFrame:
        return super().score(model, data, parameters).sort_values("score", ascending=False)


class KeepsTheBestHalf(Good):
    score_in_batches = False

    def score(self, model: Model, data: pd.DataFrame, parameters: ScoreParameters) -> pd.DataFrame:
        scores = super().score(model, data, parameters)
        return scores if len(scores) < 30 else scores.head(len(scores) // 2)


class GoesByPosition(Good):
    def score(self, model: Model, data: pd.DataFrame, parameters: ScoreParameters) -> pd.DataFrame:
        first, second, third = data.columns[:3]
        renamed = data.rename(columns={first: "age", second: "income", third: "city"})
        for column in NUMBERS:
            renamed[column] = pd.to_numeric(renamed[column], errors="coerce")
        return data.assign(score=features_of(renamed, model) @ model.weights)


class TakesAllColumns(Good):
    def score(self, model: Model, data: pd.DataFrame, parameters: ScoreParameters) -> pd.DataFrame:
        numbers = data.drop(columns="city").astype(float)
        return data.assign(score=features_of(numbers.assign(city=data["city"]), model) @ model.weights)


class AddsAColumnInPlace(Good):
    def score(self, model: Model, data: pd.DataFrame, parameters: ScoreParameters) -> pd.DataFrame:
        data["score"] = features_of(data, model) @ model.weights
        return data[["score"]]


class ComparesWithTheBatch(Good):
    def score(self, model: Model, data: pd.DataFrame, parameters: ScoreParameters) -> pd.DataFrame:
        raw = features_of(data, model) @ model.weights
        return data.assign(score=raw - (np.mean(raw) if len(raw) else 0.0))
