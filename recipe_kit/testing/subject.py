"""The recipe under test, with what tests and checks need of it: its sample, a model trained on it, the scores.

Each of these is made once, when it is first asked for, and the same way in which the kit makes it in a run.
"""

from __future__ import annotations

import atexit
import inspect
import itertools
import logging
import shutil
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipe_kit import models
from recipe_kit.context import Context, seed_generators
from recipe_kit.errors import RecipeDefinitionError, UnknownParameterError
from recipe_kit.parameters import Layer, Parameter, Parameters, Resolved, TaskParameters, WireScalar, resolve
from recipe_kit.parameters.annotations import wire_fields
from recipe_kit.project import Project
from recipe_kit.recipe import Recipe, RecipeTraits, TaskName, traits_of
from recipe_kit.runners import InProcessRunner, Runner
from recipe_kit.task import RecipeReference, ResultDocument, SparkRequest, State, TaskDocument
from recipe_kit.task.layers import layers_of
from recipe_kit.testing.findings import NotReadyError, describe_error
from recipe_kit.testing.once import Once
from recipe_kit.testing.results import failure_text
from recipe_kit.testing.tables import as_pandas

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import SparkSession

SCORED_ROWS = 100
"""Rows of the scoring sample that checks work with."""

SOURCE = "test"
"""What messages call the source of parameters that a test or a check gives."""

RESULTS_KEY = "scoringResultsLocation"


@dataclass(frozen=True)
class TrainedModel:
    """A model that was trained on the sample."""

    model: Any
    """What the recipe's `load_model` returns, as a task that scores gets it."""
    folder: Path
    """The model's folder, with its manifest; what `--model` takes."""
    metrics: Mapping[str, float]
    """What `evaluate` returned for the rows that were held out."""
    result: ResultDocument
    """The result document of the training."""


class Subject:
    """A recipe under test.

    Args:
        project: The project that the recipe is in.
        name: The recipe's name; it may be left out where the project has one recipe only.
        parameters: Parameters by task and then by key or Python name, on top of the project's instance file.
        layers: All layers of parameters, in place of the instance file's.
        model_folder: A trained model, in place of one that would be trained on the sample.
    """

    def __init__(
        self,
        project: Project,
        name: str | None = None,
        *,
        parameters: Mapping[str, Mapping[str, Any]] | None = None,
        layers: tuple[Layer, ...] | None = None,
        model_folder: Path | None = None,
    ) -> None:
        self.project = project
        self.name = project.choose(name)
        self._parameters = dict(parameters or {})
        self._layers = layers
        self._model_folder = model_folder
        self._numbers = itertools.count(1)

    def __repr__(self) -> str:
        return f"Subject({self.name!r} of {self.project.root})"

    # -- the recipe -------------------------------------------------------------------------------------------------

    @Once
    def recipe_class(self) -> type[Recipe]:
        """The recipe's class, imported from the project."""
        return self.project.import_recipe(self.name)

    @Once
    def traits(self) -> RecipeTraits:
        """What the class says about itself."""
        return traits_of(self.recipe_class)

    def new_recipe(self, folder: Path | None = None, *, task: TaskName = "train") -> Recipe:
        """Return a new instance of the recipe, with the context that a run in `folder` gives it."""
        try:
            recipe = self.recipe_class()
        except TypeError as error:
            raise NotReadyError(
                "the class cannot be called, see 'constructs_without_arguments'",
                cause_text=f"{self.recipe_class.__qualname__}() raises TypeError: {error}",
            ) from error
        recipe.context = Context(
            logger=logging.getLogger("recipe"),
            folder=folder or self.new_folder("hooks"),
            data_folder=self.project.data_folder,
            platform=self.resolved(task).platform,
            open_spark=self.open_spark,
        )
        return recipe

    def open_spark(self) -> SparkSession:
        """Return the session that this process shares, able to import the project's code on its executors."""
        from recipe_kit.spark import SparkOptions, open_session

        return open_session(SparkOptions(), app_name=self.name, source_folder=self.project.source_folder)

    # -- parameters -------------------------------------------------------------------------------------------------

    @Once
    def layers(self) -> tuple[Layer, ...]:
        """The layers of parameters: those of the instance file, and those given for the test."""
        if self._layers is not None:
            return self._layers
        tasks = tuple(self.task_parameters(task, given) for task, given in self._parameters.items())
        own = (Layer(source=SOURCE, tasks=tasks),) if tasks else ()
        return _kept_in_the_run_folder((*self.project.layers(), *own))

    def resolved(self, task: TaskName) -> Resolved[Parameters]:
        """Return what `task` gets out of the layers."""
        return resolve(self.traits.parameters[task], task, layers_of(task, self.layers))

    def parameters(self, task: TaskName) -> Parameters:
        """Return the typed parameters of `task`."""
        return self.resolved(task).parameters

    def task_parameters(self, task: str, given: Mapping[str, Any]) -> TaskParameters:
        """Return parameters, by key or by Python name, as they travel.

        A name that the task does not have travels as it is, so that the kit can say what it is near to.
        """
        classes: Mapping[Any, type[Parameters]] = self.traits.parameters
        fields = wire_fields(classes[task]) if task in classes else {}
        keys = {field.name: key for key, field in fields.items()}
        parameters = []
        for name, value in given.items():
            key = keys.get(name, name)
            if not isinstance(value, str | int | float | bool | None):
                # What is no scalar goes as the text that its type writes; a path is text anyway.
                value = str(value) if isinstance(value, Path) else _wire_value(fields, key, value)
            parameters.append(Parameter(key=key, value=value))
        return TaskParameters(name=task, parameters=tuple(parameters))

    # -- running tasks ----------------------------------------------------------------------------------------------

    @Once
    def work_folder(self) -> Path:
        """A folder of this subject's own, removed when the process ends."""
        folder = Path(tempfile.mkdtemp(prefix="recipe-kit-test-")).resolve()
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return folder

    def new_folder(self, name: str) -> Path:
        """Make and return a new folder below the work folder."""
        folder = self.work_folder / f"{next(self._numbers)}-{name}"
        folder.mkdir()
        return folder

    def document(
        self,
        task: TaskName,
        *,
        parameters: Mapping[str, Any] | None = None,
        model: Path | None = None,
        seed: int = 0,
        spark: SparkRequest | None = None,
    ) -> TaskDocument:
        """Return the document of a task of this recipe, with more parameters on top of the subject's own."""
        layers = self.layers
        if parameters:
            layers = (*layers, Layer(source=SOURCE, tasks=(self.task_parameters(task, parameters),)))
        return TaskDocument(
            id=f"{self.name}-{task}-{next(self._numbers)}",
            task=task,
            recipe=RecipeReference(
                name=self.name,
                entry=self.project.recipes[self.name],
                version=self.project.version,
                source_folder=self.project.source_folder,
            ),
            layers=layers,
            data_folder=self.project.data_folder,
            model=model,
            seed=seed,
            spark=spark,
        )

    def run(self, document: TaskDocument, folder: Path | None = None, runner: Runner | None = None) -> ResultDocument:
        """Run a task, in a new folder and in this process unless said otherwise, and return what came of it."""
        runner = runner or InProcessRunner()
        return runner.run(document, folder or self.new_folder(document.task))

    @Once
    def train_result(self) -> ResultDocument:
        """What came of training on the sample."""
        return self.run(self.document("train"))

    @Once
    def model_folder(self) -> Path:
        """The folder of the model trained on the sample; `NotReadyError` where training fails."""
        if self._model_folder is not None:
            return self._model_folder
        result = self.train_result
        if result.state is not State.DONE or result.model is None:
            raise NotReadyError(
                "training on the sample fails, see 'trains_on_the_sample'", cause_text=failure_text(result)
            )
        return result.model.folder

    @Once
    def model(self) -> Any:
        """The model trained on the sample, as a task that scores gets it; `NotReadyError` where it cannot be loaded."""
        folder = self.model_folder
        if self.traits.data_frame == "spark":
            self.open_spark()  # Spark's own loading needs a session, which a run has opened by then
        try:
            return self.new_recipe(task="score").load_model(self._stored_model(folder).folder_of_files)
        except Exception as error:
            problem = describe_error(error, self.project.source_folder)
            raise NotReadyError(
                "the saved model cannot be loaded, see 'saved_model_loads_in_a_fresh_process'",
                cause_text=f"the model that recipe '{self.name}' saved cannot be loaded: {problem}",
            ) from error

    @Once
    def trained(self) -> TrainedModel:
        """The model trained on the sample with what its training said; `NotReadyError` where there is none."""
        model = self.model
        return TrainedModel(
            model=model, folder=self.model_folder, metrics=dict(self.train_result.metrics), result=self.train_result
        )

    def _stored_model(self, folder: Path) -> models.StoredModel:
        return models.open_model(folder, recipe=self.name)

    @Once
    def score_result(self) -> ResultDocument:
        """What came of scoring the whole sample with the trained model, as a task."""
        return self.run(self.document("score", model=self.model_folder))

    # -- data -------------------------------------------------------------------------------------------------------

    def load_training_data(self) -> Any:
        """Return the training sample, loaded by the recipe's own hook."""
        return self.new_recipe().load_training_data(self.parameters("train"))

    def load_scoring_data(self, *, with_known_types: bool = False) -> Any:
        """Return the scoring sample, loaded by the recipe's own hook.

        Args:
            with_known_types: Whether columns that the model was trained on are read with the same types, as they are
                in a task; that needs the trained model.
        """
        recipe = self.new_recipe(task="score")
        if with_known_types:
            known = self._stored_model(self.model_folder).manifest.training_schema
            recipe.context = replace(recipe.context, known_schema=known)
        return recipe.load_scoring_data(self.parameters("score"))

    @Once
    def original_scoring_data(self) -> Any:
        """The scoring sample as a task that scores gets it; `NotReadyError` where it cannot be loaded."""
        try:
            return self.load_scoring_data(with_known_types=True)
        except NotReadyError:
            raise
        except Exception as error:
            problem = describe_error(error, self.project.source_folder)
            raise NotReadyError(
                "the scoring sample cannot be loaded, see 'saved_model_scores_alone'",
                cause_text=f"recipe '{self.name}' cannot load its scoring sample: {problem}",
            ) from error

    @Once
    def scoring_rows(self) -> pd.DataFrame:
        """The first rows of the scoring sample, as pandas; change copies only."""
        data = self.original_scoring_data
        if self.traits.data_frame == "spark":
            data = data.limit(SCORED_ROWS)
        return as_pandas(data).head(SCORED_ROWS).reset_index(drop=True)

    def of_its_kind(self, rows: pd.DataFrame, like: Any) -> Any:
        """Return `rows` as the recipe's kind of data frame; columns on Spark get the types that they have in `like`."""
        if self.traits.data_frame == "pandas":
            return rows.copy()
        from pyspark.sql.types import StringType, StructField, StructType

        known = {field.name: field for field in like.schema.fields}
        fields = [
            StructField(name, known[name].dataType if name in known else StringType(), nullable=True)
            for name in rows.columns
        ]
        # One partition: an order that the recipe keeps must not get lost on the way in.
        return self.open_spark().createDataFrame(rows, schema=StructType(fields)).coalesce(1)

    # -- scoring ----------------------------------------------------------------------------------------------------

    def score(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return the scores of `rows`, by a new instance of the recipe with the model as it was saved."""
        data = self.of_its_kind(rows, self.original_scoring_data)
        recipe = self.new_recipe(task="score")
        seed_generators(0)
        scores = recipe.score(self.model, data, self.parameters("score"))
        return scores_as_pandas(self.recipe_class, scores)

    @Once
    def scores(self) -> pd.DataFrame:
        """The scores of `scoring_rows`; `NotReadyError` where scoring fails."""
        try:
            return self.score(self.scoring_rows)
        except NotReadyError:
            raise
        except Exception as error:
            problem = describe_error(error, self.project.source_folder)
            raise NotReadyError(
                "scoring the sample fails, see 'saved_model_scores_alone'",
                cause_text=f"recipe '{self.name}' cannot score its sample: {problem}",
            ) from error


def find_subject(
    recipe: type[Recipe] | Recipe | Project | Path | str,
    name: str | None = None,
    *,
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
) -> Subject:
    """Return the subject that is meant by a recipe's class, an instance of it, a project or a project's folder.

    A class is looked for in the project above its file. A class that no project names is taken as it is: its data are
    then at the locations that `parameters` give.

    Raises:
        ProjectError: There is no such project.
        RecipeNotFoundError: The project has several recipes and none was chosen, or none of that name.
        RecipeDefinitionError: The class cannot be imported in another process.
    """
    if isinstance(recipe, Project):
        return Subject(recipe, name, parameters=parameters)
    if isinstance(recipe, str | Path):
        return Subject(Project.load(recipe), name, parameters=parameters)
    recipe_class = recipe if isinstance(recipe, type) else type(recipe)
    project, found = _project_of(recipe_class)
    return Subject(project, name or found, parameters=parameters)


def find_project(start: Path) -> Project | None:
    """Return the nearest project at `start` or above it, `None` where there is none.

    Raises:
        ProjectError: There is one, and its table is wrong.
    """
    for folder in (start, *start.parents):
        file = folder / "pyproject.toml"
        if file.is_file() and _is_of_a_recipe_project(file):
            return Project.load(folder)
    return None


def _is_of_a_recipe_project(file: Path) -> bool:
    try:
        return "recipe-kit" in tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return False  # not ours to mend; where it is the project's own file, naming the project tells what is wrong


def scores_as_pandas(recipe_class: type[Recipe], scores: Any) -> pd.DataFrame:
    """Return what the hook `score` returned as a pandas data frame.

    Raises:
        RecipeDefinitionError: It is no table.
    """
    try:
        return as_pandas(scores).reset_index(drop=True)
    except TypeError:
        raise RecipeDefinitionError(
            f"hook 'score' of recipe {recipe_class.__qualname__} returned {type(scores).__name__}, which is no table",
            hint="return a data frame",
        ) from None


def _kept_in_the_run_folder(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """Return `layers` with one more, so that a test does not overwrite scores that somebody wants to keep."""
    location: WireScalar = None
    for layer in layers:
        location = next((p.value for p in layer.for_task("score") if p.key == RESULTS_KEY), location)
    if not isinstance(location, str):
        return layers
    inside = Path(location.replace("://", "/")).name
    if inside == location:
        return layers
    task = TaskParameters(name="score", parameters=(Parameter(key=RESULTS_KEY, value=inside),))
    return (*layers, Layer(source=SOURCE, tasks=(task,)))


def _project_of(recipe_class: type[Recipe]) -> tuple[Project, str]:
    module, qualified = recipe_class.__module__, recipe_class.__qualname__
    if module == "__main__" or not qualified.isidentifier():
        raise RecipeDefinitionError(
            f"recipe {qualified} is defined in {'a script' if module == '__main__' else 'a function or a class'}, so"
            " that no other process can import it",
            hint="move the class to the top of a module of its own",
        )
    file = Path(inspect.getfile(recipe_class)).resolve()
    entry = f"{module}:{qualified}"
    project = find_project(file.parent)
    if project is not None:
        for name, named in project.recipes.items():
            if named == entry:
                return project, name
    package: Sequence[str] = module.split(".")[:-1] if file.name != "__init__.py" else module.split(".")
    root = file.parents[len(package)] if len(file.parents) > len(package) else file.parent
    bare = Project(
        root=root, name=qualified, version="0", recipes={qualified: entry}, instance_file=None, data_folder=root
    )
    return bare, qualified


def _wire_value(fields: Mapping[str, Any], key: str, value: Any) -> WireScalar:
    if key in fields:
        written: WireScalar = fields[key].type.write_wire(value)
        return written
    raise UnknownParameterError(f"there is no parameter '{key}' that could take a {type(value).__name__}")
