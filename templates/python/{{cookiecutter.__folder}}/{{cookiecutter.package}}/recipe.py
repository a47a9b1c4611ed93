"""The recipe: words hashed into buckets, and a logistic regression on how often each bucket occurs."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from recipe_kit import Recipe, ScoreParameters
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score, roc_auc_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from {{ cookiecutter.package }}.parameters import ModelParameters


class {{ cookiecutter.__class }}(Recipe):
    """Tell happy reviews (label 1) from unhappy ones (label 0)."""

    score_in_batches = True
    training_columns = {"text": str, "label": int}
    scoring_columns = {"text": str}

    def train(self, data: pd.DataFrame, parameters: ModelParameters) -> Pipeline:
        """Return a pipeline from raw text to the probability that a review is happy."""
        model = make_pipeline(
            HashingVectorizer(
                n_features=parameters.num_features, token_pattern=r"\w+", alternate_sign=False, norm=None
            ),
            StandardScaler(with_mean=False),  # else the penalty would hold back rare words more than frequent ones
            LogisticRegression(C=_inverse_penalty(parameters.reg_param, len(data)), max_iter=parameters.max_iter),
        )
        return model.fit(_texts(data), data["label"])

    def evaluate(self, model: Pipeline, data: pd.DataFrame, parameters: ModelParameters) -> dict[str, float]:
        """Return how well `model` does on reviews that it has not seen."""
        label, probability = data["label"], _probability_of_happy(model, data)
        prediction = probability > 0.5
        return {
            "accuracy": accuracy_score(label, prediction),
            "precision": precision_score(label, prediction, zero_division=0),
            "recall": recall_score(label, prediction, zero_division=0),
            "f1": f1_score(label, prediction, zero_division=0),
            "areaUnderROC": roc_auc_score(label, probability),
        }

    def score(self, model: Pipeline, data: pd.DataFrame, parameters: ScoreParameters) -> pd.DataFrame:
        """Return `data` with two more columns: `probability` of a happy review, and `prediction`, 1 or 0."""
        probability = _probability_of_happy(model, data)
        return data.assign(prediction=(probability > 0.5).astype(int), probability=probability)


def _texts(data: pd.DataFrame) -> pd.Series[str]:
    return data["text"].fillna("")


def _probability_of_happy(model: Pipeline, data: pd.DataFrame) -> NDArray[np.float64]:
    probabilities: NDArray[np.float64] = model.predict_proba(_texts(data))
    return probabilities[:, 1]


def _inverse_penalty(reg_param: float, rows: int) -> float:
    """Return scikit-learn's `C` for a penalty of strength `reg_param`.

    `reg_param` weighs the penalty against the mean loss of a row, as in Spark, so it means the same for any number of
    rows: https://spark.apache.org/docs/latest/mllib-linear-methods.html#mathematical-formulation. `C` weighs the sum
    of the losses against the penalty: https://scikit-learn.org/stable/modules/linear_model.html#logistic-regression.
    """
    return 1 / (reg_param * rows) if reg_param > 0 else np.inf
