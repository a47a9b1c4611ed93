"""What came of a task, for people: rows, seconds per phase, metrics, and where everything is."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from recipe_kit.cli.progress import PATIENCE
from recipe_kit.cli.terminal import (
    Column,
    count,
    figure,
    print_details,
    print_error,
    print_note,
    print_table,
    seconds,
    shown,
    styled,
)
from recipe_kit.task import Phase, ResultDocument, State

_MANY_ROWS = 100_000


def print_summary(result: ResultDocument, folder: Path, stream: TextIO) -> None:
    """Print what came of a task that is done."""
    recipe = f"{result.recipe.name} {result.recipe.version}"
    done = styled("done", "green", stream)
    print(f"{styled(result.task, 'bold', stream)}: {recipe}, {done} in {seconds(result.seconds)}\n", file=stream)
    _print_phases(result.phases, stream)
    if result.metrics:
        print(file=stream)
        rows = [(name, figure(value)) for name, value in result.metrics.items()]
        print_table((Column("metric"), Column("value", right=True, style="bold")), rows, stream)
    print(file=stream)
    print_details(_places(result, folder), stream)
    print(file=stream, flush=True)


def print_failure(result: ResultDocument, folder: Path | None, *, full: bool) -> None:
    """Print to stderr why a task did not end well, and where its logs are (`None`: nowhere)."""
    failure = result.failure
    if failure is None:
        return
    if result.state is State.ABORTED:
        logs = f"; its logs are in {shown(folder)}" if folder else ""
        phase = f" in phase {failure.phase}" if failure.phase else ""
        print(f"{result.task} was interrupted{phase}{logs}", file=sys.stderr)
        return
    trace = failure.full_traceback if full else _traceback_of_author(result)
    if trace:
        print(trace.rstrip(), end="\n\n", file=sys.stderr)
    print_error(failure.message, failure.hint)
    if folder is not None:
        print_note(f"its logs are in {shown(folder)}")


def _traceback_of_author(result: ResultDocument) -> str | None:
    """Return the traceback where the author's own code has a part in it; what was wrong with data needs none."""
    failure, source = result.failure, result.recipe.source_folder
    if failure is None or failure.traceback is None:
        return None
    is_authors = failure.exit_code == 1 or (source is not None and str(source) in failure.traceback)
    return failure.traceback if is_authors else None


def next_step(tasks: Sequence[str], project: Path, recipe: str | None, result: ResultDocument) -> str | None:
    """Return the command that a person is likely to want next, if there is one."""
    where = [] if project == Path() else [str(project)]
    which = [] if recipe is None else ["--recipe", recipe]
    if tasks[-1] == "train":
        return shlex.join(["recipe-kit", "score", *where, *which])
    if tasks == ("train", "score") and result.model is not None:
        return shlex.join(["recipe-kit", "score", *where, *which, "-p", "scoringDataLocation=FILE"])
    return None


def _print_phases(phases: Sequence[Phase], stream: TextIO) -> None:
    columns = [Column("phase", whole=True), Column("rows", right=True), Column("seconds", right=True)]
    rates = [_rate(phase) for phase in phases]
    if any(rates):
        columns.append(Column("rows/s", right=True))
    rows = []
    for phase, rate in zip(phases, rates, strict=True):
        row = [phase.name, "" if phase.rows is None else f"{phase.rows:,}", f"{phase.seconds:,.2f}"]
        rows.append([*row, rate] if any(rates) else row)
    print_table(columns, rows, stream)


def _rate(phase: Phase) -> str:
    """Return rows per second, where there are enough of both to say something of the work itself."""
    if phase.rows is None or phase.rows < _MANY_ROWS or phase.seconds < PATIENCE:
        return ""
    return f"{phase.rows / phase.seconds:,.0f}"


def _places(result: ResultDocument, folder: Path) -> list[tuple[str, str]]:
    places = [
        ("scores" if result.task == "score" else "output", f"{count(output.rows, 'row')} in {shown(output.location)}")
        for output in result.outputs
    ]
    if result.model is not None:
        places.append(("model", shown(result.model.folder)))
    places.append(("logs", shown(folder)))
    return places
