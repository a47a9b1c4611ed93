"""Scoring a table batch by batch: in this process, in several, or on Spark, with the same scores in the same order."""

from __future__ import annotations

from recipe_kit.scoring.on_spark import score_on_spark
from recipe_kit.scoring.streaming import score_in_batches

__all__ = ["score_in_batches", "score_on_spark"]
