"""The checks as parameters of a pytest test."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipe_kit.errors import CheckFailedError, ProjectError
from recipe_kit.project import Project
from recipe_kit.recipe import Recipe
from recipe_kit.testing.engine import RecipeCheck, checks_of
from recipe_kit.testing.findings import NotApplicableError
from recipe_kit.testing.subject import Subject, find_project, find_subject

if TYPE_CHECKING:
    import pytest

# One subject per recipe and process, so that tests of several modules share its trained model.
_subjects: dict[tuple[Path, str], Subject] = {}


def parametrize_with_checks(
    recipes: Iterable[type[Recipe] | str] | None = None,
    *,
    project: Project | Path | str | None = None,
    expected_failures: Mapping[str, str] | None = None,
    slow: bool = True,
) -> pytest.MarkDecorator:
    """Return a decorator that calls a test with every check that is applicable, as its argument `check`.

    ```
    @parametrize_with_checks(["sentiment"])
    def test_the_contract_is_kept(check: Callable[[], None]) -> None:
        check()
    ```

    Args:
        recipes: Names of recipes of the project, or recipe classes; all recipes of the project by default.
        project: The project or its folder; by default the one above the file of the test.
        expected_failures: Why a check is expected to fail, by the check's name. The test is then an `xfail`, and fails
            if the check passes.
        slow: Whether slow checks are among them; they are skipped unless pytest runs with `--recipe-slow`.

    Raises:
        RecipeKitError: There is no such project or recipe.
        ValueError: There is no check of a name that was given.
    """
    import pytest

    caller = Path(sys._getframe(1).f_globals.get("__file__", "tests.py")).resolve()
    parameters = []
    for subject in _subjects_of(recipes, project, caller):
        for each in checks_of(subject, expected_failures=expected_failures, slow=slow):
            if each.left_out is not None:
                continue
            marks: list[Any] = [pytest.mark.recipe_slow] if each.check.slow else []
            if each.expected_failure is not None:
                marks.append(pytest.mark.xfail(reason=each.expected_failure, raises=CheckFailedError, strict=True))
            parameters.append(pytest.param(PytestCheck(each), id=f"{subject.name}-{each.name}", marks=marks))
    return pytest.mark.parametrize("check", parameters)


@dataclass(frozen=True)
class PytestCheck:
    """A check as a test gets it: calling it skips the test where there is nothing to check."""

    check: RecipeCheck

    def __call__(self) -> None:
        """Return if the recipe passes.

        Raises:
            CheckFailedError: It does not.
        """
        __tracebackhide__ = True
        try:
            self.check()
        except NotApplicableError as reason:
            import pytest

            pytest.skip(str(reason))

    def __repr__(self) -> str:
        return f"<check {self.check.name} of recipe {self.check.subject.name}>"


def _subjects_of(
    recipes: Iterable[type[Recipe] | str] | None, project: Project | Path | str | None, caller: Path
) -> list[Subject]:
    if recipes is not None:
        recipes = list(recipes)
        if not any(isinstance(recipe, str) for recipe in recipes):
            return [find_subject(recipe) for recipe in recipes]
    chosen = Project.load(project) if isinstance(project, str | Path) else project or find_project(caller.parent)
    if chosen is None:
        raise ProjectError(
            f"there is no recipe project at {caller.parent} or above it",
            hint='name one, as in parametrize_with_checks(project="path/of/project")',
        )
    names = chosen.recipes if recipes is None else recipes
    return [subject_of(chosen, name) if isinstance(name, str) else find_subject(name) for name in names]


def subject_of(project: Project, name: str) -> Subject:
    """Return the subject that all tests of this process share for a recipe without parameters of its own."""
    key = (project.root, project.choose(name))
    if key not in _subjects:
        _subjects[key] = Subject(project, name)
    return _subjects[key]
