"""The templates: a new project passes its own checks at once, and the sample is what both templates grow into."""

from __future__ import annotations

import difflib
import json
from pathlib import Path

import pytest
from author_tools import LINT, REPOSITORY, TESTS, TYPES, files_of, run_tool

from recipe_kit.scaffold import Template, create_project, template_folder

SAMPLE = REPOSITORY / "sample_recipe"
ANSWERS: dict[Template, dict[str, str]] = {
    "python": {"name": "Sentiment", "package": "sentiment", "author": "The authors of recipe-kit"},
    "pyspark": {"name": "Sentiment Spark", "package": "sentiment", "author": "The authors of recipe-kit"},
}
"""What the sample's authors would have answered, had each of its two recipes been a project of its own."""

SAMPLE_NAMES: dict[Template, dict[str, str]] = {
    "python": {},
    "pyspark": {
        "sentiment/recipe.py": "sentiment/spark_recipe.py",
        "tests/test_recipe.py": "tests/test_spark_recipe.py",
    },
}
"""Files that have another name in the sample, because the recipe is the second one there."""

SAMPLE_ONLY = {"tests/test_agreement.py"}
"""Files of the sample that are about its two recipes together."""

DIFFERENCES = Path(__file__).with_name("sample_differences")
"""The lines in which the sample may differ from each template, because it is two recipes in one project."""


@pytest.fixture(scope="module", params=["python", "pyspark"])
def template(request: pytest.FixtureRequest) -> Template:
    """Each template in turn."""
    name: Template = request.param
    return name


@pytest.fixture(scope="module")
def project(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new project, with names so long that they would make a line of code too long which held one."""
    answers = {
        "name": f"The opinions that travellers on {template} have of the places that they have been to",
        "package": "opinions_that_travellers_have_of_the_places",
    }
    return create_project(template, answers, tmp_path_factory.mktemp("new"), ask=False)


# -- the sample and the templates -----------------------------------------------------------------------------------


def test_the_sample_differs_from_a_template_only_in_the_declared_lines(template: Template, tmp_path: Path) -> None:
    rendered = create_project(template, ANSWERS[template], tmp_path, ask=False)
    found: list[str] = []
    for name in sorted(files_of(rendered)):
        name_in_sample = SAMPLE_NAMES[template].get(name, name)
        in_template, in_sample = (
            file.read_text(encoding="utf-8").splitlines(keepends=True)
            for file in (rendered / name, SAMPLE / name_in_sample)
        )
        lines = difflib.unified_diff(in_template, in_sample, f"{template}/{name}", f"sample/{name_in_sample}", n=0)
        found += [line for line in lines if not line.startswith("@@")]
    declared = DIFFERENCES / f"{template}.diff"
    assert "".join(found) == declared.read_text(encoding="utf-8"), (
        f"change the template as the sample was changed, or the other way round; {declared.name} is only for what"
        " follows from the sample being two recipes in one project"
    )


def test_every_file_of_the_sample_comes_from_a_template(tmp_path: Path) -> None:
    covered = set(SAMPLE_ONLY)
    for template, answers in ANSWERS.items():
        project = create_project(template, answers, tmp_path, ask=False)
        covered |= {SAMPLE_NAMES[template].get(name, name) for name in files_of(project)}
    assert files_of(SAMPLE) == covered


@pytest.mark.parametrize("part", ["hooks", "templates", "cookiecutter.json"])
def test_the_two_templates_ask_and_refuse_alike(part: str) -> None:
    python, pyspark = (template_folder(template) / part for template in ANSWERS)
    assert files_of(python) == files_of(pyspark)
    for name in files_of(python) or {""}:
        assert (python / name).read_bytes() == (pyspark / name).read_bytes()


# -- a new project passes its own checks ----------------------------------------------------------------------------


def test_a_new_project_is_clean_for_ruff(project: Path) -> None:
    for command in LINT:
        run_tool(project, *command)


def test_a_new_project_is_clean_for_mypy_strict(project: Path) -> None:
    assert "Success" in run_tool(project, *TYPES)


@pytest.mark.slow
@pytest.mark.needs("java")
def test_a_new_project_passes_its_own_tests(project: Path) -> None:
    assert " passed" in run_tool(project, *TESTS)


@pytest.mark.slow
@pytest.mark.needs("java")
def test_a_new_project_trains_and_scores_at_once(project: Path) -> None:
    trained, scored = json.loads(run_tool(project, "recipe_kit.cli", "run", "--json"))
    assert (trained["state"], scored["state"]) == ("DONE", "DONE")
    assert 0.8 <= trained["metrics"]["accuracy"] <= 0.95
    assert scored["rowsWritten"] == 500
