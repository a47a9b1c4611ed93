"""What the recipe promises."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pyspark.sql import DataFrame, SparkSession
from recipe_kit import Recipe, ScoreParameters
from recipe_kit.testing import RunTask, TrainedModel, assert_tables_equal, parametrize_with_checks, read_scores

RECIPE = "sentiment-spark"
pytestmark = pytest.mark.recipe(RECIPE)


@parametrize_with_checks([RECIPE])
def test_it_keeps_the_contract_of_recipes(check: Callable[[], None]) -> None:
    check()


def test_it_tells_most_of_the_reviews_right_that_it_has_not_seen(trained_model: TrainedModel) -> None:
    assert trained_model.metrics["accuracy"] > 0.8
    assert trained_model.metrics["areaUnderROC"] > 0.85


def test_plain_words_decide(recipe: Recipe, trained_model: TrainedModel, spark: SparkSession) -> None:
    reviews = spark.createDataFrame(
        [("This cafe made us feel at home.",), ("This cafe left us hungry.",)], "text string"
    )
    scores = recipe.score(trained_model.model, reviews, ScoreParameters(scoring_data_location="reviews.csv"))
    good, bad = scores.collect()
    assert (good.prediction, bad.prediction) == (1, 0)
    assert good.probability > 0.8
    assert bad.probability < 0.2


def test_scores_are_the_data_and_two_columns(run_task: RunTask, sample_scoring_data: DataFrame) -> None:
    scores = read_scores(run_task("score"))
    assert list(scores.columns) == [*sample_scoring_data.columns, "prediction", "probability"]
    assert_tables_equal(scores[sample_scoring_data.columns], sample_scoring_data)
    assert set(scores["prediction"]) == {0, 1}
    assert scores["probability"].between(0, 1).all()
