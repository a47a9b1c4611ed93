"""The recipe: words hashed into buckets, and a logistic regression on how often each bucket occurs."""

from __future__ import annotations

from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.evaluation import BinaryClassificationEvaluator, MulticlassClassificationEvaluator
from pyspark.ml.feature import HashingTF, RegexTokenizer
from pyspark.ml.functions import vector_to_array
from pyspark.sql import DataFrame
from pyspark.sql.functions import coalesce, col, lit
from recipe_kit import Recipe, ScoreParameters

from {{ cookiecutter.package }}.parameters import ModelParameters


class {{ cookiecutter.__class }}(Recipe):
    """Tell happy reviews (label 1) from unhappy ones (label 0)."""

    training_columns = {"text": str, "label": int}
    scoring_columns = {"text": str}

    def train(self, data: DataFrame, parameters: ModelParameters) -> PipelineModel:
        """Return a pipeline from raw text to the probability that a review is happy."""
        pipeline = Pipeline(
            stages=[
                RegexTokenizer(inputCol="_text", outputCol="_words", pattern=r"(?U)\w+", gaps=False),
                HashingTF(inputCol="_words", outputCol="_counts", numFeatures=parameters.num_features),
                LogisticRegression(
                    featuresCol="_counts",
                    rawPredictionCol="_margin",
                    probabilityCol="_probabilities",
                    predictionCol="_prediction",
                    maxIter=parameters.max_iter,
                    regParam=parameters.reg_param,
                ),
            ]
        )
        return pipeline.fit(_with_text(data))

    def evaluate(self, model: PipelineModel, data: DataFrame, parameters: ModelParameters) -> dict[str, float]:
        """Return how well `model` does on reviews that it has not seen."""
        scored = model.transform(_with_text(data)).cache()
        by_prediction = MulticlassClassificationEvaluator(predictionCol="_prediction", metricLabel=1.0)
        by_margin = BinaryClassificationEvaluator(rawPredictionCol="_margin", numBins=0)
        metrics = {
            "accuracy": by_prediction.setMetricName("accuracy").evaluate(scored),
            "precision": by_prediction.setMetricName("precisionByLabel").evaluate(scored),
            "recall": by_prediction.setMetricName("recallByLabel").evaluate(scored),
            "f1": by_prediction.setMetricName("fMeasureByLabel").evaluate(scored),
            "areaUnderROC": by_margin.evaluate(scored),
        }
        scored.unpersist()
        return metrics

    def score(self, model: PipelineModel, data: DataFrame, parameters: ScoreParameters) -> DataFrame:
        """Return `data` with two more columns: `probability` of a happy review, and `prediction`, 1 or 0."""
        scored = model.transform(_with_text(data)).withColumns(
            {"prediction": col("_prediction").cast("int"), "probability": vector_to_array(col("_probabilities"))[1]}
        )
        return scored.drop("_text", "_words", "_counts", "_margin", "_probabilities", "_prediction")


def _with_text(data: DataFrame) -> DataFrame:
    return data.withColumn("_text", coalesce(col("text"), lit("")))
