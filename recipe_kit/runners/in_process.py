"""Running a task in this process, where a debugger just works."""

from __future__ import annotations

from pathlib import Path

from recipe_kit.runners.base import Runner
from recipe_kit.task import Observer, ResultDocument, TaskDocument, run_task


class InProcessRunner(Runner):
    """Runs tasks in this process."""

    def _run(self, task: TaskDocument, folder: Path, observer: Observer, live: bool) -> ResultDocument:
        return run_task(task, folder, observer=observer, live=live)
