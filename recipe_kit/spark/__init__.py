"""Spark: sessions on this machine, on a cluster or through Spark Connect, and the tables that recipes read there."""

from __future__ import annotations

from recipe_kit.spark.failures import in_one_sentence
from recipe_kit.spark.masters import Master, resolve_master
from recipe_kit.spark.sessions import close_session, open_session
from recipe_kit.spark.settings import SMALL_BYTES, SparkOptions
from recipe_kit.spark.tables import read_spark_table, write_spark_table

__all__ = [
    "SMALL_BYTES",
    "Master",
    "SparkOptions",
    "close_session",
    "in_one_sentence",
    "open_session",
    "read_spark_table",
    "resolve_master",
    "write_spark_table",
]
