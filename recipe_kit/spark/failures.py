"""The kit's own error behind what Spark raises when a task fails."""

from __future__ import annotations

import re

from recipe_kit import errors

_RAISED = re.compile(r"^(?:[\w.]*\.)?recipe_kit\.errors\.(\w+): (.+)$", re.MULTILINE)


def in_one_sentence(error: BaseException) -> errors.RecipeKitError | None:
    """The error of the kit that a task on an executor raised, None if it raised anything else.

    What crosses from the executor is text: the traceback of the task, which ends in the class and its sentence.
    """
    if isinstance(error, errors.RecipeKitError):
        return error
    found = _RAISED.findall(str(error))
    if not found:
        return None
    name, sentence = found[-1]
    error_class = getattr(errors, name, None)
    if isinstance(error_class, type) and issubclass(error_class, errors.RecipeKitError):
        restored = error_class.__new__(error_class)
        errors.RecipeKitError.__init__(restored, sentence.strip())
        return restored
    return None
