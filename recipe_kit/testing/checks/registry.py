"""What a check is, and for which recipes it is."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from recipe_kit.recipe import RecipeTraits
from recipe_kit.testing.subject import Subject


@dataclass(frozen=True)
class Applicability:
    """Which recipes a check is for, told by the traits that they declare."""

    words: str
    """The same for people, as it stands in the reference."""
    holds: Callable[[RecipeTraits], bool]


EVERY_RECIPE = Applicability("every recipe", lambda traits: True)
ON_PANDAS = Applicability("works on pandas", lambda traits: traits.data_frame == "pandas")
EVALUATES = Applicability("has an `evaluate` of its own", lambda traits: traits.evaluates)
SCORES_PER_ROW = Applicability("`scores_per_row = True`", lambda traits: traits.scores_per_row)
SCORES_IN_BATCHES = Applicability("`score_in_batches = True`", lambda traits: traits.score_in_batches)
BATCHES_ON_PANDAS = Applicability(
    "works on pandas and `score_in_batches = True`",
    lambda traits: traits.data_frame == "pandas" and traits.score_in_batches,
)


@dataclass(frozen=True)
class Check:
    """One part of the contract between recipes and the kit, and how it is checked."""

    name: str
    proves: str
    """The first line of its docstring: what holds for a recipe that passes."""
    why: str
    """The rest of its docstring: what goes wrong with a recipe that does not."""
    remedy: str
    """What an author typically does about it."""
    applies_to: Applicability
    needs_the_class: bool
    """Whether the recipe's class must have been imported for it."""
    slow: bool
    """Whether it builds an environment or starts Spark for a recipe that does without."""
    function: Callable[[Subject], None]


ALL: list[Check] = []


def check(
    *, remedy: str, applies_to: Applicability = EVERY_RECIPE, needs_the_class: bool = True, slow: bool = False
) -> Callable[[Callable[[Subject], None]], Callable[[Subject], None]]:
    """Register a function as a check; its name is the check's, its docstring says what it proves and why.

    The function raises a `Finding` where the recipe breaks the contract, and `NotApplicableError` where there is
    nothing to look at. Anything else that it lets through was raised by the recipe, which is a finding too.
    """

    def register(function: Callable[[Subject], None]) -> Callable[[Subject], None]:
        proves, _, why = (inspect.getdoc(function) or "").partition("\n\n")
        ALL.append(
            Check(
                name=function.__name__,
                proves=" ".join(proves.split()),
                why=" ".join(why.split()),
                remedy=remedy,
                applies_to=applies_to,
                needs_the_class=needs_the_class,
                slow=slow,
                function=function,
            )
        )
        return function

    return register
