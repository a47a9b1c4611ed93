"""Errors that come from another process: a scoring process of this machine, or one of a Spark cluster."""

from __future__ import annotations

import base64
import pickle
import re
import traceback
from pathlib import Path

from recipe_kit.errors import RecipeFailedError, RecipeKitError
from recipe_kit.scoring.batches import Unsettled

_KIT = Path(__file__).resolve().parents[1]


class ElsewhereError(Exception):
    """What was raised in another process; its text is the traceback there, from the author's first frame on."""

    def __str__(self) -> str:
        return f"in another process\n\n{self.args[0].rstrip()}"


def portable(error: BaseException) -> tuple[Exception, str | None]:
    """Return an exception that can be sent to another process and says the same, and the traceback it had.

    What is not one of the kit's own becomes `RecipeFailedError`, since its class may exist only here.
    """
    if isinstance(error, Unsettled):
        return error, None
    if isinstance(error, RecipeKitError):
        return error, None if error.__cause__ is None else _traceback_of(error.__cause__)
    said = "".join(traceback.format_exception_only(error)).strip().splitlines()
    return RecipeFailedError(f"the recipe failed in score: {said[0] if said else ''}"), _traceback_of(error)


def raise_here(error: Exception, told: str | None) -> None:
    """Raise what `portable` gave in another process, that process's traceback as the cause."""
    raise error from (None if told is None else ElsewhereError(told))


class ToldError(Exception):
    """Any error, as one that survives a way on which only its text is passed on.

    Args:
        error: What was raised.
        run: The random name of the run, which only its own processes know.
    """

    def __init__(self, error: BaseException, run: str) -> None:
        packed = base64.b64encode(pickle.dumps(portable(error))).decode()
        super().__init__(f"recipe-kit-told:{run}:{packed}:")


def told_in(text: str, run: str) -> tuple[Exception, str | None] | None:
    """Return what a `ToldError` of `run` somewhere in `text` says, as `portable` gave it; `None` where there is none.

    Unpickling runs code, and `text` can quote the data: what does not know the run's random name is not looked at.
    """
    found = re.search(f"recipe-kit-told:{re.escape(run)}:([A-Za-z0-9+/=]+):", text)
    if found is None:
        return None
    error: tuple[Exception, str | None] = pickle.loads(base64.b64decode(found[1]))
    return error


def _traceback_of(error: BaseException) -> str:
    described = traceback.TracebackException.from_exception(error)
    frames = list(described.stack)
    while frames and Path(frames[0].filename).is_relative_to(_KIT):
        frames.pop(0)
    described.stack = traceback.StackSummary.from_list(frames or list(described.stack))
    return "".join(described.format())
