"""The same work with nothing in between: read, hold a fifth out, train, evaluate, save, score, write."""

from __future__ import annotations

import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.metrics import mean_absolute_error, r2_score

LABEL = "weeklySales"


def features(data: pd.DataFrame) -> pd.DataFrame:
    """Return what the model sees."""
    date = pd.to_datetime(data["date"], format="%m/%d/%y")
    return data.drop(columns=["date", LABEL]).assign(
        storeType=data["storeType"].map({"A": 0, "B": 1, "C": 2}),
        isHoliday=data["isHoliday"].astype(int),
        week=date.dt.isocalendar().week.astype(int),
        year=date.dt.year,
    )


folder = Path(sys.argv[1])
data = pd.read_csv("data/training.csv")
held_out = np.zeros(len(data), dtype=bool)
held_out[np.random.default_rng(0).permutation(len(data))[: len(data) // 5]] = True
training, evaluation = data[~held_out], data[held_out]
model = GradientBoostingRegressor(n_estimators=100, random_state=0).fit(features(training), training[LABEL])
predicted = model.predict(features(evaluation))
print("r2", r2_score(evaluation[LABEL], predicted), "mae", mean_absolute_error(evaluation[LABEL], predicted))
joblib.dump(model, folder / "model.joblib")

data = pd.read_csv("data/scoring.csv")
model = joblib.load(folder / "model.joblib")
scores = data[["store", "date"]].assign(prediction=model.predict(features(data)))
scores.to_csv(folder / "scoring_results.csv", index=False)
