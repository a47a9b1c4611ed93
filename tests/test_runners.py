"""Where a task runs, and that it makes no difference."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from recipe_kit.errors import IsolationError, OutputError
from recipe_kit.parameters import Layer, Parameter, TaskParameters
from recipe_kit.runners import InProcessRunner, IsolatedRunner, new_run_folder
from recipe_kit.runners.environments import _of_this_project_only, _requirements, environment_for
from recipe_kit.task import Phase, RecipeReference, ResultDocument, State, TaskDocument

REPOSITORY = Path(__file__).resolve().parents[1]

RECIPE = """
import os, sys, time
from pathlib import Path
import pandas as pd
from recipe_kit import Recipe, ScoreParameters, TrainParameters

class Mean(Recipe):
    def train(self, data: pd.DataFrame, parameters: TrainParameters) -> float:
        print("trained by", sys.prefix, flush=True)
        return float(data["y"].mean())

    def evaluate(self, model: float, data: pd.DataFrame, parameters: TrainParameters) -> dict[str, float]:
        return {"error": float((data["y"] - model).abs().mean())}

    def score(self, model: float, data: pd.DataFrame, parameters: ScoreParameters) -> pd.DataFrame:
        return data.assign(prediction=model)

class Slow(Mean):
    def train(self, data: pd.DataFrame, parameters: TrainParameters) -> float:
        Path(self.context.folder, "pid").write_text(str(os.getpid()))
        time.sleep(60)

class Stuck(Mean):
    def train(self, data: pd.DataFrame, parameters: TrainParameters) -> float:
        import signal
        for number in (signal.SIGTERM, signal.SIGALRM):
            signal.signal(number, signal.SIG_IGN)
        time.sleep(60)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "means").mkdir()
    (tmp_path / "means" / "__init__.py").touch()
    (tmp_path / "means" / "recipe.py").write_text(RECIPE)
    (tmp_path / "data").mkdir()
    pd.DataFrame({"y": [float(i) for i in range(10)]}).to_csv(tmp_path / "data" / "train.csv", index=False)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "means"\ndependencies = ["recipe-kit", "pandas"]\n')
    return tmp_path


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Environments of all tests here; one is built, for all need the same."""
    return tmp_path_factory.mktemp("environments")


def task(project: Path, recipe: str = "Mean", **changes: object) -> TaskDocument:
    location = Parameter(key="trainingDataLocation", value="train.csv")
    fields: dict[str, object] = {
        "id": "1",
        "task": "train",
        "recipe": RecipeReference(name="mean", entry=f"means.recipe:{recipe}", source_folder=project),
        "layers": (Layer(source="test", tasks=(TaskParameters(name="train", parameters=(location,)),)),),
        "data_folder": project / "data",
    }
    return TaskDocument.model_validate({**fields, **changes})


class Heard:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.phases: list[str] = []

    def phase_started(self, name: str) -> None: ...

    def rows_done(self, rows: int, total: int | None) -> None: ...

    def phase_ended(self, phase: Phase) -> None:
        self.phases.append(phase.name)


def without_times(result: ResultDocument) -> dict[str, object]:
    return result.model_dump(
        include={"id", "task", "state", "seed", "rows_read", "rows_written", "metrics", "outputs", "failure"}
    )


@pytest.mark.needs("package index")
def test_a_task_in_an_environment_of_its_own_gives_the_same_result(project: Path, cache: Path) -> None:
    heard = Heard()
    here = InProcessRunner().run(task(project), project / "here", live=False)
    there = IsolatedRunner(project, cache=cache).run(task(project), project / "there", observer=heard, live=False)

    assert there.failure is None
    assert without_times(there) == without_times(here)
    assert heard.phases == ["environment", "start", "load", "split", "train", "evaluate", "save"]
    printed = (project / "there" / "stdout.log").read_text()
    assert str(cache) in printed
    assert sys.prefix not in printed


@pytest.mark.needs("package index")
def test_the_environment_has_what_the_recipe_needs_and_not_the_command_line(project: Path, cache: Path) -> None:
    environment = environment_for(project, cache=cache)

    have = subprocess.run(
        [
            environment.python,
            "-c",
            "import pandas, pydantic, pyarrow, importlib.util as u; print(u.find_spec('typer'))",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert have.stdout.strip() == "None"


@pytest.mark.needs("package index")
def test_projects_that_need_the_same_share_an_environment(project: Path, cache: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "requirements.txt").write_text("pandas  # tables\nrecipe-kit\n\n# that is all\n")

    assert environment_for(other, cache=cache) == environment_for(project, cache=cache)


def test_requirements_that_name_files_are_of_one_project_and_change_with_the_files(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    lines = ["-r base.txt"]
    for project in (one, other):
        project.mkdir()
        (project / "base.txt").write_text("-c limits.txt\nsix\n")
        (project / "limits.txt").write_text("six<2\n")

    before = _of_this_project_only(one, lines)
    assert before != _of_this_project_only(other, lines)
    (one / "limits.txt").write_text("six<1\n")
    assert _of_this_project_only(one, lines) != before
    for line in ("-e .", "./wheels/a.whl", "a @ file:///a.whl", "--requirement=base.txt"):
        assert _of_this_project_only(one, [line]) != _of_this_project_only(other, [line])
    for line in ("pandas>=2", "a[b]==1 --hash=sha256:00", "--index-url https://somewhere.org/simple"):
        assert _of_this_project_only(one, [line]) == []


def test_a_requirement_may_have_several_lines(project: Path) -> None:
    (project / "requirements.txt").write_text("six==1.17.0 \\\n    --hash=sha256:00  # as locked\n")

    assert "six==1.17.0      --hash=sha256:00" in _requirements(project, None)


@pytest.mark.needs("package index")
def test_requirements_may_be_in_other_files_of_the_project(project: Path, tmp_path: Path) -> None:
    (project / "requirements.txt").write_text("-r base.txt\n")
    (project / "base.txt").write_text("iniconfig\n")

    environment = environment_for(project, cache=tmp_path / "cache")

    subprocess.run([environment.python, "-c", "import iniconfig"], check=True)


@pytest.mark.needs("package index")
def test_modules_in_the_current_folder_do_not_get_in_the_way(
    project: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    (here / "pandas.py").write_text("raise ImportError('not this one')\n")
    monkeypatch.chdir(here)

    result = IsolatedRunner(project, cache=cache).run(task(project), project / "run", live=False)

    assert result.failure is None


def test_a_recipe_may_have_requirements_of_its_own(project: Path) -> None:
    with (project / "pyproject.toml").open("a") as file:
        file.write('[project.optional-dependencies]\nmean = ["tabulate"]\nother = ["numpy"]\n')

    alone, mean = (_requirements(project, recipe) for recipe in (None, "mean"))

    assert set(mean) - set(alone) == {"tabulate"}


@pytest.mark.needs("package index")
def test_requirements_that_cannot_be_met_are_told(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "requirements.txt").write_text("recipe-kit-is-surely-not-called-this==99\n")

    with pytest.raises(IsolationError, match=r"environment could not be built: .*recipe-kit-is-surely-not-called-this"):
        environment_for(tmp_path, cache=cache)


def test_without_uv_it_says_how_to_get_it(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(IsolationError, match=r"needs uv: pip install uv"):
        environment_for(project, cache=tmp_path / "cache")


@pytest.mark.needs("package index")
def test_an_interrupt_ends_the_other_process_and_leaves_a_result(project: Path, cache: Path) -> None:
    pid = project / "run" / "pid"

    def interrupt() -> None:
        while not pid.exists():
            time.sleep(0.05)
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    result = IsolatedRunner(project, cache=cache).run(task(project, "Slow"), project / "run", live=False)

    assert result.state is State.ABORTED
    assert not (project / "run" / "model").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


@pytest.mark.needs("package index")
def test_a_process_that_ignores_its_time_limit_is_killed(project: Path, cache: Path) -> None:
    runner = IsolatedRunner(project, cache=cache, grace=1)

    result = runner.run(task(project, "Stuck", time_limit=2), project / "run", live=False)

    assert result.state is State.FAILED
    assert result.failure is not None
    assert result.failure.sentence == "the task went over its time limit of 2 s: give it longer with --timeout"


def test_run_folders_of_one_second_have_different_names(tmp_path: Path) -> None:
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    names = [new_run_folder(tmp_path, "my recipe", "train", now=now).name for _ in range(3)]

    assert names == [f"20260102T030405-my-recipe-train{suffix}" for suffix in ("", "-2", "-3")]


def test_a_work_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(OutputError, match=r"no run folder can be made in .*file"):
        new_run_folder(tmp_path / "file", "mean", "train")
