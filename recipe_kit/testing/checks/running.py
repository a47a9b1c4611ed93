"""Checks of whole processes: what importing does, where a run writes, and that it does not matter where it runs."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from recipe_kit.errors import IsolationError
from recipe_kit.runners import IsolatedRunner
from recipe_kit.task import ResultDocument, SparkRequest, State
from recipe_kit.testing.checks.registry import BATCHES_ON_PANDAS, check
from recipe_kit.testing.checks.training import TOLERANCE
from recipe_kit.testing.findings import Finding, NotApplicableError
from recipe_kit.testing.fresh import FreshProcess, fresh_import, fresh_process
from recipe_kit.testing.results import place_of_failure, read_scores
from recipe_kit.testing.subject import Subject
from recipe_kit.testing.tables import differences

IMPORT_SECONDS = 20.0
"""How long importing a recipe may take; the libraries it needs are most of that, on a slow disk too."""
_CANNOT_START_HERE = ("SparkUnavailableError", "MissingExtraError")


@check(
    remedy="move what happens at import into the hooks, where it happens when it is needed",
    needs_the_class=False,
)
def imports_without_side_effects(subject: Subject) -> None:
    """Importing the recipe's module prints nothing, writes nothing, connects to nothing and starts no threads.

    The module is imported by every command, on every executor and when a container starts, often only to list
    parameters; what it does then, it does unasked and many times.
    """
    seen = _fresh(subject).observations
    if seen.imported.error is not None:
        raise Finding(
            f"importing it raises {seen.imported.error}",
            remedy="mend the import; the project's tests should import it too",
        )
    found = []
    if seen.printed:
        found.append(f"prints {seen.printed.strip().splitlines()[0][:80]!r}" if seen.printed.strip() else "prints")
    if seen.written_by_import:
        found.append(f"writes {', '.join(seen.written_by_import)}")
    if seen.connected_to:
        found.append(f"connects to {', '.join(seen.connected_to)}")
    if seen.threads:
        found.append(f"starts threads ({', '.join(seen.threads)})")
    if seen.changed_folder:
        found.append(f"changes the current folder to {seen.changed_folder}")
    if seen.import_seconds > IMPORT_SECONDS:
        found.append(f"takes {seen.import_seconds:.1f} s, more than {IMPORT_SECONDS:g} s")
    if found:
        raise Finding(f"importing it {', '.join(found)}")


@check(remedy="write below `self.context.folder`, or into a temporary folder that you remove")
def outputs_stay_in_the_run_folder(subject: Subject) -> None:
    """Training and scoring write nothing outside of the run's folder.

    A run's folder is all that is kept, shown and cleaned up. In a container or on a cluster the rest is read-only or
    gone afterwards, and two runs at once would overwrite each other's files.
    """
    fresh = fresh_process(subject)
    if not fresh.observations.ran.reached:
        raise NotApplicableError("the model cannot be used in a fresh process, see 'saved_model_scores_alone'")
    if fresh.observations.ran.error is not None:
        raise Finding(f"scoring as a task in a fresh process fails: {fresh.observations.ran.error}")
    found = [*fresh.observations.written, *fresh.left_behind]
    if found:
        raise Finding(f"a run touches {', '.join(dict.fromkeys(found))}")


@check(
    remedy="name every library that the recipe needs in the project's dependencies, and depend on nothing else here",
    slow=True,
)
def isolated_runs_agree(subject: Subject) -> None:
    """A run in an environment built from the project's own requirements gives the same scores.

    That environment is what the image has. What happens to be installed on a laptop, and is not required, is missing
    there; another version gives other scores.
    """
    project = subject.project
    if not any((project.root / name).is_file() for name in ("pyproject.toml", "requirements.txt")):
        raise NotApplicableError("the recipe is in no project, so there are no requirements")
    if shutil.which("uv") is None and not Path(sys.executable).with_name("uv").is_file():
        raise NotApplicableError("building an environment needs uv: pip install 'recipe-kit[isolated]'")
    expected = _scores_of(subject, subject.score_result)
    runner = IsolatedRunner(project.root)
    try:
        trained = subject.run(subject.document("train"), runner=runner)
        _require_done(trained, "training in the project's own environment")
        assert trained.model is not None
        scored = subject.run(subject.document("score", model=trained.model.folder), runner=runner)
    except IsolationError as error:
        raise Finding(f"the project's own environment cannot be used: {error}") from error
    _require_done(scored, "scoring in the project's own environment")
    changes = differences(read_scores(scored), expected, tolerance=TOLERANCE)
    if changes:
        raise Finding(f"scores are other ones in the project's own environment: {changes[0]}")


@check(
    remedy="let each row's score depend on this row and the model alone, and import what `score` needs in the project",
    applies_to=BATCHES_ON_PANDAS,
    slow=True,
)
def spark_runs_agree(subject: Subject) -> None:
    """Scoring spread over Spark gives the same scores in the same order.

    A recipe that declares `score_in_batches` runs on a cluster unchanged. There, its code is imported by executors, and
    the pieces of the file are whatever Spark makes of it.
    """
    expected = _scores_of(subject, subject.score_result)
    scored = subject.run(subject.document("score", model=subject.model_folder, spark=SparkRequest()))
    if scored.failure is not None and scored.failure.type in _CANNOT_START_HERE:
        raise NotApplicableError(scored.failure.sentence)
    _require_done(scored, "scoring on Spark")
    changes = differences(read_scores(scored), expected, tolerance=TOLERANCE)
    if changes:
        raise Finding(f"scores are other ones on Spark: {changes[0]}")


def _fresh(subject: Subject) -> FreshProcess:
    """Return the fresh process that other checks look at too; where there can be none, one that only imports."""
    try:
        subject.recipe_class()
        return fresh_process(subject)
    except NotApplicableError:
        return fresh_import(subject)
    except Finding:
        raise
    except Exception:  # what is wrong with the class is told by other checks, or by the import in the fresh process
        return fresh_import(subject)


def _scores_of(subject: Subject, result: ResultDocument) -> object:
    _ = subject.scores
    _require_done(result, "scoring the sample as a task")
    if not result.outputs:
        raise NotApplicableError("the recipe saves its scores itself, in a place that the kit does not know")
    return read_scores(result)


def _require_done(result: ResultDocument, what: str) -> None:
    if result.state is not State.DONE:
        sentence = result.failure.sentence if result.failure else str(result.state)
        raise Finding(f"{what} fails: {sentence}{place_of_failure(result)}")
