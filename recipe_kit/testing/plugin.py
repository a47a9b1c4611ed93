"""The pytest plugin: options and fixtures.

It is loaded into every test run of an environment that has the kit, so nothing but pytest is imported here; whatever a
fixture needs is imported when a test asks for it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from recipe_kit.project import Project
    from recipe_kit.recipe import Recipe
    from recipe_kit.testing.subject import Subject, TrainedModel
    from recipe_kit.testing.workshop import RunTask


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and the ini settings."""
    group = parser.getgroup("recipe-kit", "recipes")
    group.addoption("--recipe-project", metavar="FOLDER", help="the recipe project that the tests are about")
    group.addoption("--recipe", metavar="NAME", help="the recipe that the tests are about")
    group.addoption("--recipe-slow", action="store_true", help="also run the contract checks that are slow")
    parser.addini("recipe_project", "the recipe project that the tests are about, relative to the root folder")
    parser.addini("recipe", "the recipe that the tests are about")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers."""
    config.addinivalue_line("markers", "recipe(name): the recipe that the test is about")
    config.addinivalue_line("markers", "recipe_slow: a contract check that is skipped unless --recipe-slow is given")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what is slow unless it was asked for."""
    if item.get_closest_marker("recipe_slow") and not item.config.getoption("--recipe-slow"):
        pytest.skip("slow: run it with --recipe-slow")


def pytest_unconfigure() -> None:
    """Close the Spark session, whoever opened it."""
    spark = sys.modules.get("recipe_kit.spark")
    if spark is not None:
        spark.close_session()


@pytest.fixture
def recipe_project(request: pytest.FixtureRequest) -> Project:
    """The recipe project: the nearest above the file of the test, unless another was chosen."""
    from recipe_kit.testing import workshop

    with workshop.told_in_a_sentence():
        return workshop.project_for(request.config, request.path)


@pytest.fixture
def recipe_subject(request: pytest.FixtureRequest, recipe_project: Project) -> Subject:
    """The recipe under test with all that is made of it once: what the other fixtures draw from."""
    from recipe_kit.testing import workshop

    with workshop.told_in_a_sentence():
        return workshop.subject_for(request, recipe_project)


@pytest.fixture
def recipe(recipe_subject: Subject, tmp_path: Path) -> Recipe:
    """A new instance of the recipe; its context's folder is the test's `tmp_path`."""
    from recipe_kit.testing import workshop

    with workshop.told_in_a_sentence():
        return workshop.new_recipe(recipe_subject, tmp_path)


@pytest.fixture
def sample_training_data(recipe_subject: Subject) -> Any:
    """The training data that the instance file names, loaded by the recipe's own hook; a test may change it."""
    from recipe_kit.testing import workshop

    with workshop.told_in_a_sentence():
        return workshop.sample(recipe_subject, "train")


@pytest.fixture
def sample_scoring_data(recipe_subject: Subject) -> Any:
    """The scoring data that the instance file names, loaded by the recipe's own hook; a test may change it."""
    from recipe_kit.testing import workshop

    with workshop.told_in_a_sentence():
        return workshop.sample(recipe_subject, "score")


@pytest.fixture
def trained_model(recipe_subject: Subject) -> TrainedModel:
    """A model trained on the sample, once for all tests: `.model`, `.folder`, `.metrics`, `.result`."""
    from recipe_kit.testing import workshop

    with workshop.told_in_a_sentence():
        return workshop.trained_model(recipe_subject)


@pytest.fixture
def run_task(recipe_subject: Subject, tmp_path: Path) -> RunTask:
    """A function that runs a task below `tmp_path` and returns its result: `run_task("train", max_iter=5)`."""
    from recipe_kit.testing.workshop import RunTask

    return RunTask(recipe_subject, tmp_path)


@pytest.fixture(scope="session")
def spark() -> SparkSession:
    """The one Spark session of the test run, with quick settings; started by the first test that asks for it."""
    from recipe_kit.testing import workshop

    # It is closed when the run ends and not here: recipes on Spark share it without asking for this fixture.
    with workshop.told_in_a_sentence():
        return workshop.open_spark()
