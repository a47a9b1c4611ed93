"""What a test says about the result of a task."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from recipe_kit.task import ResultDocument, State

if TYPE_CHECKING:
    import pandas as pd


def assert_done(result: ResultDocument) -> ResultDocument:
    """Return `result` if its task was done; otherwise say why it was not, from the author's own code on.

    Raises:
        AssertionError: The task failed or was interrupted.
    """
    __tracebackhide__ = True
    if result.state is not State.DONE:
        raise AssertionError(failure_text(result))
    return result


def failure_text(result: ResultDocument) -> str:
    """Return why a task was not done: the sentence, and the traceback from the author's first own frame on."""
    failure = result.failure
    if failure is None:
        return f"task '{result.task}' of recipe '{result.recipe.name}' ended as {result.state}"
    where = f" in {failure.phase}" if failure.phase else ""
    text = f"task '{result.task}' of recipe '{result.recipe.name}' ended as {result.state}{where}: {failure.sentence}"
    return f"{text}\n{failure.traceback}" if failure.traceback else text


def place_of_failure(result: ResultDocument) -> str:
    """Return ``" (recipe.py:12)"`` for the author's last own line in the failure's traceback, nothing without one."""
    source, text = result.recipe.source_folder, result.failure and result.failure.traceback
    lines = re.findall(r'File "([^"]+)", line (\d+)', text or "")
    own = [(Path(file), line) for file, line in lines if source is not None and Path(file).is_relative_to(source)]
    return f" ({own[-1][0].name}:{own[-1][1]})" if own else ""


def read_scores(result: ResultDocument) -> pd.DataFrame:
    """Return the scores that a `score` task wrote, as a pandas data frame.

    Raises:
        AssertionError: The task was not done, or wrote no table through the kit.
    """
    __tracebackhide__ = True
    assert_done(result)
    if not result.outputs:
        raise AssertionError(f"task '{result.task}' of recipe '{result.recipe.name}' wrote no table through the kit")
    from recipe_kit.data import read_table, resolve_location, table_to_pandas

    frame: pd.DataFrame = table_to_pandas(read_table(resolve_location(result.outputs[0].location, Path.cwd())))
    return frame
