"""A fresh process, seen from this one: what is asked of it, what it saw, and what it left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipe_kit.testing import probe
from recipe_kit.testing.findings import Finding
from recipe_kit.testing.probe import Observations, Step
from recipe_kit.testing.subject import SCORED_ROWS, Subject

if TYPE_CHECKING:
    import pandas as pd

    from recipe_kit.task import TaskDocument

SECONDS = 900.0
"""How long a fresh process may take; it trains once and scores twice."""

_NOT_THE_AUTHORS = {
    "__pycache__", ".git", ".venv", "venv", ".recipe-kit", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".tox",
    "node_modules",
}  # fmt: skip


@dataclass(frozen=True)
class FreshProcess:
    """What a fresh process saw of a recipe."""

    observations: Observations
    left_behind: tuple[str, ...]
    """Files that came, went or changed in the project, in the folder it was started in, and in the home folder."""
    folder: Path

    @property
    def reloaded_scores(self) -> pd.DataFrame:
        """The scores of the model that this process trained."""
        return _unpickled(self.folder / probe.RELOADED_SCORES)

    @property
    def retrained_scores(self) -> pd.DataFrame:
        """The scores of the model that the fresh process trained."""
        return _unpickled(self.folder / probe.RETRAINED_SCORES)


def fresh_import(subject: Subject) -> FreshProcess:
    """Return what a fresh process saw of a recipe that this one cannot train, started once per subject."""
    return _once(subject, "fresh import", None, None)


def fresh_process(subject: Subject) -> FreshProcess:
    """Return what a fresh process saw that imported the recipe, loaded its model, scored, trained again and ran.

    It is started once per subject.

    Raises:
        NotReadyError: The recipe cannot be trained on its sample.
    """
    train = subject.document("train")
    score = subject.document("score", model=subject.model_folder)
    return _once(subject, "fresh process", train, score)


def _once(subject: Subject, name: str, train: TaskDocument | None, score: TaskDocument | None) -> FreshProcess:
    kept: dict[str, FreshProcess] = subject.__dict__.setdefault("_fresh", {})
    if name not in kept:
        kept[name] = _start(subject, train, score)
    return kept[name]


def _start(subject: Subject, train: TaskDocument | None, score: TaskDocument | None) -> FreshProcess:
    folder = subject.new_folder("fresh-process")
    for name in (probe.RUNS_FOLDER, probe.CURRENT_FOLDER, probe.TEMPORARY_FOLDER):
        (folder / name).mkdir()
    request = {
        "project": str(subject.project.root),
        "source_folder": str(subject.project.source_folder),
        "entry": subject.project.recipes[subject.name],
        "rows": SCORED_ROWS,
        "train": None if train is None else json.loads(train.to_json()),
        "score": None if score is None else json.loads(score.to_json()),
    }
    current = folder / probe.CURRENT_FOLDER
    before = _listing(subject.project.root, current)
    done = subprocess.run(
        [sys.executable, "-P", "-W", "ignore", "-m", "recipe_kit.testing.probe", str(folder)],
        input=json.dumps(request),
        cwd=current,
        env={
            **os.environ,
            "TMPDIR": str(folder / probe.TEMPORARY_FOLDER),
            "PYTHONDONTWRITEBYTECODE": "1",
            # Texts hash to other numbers in each process; here certainly to others than in this one.
            "PYTHONHASHSEED": "20180930",
            # The first Spark of a machine builds an archive in the background, for which no check should wait.
            "RECIPE_KIT_SPARK_TUNING": os.environ.get("RECIPE_KIT_SPARK_TUNING", "no-build"),
        },
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    after = _listing(subject.project.root, current)
    file = folder / probe.OBSERVATIONS_FILE
    if not file.is_file():
        last = (done.stderr.strip().splitlines() or ["it wrote no error"])[-1]
        raise Finding(f"a fresh process that uses the recipe ended with code {done.returncode}: {last}")
    observations = _observations(json.loads(file.read_text(encoding="utf-8")))
    by_import = tuple(observations.written_by_import)
    left_behind = [change for change in _changes(before, after) if not change.startswith(by_import)]
    return FreshProcess(observations, tuple(left_behind), folder)


def _observations(document: Mapping[str, Any]) -> Observations:
    values: dict[str, Any] = {name: Step(**v) if isinstance(v, dict) else v for name, v in document.items()}
    return Observations(**values)


def _listing(project: Path, current: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of change of each file that a run must leave alone, and what lies in the home folder."""
    found: dict[str, tuple[int, int]] = {}
    for root in (project, current):
        for folder, names, files in os.walk(root):
            names[:] = [name for name in names if name not in _NOT_THE_AUTHORS and not name.endswith(".egg-info")]
            for name in files:
                file = Path(folder) / name
                if file.is_symlink() or not file.exists():
                    continue
                state = file.stat()
                found[str(file)] = (state.st_size, state.st_mtime_ns)
    # Only what lies openly in the home folder: other programs keep their own in hidden folders, and at any time.
    for entry in Path.home().glob("[!.]*"):
        found.setdefault(str(entry), (0, 0))
    return found


def _changes(before: Mapping[str, tuple[int, int]], after: Mapping[str, tuple[int, int]]) -> list[str]:
    made = [f"{file} (new)" for file in after if file not in before]
    gone = [f"{file} (gone)" for file in before if file not in after]
    changed = [f"{file} (changed)" for file in after if file in before and after[file] != before[file]]
    return made + gone + changed


def _unpickled(file: Path) -> pd.DataFrame:
    import pandas as pd

    # Written a moment ago by a process of our own, into a folder of our own.
    frame: pd.DataFrame = pd.read_pickle(file)
    return frame
