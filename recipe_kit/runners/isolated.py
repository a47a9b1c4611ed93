"""Running a task in a process and an environment of the recipe's own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TextIO

from recipe_kit.atomic import atomic_file
from recipe_kit.entrypoint import EVENTS_VARIABLE
from recipe_kit.errors import IsolationError
from recipe_kit.runners.base import Runner
from recipe_kit.runners.environments import Environment, environment_for
from recipe_kit.task import (
    RESULT_FILE,
    Failure,
    Observer,
    Phase,
    ResultDocument,
    State,
    TaskDocument,
    read_result,
    replay,
)
from recipe_kit.task.limits import time_is_up

GRACE = 10.0
"""Seconds that a task which is over its time, or was interrupted, gets to write its result before it is killed."""


class IsolatedRunner(Runner):
    """Runs tasks in an environment built from the project's own requirements."""

    def __init__(self, project: Path, *, cache: Path | None = None, grace: float = GRACE) -> None:
        self._project = project
        self._cache = cache
        self._grace = grace

    def _run(self, task: TaskDocument, folder: Path, observer: Observer, live: bool) -> ResultDocument:
        observer.phase_started("environment")
        clock = time.perf_counter()
        environment = environment_for(self._project, task.recipe.name, cache=self._cache)
        observer.phase_ended(Phase(name="environment", seconds=time.perf_counter() - clock))
        (folder / RESULT_FILE).unlink(missing_ok=True)
        started = datetime.now(UTC)
        read_end, write_end = os.pipe()
        events = threading.Thread(target=_listen, args=(os.fdopen(read_end, encoding="utf-8"), observer), daemon=True)
        show = {"stdout": sys.stdout, "stderr": sys.stderr} if live else {}
        process = _start(
            environment,
            # -P: what happens to lie in the current folder must not be imported in place of what is meant.
            ["-P", "-m", "recipe_kit.entrypoint", "-", "--folder", str(folder)],
            stdin=subprocess.PIPE,
            stdout=_descriptor(show.get("stdout")),
            stderr=_descriptor(show.get("stderr")),
            text=True,
            encoding="utf-8",
            pass_fds=(write_end,),
            start_new_session=True,  # its own group: one signal reaches the workers and the JVM that it starts
            env=_environment_variables(environment, write_end),
        )
        os.close(write_end)
        events.start()
        try:
            ended_by = self._wait(process, task)
        finally:
            _kill(process)
            events.join(timeout=5)
        if not (folder / RESULT_FILE).is_file():
            result = _result_of_the_dead(task, started, process.returncode, ended_by)
            with atomic_file(folder / RESULT_FILE) as temporary:
                temporary.write_text(result.to_json(), encoding="utf-8")
        return read_result(folder)

    def _wait(self, process: subprocess.Popen[str], task: TaskDocument) -> Literal["itself", "time", "interrupt"]:
        """Wait for the process, asking it to end where it must, and return what ended it."""
        limit = None if task.time_limit is None else task.time_limit + self._grace
        try:
            # The document may hold secrets, so it goes through a pipe and not through a file.
            process.communicate(task.to_json(), timeout=limit)
        except subprocess.TimeoutExpired:
            _interrupt(process, self._grace)
            return "time"
        except KeyboardInterrupt:
            _interrupt(process, self._grace)
            return "interrupt"
        return "itself"


def _result_of_the_dead(
    task: TaskDocument, started: datetime, code: int, ended_by: Literal["itself", "time", "interrupt"]
) -> ResultDocument:
    """Return the result of a task whose process could not write one."""
    failure = Failure(
        type="IsolationError",
        message=f"the process of task '{task.task}' ended with code {code} before the task was done",
        hint="the logs of the run may tell why; code -9 often means that memory ran out",
    )
    if ended_by == "time":
        over = time_is_up(task.time_limit)
        failure = Failure(type=type(over).__name__, message=over.message, hint=over.hint)
    elif ended_by == "interrupt":
        failure = Failure(type="KeyboardInterrupt", message="the task was interrupted", exit_code=130)
    ended = datetime.now(UTC)
    return ResultDocument(
        id=task.id,
        task=task.task,
        recipe=task.recipe,
        state=State.ABORTED if ended_by == "interrupt" else State.FAILED,
        started=started,
        ended=ended,
        seconds=(ended - started).total_seconds(),
        seed=task.seed,
        failure=failure,
    )


def _start(environment: Environment, arguments: list[str], **options: Any) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen([str(environment.python), *arguments], **options)
    except OSError as error:
        raise IsolationError(
            f"the recipe's environment in {environment.folder} cannot be started ({error.strerror})",
            hint="remove that folder, and it is built again",
        ) from None


def _environment_variables(environment: Environment, events: int) -> dict[str, str]:
    # The kit's environment must not show through into the recipe's.
    kept = {
        name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    }
    return {**kept, "PYTHONPATH": str(environment.kit), "PYTHONNOUSERSITE": "1", EVENTS_VARIABLE: str(events)}


def _descriptor(stream: TextIO | None) -> int | TextIO:
    if stream is None:
        return subprocess.DEVNULL
    try:
        stream.fileno()
    except (OSError, ValueError):
        return subprocess.DEVNULL  # a stream with no file behind it, as in a notebook; the logs have the text
    return stream


def _listen(events: TextIO, observer: Observer) -> None:
    with events:
        for line in events:
            replay(line, observer)


def _interrupt(process: subprocess.Popen[str], grace: float) -> None:
    _signal(process, signal.SIGTERM)
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        _kill(process)


def _kill(process: subprocess.Popen[str]) -> None:
    _signal(process, signal.SIGKILL)
    process.wait()


def _signal(process: subprocess.Popen[str], number: int) -> None:
    # The group outlives its leader while a worker of it still runs.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
