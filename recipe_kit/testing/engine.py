"""Running the checks: one generator of them, which a plain function, the command line and pytest all draw from."""

from __future__ import annotations

import contextlib
import io
import time
import warnings
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from recipe_kit.errors import CheckFailedError
from recipe_kit.nearest import did_you_mean
from recipe_kit.project import Project
from recipe_kit.recipe import Recipe
from recipe_kit.testing.checks import CHECKS, Check
from recipe_kit.testing.findings import BrokenContractError, Finding, NotApplicableError, describe_error
from recipe_kit.testing.subject import Subject, find_subject

SLOW_LEFT_OUT = "slow, and slow checks were not asked for"


class CheckStatus(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    EXPECTED_FAILURE = "expected failure"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True)
class CheckOutcome:
    """What came of one check of one recipe."""

    recipe: str
    name: str
    status: CheckStatus
    message: str
    """Why it failed and what to do, why a failure was expected, or why there was nothing to check; else empty."""
    seconds: float


@dataclass(frozen=True)
class RecipeCheck:
    """A check of one recipe, ready to be called."""

    subject: Subject
    check: Check
    expected_failure: str | None = None
    """Why the check is expected to fail."""
    left_out: str | None = None
    """Why there is no point in calling it."""

    @property
    def name(self) -> str:
        """The check's name."""
        return self.check.name

    def __call__(self) -> None:
        """Return if the recipe passes.

        Raises:
            CheckFailedError: It does not; the message says which check, what was seen, why it matters, what to do.
            NotApplicableError: There is nothing to check.
        """
        __tracebackhide__ = True
        if self.left_out is not None:
            raise NotApplicableError(self.left_out)
        # Warnings are for other tests: whether they are errors there must not decide what is found here.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                self.check.function(self.subject)
            except NotApplicableError:
                raise
            except Finding as finding:
                raise self._failed(finding.seen, finding.remedy) from finding.__cause__
            except CheckFailedError:
                raise
            except Exception as error:
                raise self._failed(f"raised {describe_error(error, self.subject.project.source_folder)}") from error

    def run(self) -> CheckOutcome:
        """Run the check and return what came of it; nothing that the recipe prints is shown."""
        started = time.perf_counter()
        with _quiet():
            status, message = self._judged()
        return CheckOutcome(self.subject.name, self.name, status, message, time.perf_counter() - started)

    def _judged(self) -> tuple[CheckStatus, str]:
        try:
            self()
        except NotApplicableError as reason:
            return CheckStatus.NOT_APPLICABLE, str(reason)
        except CheckFailedError as error:
            if self.expected_failure is not None:
                return CheckStatus.EXPECTED_FAILURE, self.expected_failure
            return CheckStatus.FAILED, str(error)
        if self.expected_failure is not None:
            return CheckStatus.FAILED, self.unexpected_pass()
        return CheckStatus.PASSED, ""

    def unexpected_pass(self) -> str:
        """Return what is said of an expected failure that passes."""
        return (
            f"recipe '{self.subject.name}' passes check '{self.name}', which was expected to fail"
            f" ({self.expected_failure}): remove it from the expected failures"
        )

    def _failed(self, seen: str, remedy: str | None = None) -> CheckFailedError:
        return BrokenContractError(
            recipe=self.subject.name,
            check=self.name,
            seen=seen,
            why=self.check.why,
            remedy=remedy or self.check.remedy,
        )


def checks_of(
    subject: Subject,
    *,
    expected_failures: Mapping[str, str] | None = None,
    slow: bool = False,
    only: Collection[str] | None = None,
) -> Iterator[RecipeCheck]:
    """Yield every check for a recipe, also those that are not applicable to it, in the order in which they run.

    Which are applicable is decided by the traits that the recipe declares.

    Args:
        subject: The recipe.
        expected_failures: Why a check is expected to fail, by the check's name; on top of what the project itself says
            in `[tool.recipe-kit.expected-failures.RECIPE]`.
        slow: Whether to include checks that build an environment, or start Spark for a recipe that does without it.
        only: Names of the checks that are wanted; all of them by default.

    Raises:
        ValueError: There is no check of a name that was given.
    """
    expected = {**subject.project.expected_failures.get(subject.name, {}), **(expected_failures or {})}
    for name in (*expected, *(only or ())):
        _require_known(name)
    for check in CHECKS:
        if only is None or check.name in only:
            yield RecipeCheck(subject, check, expected.get(check.name), _reason_to_leave_out(subject, check, slow))


def run_checks(
    recipe: type[Recipe] | Recipe | Project | Path | str,
    name: str | None = None,
    *,
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
    expected_failures: Mapping[str, str] | None = None,
    slow: bool = False,
    only: Collection[str] | None = None,
) -> list[CheckOutcome]:
    """Run the checks and return what came of each, in order.

    Args:
        recipe: A recipe's class, a project or a project's folder.
        name: Which recipe of a project that has several.
        parameters: Parameters by task, on top of the instance file's: `{"train": {"max_iter": 5}}`.
        expected_failures: Why a check is expected to fail, by the check's name.
        slow: Whether to include checks that build an environment, or start Spark for a recipe that does without it.
        only: Names of the checks that are wanted; all of them by default.

    Raises:
        RecipeKitError: The recipe cannot be found.
        ValueError: There is no check of a name that was given.
    """
    subject = find_subject(recipe, name, parameters=parameters)
    return [each.run() for each in checks_of(subject, expected_failures=expected_failures, slow=slow, only=only)]


def check_recipe(
    recipe: type[Recipe] | Recipe | Project | Path | str,
    name: str | None = None,
    *,
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
    expected_failures: Mapping[str, str] | None = None,
    slow: bool = False,
) -> None:
    """Return if a recipe passes all checks; the arguments are those of `run_checks`.

    Raises:
        CheckFailedError: It does not; the message has a paragraph for each check that failed.
        RecipeKitError: The recipe cannot be found.
        ValueError: There is no check of a name that was given.
    """
    __tracebackhide__ = True
    outcomes = run_checks(recipe, name, parameters=parameters, expected_failures=expected_failures, slow=slow)
    failed = [outcome.message for outcome in outcomes if outcome.status is CheckStatus.FAILED]
    if failed:
        raise CheckFailedError("\n\n".join(failed))


def _reason_to_leave_out(subject: Subject, check: Check, slow: bool) -> str | None:
    if check.needs_the_class:
        try:
            with _quiet():
                traits = subject.traits
        except Exception:
            return "the recipe cannot be imported, see 'imports_without_side_effects'"
        if not check.applies_to.holds(traits):
            return f"it is for a recipe that {_as_verb(check.applies_to.words)}"
    return SLOW_LEFT_OUT if check.slow and not slow else None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def _as_verb(words: str) -> str:
    return f"declares {words}" if words.startswith("`") else words


def _require_known(name: str) -> None:
    known = [check.name for check in CHECKS]
    if name not in known:
        advice = did_you_mean(name, known) or f"there are: {', '.join(known)}"
        raise ValueError(f"there is no check '{name}': {advice}")
