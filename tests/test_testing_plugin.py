"""The pytest plugin: its fixtures are there, find the right project and recipe, and cost nothing where unused."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import recipe_kit.testing

pytest_plugins = ["pytester"]

BAD_RECIPES = Path(__file__).resolve().parent / "bad_recipes"


@pytest.fixture
def project(pytester: pytest.Pytester) -> Path:
    """A project with two recipes, which the tests of pytester are in."""
    shutil.copytree(BAD_RECIPES / "bad", pytester.path / "bad", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(BAD_RECIPES / "data", pytester.path / "data")
    shutil.copy(BAD_RECIPES / "instance.json", pytester.path)
    pytester.makepyprojecttoml(
        '[project]\nname = "buyers"\n[tool.recipe-kit]\ninstance = "instance.json"\n'
        "[tool.recipe-kit.recipes]\n"
        'good = "bad.good:Good"\nsorts = "bad.scoring:SortsItsScores"\nbroken = "bad.training:CannotTrain"\n'
        'late = "bad.failing_import:FailingImport"\n'
        '[tool.pytest.ini_options]\nfilterwarnings = ["error"]\naddopts = "--strict-markers -p no:cacheprovider"\n'
    )
    return pytester.path


def _run(pytester: pytest.Pytester, text: str, *options: str) -> pytest.RunResult:
    pytester.makepyfile(test_it=f"from __future__ import annotations\nimport pytest\n{text}")
    return pytester.runpytest_subprocess(*options)


def test_importing_the_plugin_imports_no_library_that_recipes_need() -> None:
    script = (
        "import sys; before = set(sys.modules); import pytest; import recipe_kit.testing.plugin;"
        "print(sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "'recipe_kit'" in done.stdout
    for library in ("pydantic", "pandas", "numpy", "pyarrow", "pyspark", "joblib", "sklearn"):
        assert f"'{library}'" not in done.stdout


@pytest.mark.parametrize("name", recipe_kit.testing.__all__)
def test_a_public_name_is_there_and_type_checkers_see_it(name: str) -> None:
    assert getattr(recipe_kit.testing, name) is not None
    assert name in dir(recipe_kit.testing)
    source = Path(recipe_kit.testing.__file__).read_text(encoding="utf-8")
    imports = source.partition("if TYPE_CHECKING:")[2].partition("__all__")[0]
    assert re.search(rf"\b{name}\b", imports)


def test_the_fixtures_are_just_there(project: Path, pytester: pytest.Pytester) -> None:
    result = _run(
        pytester,
        """
        from recipe_kit.testing import assert_done, assert_tables_equal, read_scores

        pytestmark = pytest.mark.recipe("good")
        models = []

        def test_project(recipe_project, request):
            assert recipe_project.root == request.config.rootpath
            assert recipe_project.choose("sorts") == "sorts"

        def test_recipe(recipe, tmp_path):
            assert type(recipe).__name__ == "Good"
            assert recipe.context.folder == tmp_path

        def test_samples(sample_training_data, sample_scoring_data):
            assert sample_training_data.shape == (80, 4)
            assert sample_scoring_data.shape == (60, 3)
            sample_training_data["age"] = 0

        def test_a_changed_sample_is_whole_again(sample_training_data):
            assert sample_training_data["age"].min() >= 18

        @pytest.mark.parametrize("again", [1, 2])
        def test_trained_model(trained_model, again):
            models.append(trained_model)
            assert models[0] is trained_model
            assert trained_model.metrics["accuracy"] > 0.5
            assert trained_model.result.state == "DONE"
            assert (trained_model.folder / "manifest.json").is_file()

        def test_scores_of_the_hook_and_of_a_task_agree(recipe, trained_model, sample_scoring_data, run_task):
            scores = recipe.score(trained_model.model, sample_scoring_data, None)
            assert_tables_equal(read_scores(run_task("score")), scores)

        def test_tasks(run_task, tmp_path):
            trained = assert_done(run_task("train", ridge=2.5))
            assert trained.model.folder.is_relative_to(tmp_path)
            assert run_task("train", {"ridge": "2.5"}, seed=3).seed == 3
            other = read_scores(run_task("score", model=trained, scoring_results_location="other.csv"))
            assert len(other) == 60
            assert assert_done(run_task("evaluate", model=trained.model.folder)).metrics == trained.metrics

        def test_a_location_may_be_a_path(run_task, tmp_path):
            (tmp_path / "few.csv").write_text("age,income,city\\n30,2000.0,Ulm\\n")
            assert len(read_scores(run_task("score", scoring_data_location=tmp_path / "few.csv"))) == 1

        def test_a_task_that_fails_has_a_result(run_task):
            result = run_task("train", ridge=-1)
            assert (result.state, result.failure.type) == ("FAILED", "InvalidParameterError")
            with pytest.raises(AssertionError, match=r"'train' of recipe 'good' ended as FAILED in start: bad value"):
                assert_done(result)
            with pytest.raises(AssertionError, match="ended as FAILED"):
                read_scores(run_task("score", scoring_data_location="missing.csv"))
            assert "did you mean 'ridge'?" in run_task("train", ridges=1).failure.sentence
        """.replace("\n        ", "\n"),
    )
    result.assert_outcomes(passed=10)


def test_a_recipe_is_chosen_by_marker_option_or_ini_file(project: Path, pytester: pytest.Pytester) -> None:
    text = (
        "def test_chosen(recipe):\n    assert type(recipe).__name__ == 'SortsItsScores'\n"
        "@pytest.mark.recipe('good')\ndef test_marked(recipe):\n    assert type(recipe).__name__ == 'Good'\n"
    )
    _run(pytester, text, "--recipe", "sorts").assert_outcomes(passed=2)
    _run(pytester, text, "-o", "recipe=good", "--recipe=sorts").assert_outcomes(passed=2)


def test_without_a_choice_between_recipes_the_sentence_says_so(project: Path, pytester: pytest.Pytester) -> None:
    result = _run(pytester, "def test_it(recipe): pass")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["project buyers has several recipes (good, *) and none was chosen: choose one, as in *"]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_project_is_chosen_by_option_or_ini_file(project: Path, pytester: pytest.Pytester, tmp_path: Path) -> None:
    inner = project / "elsewhere"
    inner.mkdir()
    shutil.move(project / "pyproject.toml", inner)
    for name in ("bad", "data", "instance.json"):
        shutil.move(project / name, inner)
    text = "def test_it(recipe_project):\n    assert recipe_project.root.name == 'elsewhere'\n"
    _run(pytester, text, "--recipe-project=elsewhere").assert_outcomes(passed=1)
    pytester.makeini("[pytest]\nrecipe_project = elsewhere\n")
    _run(pytester, text).assert_outcomes(passed=1)
    (project / "tox.ini").unlink()
    result = _run(pytester, text)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["there is no recipe project at *: name one with --recipe-project FOLDER"])


def test_a_recipe_that_cannot_be_trained_or_imported_is_told_in_sentences(
    project: Path, pytester: pytest.Pytester
) -> None:
    result = _run(
        pytester,
        "@pytest.mark.recipe('broken')\ndef test_it(trained_model): pass\n"
        "@pytest.mark.recipe('late')\ndef test_late(recipe): pass\n",
    )
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(
        [
            "task 'train' of recipe 'broken' ended as FAILED in train: *KeyError: 'label'",
            "*, in train",
            "module 'bad.failing_import' cannot be imported: KeyError: 'colour' (failing_import.py:8)",
        ]
    )


def test_checks_are_parameters_of_a_test(project: Path, pytester: pytest.Pytester) -> None:
    text = """
from recipe_kit.testing import CHECKS, parametrize_with_checks

@parametrize_with_checks(["good", "sorts", "late"])
def test_contract(check):
    check()

@parametrize_with_checks(["sorts"], expected_failures={"one_score_per_row": "the best come first"})
def test_known(check):
    check()

@parametrize_with_checks(["good"], expected_failures={"hooks_are_annotated": "not yet"})
def test_mended(check):
    check()
"""
    result = _run(pytester, text, "-k", "one_score_per_row or hooks_are_annotated or column_order")
    result.assert_outcomes(passed=9, failed=2, xfailed=1, deselected=result.parseoutcomes()["deselected"])
    result.stdout.fnmatch_lines(
        [
            "*BrokenContractError: recipe 'sorts' fails check 'one_score_per_row': scores do not follow their rows*",
            "*XPASS(strict)*not yet*",
        ],
        consecutive=False,
    )


def test_slow_checks_are_skipped_and_of_a_recipe_that_cannot_be_imported_only_that_is_checked(
    project: Path, pytester: pytest.Pytester
) -> None:
    text = """
from recipe_kit.testing import parametrize_with_checks

@parametrize_with_checks(["good", "late"])
def test_contract(check):
    check()
"""
    result = _run(pytester, text, "-k", "agree and runs or late", "-rsf", "-v")
    result.assert_outcomes(skipped=2, failed=1, deselected=result.parseoutcomes()["deselected"])
    result.stdout.fnmatch_lines(["*test_contract?late-imports_without_side_effects? FAILED*"])
    result.stdout.fnmatch_lines(["SKIPPED * slow: run it with --recipe-slow"])


def test_parametrizing_without_a_project_says_what_to_name(pytester: pytest.Pytester) -> None:
    result = _run(pytester, "from recipe_kit.testing import parametrize_with_checks\nparametrize_with_checks()")
    result.stdout.fnmatch_lines(["*there is no recipe project at *: name one, as in parametrize_with_checks(project=*"])


@pytest.mark.spark
def test_one_spark_session_serves_the_whole_run_and_is_closed_at_its_end(
    project: Path, pytester: pytest.Pytester
) -> None:
    file = project / "pyproject.toml"
    text = file.read_text().replace('sorts = "bad.scoring:SortsItsScores"', 'sorts = "bad.good_on_spark:GoodOnSpark"')
    file.write_text(text)
    result = _run(
        pytester,
        """
seen = []

@pytest.mark.parametrize("again", [1, 2])
def test_session(spark, again):
    seen.append(spark)
    assert seen[0] is spark
    assert spark.range(3).count() == 3

@pytest.mark.recipe("sorts")
def test_recipe(recipe, trained_model, sample_scoring_data, run_task, spark):
    assert sample_scoring_data.sparkSession is spark
    assert recipe.context.spark is spark
    assert recipe.score(trained_model.model, sample_scoring_data, None).count() == 60
    from recipe_kit.testing import read_scores
    assert len(read_scores(run_task("score"))) == 60
""",
    )
    result.assert_outcomes(passed=3)
