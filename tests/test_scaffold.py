"""New projects: what is asked, what is refused, and that a project is there whole or not at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from author_tools import files_of

from recipe_kit.errors import MissingExtraError, ScaffoldError
from recipe_kit.scaffold import Template, create_project, questions, template_folder

TEMPLATES: tuple[Template, ...] = ("python", "pyspark")


def make(folder: Path, **answers: str) -> Path:
    return create_project("python", answers, folder, ask=False)


def sentence_of_refusal(folder: Path, **answers: str) -> str:
    with pytest.raises(ScaffoldError) as refusal:
        make(folder, **answers)
    assert not list(folder.iterdir()), "something half-made was left"
    return str(refusal.value)


# -- what is made ---------------------------------------------------------------------------------------------------


def test_the_project_is_named_after_its_name_and_its_package_too(tmp_path: Path) -> None:
    project = make(tmp_path, name="Churn Model")
    assert project == tmp_path / "churn-model"
    assert [entry.name for entry in tmp_path.iterdir()] == ["churn-model"]
    assert "class ChurnModel(Recipe):" in (project / "churn_model" / "recipe.py").read_text()
    table = tomllib.loads((project / "pyproject.toml").read_text())["tool"]["recipe-kit"]
    assert table["recipes"] == {"churn-model": "churn_model.recipe:ChurnModel"}


def test_the_folder_that_the_project_goes_into_is_made(tmp_path: Path) -> None:
    assert make(tmp_path / "a" / "b").parent == tmp_path / "a" / "b"


def test_answers_may_be_in_any_alphabet_and_hold_quotes_and_backslashes(tmp_path: Path) -> None:
    author, description = "José «Pepe» Ñandú 😀", 'Says "yes"\\"no", it\'s 100% {sure}'
    project = make(tmp_path, name="Étude no. 1", author=author, description=description)
    assert project.name == "etude-no-1"
    metadata = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert metadata["authors"] == [{"name": author}]
    assert metadata["description"] == description
    instance = json.loads((project / "instance.json").read_text(encoding="utf-8"))
    assert (instance["name"], instance["description"]) == ("Étude no. 1", description)


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize(
    ("licence", "identifier", "words"),
    [
        ("Apache-2.0", "Apache-2.0", "Apache License"),
        ("MIT", "MIT", "Copyright (c) Ada\n\nPermission is hereby granted, free of charge"),
        ("BSD-3-Clause", "BSD-3-Clause", "Neither the name of the copyright holder"),
        ("Proprietary", "LicenseRef-Proprietary", "Copyright (c) Ada. All rights reserved."),
    ],
)
def test_the_licence_file_is_that_of_the_chosen_licence(
    tmp_path: Path, template: Template, licence: str, identifier: str, words: str
) -> None:
    project = create_project(template, {"licence": licence, "author": "Ada"}, tmp_path, ask=False)
    assert words in (project / "LICENSE").read_text()
    assert tomllib.loads((project / "pyproject.toml").read_text())["project"]["license"] == identifier


def test_the_oldest_python_is_the_chosen_one(tmp_path: Path) -> None:
    project = make(tmp_path, python_version="3.12")
    document = tomllib.loads((project / "pyproject.toml").read_text())
    assert document["project"]["requires-python"] == ">=3.12"
    assert document["tool"]["mypy"]["python_version"] == "3.12"
    assert 'python-version: "3.12"' in (project / ".github" / "workflows" / "test.yml").read_text()


def test_nothing_of_the_template_language_is_left_in_a_project(tmp_path: Path) -> None:
    for template in TEMPLATES:
        project = create_project(template, {"name": f"In {template}"}, tmp_path, ask=False)
        for file in project.rglob("*"):
            assert "cookiecutter" not in file.name
            assert not file.is_file() or "cookiecutter" not in file.read_text(encoding="utf-8")


# -- what is asked --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", TEMPLATES)
def test_both_templates_ask_the_same_questions(template: Template) -> None:
    assert list(questions(template)) == ["name", "package", "description", "author", "python_version", "licence"]


def test_asking_goes_through_cookiecutter_and_proposes_what_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, object]] = []

    def answer(variable: str, default: object, prompts: object, prefix: str) -> object:
        asked.append((variable, default))
        return "sleeper" if variable == "package" else default

    monkeypatch.setattr("cookiecutter.prompt.read_user_variable", answer)
    monkeypatch.setattr("cookiecutter.prompt.read_user_choice", lambda variable, options, *_: options[-1])
    project = create_project("python", {"name": "Night Watch"}, tmp_path, ask=True)
    assert asked[:2] == [("name", "Night Watch"), ("package", "night_watch")]
    assert (project / "sleeper" / "recipe.py").is_file()
    assert "All rights reserved" in (project / "LICENSE").read_text()


def test_questions_that_nobody_can_answer_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*_: object, **__: object) -> object:
        raise EOFError

    monkeypatch.setattr("cookiecutter.prompt.read_user_variable", closed)
    with pytest.raises(ScaffoldError, match="the questions cannot be asked, as the input has ended"):
        create_project("python", {}, tmp_path, ask=True)


def test_the_users_own_cookiecutter_settings_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".cookiecutterrc").write_text("default_context:\n  name: Something Else\n")
    monkeypatch.setenv("HOME", str(home))
    assert make(tmp_path / "projects").name == "my-recipe"
    assert [entry.name for entry in home.iterdir()] == [".cookiecutterrc"]


# -- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"nmae": "x"}, "the template asks no question 'nmae': did you mean 'name'?"),
        ({"colour": "x"}, "the template asks no question 'colour': there are: name, package, "),
        ({"__slug": "x"}, "the template asks no question '__slug'"),
        ({"licence": "GPL"}, "'GPL' is no choice for 'licence': there are: Apache-2.0, MIT, BSD-3-Clause, Proprietary"),
        ({"python_version": "3.8"}, "'3.8' is no choice for 'python_version': there are: 3.11, 3.12, 3.13"),
        ({"name": "!?"}, "the name '!?' does not begin with a letter: choose another, such as 'My Recipe'"),
        ({"name": "2 fast"}, "the name '2 fast' does not begin with a letter: choose another"),
        ({"name": "Recipe Kit"}, "the name 'Recipe Kit' is already that of something that the project uses"),
        ({"name": "Recipe"}, "the name 'Recipe' gives a class 'Recipe', which Python or the recipe already uses"),
        ({"name": "None"}, "the name 'None' gives a class 'None', which Python or the recipe already uses"),
        ({"package": "my-package"}, "the package name 'my-package' is not a Python identifier: begin with a letter"),
        ({"package": "../up"}, "the package name '../up' is not a Python identifier: begin with a letter"),
        ({"package": "lambda"}, "the package name 'lambda' is a keyword of Python: choose another"),
        ({"package": "json"}, "the package name 'json' is that of a module of Python itself: choose another"),
        ({"package": "recipe_kit"}, "the package name 'recipe_kit' would hide something that the project itself uses"),
        ({"package": "tests"}, "the package name 'tests' would hide something that the project itself uses"),
        ({"author": "Ada\nLovelace"}, "the author has a line break or another control character: leave it out"),
    ],
)
def test_a_bad_answer_gets_one_sentence_and_leaves_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], answers: dict[str, str], sentence: str
) -> None:
    assert sentence_of_refusal(tmp_path, **answers).startswith(sentence)
    assert capfd.readouterr() == ("", "")


def test_a_folder_that_exists_is_not_touched(tmp_path: Path) -> None:
    project = make(tmp_path)
    (project / "README.md").write_text("mine")
    with pytest.raises(ScaffoldError, match="my-recipe exists already: give the project another name"):
        make(tmp_path)
    assert (project / "README.md").read_text() == "mine"


def test_a_place_that_cannot_hold_a_project_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ScaffoldError, match=r"no project can be made in .*file \("):
        make(tmp_path / "file")


def test_an_unknown_template_names_those_that_there_are() -> None:
    with pytest.raises(ScaffoldError, match="there is no template 'r': there are: python, pyspark"):
        template_folder("r")  # type: ignore[arg-type]


def test_without_cookiecutter_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.partition(".")[0] == "cookiecutter"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "cookiecutter", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'recipe-kit\[scaffold\]'"):
        make(tmp_path)
    assert not list(tmp_path.iterdir())


# -- without the kit ------------------------------------------------------------------------------------------------


def cookiecutter(folder: Path, *answers: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cookiecutter", "--no-input", str(template_folder("python")), *answers]
    environment = {**os.environ, "HOME": str(folder / "home")}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_cookiecutter_alone_makes_the_same_project(tmp_path: Path) -> None:
    assert cookiecutter(tmp_path, "name=Churn Model").returncode == 0
    theirs, ours = tmp_path / "churn-model", make(tmp_path / "ours", name="Churn Model")
    assert files_of(theirs) == files_of(ours)
    assert all((theirs / name).read_bytes() == (ours / name).read_bytes() for name in files_of(ours))


def test_cookiecutter_alone_refuses_a_bad_name_with_the_same_sentence(tmp_path: Path) -> None:
    done = cookiecutter(tmp_path, "package=json")
    assert done.returncode == 1
    assert "the package name 'json' is that of a module of Python itself: choose another" in done.stderr
    assert not (tmp_path / "my-recipe").exists()


# -- where templates are --------------------------------------------------------------------------------------------


def test_the_templates_travel_in_the_wheel(wheel: Path) -> None:
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("recipe_kit/templates/")}
    for template in TEMPLATES:
        source = template_folder(template)
        files = {file.relative_to(source).as_posix() for file in source.rglob("*") if file.is_file()}
        assert {f"recipe_kit/templates/{template}/{file}" for file in files} <= packed


def test_templates_inside_the_package_are_used_before_those_of_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "site-packages" / "recipe_kit"
    (installed / "templates" / "python").mkdir(parents=True)
    monkeypatch.setattr("recipe_kit.scaffold.__file__", str(installed / "scaffold.py"))
    assert template_folder("python") == installed / "templates" / "python"
    assert template_folder("pyspark") == tmp_path / "site-packages" / "templates" / "pyspark"
