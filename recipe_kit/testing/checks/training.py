"""Checks of training."""

from __future__ import annotations

import copy
import math

from recipe_kit.context import seed_generators
from recipe_kit.errors import RecipeKitError
from recipe_kit.task import State
from recipe_kit.testing.checks.registry import EVALUATES, check
from recipe_kit.testing.findings import Finding, NotApplicableError
from recipe_kit.testing.results import place_of_failure
from recipe_kit.testing.subject import Subject
from recipe_kit.testing.tables import differences

TOLERANCE = 1e-6
"""How far scores may be apart that should be the same; the order of additions moves a float32 by about as much."""


@check(remedy="run `recipe-kit train` in the project, which shows the traceback, and mend what it names")
def trains_on_the_sample(subject: Subject) -> None:
    """Training with the project's instance file on the project's sample ends with a saved model.

    The sample and the instance file are what a newcomer, a test and the platform's first experiment start from.
    """
    _require_an_instance(subject)
    result = subject.train_result
    if result.state is not State.DONE:
        failure = result.failure
        reason = f"ends as {result.state}" if failure is None else f"fails in {failure.phase}: {failure.sentence}"
        raise Finding(f"training on the sample {reason}{place_of_failure(result)}")


@check(
    remedy="return every metric as a number, without those that the rows at hand do not define", applies_to=EVALUATES
)
def metrics_are_numbers(subject: Subject) -> None:
    """`evaluate` returns at least one metric for the rows held out from the sample, and each is a finite number.

    Metrics are what models are compared and chosen by; NaN compares with nothing, and many a store refuses it.
    """
    result = subject.trained.result
    if any(phase.name == "evaluate" and phase.rows == 0 for phase in result.phases):
        raise NotApplicableError("no rows of the sample were held out")
    if not result.metrics:
        raise Finding("`evaluate` returned no metrics")
    bad = [f"'{name}' is {value}" for name, value in result.metrics.items() if not math.isfinite(value)]
    if bad:
        raise Finding(f"of the metrics that `evaluate` returned, {', '.join(bad)}")


@check(remedy="work on a copy: `data = data.assign(...)`, or `data.copy()` first")
def training_leaves_its_input_alone(subject: Subject) -> None:
    """`train` changes neither the data nor the parameters that it is given.

    The same rows are used after it, by `evaluate` and by the model's fingerprint; a column that `train` added or scaled
    in place makes metrics about data that no caller will ever bring.
    """
    _ = subject.model_folder
    recipe = subject.new_recipe()
    parameters = subject.parameters("train")
    data = recipe.load_training_data(parameters)
    if subject.traits.evaluates:
        data, _ = recipe.split_training_data(data, parameters)
    on_pandas = subject.traits.data_frame == "pandas"
    before = data.copy(deep=True) if on_pandas else None
    parameters_before = copy.deepcopy(parameters)
    seed_generators(0)
    recipe.train(data, parameters)
    if before is not None:
        changes = differences(data, before, check_column_order=True, check_types=True, tolerance=0.0)
        if not changes and not data.index.equals(before.index):
            changes = ["the index is another one"]
        if changes:
            raise Finding(f"`train` changed the data that it was given: {changes[0]}")
    if parameters != parameters_before:
        changed = [name for name, value in parameters_before if getattr(parameters, name) != value]
        raise Finding(
            f"`train` changed the parameters that it was given: {', '.join(changed)}",
            remedy="copy lists and dicts of the parameters before changing them",
        )


def _require_an_instance(subject: Subject) -> None:
    try:
        subject.recipe_class()
    except Exception as error:
        raise NotApplicableError("the class cannot be constructed, see 'constructs_without_arguments'") from error
    try:
        subject.parameters("train")
    except RecipeKitError as error:
        raise Finding(
            f"the parameters of task 'train' cannot be resolved: {error}",
            remedy="name the sample in the instance file, and the instance file in [tool.recipe-kit]",
        ) from error
