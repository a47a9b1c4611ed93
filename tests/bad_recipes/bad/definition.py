"""Classes that the kit cannot use as it needs to."""

from __future__ import annotations

import pandas as pd

from bad.good import Good, Model, Training, features_of


class NeedsAnArgument(Good):
    def __init__(self, threshold):
        self.threshold = threshold


class SaysNothingOfItsData(Good):
    def train(self, data: pd.DataFrame, parameters: Training) -> Model:
        return super().train(data, parameters)

    def evaluate(self, model, data, parameters):
        return {"mean": float((features_of(data, model) @ model.weights).mean())}
