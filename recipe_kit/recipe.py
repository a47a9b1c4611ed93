"""What an author writes: a class with `train` and `score`.

A recipe is an ordinary class. It can be instantiated and its hooks called in a debugger or a notebook; nothing here
replaces or wraps them. What the kit must know before it calls anything (which parameters a task takes, which kind of
data frame the recipe works on) is read from the annotations by `traits_of`.
"""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from recipe_kit import default_hooks
from recipe_kit.context import Context
from recipe_kit.errors import RecipeDefinitionError
from recipe_kit.parameters import Parameters, ScoreParameters, TrainParameters

TaskName = Literal["train", "evaluate", "score"]
DataFrameKind = Literal["pandas", "spark"]

HOOK_ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "load_training_data": ("parameters",),
    "load_scoring_data": ("parameters",),
    "split_training_data": ("data", "parameters"),
    "train": ("data", "parameters"),
    "evaluate": ("model", "data", "parameters"),
    "score": ("model", "data", "parameters"),
    "save_scores": ("scores", "parameters"),
    "save_model": ("model", "folder"),
    "load_model": ("folder",),
}
"""Each hook with the arguments that the kit passes it, in order, after `self`."""

REQUIRED_HOOKS = ("train", "score")


class Recipe:
    """The base class of every recipe; `train` and `score` are all that must be written.

    The hooks that are not overridden read and write tables at the locations that the parameters name, hold out a
    fifth of the training rows for `evaluate`, and keep models with joblib (Spark ML models in Spark's own format).
    """

    score_in_batches: ClassVar[bool] = False
    """Whether `score` treats each row on its own, so that the kit may call it with any number of rows at a time."""
    scores_per_row: ClassVar[bool] = True
    """Whether `score` returns one row per row of its input, in the same order."""
    training_columns: ClassVar[Mapping[str, type | None]] = {}
    """Columns that training data must have, with the type of each (`str`, `int`, `float`, `bool`, `datetime.date`,
    `datetime.datetime`; `None` leaves the type to the file)."""
    scoring_columns: ClassVar[Mapping[str, type | None]] = {}
    """The same for scoring data."""

    context: Context = Context()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for hook in HOOK_ARGUMENTS:
            if hook in cls.__dict__:
                _require_signature(cls, hook)

    def train(self, data: Any, parameters: Any) -> Any:
        """Return a model fitted to `data`.

        Args:
            data: The training rows, without those held out for `evaluate`: a `pandas.DataFrame` or a
                `pyspark.sql.DataFrame`, as the annotation of the override says.
            parameters: The task's parameters, of the class that the override's annotation names.
        """
        raise NotImplementedError

    def score(self, model: Any, data: Any, parameters: Any) -> Any:
        """Return the scores of `data` as a data frame of the same kind, one row per input row in the same order."""
        raise NotImplementedError

    def evaluate(self, model: Any, data: Any, parameters: Any) -> dict[str, float]:
        """Return the metrics of `model` on the held-out rows `data`, by name; none unless overridden."""
        return {}

    def load_training_data(self, parameters: Any) -> Any:
        """Return the table at `parameters.training_data_location`, its declared columns checked."""
        return self._load(parameters.training_data_location, self.training_columns)

    def load_scoring_data(self, parameters: Any) -> Any:
        """Return the table at `parameters.scoring_data_location`, its declared columns checked."""
        return self._load(parameters.scoring_data_location, self.scoring_columns)

    def split_training_data(self, data: Any, parameters: Any) -> tuple[Any, Any]:
        """Return the rows to train on and the rows held out for `evaluate`.

        By default a random fifth is held out, the same one for the same seed. The platform's own parameters
        `evaluation.trainRatio` (the share to train on, 0 to 1) and `evaluation.seed` change that.
        """
        return default_hooks.split(self.context, data)

    def save_scores(self, scores: Any, parameters: Any) -> None:
        """Write `scores` to `parameters.scoring_results_location`, whole or not at all."""
        default_hooks.save(self.context, scores, parameters.scoring_results_location)

    def save_model(self, model: Any, folder: Path) -> None:
        """Write `model` into the empty folder `folder`: joblib, or a Spark ML model's own format."""
        default_hooks.save_model(model, folder)

    def load_model(self, folder: Path) -> Any:
        """Return what `save_model` wrote into `folder`; its digests have been checked by then."""
        return default_hooks.load_model(folder)

    def _load(self, location: str, columns: Mapping[str, type | None]) -> Any:
        return default_hooks.load(self.context, traits_of(type(self)).data_frame, location, columns)


@dataclass(frozen=True)
class RecipeTraits:
    """What a recipe's class says about itself."""

    data_frame: DataFrameKind
    parameters: Mapping[str, type[Parameters]]
    """The class of each task's parameters."""
    score_in_batches: bool
    scores_per_row: bool
    evaluates: bool
    """Whether the recipe has an `evaluate` of its own, so that rows are held out for it."""
    streams: bool
    """Whether the kit may score a table piece by piece: rows are independent, and reading and writing are the kit's."""


def traits_of(recipe_class: type[Recipe]) -> RecipeTraits:
    """Return the traits that `recipe_class` declares by its annotations and class attributes.

    Raises:
        RecipeDefinitionError: A required hook is missing, or an annotation is not one that the kit understands.
    """
    for hook in REQUIRED_HOOKS:
        if getattr(recipe_class, hook) is getattr(Recipe, hook):
            arguments = ", ".join(("self", *HOOK_ARGUMENTS[hook]))
            raise RecipeDefinitionError(
                f"recipe {recipe_class.__qualname__} ({_place_of_class(recipe_class)}) has no hook '{hook}'",
                hint=f"write `def {hook}({arguments})`",
            )
    evaluates = recipe_class.evaluate is not Recipe.evaluate
    train = _parameters_class(recipe_class, "train", TrainParameters)
    score = _parameters_class(recipe_class, "score", ScoreParameters)
    evaluate = _parameters_class(recipe_class, "evaluate", train) if evaluates else train
    kinds = {hook: _data_frame_kind(recipe_class, hook) for hook in REQUIRED_HOOKS}
    if len(set(kinds.values())) > 1:
        raise RecipeDefinitionError(
            f"hooks 'train' and 'score' of recipe {recipe_class.__qualname__} ({_place_of_class(recipe_class)}) take"
            " different kinds of data frame",
            hint="annotate `data` of both as pandas.DataFrame or of both as pyspark.sql.DataFrame",
        )
    if recipe_class.score_in_batches and not recipe_class.scores_per_row:
        raise RecipeDefinitionError(
            f"recipe {recipe_class.__qualname__} ({_place_of_class(recipe_class)}) declares score_in_batches = True and"
            " scores_per_row = False, which exclude each other",
            hint="batches can only be put together again when each row has one score",
        )
    return RecipeTraits(
        data_frame=kinds["train"],
        parameters={"train": train, "evaluate": evaluate, "score": score},
        score_in_batches=recipe_class.score_in_batches,
        scores_per_row=recipe_class.scores_per_row,
        evaluates=evaluates,
        streams=recipe_class.score_in_batches
        and kinds["score"] == "pandas"
        and issubclass(score, ScoreParameters)
        and recipe_class.load_scoring_data is Recipe.load_scoring_data
        and recipe_class.save_scores is Recipe.save_scores,
    )


def place_of_hook(recipe_class: type[Recipe], hook: str) -> str:
    """Return where a hook is written, as ``file.py:12``."""
    code = inspect.unwrap(getattr(recipe_class, hook)).__code__
    return f"{Path(code.co_filename).name}:{code.co_firstlineno}"


def _require_signature(cls: type[Recipe], hook: str) -> None:
    function = cls.__dict__[hook]
    expected = HOOK_ARGUMENTS[hook]
    wanted = f"def {hook}({', '.join(('self', *expected))})"
    if not inspect.isfunction(function):
        raise RecipeDefinitionError(
            f"hook '{hook}' of recipe {cls.__qualname__} ({_place_of_class(cls)}) is not a plain method",
            hint=f"write `{wanted}`",
        )
    arguments = list(inspect.signature(function).parameters.values())[1:]
    positional = [a for a in arguments if a.kind in (a.POSITIONAL_ONLY, a.POSITIONAL_OR_KEYWORD)]
    surplus_without_default = [a for a in positional[len(expected) :] if a.default is a.empty] + [
        a for a in arguments if a.kind is a.KEYWORD_ONLY and a.default is a.empty
    ]
    names = tuple(a.name for a in positional[: len(expected)])
    if names != expected or surplus_without_default:
        given = ", ".join(("self", *(str(a).partition(":")[0] for a in arguments)))
        raise RecipeDefinitionError(
            f"hook '{hook}' of recipe {cls.__qualname__} ({place_of_hook(cls, hook)}) takes ({given})",
            hint=f"write `{wanted}`",
        )


def _parameters_class(recipe_class: type[Recipe], hook: str, default: type[Parameters]) -> type[Parameters]:
    annotation = _annotation(recipe_class, hook, "parameters")
    if annotation is inspect.Parameter.empty or annotation is Any:
        return default
    if isinstance(annotation, type) and issubclass(annotation, Parameters):
        return annotation
    name = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", repr(annotation))
    raise RecipeDefinitionError(
        f"hook '{hook}' of recipe {recipe_class.__qualname__} ({place_of_hook(recipe_class, hook)}) annotates"
        f" `parameters` as {name}, which is not a class of parameters",
        hint=f"annotate it with a subclass of {default.__name__}",
    )


def _data_frame_kind(recipe_class: type[Recipe], hook: str) -> DataFrameKind:
    annotation = _annotation(recipe_class, hook, "data")
    if annotation is inspect.Parameter.empty or annotation is Any:
        return "pandas"
    # A recipe may import its data frame for type checkers only; the name alone then tells.
    full_name = (
        annotation
        if isinstance(annotation, str)
        else f"{getattr(annotation, '__module__', '')}.{getattr(annotation, '__qualname__', annotation)}"
    )
    if full_name.endswith("DataFrame"):
        if full_name.startswith("pyspark.") or "spark" in full_name.lower():
            return "spark"
        if full_name.startswith(("pandas.", "pd.")):
            return "pandas"
    raise RecipeDefinitionError(
        f"hook '{hook}' of recipe {recipe_class.__qualname__} ({place_of_hook(recipe_class, hook)}) annotates `data` as"
        f" {full_name}, which the kit cannot load",
        hint="annotate it as pandas.DataFrame or pyspark.sql.DataFrame",
    )


def _annotation(recipe_class: type[Recipe], hook: str, argument: str) -> Any:
    """Return the annotation of a hook's argument: the object, or its text where the name cannot be resolved."""
    function = inspect.unwrap(getattr(recipe_class, hook))
    annotation = function.__annotations__.get(argument, inspect.Parameter.empty)
    if not isinstance(annotation, str):
        return annotation
    namespace = {**vars(typing), **vars(recipe_class)}
    try:
        return eval(annotation, function.__globals__, namespace)
    except (NameError, AttributeError):
        return annotation


def _place_of_class(cls: type) -> str:
    module = sys.modules.get(cls.__module__)
    file = getattr(module, "__file__", None)
    return Path(file).name if file else cls.__module__
