"""The door of every process that runs one task."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from recipe_kit.entrypoint import EVENTS_VARIABLE, main
from recipe_kit.task import State, read_result
from recipe_kit.task.limits import exclusive

RECIPE = """
import pandas as pd
from recipe_kit import Recipe, ScoreParameters, TrainParameters

class Mean(Recipe):
    def train(self, data: pd.DataFrame, parameters: TrainParameters) -> float:
        return float(data["y"].mean())

    def score(self, model: float, data: pd.DataFrame, parameters: ScoreParameters) -> pd.DataFrame:
        return data.assign(prediction=model)

class Failing(Mean):
    def train(self, data: pd.DataFrame, parameters: TrainParameters) -> float:
        raise ValueError("no mean today")
"""


def document(folder: Path, recipe: str = "Mean", location: str = "train.csv") -> str:
    (folder / "door_means.py").write_text(RECIPE)
    (folder / "train.csv").write_text("y\n1\n2\n")
    return json.dumps(
        {
            "id": "1",
            "task": "train",
            "recipe": {"name": "mean", "entry": f"door_means:{recipe}", "sourceFolder": str(folder)},
            "dataFolder": str(folder),
            "layers": [
                {
                    "source": "run",
                    "tasks": [{"name": "Train", "parameters": [{"key": "trainingDataLocation", "value": location}]}],
                }
            ],
        }
    )


def test_a_task_document_runs_in_the_folder_it_lies_in(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "task.json").write_text(document(tmp_path))

    assert main([str(run / "task.json")]) == 0
    assert read_result(run).state is State.DONE


def test_a_task_document_comes_on_standard_input(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "recipe_kit.entrypoint", "-", "--folder", str(tmp_path / "run")],
        input=document(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert read_result(tmp_path / "run").state is State.DONE


def test_a_failed_recipe_exits_with_1_and_shows_the_authors_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "task.json").write_text(document(tmp_path, "Failing"))

    assert main([str(tmp_path / "task.json")]) == 1
    shown = capsys.readouterr().err
    assert "door_means.py" in shown
    assert "recipe_kit" not in shown
    assert shown.rstrip().endswith("the recipe failed in train: ValueError: no mean today")


def test_a_failure_is_left_to_whoever_follows_the_run_to_tell(tmp_path: Path) -> None:
    (tmp_path / "task.json").write_text(document(tmp_path, "Failing"))
    with (tmp_path / "events").open("w") as events:
        done = subprocess.run(
            [sys.executable, "-m", "recipe_kit.entrypoint", str(tmp_path / "task.json")],
            env=os.environ | {EVENTS_VARIABLE: str(events.fileno())},
            pass_fds=(events.fileno(),),
            capture_output=True,
            text=True,
            check=False,
        )

    assert (done.returncode, done.stderr) == (1, "")
    assert "phase_started" in (tmp_path / "events").read_text()


def test_wrong_input_exits_with_2_and_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "task.json").write_text(document(tmp_path, location="nowhere.csv"))

    assert main([str(tmp_path / "task.json")]) == 2
    assert "nowhere.csv" in capsys.readouterr().err


def test_a_second_run_in_a_folder_that_is_in_use_exits_with_2_and_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "task.json").write_text(document(tmp_path))
    before = set(tmp_path.iterdir())

    with exclusive(tmp_path):
        assert main([str(tmp_path / "task.json")]) == 2

    assert capsys.readouterr().err == (
        f"another run is using {tmp_path}: wait until it has ended, or choose another folder\n"
    )
    assert set(tmp_path.iterdir()) == before


def test_a_document_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "no.json")]) == 2
    assert capsys.readouterr().err.startswith(f"task document {tmp_path}/no.json cannot be read")
