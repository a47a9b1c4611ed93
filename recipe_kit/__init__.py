"""Machine-learning recipes: written once, then run, tested, packaged and operated anywhere.

The public names are loaded when they are first used, so ``import recipe_kit`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recipe_kit.context import Context
    from recipe_kit.errors import RecipeKitError
    from recipe_kit.parameters import Field, Parameters, ScoreParameters, TrainParameters
    from recipe_kit.recipe import Recipe

__version__ = "0.1.0"

__all__ = [
    "Context",
    "Field",
    "Parameters",
    "Recipe",
    "RecipeKitError",
    "ScoreParameters",
    "TrainParameters",
    "__version__",
]

# Which module a public name comes from; the type checker reads the same from the imports above.
_HOMES = {
    "Context": "recipe_kit.context",
    "Field": "recipe_kit.parameters",
    "Parameters": "recipe_kit.parameters",
    "Recipe": "recipe_kit.recipe",
    "RecipeKitError": "recipe_kit.errors",
    "ScoreParameters": "recipe_kit.parameters",
    "TrainParameters": "recipe_kit.parameters",
}


def __getattr__(name: str) -> object:
    """The public name, loaded from its module on first use (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
