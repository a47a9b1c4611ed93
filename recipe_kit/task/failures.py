"""What a failure looks like in a result document: the sentence, and the traceback from the author's own code on."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

from recipe_kit.errors import RecipeFailedError, RecipeKitError
from recipe_kit.task.documents import Failure, RecipeReference
from recipe_kit.task.logs import Redactor


def describe_failure(error: BaseException, *, phase: str | None, recipe: RecipeReference, redact: Redactor) -> Failure:
    """Return what the result document says of `error`.

    Args:
        error: What ended the task.
        phase: The step in which it was raised.
        recipe: Whose code is the author's own.
        redact: What may not be shown.
    """
    full = redact("".join(traceback.format_exception(error)))
    error = _behind_spark(error)
    if isinstance(error, RecipeKitError):
        message, hint, exit_code, cause = error.message, error.hint, error.exit_code, error.__cause__
    else:
        text = "".join(traceback.format_exception_only(error)).strip()
        message = f"the recipe failed in {phase or 'its start'}: {text.splitlines()[0] if text else ''}"
        hint, exit_code, cause = None, RecipeFailedError.exit_code, error
    own = author_traceback(cause, recipe) if cause is not None else None
    return Failure(
        type=type(error).__name__,
        message=redact(message),
        hint=redact(hint) if hint else None,
        phase=phase,
        exit_code=exit_code,
        traceback=redact(own) if own else None,
        full_traceback=full,
    )


def _behind_spark(error: BaseException) -> BaseException:
    """Return the kit's own error that a task on an executor raised, where that is what Spark's error is about."""
    if isinstance(error, RecipeKitError) or "pyspark" not in sys.modules:
        return error
    from recipe_kit.spark import in_one_sentence

    return in_one_sentence(error) or error


def author_traceback(error: BaseException, recipe: RecipeReference) -> str | None:
    """Return the traceback of `error` from the author's first own frame on, `None` if it never was in their code.

    Of the errors that led to it, those that came up outside the author's code are left out.
    """
    described = traceback.TracebackException.from_exception(error)
    found = False
    link: traceback.TracebackException | None = described
    while link is not None:
        frames = _from_author_on(link.stack, recipe)
        if frames:
            found = True
            link.stack = traceback.StackSummary.from_list(frames)
        before = _led_to(link)
        while before is not None and not _from_author_on(before.stack, recipe):
            before = _led_to(before)
        if link.__cause__ is not None:
            link.__cause__ = before
        else:
            link.__context__ = before
        link = before
    return "".join(described.format()) if found else None


def _led_to(described: traceback.TracebackException) -> traceback.TracebackException | None:
    """Return the error that led to this one, as far as Python would show it."""
    return described.__cause__ or (None if described.__suppress_context__ else described.__context__)


def _from_author_on(frames: traceback.StackSummary, recipe: RecipeReference) -> list[traceback.FrameSummary]:
    """Return the frames from the author's first own one on; none where no frame is theirs."""
    for index, frame in enumerate(frames):
        if _is_own(Path(frame.filename), recipe):
            return frames[index:]
    return []


def _is_own(file: Path, recipe: RecipeReference) -> bool:
    if recipe.source_folder is not None:
        # An environment inside the project holds other people's code.
        return file.is_relative_to(recipe.source_folder) and "site-packages" not in file.parts
    module = sys.modules.get(recipe.entry.partition(":")[0].partition(".")[0])
    places = [*getattr(module, "__path__", ()), *filter(None, [getattr(module, "__file__", None)])]
    return any(file == Path(place) or file.is_relative_to(place) for place in places)
