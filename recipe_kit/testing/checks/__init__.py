"""The checks, by theme, in the order in which they run."""

from __future__ import annotations

# Importing a theme registers its checks; the order of these lines is the order of the checks.
from recipe_kit.testing.checks import (  # isort: skip
    definition,
    parameters,
    training,
    models,
    scoring,
    odd_data,
    running,
)
from recipe_kit.testing.checks.registry import ALL, Check

CHECKS: tuple[Check, ...] = tuple(ALL)
"""Every check there is."""

THEMES = (definition, parameters, training, models, scoring, odd_data, running)

__all__ = ["CHECKS", "THEMES", "Check"]
