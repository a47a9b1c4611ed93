"""Checks of what a recipe's module and class are, before anything is run."""

from __future__ import annotations

import inspect
import typing

from recipe_kit.recipe import HOOK_ARGUMENTS, Recipe, place_of_hook
from recipe_kit.testing.checks.registry import check
from recipe_kit.testing.findings import Finding
from recipe_kit.testing.subject import Subject


@check(remedy="give every argument of `__init__` a default, or move it into the parameters of a task")
def constructs_without_arguments(subject: Subject) -> None:
    """The recipe's class can be called without arguments.

    The kit makes a new instance for each task, in whichever process the task runs; what an instance was given by hand
    in one of them is not there in the next.
    """
    try:
        subject.recipe_class()
    except TypeError as error:
        raise Finding(f"{subject.recipe_class.__qualname__}() raises TypeError: {error}") from error


@check(remedy="write `data: pandas.DataFrame` or `data: pyspark.sql.DataFrame`, and `parameters:` with your own class")
def hooks_are_annotated(subject: Subject) -> None:
    """The arguments `data` and `parameters` of every hook of the recipe have an annotation.

    The annotations are the schema: they say which keys a task takes and whether it runs on pandas or on Spark. Without
    them the kit assumes pandas and the parameters that every task has, and the author's own keys are unknown.
    """
    missing = []
    for hook, arguments in HOOK_ARGUMENTS.items():
        function = getattr(subject.recipe_class, hook)
        if function is getattr(Recipe, hook):
            continue
        annotations = inspect.unwrap(function).__annotations__
        bare = [
            name
            for name in arguments
            if name in ("data", "parameters") and annotations.get(name, typing.Any) in (typing.Any, "Any", "typing.Any")
        ]
        if bare:
            place = place_of_hook(subject.recipe_class, hook)
            missing.append(f"{' and '.join(f'`{name}`' for name in bare)} of '{hook}' ({place})")
    if missing:
        raise Finding(f"there is no annotation that says anything for {', '.join(missing)}")
