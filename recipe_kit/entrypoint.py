"""The door of every process that runs one task: a subprocess, a container, a job on a cluster.

``python -m recipe_kit.entrypoint TASK.json`` runs a task document in the folder it lies in; with ``-`` in its place
the document comes on standard input and ``--folder`` says where to run. The exit code is 0 when the task is done, 1
when the recipe failed, 2 when the input was wrong, 130 when it was interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from recipe_kit.errors import RecipeKitError, TaskDocumentError
from recipe_kit.task import Observer, Reporter, Silent, parse_task, run_task
from recipe_kit.task.limits import ended_in_order

EVENTS_VARIABLE = "RECIPE_KIT_EVENTS"
"""An environment variable with the number of an open file descriptor, to which the task's progress is reported."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the task that the arguments name and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m recipe_kit.entrypoint", description="Run one task document.")
    parser.add_argument("task", help="file with the task document, or - for standard input")
    parser.add_argument("--folder", type=Path, help="the run's folder (default: the folder of the task document)")
    given = parser.parse_args(arguments)
    try:
        with ended_in_order():
            text, source, folder = _read(given.task)
            observer = _observer()
            result = run_task(parse_task(text, source), given.folder or folder, observer=observer)
    except RecipeKitError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    finally:
        _close_spark()
    if result.failure is not None and isinstance(observer, Silent):  # else who hears of progress reads the result
        print(result.failure.traceback or "", result.failure.sentence, sep="", file=sys.stderr)
    return result.exit_code


def _read(task: str) -> tuple[str, str, Path]:
    if task == "-":
        return sys.stdin.read(), "on standard input", Path.cwd()
    file = Path(task)
    try:
        return file.read_text(encoding="utf-8"), str(file), file.resolve().parent
    except (OSError, UnicodeDecodeError) as error:
        raise TaskDocumentError(f"task document {file} cannot be read ({error})", hint="check the path") from None


def _observer() -> Observer:
    descriptor = os.environ.pop(EVENTS_VARIABLE, None)
    return Silent() if descriptor is None else Reporter(os.fdopen(int(descriptor), "w", encoding="utf-8"))


def _close_spark() -> None:
    spark = sys.modules.get("recipe_kit.spark")
    if spark is not None:
        spark.close_session()


if __name__ == "__main__":
    sys.exit(main())
