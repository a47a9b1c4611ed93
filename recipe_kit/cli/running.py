"""Running tasks for the command line: from what was asked to documents, runner, summary and exit code."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from recipe_kit.cli import collection
from recipe_kit.cli.given import layers_given, settings_given
from recipe_kit.cli.progress import Progress
from recipe_kit.cli.projects import default_work_folder, find_model, prepare_work_folder
from recipe_kit.cli.summary import next_step, print_failure, print_summary
from recipe_kit.cli.tasks import Asked
from recipe_kit.cli.terminal import is_terminal, styled
from recipe_kit.project import Project
from recipe_kit.recipe import TaskName
from recipe_kit.runners import InProcessRunner, IsolatedRunner, Runner, new_run_folder
from recipe_kit.task import Phase, RecipeReference, ResultDocument, SparkRequest, State, TaskDocument
from recipe_kit.task.limits import ended_in_order


def run_tasks(tasks: Sequence[TaskName], asked: Asked) -> int:
    """Run the tasks one after the other, each with the model of the one before, and return the exit code.

    Raises:
        RecipeKitError: A task could not be started.
    """
    with _stdout_for_documents(asked.json) as (people, documents):
        results: list[ResultDocument] = []
        try:
            with ended_in_order():
                return _run_tasks(tasks, asked, results, people)
        finally:
            if documents is not None and results:
                texts = [result.to_json().rstrip() for result in results]
                print(texts[0] if len(tasks) == 1 else f"[{', '.join(texts)}]", file=documents, flush=True)


def _run_tasks(tasks: Sequence[TaskName], asked: Asked, results: list[ResultDocument], people: TextIO) -> int:
    project = Project.load(asked.project)
    recipe = project.choose(asked.recipe)
    template = TaskDocument(
        id="",
        task=tasks[0],
        recipe=RecipeReference(
            name=recipe, entry=project.recipes[recipe], version=project.version, source_folder=project.source_folder
        ),
        layers=(*project.layers(asked.instance), *layers_given(asked.parameters, tasks, Path.cwd())),
        data_folder=project.data_folder,
        seed=asked.seed,
        time_limit=asked.timeout,
        processes=asked.processes,
        spark=_spark_request(asked),
    )
    work_folder = (asked.work_folder or default_work_folder(project)).resolve()
    model = None if tasks[0] == "train" else find_model(asked.model, work_folder, recipe)
    runner: Runner = IsolatedRunner(project.root) if asked.isolated else InProcessRunner()
    for number, task in enumerate(tasks, start=1):
        folder = new_run_folder(work_folder, recipe, task)
        of_task = {"id": folder.name, "task": task, "followed_by": tuple(tasks[number:]), "model": model}
        document = template.model_copy(update=of_task)
        try:
            result = _observed(runner, document, folder, isolated=asked.isolated)
        except BaseException:
            with contextlib.suppress(OSError):  # it holds logs that say what happened
                folder.rmdir()
            raise
        results.append(result)
        if result.state is not State.DONE:
            kept = None if _was_refused(result) else folder
            if kept is None:
                _forget(folder)
            print_failure(result, kept, full=asked.full_traceback)
            return result.exit_code
        if asked.work_folder is None:
            prepare_work_folder(project)
        print_summary(result, folder, people)
        if result.model is not None:
            model = result.model.folder
    step = next_step(tasks, asked.project, asked.recipe, results[-1])
    if step and is_terminal(people):
        print(f"next: {styled(step, 'bold', people)}", file=people)
    return 0


def _observed(runner: Runner, document: TaskDocument, folder: Path, *, isolated: bool) -> ResultDocument:
    # Another process writes to the terminal on its own: a line that is drawn anew would run into what it prints.
    with _Progress(sys.stderr, live=False if isolated else None) as progress, progress.among_prints():
        return runner.run(document, folder, observer=progress)


class _Progress(Progress):
    """Progress of a task, which also tells when everything is imported that will be."""

    def phase_ended(self, phase: Phase) -> None:
        """Hear that a phase ended well."""
        if phase.name == "start":
            collection.begin()
        super().phase_ended(phase)


def _was_refused(result: ResultDocument) -> bool:
    """Whether the task was turned down before it did anything, so that there is nothing to keep of it."""
    failure = result.failure
    return (
        result.state is State.FAILED
        and failure is not None
        and failure.exit_code == 2
        and failure.phase in (None, "start")
    )


def _forget(folder: Path) -> None:
    """Remove a run's folder, and those above it that were made for it."""
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):  # other runs are in them
        folder.parent.rmdir()
        if folder.parent.parent.name == ".recipe-kit":
            folder.parent.parent.rmdir()


def _spark_request(asked: Asked) -> SparkRequest | None:
    settings = settings_given(asked.spark_settings)
    if asked.spark_master is None and not settings and asked.spark_tuning:
        return None
    return SparkRequest(master=asked.spark_master, settings=settings, tuned=asked.spark_tuning)


@contextlib.contextmanager
def _stdout_for_documents(wanted: bool) -> Iterator[tuple[TextIO, TextIO | None]]:
    """Give the stream for people and, if `wanted`, one for documents, which is then all that stdout gets.

    What anything else writes to stdout in the block, other processes and compiled code included, goes to stderr.
    """
    if not wanted:
        yield sys.stdout, None
        return
    documents = sys.stdout
    try:
        is_process_stdout = sys.stdout.fileno() == 1
    except (OSError, ValueError):
        is_process_stdout = False  # a test's or a notebook's
    if not is_process_stdout:
        with contextlib.redirect_stdout(sys.stderr):
            yield sys.stderr, documents
        return
    sys.stdout.flush()
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as documents:
        os.dup2(2, 1)
        try:
            with contextlib.redirect_stdout(sys.stderr):
                yield sys.stderr, documents
        finally:
            os.dup2(documents.fileno(), 1)
