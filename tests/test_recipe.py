"""What a recipe's class says about itself, and what is refused when it is loaded."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from recipe_kit.errors import RecipeDefinitionError
from recipe_kit.parameters import ScoreParameters, TrainParameters
from recipe_kit.recipe import Recipe, traits_of


class Numbers(TrainParameters):
    depth: int = 3


class OnPandas(Recipe):
    def train(self, data: pd.DataFrame, parameters: Numbers) -> float:
        return 0.0

    def score(self, model: float, data: pd.DataFrame, parameters: ScoreParameters) -> pd.DataFrame:
        return data


def test_the_annotations_say_which_parameters_a_task_takes() -> None:
    traits = traits_of(OnPandas)

    assert traits.parameters == {"train": Numbers, "evaluate": Numbers, "score": ScoreParameters}
    assert traits.data_frame == "pandas"


def test_rows_are_held_out_only_for_a_recipe_that_evaluates() -> None:
    class Evaluating(OnPandas):
        def evaluate(self, model: float, data: pd.DataFrame, parameters: Numbers) -> dict[str, float]:
            return {}

    assert not traits_of(OnPandas).evaluates
    assert traits_of(Evaluating).evaluates


def test_the_annotation_of_data_chooses_spark_without_importing_it() -> None:
    class OnSpark(Recipe):
        def train(self, data: pyspark.sql.DataFrame, parameters: Numbers) -> Any: ...  # type: ignore[name-defined]  # noqa: F821

        def score(self, model: Any, data: pyspark.sql.DataFrame, parameters: ScoreParameters) -> Any: ...  # type: ignore[name-defined]  # noqa: F821

    assert traits_of(OnSpark).data_frame == "spark"


def test_a_recipe_can_be_made_and_called_like_any_class() -> None:
    data = pd.DataFrame({"a": [1]})

    assert OnPandas().score(0.0, data, ScoreParameters(scoring_data_location="x.csv")) is data


def test_a_hook_with_other_arguments_is_refused_by_name_and_line() -> None:
    with pytest.raises(RecipeDefinitionError) as refused:

        class _(Recipe):
            def train(self, parameters: Numbers, data: pd.DataFrame) -> None: ...

    assert "hook 'train'" in str(refused.value)
    assert "test_recipe.py:" in str(refused.value)
    assert str(refused.value).endswith("takes (self, parameters, data): write `def train(self, data, parameters)`")


def test_a_hook_with_too_few_arguments_is_refused() -> None:
    with pytest.raises(RecipeDefinitionError, match=r"write `def score\(self, model, data, parameters\)`"):

        class _(Recipe):
            def score(self, model: Any, data: pd.DataFrame) -> None: ...


def test_a_hook_may_take_more_arguments_that_have_defaults() -> None:
    class Generous(OnPandas):
        def train(self, data: pd.DataFrame, parameters: Numbers, verbose: bool = False) -> float:
            return 0.0

    assert traits_of(Generous).data_frame == "pandas"


def test_a_static_hook_is_refused() -> None:
    with pytest.raises(RecipeDefinitionError, match="not a plain method"):

        class _(Recipe):
            @staticmethod
            def train(data: pd.DataFrame, parameters: Numbers) -> None: ...


@pytest.mark.parametrize("missing", ["train", "score"])
def test_a_missing_hook_is_named_with_what_to_write(missing: str) -> None:
    incomplete = type("Incomplete", (Recipe,), {k: v for k, v in vars(OnPandas).items() if k != missing})

    with pytest.raises(
        RecipeDefinitionError, match=rf"Incomplete .* has no hook '{missing}': write `def {missing}\(self"
    ):
        traits_of(incomplete)


def test_parameters_of_another_kind_are_refused() -> None:
    class Odd(OnPandas):
        def train(self, data: pd.DataFrame, parameters: dict[str, int]) -> float:
            return 0.0

    with pytest.raises(RecipeDefinitionError, match=r"annotates `parameters` as dict.*subclass of TrainParameters"):
        traits_of(Odd)


def test_a_data_frame_that_the_kit_cannot_load_is_refused() -> None:
    class Odd(OnPandas):
        def train(self, data: list[int], parameters: Numbers) -> float:  # type: ignore[override]
            return 0.0

    with pytest.raises(RecipeDefinitionError, match=r"annotate it as pandas\.DataFrame or pyspark\.sql\.DataFrame"):
        traits_of(Odd)


def test_batches_and_another_number_of_scores_exclude_each_other() -> None:
    class Both(OnPandas):
        score_in_batches = True
        scores_per_row = False

    with pytest.raises(RecipeDefinitionError, match="exclude each other"):
        traits_of(Both)
