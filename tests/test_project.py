"""A project on disk: what its table may say, and how a recipe is found in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recipe_kit.errors import (
    InstanceFileError,
    ProjectError,
    RecipeDefinitionError,
    RecipeImportError,
    RecipeNotFoundError,
)
from recipe_kit.project import Project, read_instance

RECIPE = """
import pandas as pd
from recipe_kit import Recipe, ScoreParameters, TrainParameters

class Mean(Recipe):
    def train(self, data: pd.DataFrame, parameters: TrainParameters) -> float:
        return 0.0

    def score(self, model: float, data: pd.DataFrame, parameters: ScoreParameters) -> pd.DataFrame:
        return data
"""


def project_at(
    folder: Path, table: str = '[tool.recipe-kit.recipes]\nmean = "mean.recipe:Mean"', code: str = RECIPE
) -> Path:
    package = folder / "mean"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "recipe.py").write_text(code)
    (folder / "pyproject.toml").write_text(f'[project]\nname = "averages"\nversion = "1.2"\n{table}\n')
    return folder


def test_a_project_is_found_by_its_table(tmp_path: Path) -> None:
    project = Project.load(project_at(tmp_path))

    assert (project.name, project.version, project.choose()) == ("averages", "1.2", "mean")
    assert project.data_folder == tmp_path / "data"
    assert project.import_recipe("mean").__name__ == "Mean"


def test_packages_under_src_are_found(tmp_path: Path) -> None:
    project_at(tmp_path)
    (tmp_path / "src").mkdir()
    (tmp_path / "mean").rename(tmp_path / "src" / "mean")

    assert Project.load(tmp_path).import_recipe("mean").__name__ == "Mean"


def test_two_projects_may_have_packages_of_one_name(tmp_path: Path) -> None:
    first = Project.load(project_at(tmp_path / "first")).import_recipe("mean")
    second = Project.load(project_at(tmp_path / "second")).import_recipe("mean")

    assert first is not second


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("", "has no [tool.recipe-kit] table: add [tool.recipe-kit.recipes]"),
        ("[tool.recipe-kit]", "names no recipe: add [tool.recipe-kit.recipes]"),
        ('[tool.recipe-kit]\ninstanze = "x"', "unknown key 'instanze' in [tool.recipe-kit]"),
        ("[tool.recipe-kit]\ninstance = 3\nrecipes.a = 'a:B'", "'instance' in [tool.recipe-kit]"),
        ('[tool.recipe-kit.recipes]\nmean = "mean.recipe"', 'write it as "package.module:Class"'),
        ("[tool", "is not valid TOML"),
        (
            "[tool.recipe-kit]\nrecipes.a = 'a:B'\nexpected-failures.b.same_seed = 'why'",
            "does not hold a table for each recipe by name",
        ),
        (
            "[tool.recipe-kit]\nrecipes.a = 'a:B'\nexpected-failures.a.same_seed = ''",
            "the expected failure of check 'same_seed' in",
        ),
    ],
)
def test_a_wrong_table_gets_one_sentence(tmp_path: Path, table: str, sentence: str) -> None:
    with pytest.raises(ProjectError) as refused:
        Project.load(project_at(tmp_path, table))

    assert sentence in str(refused.value)


def test_an_unknown_key_names_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"did you mean 'instance'\?"):
        Project.load(project_at(tmp_path, '[tool.recipe-kit]\ninstanze = "x"'))


def test_a_folder_without_a_project_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        ProjectError, match=r"is no recipe project, as it has no pyproject.toml: name the project's folder"
    ):
        Project.load(tmp_path)


def test_one_of_several_recipes_must_be_chosen(tmp_path: Path) -> None:
    project = Project.load(project_at(tmp_path, '[tool.recipe-kit.recipes]\na = "m:A"\nb = "m:B"'))

    with pytest.raises(RecipeNotFoundError, match=r"several recipes \(a, b\) and none was chosen: .*--recipe a"):
        project.choose()


def test_an_unknown_recipe_names_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(RecipeNotFoundError, match="no recipe 'maen': did you mean 'mean'"):
        Project.load(project_at(tmp_path)).import_recipe("maen")


def test_a_missing_module_is_named(tmp_path: Path) -> None:
    project = Project.load(project_at(tmp_path, '[tool.recipe-kit.recipes]\nmean = "mean.recipes:Mean"'))

    with pytest.raises(RecipeNotFoundError, match=r"no module 'mean.recipes'"):
        project.import_recipe("mean")


def test_a_missing_class_names_the_nearest_one(tmp_path: Path) -> None:
    project = Project.load(project_at(tmp_path, '[tool.recipe-kit.recipes]\nmean = "mean.recipe:Meen"'))

    with pytest.raises(RecipeNotFoundError, match="no class 'Meen': did you mean 'Mean'"):
        project.import_recipe("mean")


def test_a_class_that_is_no_recipe_is_refused(tmp_path: Path) -> None:
    project = Project.load(project_at(tmp_path, code="class Mean: ..."))

    with pytest.raises(RecipeDefinitionError, match="is not a recipe: derive the class from"):
        project.import_recipe("mean")


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("x = 1\ny = 1 / 0", "ZeroDivisionError: division by zero (recipe.py:2)"),
        ("def f(:", "SyntaxError"),
        ("import nowhere_to_be_found", "needs 'nowhere_to_be_found', which is not installed (recipe.py:1)"),
        ("import sys\nsys.exit(3)", "SystemExit: 3 (recipe.py:2)"),
    ],
)
def test_an_error_in_the_authors_module_is_told_with_its_line(tmp_path: Path, code: str, sentence: str) -> None:
    with pytest.raises(RecipeImportError) as refused:
        Project.load(project_at(tmp_path, code=code)).import_recipe("mean")

    assert sentence in str(refused.value)


def test_the_instance_file_gives_a_layer_named_after_it(tmp_path: Path) -> None:
    project_at(tmp_path, '[tool.recipe-kit]\ninstance = "instance.json"\nrecipes.mean = "mean.recipe:Mean"')
    instance = {
        "name": "Averages",
        "engineId": "kept",
        "tasks": [{"name": "train", "parameters": [{"key": "depth", "value": "4"}], "specification": {"type": "x"}}],
    }
    (tmp_path / "instance.json").write_text(json.dumps(instance))

    (layer,) = Project.load(tmp_path).layers()

    assert layer.source == "instance.json"
    assert [(t.name, [(p.key, p.value) for p in t.parameters]) for t in layer.tasks] == [("train", [("depth", "4")])]
    posted = read_instance(tmp_path / "instance.json").model_dump(by_alias=True, exclude_unset=True, mode="json")
    assert posted == instance


def test_a_missing_instance_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InstanceFileError, match=r"nowhere.json does not exist: check the path"):
        read_instance(tmp_path / "nowhere.json")


def test_a_broken_instance_file_is_told_with_line_and_column(tmp_path: Path) -> None:
    file = tmp_path / "instance.json"
    file.write_text('{\n  "name": "x",,\n}')

    with pytest.raises(InstanceFileError, match=r"is not JSON: .* at line 2, column 15"):
        read_instance(file)


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ([], "the document"),
        ({"tasks": []}, "name"),
        ({"name": "x", "tasks": {"train": 1}}, "tasks"),
        ({"name": "x", "tasks": [{"parameters": []}]}, "tasks[0].name"),
        ({"name": "x", "tasks": [{"name": "train", "parameters": [{"value": 1}]}]}, "tasks[0].parameters[0].key"),
    ],
)
def test_an_instance_of_the_wrong_shape_is_told_where(tmp_path: Path, document: object, place: str) -> None:
    file = tmp_path / "instance.json"
    file.write_text(json.dumps(document))

    with pytest.raises(InstanceFileError) as refused:
        read_instance(file)

    assert f"has not the shape of an MLInstance: {place}: " in str(refused.value)
