"""The same work with nothing in between: `read_csv`, `predict`, `to_csv`."""

from __future__ import annotations

import sys

import joblib
import pandas as pd

FEATURES = [f"x{number}" for number in range(11)]
model_file, scoring_data, results = sys.argv[1:]

model = joblib.load(model_file)
data = pd.read_csv(scoring_data)
scores = pd.DataFrame({"id": data["id"], "prediction": model.predict(data[FEATURES])})
scores.to_csv(results, index=False)
