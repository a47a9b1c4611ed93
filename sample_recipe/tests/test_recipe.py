"""What the recipe promises."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest
from recipe_kit import Recipe, ScoreParameters
from recipe_kit.testing import (
    RunTask,
    TrainedModel,
    assert_done,
    assert_tables_equal,
    parametrize_with_checks,
    read_scores,
)

RECIPE = "sentiment"
pytestmark = pytest.mark.recipe(RECIPE)


@parametrize_with_checks([RECIPE])
def test_it_keeps_the_contract_of_recipes(check: Callable[[], None]) -> None:
    check()


def test_it_tells_most_of_the_reviews_right_that_it_has_not_seen(trained_model: TrainedModel) -> None:
    assert trained_model.metrics["accuracy"] > 0.8
    assert trained_model.metrics["areaUnderROC"] > 0.85


def test_plain_words_decide(recipe: Recipe, trained_model: TrainedModel) -> None:
    reviews = pd.DataFrame({"text": ["This cafe made us feel at home.", "This cafe left us hungry."]})
    scores = recipe.score(trained_model.model, reviews, ScoreParameters(scoring_data_location="reviews.csv"))
    assert list(scores["prediction"]) == [1, 0]
    assert scores["probability"][0] > 0.8
    assert scores["probability"][1] < 0.2


def test_scores_are_the_data_and_two_columns(run_task: RunTask, sample_scoring_data: pd.DataFrame) -> None:
    scores = read_scores(run_task("score"))
    assert list(scores.columns) == [*sample_scoring_data.columns, "prediction", "probability"]
    assert_tables_equal(scores[list(sample_scoring_data.columns)], sample_scoring_data)
    assert set(scores["prediction"]) == {0, 1}
    assert scores["probability"].between(0, 1).all()


def test_a_stronger_penalty_makes_bolder_claims_rarer(run_task: RunTask) -> None:
    def boldest(penalty: float) -> float:
        trained = assert_done(run_task("train", reg_param=penalty))
        return float(read_scores(run_task("score", model=trained))["probability"].max())

    assert boldest(penalty=10) < boldest(penalty=0.1)
