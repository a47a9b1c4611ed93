"""What runs in a fresh process: `python -m recipe_kit.testing.probe FOLDER`, with the request on standard input.

It imports the recipe and watches what that does, loads a model that another process trained and scores with it, and
trains once more with the same seed. What it saw goes to `observations.json` in FOLDER, scores as pickles beside it.
All of this is one process, because starting one with pandas and scikit-learn takes longer than all the rest.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recipe_kit.task import TaskDocument
    from recipe_kit.testing.subject import Subject

OBSERVATIONS_FILE = "observations.json"
RELOADED_SCORES = "reloaded.pickle"
RETRAINED_SCORES = "retrained.pickle"
RUNS_FOLDER = "runs"
CURRENT_FOLDER = "current"
TEMPORARY_FOLDER = "temporary"

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_NO_FILES = ("/dev/", "/proc/", "/sys/")
_MOST_LISTED = 20


@dataclass
class Step:
    """How one step went: without an error, or with one, described."""

    reached: bool = False
    error: str | None = None

    @property
    def went_well(self) -> bool:
        """Whether it was done, without an error."""
        return self.reached and self.error is None


@dataclass
class Observations:
    """What the fresh process saw."""

    imported: Step = field(default_factory=Step)
    import_seconds: float = 0.0
    printed: str = ""
    written_by_import: list[str] = field(default_factory=list)
    threads: list[str] = field(default_factory=list)
    connected_to: list[str] = field(default_factory=list)
    changed_folder: str | None = None
    loaded: Step = field(default_factory=Step)
    scored: Step = field(default_factory=Step)
    retrained: Step = field(default_factory=Step)
    ran: Step = field(default_factory=Step)
    written: list[str] = field(default_factory=list)
    """Files outside of where a run may write, other than those that the import wrote."""


class _Watch:
    """Listens to what Python code opens for writing, makes or removes, and to whom it connects.

    Python cannot take an audit hook back (PEP 578), which is one reason why this is a process of its own. What a
    library in C or another process writes is not heard here; the caller compares the folders for that.
    """

    def __init__(self, allowed: list[Path]) -> None:
        self._allowed = [os.path.realpath(place) for place in allowed]
        self._busy = threading.local()
        self.written: list[str] = []
        self.connected: list[str] = []
        sys.addaudithook(self._hear)

    def take(self) -> tuple[list[str], list[str]]:
        """Return what was heard since the last time."""
        heard = (list(dict.fromkeys(self.written))[:_MOST_LISTED], list(dict.fromkeys(self.connected)))
        self.written, self.connected = [], []
        return heard

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _EVENTS or getattr(self._busy, "yes", False):
            return
        self._busy.yes = True
        try:
            _EVENTS[event](self, arguments)
        finally:
            self._busy.yes = False

    def _opened(self, arguments: tuple[Any, ...]) -> None:
        path, mode, flags = (*arguments, None, None)[:3]
        if (isinstance(mode, str) and set(mode) & set("wax+")) or (isinstance(flags, int) and flags & _WRITES):
            self._touched(path)

    def _changed(self, arguments: tuple[Any, ...]) -> None:
        self._touched(arguments[0])

    def _renamed(self, arguments: tuple[Any, ...]) -> None:
        self._touched(arguments[1])

    def _touched(self, path: Any) -> None:
        if not isinstance(path, str | bytes | os.PathLike):
            return  # a file descriptor: its opening was heard
        place = os.path.realpath(os.fsdecode(path))
        if place.startswith(_NO_FILES) or "__pycache__" in place:
            return
        if not any(place == allowed or place.startswith(allowed + os.sep) for allowed in self._allowed):
            self.written.append(place)

    def _connected(self, arguments: tuple[Any, ...]) -> None:
        address = arguments[1]
        if isinstance(address, tuple) and len(address) >= 2:
            self.connected.append(f"{address[0]}:{address[1]}")


_EVENTS: dict[str, Callable[[_Watch, tuple[Any, ...]], None]] = {
    "open": _Watch._opened,
    "os.mkdir": _Watch._changed,
    "os.remove": _Watch._changed,
    "os.rmdir": _Watch._changed,
    "os.truncate": _Watch._changed,
    "os.rename": _Watch._renamed,
    "os.link": _Watch._renamed,
    "os.symlink": _Watch._renamed,
    "sqlite3.connect": _Watch._changed,
    "socket.connect": _Watch._connected,
}


def main() -> int:
    """Do what the request says and write down what was seen."""
    folder = Path(sys.argv[1])
    request = json.loads(sys.stdin.read())
    observations = Observations()
    watch = _Watch([*(folder / name for name in (RUNS_FOLDER, TEMPORARY_FOLDER)), *_caches()])
    try:
        if _observe_import(request, observations, watch) and request["train"] is not None:
            _use(request, folder, observations)
    finally:
        written = watch.take()[0]
        spark = sys.modules.get("recipe_kit.spark")
        if spark is not None:
            spark.close_session()
        # The current folder is looked at from outside, where also what no Python code opened is seen.
        own = os.path.realpath(folder) + os.sep
        observations.written = [place for place in written if not place.startswith(own)]
        (folder / OBSERVATIONS_FILE).write_text(json.dumps(asdict(observations)), encoding="utf-8")
    return 0


def _observe_import(request: dict[str, Any], observations: Observations, watch: _Watch) -> bool:
    # What the kit itself needs comes first, so that only the author's imports are seen and timed.
    import recipe_kit.testing.subject  # noqa: F401
    from recipe_kit.project import import_recipe

    source = Path(request["source_folder"])
    threads, here = set(threading.enumerate()), Path.cwd()
    printed = io.StringIO()
    watch.take()
    started = time.perf_counter()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        _note(observations.imported, source, lambda: import_recipe(request["entry"], source))
    observations.import_seconds = time.perf_counter() - started
    observations.written_by_import, observations.connected_to = watch.take()
    observations.printed = printed.getvalue()
    observations.threads = [thread.name for thread in threading.enumerate() if thread not in threads]
    if Path.cwd() != here:
        observations.changed_folder = str(Path.cwd())
        os.chdir(here)
    return observations.imported.went_well


def _use(request: dict[str, Any], folder: Path, observations: Observations) -> None:
    from recipe_kit.task import parse_task, run_task
    from recipe_kit.testing.results import assert_done

    train, score = (parse_task(json.dumps(request[task]), "of the check") for task in ("train", "score"))
    source = Path(request["source_folder"])
    assert score.model is not None
    reloaded = _subject(request, score, score.model)

    def retrain() -> None:
        result = assert_done(run_task(train, folder / RUNS_FOLDER / "train", live=False))
        assert result.model is not None
        _subject(request, score, result.model.folder).scores.to_pickle(folder / RETRAINED_SCORES)

    def run_score() -> None:
        assert_done(run_task(score, folder / RUNS_FOLDER / "score", live=False))

    _note(observations.loaded, source, lambda: reloaded.model)
    _note(
        observations.scored,
        source,
        lambda: reloaded.scores.to_pickle(folder / RELOADED_SCORES),
        after=observations.loaded,
    )
    _note(observations.retrained, source, retrain, after=observations.scored)
    _note(observations.ran, source, run_score, after=observations.scored)


def _subject(request: dict[str, Any], document: TaskDocument, model_folder: Path) -> Subject:
    from recipe_kit.project import Project
    from recipe_kit.testing.subject import Subject

    recipe = document.recipe
    project = Project(
        root=Path(request["project"]),
        name="project",
        version=recipe.version,
        recipes={recipe.name: recipe.entry},
        instance_file=None,
        data_folder=document.data_folder,
    )
    return Subject(project, layers=document.layers, model_folder=model_folder)


def _note(step: Step, source_folder: Path, do: Callable[[], object], *, after: Step | None = None) -> None:
    """Do something and note whether it raised; nothing is done where the step before it failed."""
    from recipe_kit.testing.findings import NotReadyError, describe_error

    if after is not None and not after.went_well:
        return
    step.reached = True
    try:
        do()
    except AssertionError as error:
        step.error = str(error)
    except NotReadyError as error:
        step.error = describe_error(error.__cause__ or error, source_folder)
    except (Exception, SystemExit) as error:  # it is an author's code, so anything may come
        step.error = describe_error(error, source_folder)


def _caches() -> list[Path]:
    """Where libraries keep what they would otherwise compute again; they may, whoever calls them."""
    home = Path.home()
    named = [os.environ[key] for key in ("XDG_CACHE_HOME", "MPLCONFIGDIR", "HF_HOME") if os.environ.get(key)]
    return [home / ".cache", home / "Library" / "Caches", Path(sys.prefix), *map(Path, named)]


if __name__ == "__main__":
    sys.exit(main())
