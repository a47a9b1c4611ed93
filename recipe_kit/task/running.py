"""`run_task`: the one function that turns a task document into a result document."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipe_kit import __version__, default_hooks, models
from recipe_kit.atomic import atomic_file
from recipe_kit.context import Context, RunRecord, seed_generators
from recipe_kit.errors import ModelNotFoundError, RecipeDefinitionError
from recipe_kit.parameters import (
    Parameter,
    Parameters,
    Resolved,
    ScoreParameters,
    refuse_unknown_everywhere,
    refuse_unknown_tasks,
    resolve,
    secret_keys,
)
from recipe_kit.parameters.annotations import wire_fields
from recipe_kit.project import import_recipe
from recipe_kit.recipe import Recipe, RecipeTraits, traits_of
from recipe_kit.task.documents import (
    MODEL_FOLDER,
    RESULT_FILE,
    TASK_FILE,
    Failure,
    ModelReference,
    Output,
    Phase,
    ResultDocument,
    SparkRequest,
    State,
    TaskDocument,
)
from recipe_kit.task.failures import describe_failure
from recipe_kit.task.layers import (
    layers_of,
    require_secrets,
    secret_settings,
    secrets_of,
    spark_with_secrets,
    spark_without_secrets,
    with_secrets,
    without_secrets,
)
from recipe_kit.task.limits import exclusive, time_limit
from recipe_kit.task.logs import EXECUTION_LOG, ExecutionLog, Redactor, capture
from recipe_kit.task.observing import Observer, Silent

if TYPE_CHECKING:
    import logging

    from pyspark.sql import SparkSession

_REPORTED_LIBRARIES = ("numpy", "pandas", "pyarrow", "sklearn", "pyspark", "torch", "xgboost", "lightgbm")


def run_task(
    task: TaskDocument, folder: Path, *, observer: Observer | None = None, live: bool = True
) -> ResultDocument:
    """Run one task of a recipe and return what came of it.

    Everything that goes wrong in the task, a Ctrl-C included, is told by the result document, which is also written
    to the run's folder beside the task document, the logs and the outputs.

    Args:
        task: What to do.
        folder: The run's folder; made if it is missing.
        observer: Who is told how the task gets on.
        live: Whether what the recipe prints is also shown while it runs.

    Raises:
        WorkFolderBusyError: Another run is using `folder`.
        OutputError: `folder` cannot be made or written.
    """
    folder = folder.resolve()
    with exclusive(folder):
        run = _Run(task, folder, observer or Silent(), Redactor(secrets_of(task.layers)))
        (folder / RESULT_FILE).unlink(missing_ok=True)
        try:
            with capture(folder, run.redact, live=live) as logger:
                result = run.execute(logger)
        finally:
            run.log.close()
        _write(folder / RESULT_FILE, result.to_json())
        return result


@dataclass
class _Run:
    """One run of a task, while it lasts."""

    task: TaskDocument
    folder: Path
    observer: Observer
    redact: Redactor
    log: ExecutionLog = field(init=False)
    record: RunRecord = field(init=False)
    spark: SparkRequest | None = None
    """Where Spark is to run, its secret settings filled in."""
    phase: str | None = None
    phases: list[Phase] = field(default_factory=list)
    metrics: dict[str, float] = field(default_factory=dict)
    model: ModelReference | None = None

    def __post_init__(self) -> None:
        self.log = ExecutionLog(self.folder / EXECUTION_LOG, self.redact)
        self.record = RunRecord(note=self.log)

    def execute(self, logger: logging.Logger) -> ResultDocument:
        """Run the task from start to end and return its result, whatever happens."""
        started = datetime.now(UTC)
        clock = time.perf_counter()
        self.log(f"{self.task.task}: recipe {self.task.recipe.name} {self.task.recipe.version}, run {self.task.id}")
        state, failure = State.DONE, None
        try:
            with time_limit(self.task.time_limit):
                self._work(logger)
        except KeyboardInterrupt:
            state = State.ABORTED
            failure = Failure(
                type="KeyboardInterrupt", message="the task was interrupted", phase=self.phase, exit_code=130
            )
        except (Exception, SystemExit) as error:
            state = State.FAILED
            failure = describe_failure(error, phase=self.phase, recipe=self.task.recipe, redact=self.redact)
        if failure is not None:
            self.log(f"{self.phase or 'start'}: {failure.type}: {failure.sentence}")
        self.log(f"{state}: after {time.perf_counter() - clock:.3f} s")
        return ResultDocument(
            id=self.task.id,
            task=self.task.task,
            recipe=self.task.recipe,
            state=state,
            started=started,
            ended=datetime.now(UTC),
            seconds=time.perf_counter() - clock,
            seed=self.task.seed,
            phases=tuple(self.phases),
            rows_read=sum(table.rows for table in self.record.read),
            rows_written=sum(table.rows for table in self.record.written),
            metrics=self.metrics,
            model=self.model,
            outputs=tuple(Output(location=self.redact(t.location), rows=t.rows) for t in self.record.written),
            failure=failure,
            versions=_versions(),
        )

    def _work(self, logger: logging.Logger) -> None:
        with self._timed("start"):
            recipe_class = import_recipe(self.task.recipe.entry, self.task.recipe.source_folder)
            traits = traits_of(recipe_class)
            resolved = self._resolve(traits)
            self._refuse_spark_where_it_cannot_help(recipe_class, traits)
            recipe = recipe_class()
            recipe.context = Context(
                logger=logger,
                folder=self.folder,
                data_folder=self.task.data_folder,
                seed=self.task.seed,
                scheduled_time=self.task.scheduled_time,
                platform=resolved.platform,
                record=self.record,
                open_spark=self._open_spark,
            )
            if traits.data_frame == "spark":
                self._open_spark(default_hooks.bytes_at(recipe.context, _location_of(resolved.parameters)))
        seed_generators(self.task.seed)
        match self.task.task:
            case "train":
                self._train(recipe, traits, resolved)
            case "evaluate":
                self._evaluate(recipe, traits, resolved.parameters)
            case "score":
                self._score(recipe, traits, resolved.parameters)

    def _resolve(self, traits: RecipeTraits) -> Resolved[Parameters]:
        layers = with_secrets(self.task.layers)
        # Of all tasks, for the document carries the parameters of them all.
        secret = frozenset[str]().union(*map(secret_keys, traits.parameters.values()))
        self.redact.add(secrets_of(layers, secret))
        without = {
            "layers": without_secrets(self.task.layers, secret),
            "spark": spark_without_secrets(self.task.spark),
        }
        _write(self.folder / TASK_FILE, self.task.model_copy(update=without).to_json())
        self.spark = spark_with_secrets(self.task.spark)
        # Switches have such names too, and their values are no secret.
        self.redact.add(set(secret_settings(self.spark).values()) - {"true", "false"})
        for layer in layers:
            refuse_unknown_tasks(layer, traits.parameters)
            refuse_unknown_everywhere(layer, traits.parameters)
        mine = layers_of(self.task.task, layers)
        require_secrets(mine)
        resolved = resolve(traits.parameters[self.task.task], self.task.task, mine)
        for later in self.task.followed_by:
            resolve(traits.parameters[later], later, layers_of(later, layers))
        return resolved

    def _refuse_spark_where_it_cannot_help(self, recipe_class: type[Recipe], traits: RecipeTraits) -> None:
        if self.task.spark is None or traits.data_frame == "spark":
            return
        if self.task.task != "score":
            self.log(f"start: the recipe works on pandas, so {self.task.task} runs without Spark")
        elif not traits.streams:
            raise RecipeDefinitionError(
                f"recipe {recipe_class.__qualname__} works on pandas and scores all rows at once, so Spark cannot"
                " spread it",
                hint="leave --spark-master out; or, if each row is scored on its own, declare score_in_batches = True"
                " and leave loading and saving to the kit",
            )

    # -- the three tasks --------------------------------------------------------------------------------------------

    def _train(self, recipe: Recipe, traits: RecipeTraits, resolved: Resolved[Parameters]) -> None:
        parameters = resolved.parameters
        data = self._load(recipe.load_training_data, parameters)
        held_out = None
        if traits.evaluates:
            with self._timed("split"):
                data, held_out = recipe.split_training_data(data, parameters)
        with self._timed("train"):
            model = recipe.train(data, parameters)
        if traits.evaluates:
            self._measure(recipe, model, held_out, parameters)
        with self._timed("save"):
            stored = models.save(
                self.folder / MODEL_FOLDER,
                write=lambda place: recipe.save_model(model, place),
                description=self._describe_model(resolved, traits),
            )
            self.model = ModelReference(id=stored.manifest.id, folder=stored.folder)
        self.log(f"save: model {stored.manifest.id} in {stored.folder}")

    def _evaluate(self, recipe: Recipe, traits: RecipeTraits, parameters: Parameters) -> None:
        if not traits.evaluates:
            raise RecipeDefinitionError(
                f"recipe {type(recipe).__qualname__} has no hook 'evaluate'",
                hint="write `def evaluate(self, model, data, parameters)`, returning metrics by name",
            )
        stored = self._open_model()
        recipe.context = _as_in_training(recipe.context, stored.manifest, traits)
        seed_generators(recipe.context.seed)
        data = self._load(recipe.load_training_data, parameters)
        location = _location_of(parameters)
        fingerprint = default_hooks.fingerprint_of(recipe.context, location)
        if stored.manifest.trained_on(fingerprint, self.redact(location) if location else None):
            self.log("split: this is the data that the model was trained on, so only the rows held out then are used")
            with self._timed("split"):
                _, data = recipe.split_training_data(data, parameters)
        self._measure(recipe, self._restore(recipe, stored), data, parameters)

    def _score(self, recipe: Recipe, traits: RecipeTraits, parameters: Parameters) -> None:
        stored = self._open_model()
        recipe.context = replace(recipe.context, known_schema=stored.manifest.training_schema)
        if traits.streams and isinstance(parameters, ScoreParameters):
            self._score_in_batches(recipe, traits, parameters, stored)
            return
        data = self._load(recipe.load_scoring_data, parameters)
        model = self._restore(recipe, stored)
        with self._timed("score"):
            scores = recipe.score(model, data, parameters)
        with self._timed("save") as step:
            before = len(self.record.written)
            recipe.save_scores(scores, parameters)
            step.rows = sum(table.rows for table in self.record.written[before:]) or None

    def _score_in_batches(
        self, recipe: Recipe, traits: RecipeTraits, parameters: ScoreParameters, stored: models.StoredModel
    ) -> None:
        from recipe_kit import scoring

        model = self._restore(recipe, stored)
        with self._timed("score") as step:
            if self.task.spark is not None:
                rows = scoring.score_on_spark(recipe, model, stored, parameters, session=self._open_spark())
            else:
                rows = scoring.score_in_batches(
                    recipe,
                    model,
                    stored,
                    parameters,
                    recipe_entry=self.task.recipe.entry,
                    source_folder=self.task.recipe.source_folder,
                    processes=self.task.processes,
                    progress=self.observer.rows_done,
                )
            step.rows = rows

    # -- steps that tasks share -------------------------------------------------------------------------------------

    def _load(self, hook: Callable[[Any], Any], parameters: Parameters) -> Any:
        with self._timed("load") as step:
            before = len(self.record.read)
            data = hook(parameters)
            if data is None:
                raise RecipeDefinitionError(f"hook '{hook.__name__}' returned nothing", hint="return a data frame")
            rows = sum(table.rows for table in self.record.read[before:])
            step.rows = rows or default_hooks.count_rows(data)
        return data

    def _measure(self, recipe: Recipe, model: Any, data: Any, parameters: Parameters) -> None:
        with self._timed("evaluate") as step:
            if default_hooks.count_rows(data) == 0:
                self.log("evaluate: no rows were held out, so there are no metrics")
                step.rows = 0
                return
            self.metrics = _as_metrics(type(recipe), recipe.evaluate(model, data, parameters))
        for name, value in self.metrics.items():
            self.log(f"evaluate: {name} = {value:g}")

    def _open_model(self) -> models.StoredModel:
        if self.task.model is None:
            raise ModelNotFoundError(
                f"task '{self.task.task}' needs a trained model", hint="train one first, or name one with --model"
            )
        stored = models.open_model(self.task.model, recipe=self.task.recipe.name)
        self.model = ModelReference(id=stored.manifest.id, folder=stored.folder)
        return stored

    def _restore(self, recipe: Recipe, stored: models.StoredModel) -> Any:
        with self._timed("restore"):
            model = recipe.load_model(stored.folder_of_files)
        self.log(f"restore: model {stored.manifest.id} from {stored.folder}")
        return model

    def _describe_model(self, resolved: Resolved[Parameters], traits: RecipeTraits) -> models.ModelDescription:
        location = _location_of(resolved.parameters)
        read = self.record.read[0] if self.record.read else None
        return models.ModelDescription(
            recipe=self.task.recipe.name,
            entry=self.task.recipe.entry,
            recipe_version=self.task.recipe.version,
            parameters=(*resolved.to_wire(), *_split_parameters(resolved)),
            # A location may be a secret too, as a web address with a signature is.
            training_data=self.redact(location) if location else None,
            training_rows=read.rows if read else None,
            training_schema=read.schema if read else None,
            fingerprint=default_hooks.fingerprint_of(Context(data_folder=self.task.data_folder), location),
            seed=self.task.seed,
            metrics=self.metrics,
            versions=_versions(),
        )

    def _open_spark(self, expected_bytes: int | None = None) -> SparkSession:
        from recipe_kit.spark import SparkOptions, open_session

        request = self.spark
        options = (
            SparkOptions()
            if request is None
            else SparkOptions(master=request.master, settings=request.settings, tuned=request.tuned)
        )
        return open_session(
            options,
            app_name=f"{self.task.recipe.name} {self.task.task}",
            source_folder=self.task.recipe.source_folder,
            expected_bytes=expected_bytes,
            log=lambda line: self.log(f"spark: {line}"),
        )

    @contextmanager
    def _timed(self, name: str) -> Iterator[_Step]:
        """Time a phase, which counts as done when the block ends without an error."""
        self.phase = name
        self.observer.phase_started(name)
        step = _Step()
        clock = time.perf_counter()
        yield step
        phase = Phase(name=name, seconds=time.perf_counter() - clock, rows=step.rows)
        self.phases.append(phase)
        counted = "" if phase.rows is None else f"{phase.rows} rows, "
        self.log(f"{name}: {counted}{phase.seconds:.3f} s")
        self.observer.phase_ended(phase)


@dataclass
class _Step:
    """A phase that is under way; its block says how many rows it took or made, where that is known."""

    rows: int | None = None


def _location_of(parameters: Parameters) -> str | None:
    """Return where the task's data are, as the parameters of the kit's own base classes say it."""
    for name in ("training_data_location", "scoring_data_location"):
        location = getattr(parameters, name, None)
        if isinstance(location, str):
            return location
    return None


def _split_parameters(resolved: Resolved[Parameters]) -> list[Parameter]:
    """Return the platform's parameters that decide which rows are held out: to hold out the same ones later."""
    return [
        Parameter(key=key, value=resolved.platform[key])
        for key in default_hooks.SPLIT_KEYS
        if key in resolved.platform and key not in resolved.secret_keys
    ]


def _as_in_training(context: Context, manifest: models.Manifest, traits: RecipeTraits) -> Context:
    """Return `context` with all that decides which rows are held out as it was when the model was trained."""
    # A key that the recipe declares is one of its own parameters, and not in the context.
    split_keys = set(default_hooks.SPLIT_KEYS) - wire_fields(traits.parameters["train"]).keys()
    platform = {key: value for key, value in context.platform.items() if key not in split_keys}
    then = {p["key"]: p["value"] for p in manifest.parameters if p["key"] in split_keys}
    return replace(context, seed=manifest.seed, known_schema=manifest.training_schema, platform={**platform, **then})


def _as_metrics(recipe_class: type[Recipe], value: object) -> dict[str, float]:
    if not isinstance(value, Mapping):
        raise RecipeDefinitionError(
            f"hook 'evaluate' of recipe {recipe_class.__qualname__} returned {type(value).__name__}",
            hint="return the metrics by name, as in {'accuracy': 0.9}",
        )
    metrics = {}
    for name, metric in value.items():
        try:
            metrics[str(name)] = float(metric)
        except (TypeError, ValueError):
            raise RecipeDefinitionError(
                f"metric '{name}' of recipe {recipe_class.__qualname__} is {metric!r}, not a number"
            ) from None
    return metrics


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version(), "recipe_kit": __version__}
    for name in _REPORTED_LIBRARIES:
        version = getattr(sys.modules.get(name), "__version__", None)
        if version is not None:
            versions[name] = str(version)
    return versions


def _write(file: Path, text: str) -> None:
    with atomic_file(file) as temporary:
        temporary.write_text(text, encoding="utf-8")
