"""Weekly sales of stores, predicted by gradient boosting: the work of `bare.py` as a recipe."""

from __future__ import annotations

import pandas as pd
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.metrics import mean_absolute_error, r2_score

from recipe_kit import Field, Recipe, ScoreParameters, TrainParameters

LABEL = "weeklySales"


class SalesParameters(TrainParameters):
    """The parameters of training."""

    trees: int = Field(100, ge=1, description="Number of trees.")


class Sales(Recipe):
    """Predict the weekly sales of a store."""

    def train(self, data: pd.DataFrame, parameters: SalesParameters) -> GradientBoostingRegressor:
        """Return a fitted model."""
        model = GradientBoostingRegressor(n_estimators=parameters.trees, random_state=self.context.seed)
        return model.fit(_features(data), data[LABEL])

    def evaluate(
        self, model: GradientBoostingRegressor, data: pd.DataFrame, parameters: SalesParameters
    ) -> dict[str, float]:
        """Return the error on rows that the model has not seen."""
        predicted = model.predict(_features(data))
        return {"r2": r2_score(data[LABEL], predicted), "mae": mean_absolute_error(data[LABEL], predicted)}

    def score(self, model: GradientBoostingRegressor, data: pd.DataFrame, parameters: ScoreParameters) -> pd.DataFrame:
        """Return store, date and predicted sales."""
        return data[["store", "date"]].assign(prediction=model.predict(_features(data)))


def _features(data: pd.DataFrame) -> pd.DataFrame:
    date = pd.to_datetime(data["date"], format="%m/%d/%y")
    return data.drop(columns=["date", LABEL]).assign(
        storeType=data["storeType"].map({"A": 0, "B": 1, "C": 2}),
        isHoliday=data["isHoliday"].astype(int),
        week=date.dt.isocalendar().week.astype(int),
        year=date.dt.year,
    )
