"""Recipes that only ever met their sample."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bad.good import NUMBERS, Good, Model, Training, features_of, fitted
from recipe_kit import ScoreParameters


class LooksAtTheFirstRow(Good):
    score_in_batches = False

    def load_scoring_data(self, parameters: ScoreParameters) -> pd.DataFrame:
        return pd.read_csv(self.context.data_folder / parameters.scoring_data_location)

    def score(self, model: Model, data: pd.DataFrame, parameters: ScoreParameters) -> pd.DataFrame:
        self.context.logger.debug("the first customer is from %s", data["city"].iloc[0])
        return super().score(model, data, parameters)


class Squeezes(Good):
    score_in_batches = False

    def score(self, model: Model, data: pd.DataFrame, parameters: ScoreParameters) -> pd.DataFrame:
        features = np.squeeze(features_of(data, model))
        return pd.DataFrame({"score": np.sum(features * model.weights, axis=1)})


class ExpectsText(Good):
    def score(self, model: Model, data: pd.DataFrame, parameters: ScoreParameters) -> pd.DataFrame:
        cities = [city.strip() for city in data["city"]]
        return super().score(model, data.assign(city=cities), parameters)


class DropsRowsWithNulls(Good):
    def score(self, model: Model, data: pd.DataFrame, parameters: ScoreParameters) -> pd.DataFrame:
        return super().score(model, data.dropna(subset=NUMBERS), parameters)


class LooksCategoriesUp(Good):
    def score(self, model: Model, data: pd.DataFrame, parameters: ScoreParameters) -> pd.DataFrame:
        numbers = {city: number for number, city in enumerate(model.cities)}
        known = [numbers[city] for city in data["city"].fillna(model.cities[0])]
        return super().score(model, data.assign(city=[model.cities[number] for number in known]), parameters)


class ExpectsBothLabels(Good):
    def train(self, data: pd.DataFrame, parameters: Training) -> Model:
        labels = sorted(data["label"].dropna().unique())
        self.context.logger.debug("learning to tell %s from %s", labels[0], labels[1])
        return fitted(data, parameters.ridge)


class ExpectsTextInTraining(Good):
    def train(self, data: pd.DataFrame, parameters: Training) -> Model:
        return fitted(data.assign(city=[city.strip() for city in data["city"]]), parameters.ridge)
