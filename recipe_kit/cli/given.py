"""What `-p` and `--spark-setting` say, and where a path on the command line leads."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from recipe_kit.errors import InvalidParameterError, RecipeKitError
from recipe_kit.parameters import (
    COMMAND_LINE,
    Assignment,
    Layer,
    Parameter,
    TaskParameters,
    parse_assignment,
)
from recipe_kit.recipe import TaskName

OUTPUT_KEYS = frozenset({"scoringResultsLocation"})

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
# Whose parameters a task takes: `evaluate` shares those of `train`.
_TAKEN: Mapping[TaskName, tuple[str, ...]] = {
    "train": ("train",),
    "evaluate": ("train", "evaluate"),
    "score": ("score",),
}


def layers_given(texts: Iterable[str], tasks: Sequence[TaskName], folder: Path) -> tuple[Layer, ...]:
    """Return the layer of the parameters given with `-p`; none where there are none.

    A key without a task goes to the only task that is run; where several are, to each that knows it. The last of
    several values for one key counts. Whether keys are known is left to the tasks: in an environment of its own a
    recipe may need what this process has not got.

    Args:
        texts: Each `KEY=VALUE` or `TASK.KEY=VALUE`.
        tasks: The tasks that are run.
        folder: The folder that the person stands in, where relative paths are looked for first.

    Raises:
        InvalidParameterError: A text is not of that form, or names a task that is not run.
    """
    given = [_located(parse_assignment(text), folder) for text in texts]
    for each in given:
        _require_that_it_is_run(each, tasks)
    if not given:
        return ()
    only = tasks[0] if len(tasks) == 1 else None
    by_task: dict[str | None, list[Parameter]] = {}
    for each in given:
        by_task.setdefault(each.task or only, []).append(Parameter(key=each.key, value=each.value))
    everywhere = tuple(by_task.pop(None, ()))
    named = tuple(TaskParameters(name=str(task), parameters=tuple(each)) for task, each in by_task.items())
    return (Layer(source=COMMAND_LINE, tasks=named, everywhere=everywhere),)


def location_given(key: str, value: str, folder: Path) -> str:
    """Return the location that a path typed in `folder` means.

    An output is where the person stands. An input is there too if something is there or a pattern matches;
    otherwise it is left as it is, and starts at the project's data folder. URIs and absolute paths stay as they are.
    """
    if not value.strip() or _URI.match(value) or value.startswith("~") or Path(value).is_absolute():
        return value
    place = folder / value
    if key in OUTPUT_KEYS or place.exists() or glob.glob(str(place), recursive=True):  # noqa: PTH207 - `place` has it all
        # A slash at the end means a folder, which a path does not keep.
        return f"{place}/" if value.endswith("/") else str(place)
    return value


def settings_given(texts: Iterable[str]) -> dict[str, str]:
    """Return Spark's settings by key.

    Raises:
        RecipeKitError: A text is not of the form `KEY=VALUE`.
    """
    settings = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise RecipeKitError(
                f"cannot read the Spark setting '{text}'", hint="write it as in --spark-setting spark.driver.memory=4g"
            )
        settings[key.strip()] = value
    return settings


def _located(each: Assignment, folder: Path) -> Assignment:
    if not each.key.endswith("Location"):
        return each
    return Assignment(each.task, each.key, location_given(each.key, each.value, folder))


def _require_that_it_is_run(each: Assignment, tasks: Sequence[TaskName]) -> None:
    if each.task is not None and not any(each.task in _TAKEN[task] for task in tasks):
        raise InvalidParameterError(
            f"parameter '{each.name}' (from {COMMAND_LINE}) is for task '{each.task}', which is not run",
            hint=f"this command runs {' and '.join(tasks)}",
        )
