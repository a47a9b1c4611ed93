"""What the plugin's fixtures give: the project, the recipe, its sample, a trained model, and running a task."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipe_kit.errors import ProjectError, RecipeKitError
from recipe_kit.project import Project
from recipe_kit.recipe import Recipe, TaskName
from recipe_kit.task import ResultDocument
from recipe_kit.testing.findings import NotReadyError
from recipe_kit.testing.parametrize import subject_of
from recipe_kit.testing.subject import Subject, TrainedModel, find_project

if TYPE_CHECKING:
    import pytest
    from pyspark.sql import SparkSession


class RunTask:
    """Runs tasks of a recipe: `run_task("train", max_iter=5)`; what the fixture `run_task` gives."""

    def __init__(self, subject: Subject, folder: Path) -> None:
        self._subject = subject
        self._folder = folder
        self._runs = 0

    def __call__(
        self,
        task: TaskName,
        parameters: Mapping[str, Any] | None = None,
        /,
        *,
        model: TrainedModel | ResultDocument | Path | None = None,
        seed: int = 0,
        **more_parameters: Any,
    ) -> ResultDocument:
        """Run a task in a folder of its own below the test's `tmp_path`, and return what came of it.

        A task that fails is told by the result as well, so that a test can look at it; `assert_done(result)` insists.

        Args:
            task: `train`, `evaluate` or `score`.
            parameters: Parameters by key or by Python name, on top of the instance file's: `{"maxIter": 5}`.
            model: The model to evaluate or to score with: a trained model, the result of a training or a folder. By
                default it is the one that the fixture `trained_model` gives.
            seed: The run's seed.
            more_parameters: The same as `parameters`, as keyword arguments: `max_iter=5`.
        """
        given = {**(parameters or {}), **more_parameters}
        folder = None if task == "train" else self._model_folder(model)
        document = self._subject.document(task, parameters=given, model=folder, seed=seed)
        self._runs += 1
        return self._subject.run(document, self._folder / f"{self._runs}-{task}")

    def _model_folder(self, model: TrainedModel | ResultDocument | Path | None) -> Path:
        if isinstance(model, ResultDocument):
            if model.model is None:
                raise ValueError(f"the result of task '{model.task}' has no model; did the training fail?")
            return model.model.folder
        return (model or trained_model(self._subject)).folder if not isinstance(model, Path) else model


@contextlib.contextmanager
def told_in_a_sentence() -> Iterator[None]:
    """Fail the test with the sentence of an error of the kit, whose traceback would be about the kit."""
    import pytest

    try:
        yield
    except RecipeKitError as error:
        pytest.fail(str(error), pytrace=False)
    except NotReadyError as error:
        pytest.fail(error.cause_text, pytrace=False)


def project_for(config: pytest.Config, test_file: Path) -> Project:
    """Return the project that a test is about: the one that was chosen, or else the nearest above its file.

    Raises:
        ProjectError: There is none.
    """
    chosen = config.getoption("--recipe-project") or config.getini("recipe_project")
    if chosen:
        base = config.invocation_params.dir if config.getoption("--recipe-project") else config.rootpath
        return Project.load(base / str(chosen))
    project = find_project(test_file.parent) or find_project(config.rootpath)
    if project is None:
        raise ProjectError(
            f"there is no recipe project at {test_file.parent} or above it",
            hint="name one with --recipe-project FOLDER",
        )
    return project


def subject_for(request: pytest.FixtureRequest, project: Project) -> Subject:
    """Return the recipe that a test is about: by its marker, the command line or the ini file, or else the only one.

    Raises:
        RecipeNotFoundError: The project has several recipes and none was chosen, or none of that name.
    """
    marker = request.node.get_closest_marker("recipe")
    if marker is not None and len(marker.args) != 1:
        raise ValueError('the marker names one recipe, as in @pytest.mark.recipe("sentiment")')
    name = marker.args[0] if marker else request.config.getoption("--recipe") or request.config.getini("recipe")
    return subject_of(project, project.choose(name or None))


def new_recipe(subject: Subject, folder: Path) -> Recipe:
    """Return a new instance of the recipe, whose outputs go below `folder`."""
    return subject.new_recipe(folder)


def sample(subject: Subject, task: TaskName) -> Any:
    """Return the sample that `task` reads, loaded by the recipe's own hook; a test may change it."""
    return subject.load_training_data() if task == "train" else subject.load_scoring_data()


def trained_model(subject: Subject) -> TrainedModel:
    """Return the model trained on the sample, which all tests of the process share.

    Raises:
        NotReadyError: The recipe cannot be trained on its sample.
    """
    return subject.trained


def open_spark() -> SparkSession:
    """Return the one Spark session of the process, started with quick settings."""
    from recipe_kit.spark import SparkOptions, open_session

    return open_session(SparkOptions(), app_name="pytest")
