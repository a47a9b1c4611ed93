"""Spark sessions: on this machine, on a cluster, or through Spark Connect; started quickly and stopped properly."""

from __future__ import annotations

from recipe_kit.spark.masters import Master, resolve_master
from recipe_kit.spark.sessions import close_session, open_session
from recipe_kit.spark.settings import SparkOptions

__all__ = ["Master", "SparkOptions", "close_session", "open_session", "resolve_master"]
