"""The kit as it is installed: the wheel, each extra alone in a fresh environment, the oldest packages it promises."""

from __future__ import annotations

import json
import tomllib
import zipfile
from pathlib import Path

import pytest
from environments import Environment

REPOSITORY = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = "optional-dependencies"

# A recipe that needs nothing but what the base install brings.
MEAN_RECIPE = '''
import pandas as pd
from recipe_kit import Field, Recipe, ScoreParameters, TrainParameters


class MeanParameters(TrainParameters):
    shift: float = Field(0.0, description="Added to every prediction.")


class Mean(Recipe):
    """Predict the mean of what was seen."""

    def train(self, data: pd.DataFrame, parameters: MeanParameters) -> float:
        return float(data["value"].mean()) + parameters.shift

    def evaluate(self, model: float, data: pd.DataFrame, parameters: MeanParameters) -> dict[str, float]:
        return {"error": float((data["value"] - model).abs().mean())}

    def score(self, model: float, data: pd.DataFrame, parameters: ScoreParameters) -> pd.DataFrame:
        return data.assign(prediction=model)
'''
INSTANCE = {
    "name": "mean",
    "tasks": [
        {"name": "train", "parameters": [{"key": "trainingDataLocation", "value": "seen.csv"}]},
        {"name": "score", "parameters": [{"key": "scoringDataLocation", "value": "unseen.csv"}]},
    ],
}


@pytest.fixture
def mean_project(tmp_path: Path) -> Path:
    """A project that trains and scores in the base install."""
    project = tmp_path / "mean_project"
    (project / "data").mkdir(parents=True)
    (project / "mean.py").write_text(MEAN_RECIPE)
    (project / "instance.json").write_text(json.dumps(INSTANCE))
    (project / "data" / "seen.csv").write_text("name,value\n" + "".join(f"n{i},{i}\n" for i in range(20)))
    (project / "data" / "unseen.csv").write_text("name\na\nb\n")
    (project / "pyproject.toml").write_text(
        '[project]\nname = "mean"\nversion = "1.0"\n\n'
        '[tool.recipe-kit]\ninstance = "instance.json"\n\n[tool.recipe-kit.recipes]\nmean = "mean:Mean"\n'
    )
    return project


def _oldest(*extras: str) -> list[str]:
    """The lower bounds of the base install and of some extras, as pins."""
    requirements = [*PROJECT["dependencies"], *(line for extra in extras for line in PROJECT[EXTRAS][extra])]
    return [requirement.partition(",")[0].replace(">=", "==") for requirement in requirements]


def _run_trains_and_scores(environment: Environment, project: Path) -> None:
    results = json.loads(environment.run("recipe-kit", "run", project, "--json"))
    assert [(result["task"], result["state"]) for result in results] == [("train", "DONE"), ("score", "DONE")]
    scores = next(iter((project / ".recipe-kit").rglob("scoring_results.csv")))
    assert [line.split(",")[0] for line in scores.read_text().splitlines()] == ["name", "a", "b"]


# -- the wheel ------------------------------------------------------------------------------------------------------


def test_the_wheel_holds_the_package_its_types_and_the_templates(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {"recipe_kit/__init__.py", "recipe_kit/py.typed"} <= set(names)
    templates = REPOSITORY / "templates"
    assert (templates / "python" / "cookiecutter.json").is_file()
    tracked = {
        f"recipe_kit/templates/{path.relative_to(templates)}"
        for path in templates.rglob("*")
        if path.is_file() and not {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"} & set(path.parts)
    }
    assert {name for name in names if name.startswith("recipe_kit/templates/")} == tracked


def test_the_wheel_holds_nothing_else(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert tops == {"recipe_kit", f"recipe_kit-{_version()}.dist-info"}


def test_all_has_every_extra() -> None:
    extras = PROJECT[EXTRAS]
    assert extras["all"] == [f"recipe-kit[{','.join(name for name in extras if name != 'all')}]"]


def _version() -> str:
    import recipe_kit

    return recipe_kit.__version__


# -- each extra alone -----------------------------------------------------------------------------------------------


@pytest.mark.needs("package index")
def test_the_base_install_runs_a_recipe_and_holds_little(
    fresh_environment: Environment, wheel: Path, mean_project: Path
) -> None:
    fresh_environment.install(wheel)
    assert "Usage" in fresh_environment.run("recipe-kit", "--help")
    assert fresh_environment.run("recipe-kit", "--version").strip().endswith(_version())
    _run_trains_and_scores(fresh_environment, mean_project)
    installed = set(fresh_environment.versions())
    assert not installed & {"pyspark", "cookiecutter", "pytest", "uv", "requests", "jinja2", "scikit-learn"}


@pytest.mark.needs("package index")
def test_the_scaffold_extra_makes_a_project_from_the_wheels_own_templates(
    fresh_environment: Environment, wheel: Path, tmp_path: Path
) -> None:
    fresh_environment.install(f"{wheel}[scaffold]")
    where = tmp_path / "made_here"
    where.mkdir()
    fresh_environment.run("recipe-kit", "new", "--no-input", cwd=where)
    (made,) = where.iterdir()
    assert "tool.recipe-kit" in (made / "pyproject.toml").read_text()


@pytest.mark.needs("package index")
def test_the_test_extra_gives_pytest_the_fixtures(
    fresh_environment: Environment, wheel: Path, mean_project: Path
) -> None:
    fresh_environment.install(f"{wheel}[test]")
    (mean_project / "test_mean.py").write_text("def test_it(recipe):\n    assert type(recipe).__name__ == 'Mean'\n")
    assert "1 passed" in fresh_environment.run("pytest", "-W", "error", cwd=mean_project)


@pytest.mark.needs("package index")
def test_the_isolated_extra_runs_a_recipe_in_an_environment_of_its_own(
    fresh_environment: Environment, wheel: Path, mean_project: Path
) -> None:
    fresh_environment.install(f"{wheel}[isolated]")
    results = json.loads(fresh_environment.run("recipe-kit", "run", mean_project, "--isolated", "--json"))
    assert {result["state"] for result in results} == {"DONE"}


SPARK_RECIPE = '''
from pyspark.sql import DataFrame
from recipe_kit import Recipe, ScoreParameters, TrainParameters


class Mean(Recipe):
    """Predict the mean of what was seen, on Spark."""

    def train(self, data: DataFrame, parameters: TrainParameters) -> float:
        return data.agg({"value": "avg"}).first()[0]

    def score(self, model: float, data: DataFrame, parameters: ScoreParameters) -> DataFrame:
        from pyspark.sql.functions import lit

        return data.withColumn("prediction", lit(model))
'''


@pytest.mark.slow
@pytest.mark.needs("java", "package index")
@pytest.mark.parametrize("pins", [pytest.param([], id="newest"), pytest.param(_oldest("spark")[-1:], id="oldest")])
def test_the_spark_extra_runs_a_recipe_on_spark(
    pins: list[str], fresh_environment: Environment, wheel: Path, mean_project: Path
) -> None:
    fresh_environment.install(f"{wheel}[spark]", *pins)
    (mean_project / "mean.py").write_text(SPARK_RECIPE)
    _run_trains_and_scores(fresh_environment, mean_project)
    # What Spark Connect needs beyond Spark itself.
    fresh_environment.run("python", "-c", "import pyspark.sql.connect.session")


# -- lower bounds ---------------------------------------------------------------------------------------------------


@pytest.mark.needs("package index")
def test_the_oldest_promised_packages_run_a_recipe_scaffold_one_and_test_one(
    fresh_environment: Environment, wheel: Path, mean_project: Path, tmp_path: Path
) -> None:
    # What was built against the first numpy does not work with the second; an environment with such a pandas has it.
    extras = ["scaffold", "test", "isolated"]
    fresh_environment.install(f"{wheel}[{','.join(extras)}]", *_oldest(*extras), "numpy<2")
    assert fresh_environment.versions()["pandas"] == "1.5.3"
    assert "Usage" in fresh_environment.run("recipe-kit", "run", "--help")
    _run_trains_and_scores(fresh_environment, mean_project)
    (mean_project / "test_mean.py").write_text("def test_it(recipe):\n    assert type(recipe).__name__ == 'Mean'\n")
    assert "1 passed" in fresh_environment.run("pytest", cwd=mean_project)
    where = tmp_path / "made_here"
    where.mkdir()
    fresh_environment.run("recipe-kit", "new", "--no-input", cwd=where)
    assert list(where.iterdir())
