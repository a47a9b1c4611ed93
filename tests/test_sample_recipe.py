"""The sample: two recipes of one contract that do well on real reviews, in a project that passes its own checks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from author_tools import LINT, REPOSITORY, TESTS, TYPES, run_tool
from conftest import ReviewData

from recipe_kit.parameters import Layer, Parameter, TaskParameters
from recipe_kit.project import Project
from recipe_kit.recipe import traits_of
from recipe_kit.task import RecipeReference, ResultDocument, State, TaskDocument, run_task

SAMPLE = REPOSITORY / "sample_recipe"
RECIPES = ("sentiment", pytest.param("sentiment-spark", marks=pytest.mark.spark))


@pytest.fixture(scope="module")
def project() -> Project:
    """The sample."""
    return Project.load(SAMPLE)


def run(
    project: Project, recipe: str, task: str, folder: Path, *, model: Path | None = None, **parameters: str
) -> ResultDocument:
    layer = Layer(
        source="test",
        tasks=(
            TaskParameters(name=task, parameters=tuple(Parameter(key=key, value=v) for key, v in parameters.items())),
        ),
    )
    document = TaskDocument.model_validate(
        {
            "id": f"{recipe}-{task}",
            "task": task,
            "recipe": RecipeReference(
                name=recipe, entry=project.recipes[recipe], source_folder=project.source_folder, version=project.version
            ),
            "layers": (*project.layers(), layer),
            "data_folder": project.data_folder,
            "model": model,
        }
    )
    result = run_task(document, folder, live=False)
    assert result.state is State.DONE, result.failure
    return result


def scores_of(
    project: Project, recipe: str, folder: Path, data: ReviewData, features: int, **more: str
) -> pd.DataFrame:
    """Train on the real training reviews and return the scores of the real scoring reviews."""
    trained = run(
        project,
        recipe,
        "train",
        folder / "train",
        trainingDataLocation=str(data.training),
        numFeatures=str(features),
        **more,
    )
    assert trained.model is not None
    run(
        project,
        recipe,
        "score",
        folder / "score",
        model=trained.model.folder,
        scoringDataLocation=str(data.scoring),
    )
    return pd.read_csv(folder / "score" / "scoring_results.csv")


# -- on real reviews ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", RECIPES)
def test_three_quarters_of_the_real_reviews_are_told_right(
    project: Project, review_data: ReviewData, tmp_path: Path, recipe: str
) -> None:
    scores = scores_of(project, recipe, tmp_path, review_data, features=65_536)
    labels = pd.read_csv(review_data.scoring_labels)
    assert list(scores.columns) == ["text", "source", "prediction", "probability"]
    assert list(scores["text"]) == list(labels["text"])
    assert (scores["prediction"] == labels["label"]).mean() >= 0.75
    assert ((scores["probability"] > 0.5) == (scores["prediction"] == 1)).all()


@pytest.mark.parametrize("recipe", RECIPES)
def test_ten_buckets_are_too_few_for_real_reviews(
    project: Project, review_data: ReviewData, tmp_path: Path, recipe: str
) -> None:
    scores = scores_of(project, recipe, tmp_path, review_data, features=10)
    assert (scores["prediction"] == pd.read_csv(review_data.scoring_labels)["label"]).mean() < 0.65


@pytest.mark.spark
def test_the_two_recipes_agree_on_real_reviews(project: Project, review_data: ReviewData, tmp_path: Path) -> None:
    everything = {"evaluation.trainRatio": "1"}  # else each would learn from other rows, its own four fifths
    pandas, spark = (
        scores_of(project, recipe, tmp_path / recipe, review_data, 65_536, **everything) for recipe in project.recipes
    )
    # Not equal: each library hashes words in its own way and so lets other words share a bucket.
    assert (pandas["prediction"] == spark["prediction"]).mean() > 0.95
    assert np.corrcoef(pandas["probability"], spark["probability"])[0, 1] > 0.97


# -- on its own data ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", RECIPES)
def test_its_own_data_is_learnable_but_not_easy(project: Project, tmp_path: Path, recipe: str) -> None:
    metrics = run(project, recipe, "train", tmp_path).metrics
    assert list(metrics) == ["accuracy", "precision", "recall", "f1", "areaUnderROC"]
    assert 0.8 <= metrics["accuracy"] <= 0.95
    assert all(0.8 <= value <= 1 for value in metrics.values())


def test_its_data_is_small_and_has_no_row_twice() -> None:
    training, scoring = (pd.read_csv(SAMPLE / "data" / f"sample_{name}_data.csv") for name in ("training", "scoring"))
    assert (len(training), len(scoring)) == (2_000, 500)
    assert list(training.columns) == ["text", "label", "source"]
    assert list(scoring.columns) == ["text", "source"]
    assert not pd.concat([training["text"], scoring["text"]]).duplicated().any()
    assert set(training["label"]) == {0, 1}
    assert set(training["source"]) == set(scoring["source"]) == {"film", "product", "restaurant"}


def test_its_script_writes_the_same_bytes_as_ever(tmp_path: Path) -> None:
    script = SAMPLE / "scripts" / "make_sample_data.py"
    # In a fresh process with other settings: neither hashes of texts nor the locale may show in the data.
    settings = {**os.environ, "PYTHONHASHSEED": "7", "LC_ALL": "C"}
    subprocess.run([sys.executable, script, tmp_path], check=True, env=settings)
    written = sorted(file.name for file in tmp_path.iterdir())
    assert written == ["sample_scoring_data.csv", "sample_training_data.csv"]
    for name in written:
        assert (tmp_path / name).read_bytes() == (SAMPLE / "data" / name).read_bytes()


# -- the contract of the two recipes --------------------------------------------------------------------------------


def test_both_recipes_take_the_parameters_of_the_tutorial(project: Project) -> None:
    for name in project.recipes:
        traits = traits_of(project.import_recipe(name))
        keys = {
            task: {field.alias for field in parameters.model_fields.values()}
            for task, parameters in traits.parameters.items()
        }
        assert keys["train"] == {"numFeatures", "maxIter", "regParam", "trainingDataLocation"}
        assert keys["score"] == {"scoringDataLocation", "scoringResultsLocation"}


def test_the_instance_file_has_the_shape_of_the_api(project: Project) -> None:
    assert project.instance_file is not None
    instance = json.loads(project.instance_file.read_text(encoding="utf-8"))
    assert set(instance) == {"name", "description", "tasks"}
    assert [task["name"] for task in instance["tasks"]] == ["train", "score"]
    for task in instance["tasks"]:
        assert set(task) == {"name", "parameters"}
        for parameter in task["parameters"]:
            assert set(parameter) == {"key", "value"}
            assert isinstance(parameter["value"], str), "the API's MLInstanceTaskParameter.value is a string"


def test_the_in_process_recipe_loads_nothing_of_spark() -> None:
    code = "import sys, sentiment.recipe; sys.exit('pyspark' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=SAMPLE, check=False).returncode == 0


# -- its own checks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [*LINT, TYPES], ids=" ".join)
def test_the_sample_is_clean(command: tuple[str, ...]) -> None:
    run_tool(SAMPLE, *command)


@pytest.mark.slow
@pytest.mark.needs("java")
def test_the_sample_passes_its_own_tests() -> None:
    assert " passed" in run_tool(SAMPLE, *TESTS)
