"""What a failure looks like in a result document: the sentence, and the traceback from the author's own code on."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

from recipe_kit.errors import RecipeFailedError, RecipeKitError
from recipe_kit.task.documents import Failure
from recipe_kit.task.logs import Redactor

_KIT = Path(__file__).resolve().parents[1]


def describe_failure(
    error: BaseException, *, phase: str | None, source_folder: Path | None, redact: Redactor
) -> Failure:
    """Return what the result document says of `error`.

    Args:
        error: What ended the task.
        phase: The step in which it was raised.
        source_folder: Where the author's code is; `None` where it is installed.
        redact: What may not be shown.
    """
    full = "".join(traceback.format_exception(error))
    error = _behind_spark(error)
    if isinstance(error, RecipeKitError):
        cause = error.__cause__
        return Failure(
            type=type(error).__name__,
            message=redact(error.message),
            hint=redact(error.hint) if error.hint else None,
            phase=phase,
            exit_code=error.exit_code,
            traceback=redact(author_traceback(cause, source_folder)) if cause is not None else None,
            full_traceback=redact(full),
        )
    text = "".join(traceback.format_exception_only(error)).strip()
    return Failure(
        type=type(error).__name__,
        message=redact(f"the recipe failed in {phase or 'its start'}: {text.splitlines()[0] if text else ''}"),
        phase=phase,
        exit_code=RecipeFailedError.exit_code,
        traceback=redact(author_traceback(error, source_folder)),
        full_traceback=redact(full),
    )


def _behind_spark(error: BaseException) -> BaseException:
    """Return the kit's own error that a task on an executor raised, where that is what Spark's error is about."""
    if isinstance(error, RecipeKitError) or "pyspark" not in sys.modules:
        return error
    from recipe_kit.spark import in_one_sentence

    return in_one_sentence(error) or error


def author_traceback(error: BaseException, source_folder: Path | None) -> str:
    """Return the traceback of `error` from the author's first own frame on.

    Where no frame is the author's, only the frames of the kit are left out at its beginning; a chain of causes is
    shown the same way.
    """
    described = traceback.TracebackException.from_exception(error)
    link: traceback.TracebackException | None = described
    while link is not None:
        link.stack = traceback.StackSummary.from_list(_from_author_on(link.stack, source_folder))
        link = link.__cause__ or link.__context__
    return "".join(described.format())


def _from_author_on(frames: traceback.StackSummary, source_folder: Path | None) -> list[traceback.FrameSummary]:
    files = [Path(frame.filename) for frame in frames]
    for index, file in enumerate(files):
        # An environment inside the project holds other people's code.
        if source_folder is not None and file.is_relative_to(source_folder) and "site-packages" not in file.parts:
            return frames[index:]
    for index, file in enumerate(files):
        if not file.is_relative_to(_KIT) and not frames[index].filename.startswith("<frozen"):
            return frames[index:]
    return list(frames)
