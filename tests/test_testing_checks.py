"""Each check catches the recipe that breaks it, and nothing else is found in that recipe."""

from __future__ import annotations

import re
import shutil
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from recipe_kit.errors import CheckFailedError, DataError, RecipeDefinitionError, RecipeNotFoundError
from recipe_kit.project import Project
from recipe_kit.testing import CHECKS, CheckOutcome, CheckStatus, Subject, check_recipe, checks_of, run_checks
from recipe_kit.testing.checks import parameters as parameter_checks
from recipe_kit.testing.checks import running
from recipe_kit.testing.findings import FEWEST_WORDS, describe_error, is_named_error

BAD_RECIPES = Path(__file__).resolve().parent / "bad_recipes"
NAMES = list(tomllib.loads((BAD_RECIPES / "pyproject.toml").read_text())["tool"]["recipe-kit"]["recipes"])
IN_A_FRESH_PROCESS = {
    "saved_model_loads_in_a_fresh_process",
    "saved_model_scores_alone",
    "same_seed_gives_the_same_scores",
    "imports_without_side_effects",
    "outputs_stay_in_the_run_folder",
}
SLOW = {check.name for check in CHECKS if check.slow}

# What the message must say of each recipe, beside the check's name.
SEEN = {
    "constructs_without_arguments": r"NeedsAnArgument\(\) raises TypeError: .*'threshold'",
    "hooks_are_annotated": r"`data` and `parameters` of 'evaluate' \(definition\.py:\d+\)",
    "defaults_are_valid": r"the default of 'ridge' of task 'train' cannot be used: .* greater than or equal to 0",
    "parameters_are_described": r"no description of parameter 'ridge' of task 'train'",
    "text_and_typed_parameters_agree": r"'ridge' of task 'train' changes when it comes as text: 0\.005 becomes 5e-05",
    "unknown_keys_are_refused": r"Forgiving\(\w+=1\) in Python is taken",
    "values_out_of_range_are_refused--by_schema_only": r"takes '-0\.5', though its schema says minimum 0",
    "values_out_of_range_are_refused": r"'ridge' of task 'train' takes '-0\.5', though its schema says minimum 0",
    "trains_on_the_sample": r"fails in train: .*KeyError: 'label' \(good\.py:\d+\)",
    "metrics_are_numbers": r"'precision' is nan",
    "metrics_are_numbers--none": r"`evaluate` returned no metrics",
    "training_leaves_its_input_alone": r"`train` changed the data .*: row \d+, column 'income': [\d.]+ instead of",
    "training_leaves_its_input_alone--parameters": r"`train` changed the parameters that it was given: columns",
    "same_seed_gives_the_same_scores": r"two models trained with seed 0 give other scores: row 0, column 'score'",
    "saved_model_loads_in_a_fresh_process": r"loading the model in a fresh process fails: .*attribute 'Passing'",
    "saved_model_scores_alone": r"other ones than in the process that trained: row 0, column 'score'",
    "saved_model_scores_alone--on_self": r"AttributeError: .* no attribute 'weights' \(models\.py:\d+\)",
    "one_score_per_row": r"do not follow their rows",
    "one_score_per_row--drops": r"`score` returned 30 rows for 60",
    "column_order_does_not_matter": r"columns in reverse order gets other scores: row \d+, column 'score'",
    "extra_columns_do_not_matter": r"one column more cannot be scored: ValueError: .*extra 0.* \(scoring\.py:\d+\)",
    "scoring_leaves_its_input_alone": r"`score` changed the data that it was given: column 'score' is unexpected",
    "batches_of_any_size_give_the_same_scores": r"scored 1 at a time, rows get other scores than all at once: row 0",
    "scoring_no_rows_ends_well": r"a table without rows raises IndexError: .* \(odd_data\.py:\d+\)",
    "scoring_one_row_ends_well": r"a single row raises .*AxisError: .* \(odd_data\.py:\d+\)",
    "scoring_nulls_ends_well": r"nulls in column 'city' raises AttributeError: .* \(odd_data\.py:\d+\)",
    "scoring_nulls_ends_well--drops": r"nulls in column 'age' gives 13 scores for 20 rows",
    "scoring_unseen_categories_ends_well": r"texts never seen in column 'city' raises KeyError: .* \(odd_data\.py",
    "scoring_unseen_categories_ends_well--on-spark": r"texts never seen in column 'city' raises KeyError: ",
    "training_on_few_rows_ends_well": r"training on a single row raises IndexError: .* \(odd_data\.py:\d+\)",
    "training_on_nulls_ends_well": r"nulls in 'age', 'income', 'city' raises AttributeError: .* \(odd_data\.py:\d+\)",
    "imports_without_side_effects": (
        r"importing it prints 'welcome to the recipe', writes \S+imported\.txt, connects to 127\.0\.0\.1:1, "
        r"starts threads \(at work\)"
    ),
    "imports_without_side_effects--fails": r"importing it raises .*KeyError: 'colour' \(failing_import\.py:\d+\)",
    "outputs_stay_in_the_run_folder": r"a run touches \S+bad/last_training\.txt",
    "outputs_stay_in_the_run_folder--current": r"a run touches \S+/current/scored\.csv \(new\)",
    "isolated_runs_agree": r"training in the project's own environment fails: .*No module named 'sklearn'",
    "spark_runs_agree": r"scores are other ones on Spark: row 0, column 'score'",
}


def _case(name: str) -> object:
    marks = []
    if "spark" in name:
        marks.append(pytest.mark.spark)
    if name.startswith("isolated"):
        marks += [pytest.mark.slow, pytest.mark.needs("package index")]
    return pytest.param(name, marks=marks)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the project of bad recipes, of which some write into it."""
    copy = tmp_path_factory.mktemp("checks") / "bad_recipes"
    shutil.copytree(BAD_RECIPES, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return Project.load(copy)


@pytest.fixture(autouse=True)
def _current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _checked_name(recipe: str) -> str:
    return recipe.partition("--")[0]


def _failed(outcomes: list[CheckOutcome]) -> list[str]:
    return [outcome.name for outcome in outcomes if outcome.status is CheckStatus.FAILED]


# -- every check and its bad recipe ---------------------------------------------------------------------------------


def test_every_check_has_a_bad_recipe_and_every_bad_recipe_a_check() -> None:
    assert {_checked_name(name) for name in NAMES} - {"good"} == {check.name for check in CHECKS}
    assert set(SEEN) == {name for name in NAMES if _checked_name(name) != "good"}


@pytest.mark.parametrize("name", [_case(name) for name in NAMES if _checked_name(name) != "good"])
def test_a_bad_recipe_fails_its_check_and_no_other(name: str, project: Project) -> None:
    checked = _checked_name(name)
    # A fresh process takes longer than all other checks together, so one is started only for what shows there.
    wanted = {check.name for check in CHECKS} - SLOW - (set() if checked in IN_A_FRESH_PROCESS else IN_A_FRESH_PROCESS)
    outcomes = run_checks(project, name, only=wanted | {checked}, slow=checked in SLOW)
    assert _failed(outcomes) == [checked], outcomes
    message = next(outcome.message for outcome in outcomes if outcome.name == checked)
    assert message.startswith(f"recipe '{name}' fails check '{checked}': ")
    assert re.search(SEEN[name], message.splitlines()[0]), message
    assert "\n  why it matters: " in message
    assert "\n  what to do: " in message


@pytest.mark.parametrize("name", [_case("good"), _case("good--on-spark")])
def test_a_good_recipe_passes_every_check_that_is_for_it(name: str, project: Project) -> None:
    outcomes = run_checks(project, name)
    assert not _failed(outcomes), outcomes
    left_out = {outcome.name for outcome in outcomes if outcome.status is CheckStatus.NOT_APPLICABLE}
    on_pandas_only = {"scoring_leaves_its_input_alone", "batches_of_any_size_give_the_same_scores"}
    assert left_out == SLOW | (on_pandas_only if "spark" in name else set())


@pytest.mark.spark
def test_a_good_recipe_gives_the_same_scores_on_spark(project: Project) -> None:
    [outcome] = run_checks(project, "good", only=["spark_runs_agree"], slow=True)
    assert outcome.status is CheckStatus.PASSED, outcome.message


@pytest.mark.slow
@pytest.mark.needs("package index")
def test_a_good_recipe_gives_the_same_scores_in_an_environment_of_its_own(project: Project) -> None:
    [outcome] = run_checks(project, "good", only=["isolated_runs_agree"], slow=True)
    assert outcome.status is CheckStatus.PASSED, outcome.message


# -- statuses -------------------------------------------------------------------------------------------------------


def test_an_expected_failure_is_reported_with_its_reason(project: Project) -> None:
    reason = "the ranks are meant to be those of the batch"
    name = "batches_of_any_size_give_the_same_scores"
    [outcome] = run_checks(project, name, only=[name], expected_failures={name: reason})
    assert (outcome.status, outcome.message) == (CheckStatus.EXPECTED_FAILURE, reason)


def test_a_project_says_itself_which_failures_are_expected(project: Project) -> None:
    name = "batches_of_any_size_give_the_same_scores"
    said = replace(project, expected_failures={name: {name: "the ranks are those of the batch"}})

    [outcome] = run_checks(said, name, only=[name])

    assert (outcome.status, outcome.message) == (CheckStatus.EXPECTED_FAILURE, "the ranks are those of the batch")


def test_an_expected_failure_that_passes_is_a_failure(project: Project) -> None:
    [outcome] = run_checks(
        project, "good", only=["hooks_are_annotated"], expected_failures={"hooks_are_annotated": "never mind"}
    )
    assert outcome.status is CheckStatus.FAILED
    assert "passes check 'hooks_are_annotated', which was expected to fail (never mind)" in outcome.message


def test_a_misspelt_check_is_refused_and_the_nearest_one_named(project: Project) -> None:
    with pytest.raises(ValueError, match=r"no check 'hooks_annotated': did you mean 'hooks_are_annotated'\?"):
        run_checks(project, "good", expected_failures={"hooks_annotated": "why"})
    with pytest.raises(ValueError, match=r"no check 'x': there are: constructs_without_arguments, "):
        run_checks(project, "good", only=["x"])


def test_checks_are_chosen_by_the_traits_that_a_recipe_declares(project: Project) -> None:
    def left_out(name: str) -> dict[str, str | None]:
        return {each.name: each.left_out for each in checks_of(Subject(project, name), slow=True) if each.left_out}

    assert left_out("good") == {}
    without_batches = "it is for a recipe that declares `score_in_batches = True`"
    assert left_out("one_score_per_row")["batches_of_any_size_give_the_same_scores"] == without_batches
    assert left_out("one_score_per_row")["spark_runs_agree"].startswith("it is for a recipe that works on pandas and")


def test_slow_checks_are_left_out_unless_asked_for(project: Project) -> None:
    outcomes = run_checks(project, "good", only=SLOW)
    assert {outcome.status for outcome in outcomes} == {CheckStatus.NOT_APPLICABLE}
    assert {outcome.message for outcome in outcomes} == {"slow, and slow checks were not asked for"}


def test_of_a_recipe_that_cannot_be_imported_nothing_else_is_checked(project: Project) -> None:
    name = "imports_without_side_effects--fails"
    checks = list(checks_of(Subject(project, name)))
    assert [each.name for each in checks if each.left_out is None] == ["imports_without_side_effects"]


def test_checks_that_need_a_trained_model_say_which_check_tells_why_there_is_none(project: Project) -> None:
    outcomes = run_checks(project, "trains_on_the_sample", only=["trains_on_the_sample", "one_score_per_row"])
    assert outcomes[1].status is CheckStatus.NOT_APPLICABLE
    assert outcomes[1].message == "training on the sample fails, see 'trains_on_the_sample'"


def test_nothing_that_a_recipe_prints_is_shown(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    run_checks(project, "imports_without_side_effects", only=["constructs_without_arguments"])
    assert capsys.readouterr() == ("", "")


def test_an_import_that_takes_very_long_is_found(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "IMPORT_SECONDS", 0.0)
    name = "imports_without_side_effects"
    [outcome] = run_checks(project, name, only=[name])
    assert re.search(r"takes \d+\.\d s, more than 0 s", outcome.message)


# -- what can be checked --------------------------------------------------------------------------------------------


def test_check_recipe_names_every_check_that_fails(project: Project) -> None:
    with pytest.raises(CheckFailedError) as failure:
        check_recipe(project, "trains_on_the_sample")
    assert "recipe 'trains_on_the_sample' fails check 'trains_on_the_sample'" in str(failure.value)


def test_a_class_is_found_in_the_project_above_its_file(project: Project) -> None:
    recipe_class = project.import_recipe("good")
    [outcome] = run_checks(recipe_class, only=["trains_on_the_sample"])
    assert (outcome.recipe, outcome.status) == ("good", CheckStatus.PASSED)
    [outcome] = run_checks(recipe_class(), only=["trains_on_the_sample"])
    assert (outcome.recipe, outcome.status) == ("good", CheckStatus.PASSED)


def test_a_class_without_a_project_is_checked_on_the_data_that_is_named(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(project.root / "bad" / "good.py", tmp_path / "lonely.py")
    monkeypatch.syspath_prepend(tmp_path)
    import lonely

    parameters = {
        "train": {"training_data_location": project.data_folder / "training.csv"},
        "score": {"scoringDataLocation": str(project.data_folder / "scoring.csv")},
    }
    outcomes = run_checks(lonely.Good, parameters=parameters)
    assert not _failed(outcomes), outcomes
    assert {outcome.recipe for outcome in outcomes} == {"Good"}
    [outcome] = run_checks(lonely.Good, only=["trains_on_the_sample"])
    assert "the parameters of task 'train' cannot be resolved: task 'train' needs parameter" in outcome.message


def test_a_class_that_no_other_process_could_import_is_refused(project: Project) -> None:
    good = project.import_recipe("good")

    class Local(good):
        pass

    with pytest.raises(RecipeDefinitionError, match=r"Local is defined in a function or a class, so that no other"):
        run_checks(Local)


def test_a_project_with_several_recipes_needs_a_choice(project: Project) -> None:
    with pytest.raises(RecipeNotFoundError, match="has several recipes"):
        run_checks(project)


def test_scores_that_somebody_keeps_are_not_overwritten(project: Project, tmp_path: Path) -> None:
    kept = tmp_path / "kept.csv"
    subject = Subject(project, "good", parameters={"score": {"scoring_results_location": kept}})
    assert subject.parameters("score").scoring_results_location == "kept.csv"


# -- named errors ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (DataError("bad"), True),
        (ValueError("column 'age' has nulls"), True),
        (ValueError("age"), False),
        (ValueError(), False),
        (KeyError("column 'age' is missing here"), False),
        (TypeError("unsupported operand type(s) for +"), False),
        (ZeroDivisionError("float division by zero"), False),
        (UnicodeDecodeError("utf-8", b"x", 0, 1, "invalid start byte here"), False),
    ],
)
def test_a_named_error_is_one_of_the_kit_or_a_value_error_with_a_sentence(error: Exception, named: bool) -> None:
    assert is_named_error(error) is named


def test_a_sentence_has_at_least_three_words() -> None:
    assert FEWEST_WORDS == 3


@pytest.mark.spark
def test_what_spark_raises_is_judged_by_its_root(spark) -> None:
    from pyspark.ml.feature import StringIndexer
    from pyspark.sql import functions as F

    cities = spark.createDataFrame([("Ulm",), ("Bern",)], "city string")
    unseen = spark.createDataFrame([("Graz",)], "city string")

    def error_of(udf) -> Exception:
        with pytest.raises(Exception) as caught:  # noqa: PT011
            cities.select(F.udf(udf, "string")("city")).collect()
        return caught.value

    def refuse(city):  # Spark would take the kind of function from annotations
        raise ValueError(f"nobody knows {city}")

    def refuse_by_the_kit(city):
        from recipe_kit.errors import MalformedDataError

        raise MalformedDataError(f"nobody knows {city}")

    assert is_named_error(error_of(refuse))
    assert is_named_error(error_of(refuse_by_the_kit))
    by_key = error_of(lambda city: {}[city])
    assert not is_named_error(by_key)
    assert describe_error(by_key, None).startswith("KeyError: ")
    with pytest.raises(Exception) as caught:  # noqa: PT011
        StringIndexer(inputCol="city", outputCol="index").fit(cities).transform(unseen).collect()
    assert is_named_error(caught.value), caught.value


# -- values that a schema forbids -----------------------------------------------------------------------------------


def test_a_bad_value_is_tried_for_each_bound_of_the_schema() -> None:
    from enum import StrEnum
    from typing import Literal

    from recipe_kit import Field, Parameters

    class Colour(StrEnum):
        RED = "red"

    class All(Parameters):
        count: int = Field(2, gt=0, le=9)
        share: float | None = Field(None, ge=0, lt=1)
        flag: bool = False
        name: str = Field("abc", min_length=2, max_length=4)
        free: str = ""
        colour: Colour = Colour.RED
        kind: Literal["a", "b"] = "a"

    found = {(bad.key, bad.value) for bad in parameter_checks.bad_values(All)}
    nonsense = parameter_checks.NO_NUMBER
    assert found == {
        ("count", nonsense), ("count", "0"), ("count", "10"),
        ("share", nonsense), ("share", "-0.5"), ("share", "1"),
        ("flag", nonsense),
        ("name", "x"), ("name", "xxxxx"),
        ("colour", "none of these choices"), ("kind", "none of these choices"),
    }  # fmt: skip
