"""A module that cannot be imported."""

from __future__ import annotations

from bad.good import Good

SETTINGS = {"size": 1}
SIZE = SETTINGS["colour"]


class FailingImport(Good):
    pass
