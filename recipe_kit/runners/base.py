"""What every place that runs tasks has in common."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from pathlib import Path

from recipe_kit.errors import OutputError
from recipe_kit.task import Observer, ResultDocument, Silent, TaskDocument


class Runner(ABC):
    """A place where tasks run: this process, an environment of the recipe's own, a container."""

    def run(
        self, task: TaskDocument, folder: Path, *, observer: Observer | None = None, live: bool = True
    ) -> ResultDocument:
        """Run `task` in `folder` and return what came of it.

        Args:
            task: What to do.
            folder: The run's folder, made if it is missing.
            observer: Who is told how the task gets on.
            live: Whether what the recipe prints is also shown while it runs.

        Raises:
            RecipeKitError: The task could not be started; once it has, its result tells everything.
        """
        return self._run(task, folder.resolve(), observer or Silent(), live)

    @abstractmethod
    def _run(self, task: TaskDocument, folder: Path, observer: Observer, live: bool) -> ResultDocument:
        """Run `task`; `folder` is absolute."""


def new_run_folder(work_folder: Path, recipe: str, task: str, *, now: datetime | None = None) -> Path:
    """Make and return a folder for one run below `work_folder`; its name tells when, which recipe and which task.

    Raises:
        OutputError: It cannot be made.
    """
    time = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%S")
    stem = f"{time}-{re.sub(r'[^A-Za-z0-9._-]+', '-', recipe)}-{task}"
    number = 1
    while True:
        folder = work_folder / (stem if number == 1 else f"{stem}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            # A run that began in the same second has it, or a file stands where a folder of ours must be.
            if not folder.is_dir():
                raise OutputError(f"{folder} is in the way of a run folder", hint="choose another --work-dir") from None
            number += 1
        except OSError as error:
            raise OutputError(
                f"no run folder can be made in {work_folder} ({error.strerror})", hint="choose another with --work-dir"
            ) from None
        else:
            return folder
