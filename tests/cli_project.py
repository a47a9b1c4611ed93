"""A small project for tests of the command line, and a call of it in this process."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import recipe_kit
from recipe_kit.cli import main

KIT = str(Path(recipe_kit.__file__).parent)
"""What no traceback may show."""
COMMAND = [sys.executable, "-m", "recipe_kit.cli"]

PYPROJECT = """\
[project]
name = "prices"
version = "1.2.0"

[tool.recipe-kit]
instance = "instance.json"

[tool.recipe-kit.recipes]
prices = "prices:Prices"
"""

RECIPE = """\
from __future__ import annotations

import gc
import os
import sys
import time

import pandas as pd
from pydantic import SecretStr

from recipe_kit import Field, Recipe, ScoreParameters, TrainParameters


class PriceParameters(TrainParameters):
    mode: str = Field("mean", description="How training goes.")
    factor: float = Field(1.0, gt=0, le=10, description="What prices are multiplied by.")
    token: SecretStr = Field(SecretStr(""), description="What opens the door")


class Prices(Recipe):
    training_columns = {"size": float, "price": float}
    scoring_columns = {"size": float}

    def train(self, data: pd.DataFrame, parameters: PriceParameters) -> float:
        if parameters.mode == "fail":
            return broken(data)
        if parameters.mode == "wait":
            print("waiting", flush=True)
            time.sleep(60)
        if parameters.mode == "noisy":
            print("from Python", gc.isenabled())
            os.system("echo from another process")
            sys.__stdout__.flush()
        return parameters.factor * float((data["price"] / data["size"]).mean())

    def evaluate(self, model: float, data: pd.DataFrame, parameters: PriceParameters) -> dict[str, float]:
        return {"error": float((data["price"] - model * data["size"]).abs().mean())}

    def score(self, model: float, data: pd.DataFrame, parameters: ScoreParameters) -> pd.DataFrame:
        return data.assign(price=model * data["size"])


def broken(data: pd.DataFrame) -> float:
    raise ArithmeticError("the numbers do not add up")
"""

INSTANCE = {
    "name": "Prices",
    "tasks": [
        {"name": "train", "parameters": [{"key": "trainingDataLocation", "value": "training.csv"}]},
        {"name": "score", "parameters": [{"key": "scoringDataLocation", "value": "scoring.csv"}]},
    ],
}


def make_project(root: Path) -> Path:
    """Return `root`, filled with a project whose recipe `prices` trains in no time."""
    (root / "data").mkdir(parents=True)
    (root / "pyproject.toml").write_text(PYPROJECT)
    (root / "prices.py").write_text(RECIPE)
    (root / "instance.json").write_text(json.dumps(INSTANCE))
    (root / "data" / "training.csv").write_text("size,price\n" + "".join(f"{i},{3 * i}\n" for i in range(1, 101)))
    (root / "data" / "scoring.csv").write_text("size\n" + "".join(f"{i}\n" for i in range(1, 11)))
    return root


@dataclass(frozen=True)
class Called:
    """What a call of the command line did."""

    exit_code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """What stdout holds, which must be one JSON document and nothing else."""
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """The sentence after ``error: ``, which must be said once."""
        said = [line.removeprefix("error: ") for line in self.err.splitlines() if line.startswith("error: ")]
        assert len(said) == 1, self.err
        return said[0]


class CommandLine:
    """Calls of the command line in this process, in a current folder of choice."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str | Path) -> Called:
        self._capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = self._capsys.readouterr()
        return Called(code, out, err)


def runs_of(project: Path) -> list[Path]:
    """The folders of the runs that a project has kept."""
    return sorted((project / ".recipe-kit" / "runs").glob("*"))
