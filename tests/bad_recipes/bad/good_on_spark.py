"""A small recipe on Spark that keeps the contract, and one that does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from bad.good import Columns, Training
from recipe_kit import Recipe, ScoreParameters

Model = Mapping[str, float]
ELSEWHERE = "elsewhere"


class GoodOnSpark(Recipe):
    """Scores a row by the share of buyers in its city."""

    training_columns: ClassVar[Columns] = {"city": str, "label": int}
    scoring_columns: ClassVar[Columns] = {"city": str}

    def train(self, data: DataFrame, parameters: Training) -> Model:
        shares = data.where("city is not null").groupBy("city").agg(F.avg("label")).collect()
        overall = data.agg(F.avg("label")).first()[0]
        if overall is None:
            raise ValueError("there are no labels to learn from")
        return {ELSEWHERE: overall, **{city: share for city, share in shares if share is not None}}

    def evaluate(self, model: Model, data: DataFrame, parameters: Training) -> dict[str, float]:
        scored = data.withColumn("score", _score_of_city(model))
        return {"brier": scored.agg(F.avg(F.pow(F.col("score") - F.col("label"), 2))).first()[0]}

    def score(self, model: Model, data: DataFrame, parameters: ScoreParameters) -> DataFrame:
        return data.withColumn("score", _score_of_city(model))


class LooksCategoriesUpOnExecutors(GoodOnSpark):
    def score(self, model: Model, data: DataFrame, parameters: ScoreParameters) -> DataFrame:
        known = {**model, None: model[ELSEWHERE]}
        return data.withColumn("score", F.udf(lambda city: known[city], "double")("city"))


def _score_of_city(model: Model) -> F.Column:
    shares = F.create_map(*[F.lit(each) for pair in model.items() for each in pair])
    return F.coalesce(shares[F.col("city")], F.lit(model[ELSEWHERE]))
