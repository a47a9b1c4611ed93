"""Testing a recipe: contract checks, assertions for tables, and the fixtures of the pytest plugin.

The public names are loaded when they are first used, so that the plugin costs nothing to a test run without recipes.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recipe_kit.testing.checks import CHECKS, Check
    from recipe_kit.testing.engine import CheckOutcome, CheckStatus, RecipeCheck, check_recipe, checks_of, run_checks
    from recipe_kit.testing.parametrize import parametrize_with_checks
    from recipe_kit.testing.results import assert_done, read_scores
    from recipe_kit.testing.subject import Subject, TrainedModel
    from recipe_kit.testing.tables import assert_tables_equal
    from recipe_kit.testing.workshop import RunTask

__all__ = [
    "CHECKS",
    "Check",
    "CheckOutcome",
    "CheckStatus",
    "RecipeCheck",
    "RunTask",
    "Subject",
    "TrainedModel",
    "assert_done",
    "assert_tables_equal",
    "check_recipe",
    "checks_of",
    "parametrize_with_checks",
    "read_scores",
    "run_checks",
]

# Which module a public name comes from; the type checker reads the same from the imports above.
_HOMES = {
    "CHECKS": "checks",
    "Check": "checks",
    "CheckOutcome": "engine",
    "CheckStatus": "engine",
    "RecipeCheck": "engine",
    "RunTask": "workshop",
    "Subject": "subject",
    "TrainedModel": "subject",
    "assert_done": "results",
    "assert_tables_equal": "tables",
    "check_recipe": "engine",
    "checks_of": "engine",
    "parametrize_with_checks": "parametrize",
    "read_scores": "results",
    "run_checks": "engine",
}


def __getattr__(name: str) -> object:
    """The public name, loaded from its module on first use (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
