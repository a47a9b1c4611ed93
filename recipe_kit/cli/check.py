"""`recipe-kit check`: the contract checks of a recipe, one line each as they end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recipe_kit.cli import collection
from recipe_kit.cli.options import ProjectArgument, RecipeOption, examples

if TYPE_CHECKING:
    from typing import TextIO

    from recipe_kit.cli.terminal import Style
    from recipe_kit.testing.engine import CheckOutcome, RecipeCheck


def check(
    project: ProjectArgument = Path(),
    recipe: RecipeOption = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="CHECK", help="Run this check alone (repeatable).")
    ] = None,
    expected: Annotated[
        list[str] | None,
        typer.Option("--expect-failure", metavar="CHECK=REASON", help="A check that may fail, and why (repeatable)."),
    ] = None,
    slow: Annotated[
        bool, typer.Option("--slow", help="Also run the checks that build an environment or start Spark.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the outcomes as JSON.")] = False,
) -> int:
    """Check what every recipe must do, whatever it computes.

    The exit code is 1 if a check fails.
    """
    import sys
    import time

    from recipe_kit.project import Project
    from recipe_kit.testing.engine import CheckStatus

    clock = time.perf_counter()
    collection.begin()
    found = Project.load(project)
    checks = _checks(found, found.choose(recipe), only, expected or (), slow=slow)
    outcomes = []
    width = max(len(each.name) for each in checks)
    for each in checks:
        outcome = each.run()
        outcomes.append(outcome)
        if not json:
            _print_outcome(outcome, width, sys.stdout)
    if json:
        _print_json(outcomes)
    else:
        _print_counts(outcomes, time.perf_counter() - clock, sys.stdout)
    return int(any(outcome.status is CheckStatus.FAILED for outcome in outcomes))


def _checks(
    project: object, recipe: str, only: Sequence[str] | None, expected: Sequence[str], *, slow: bool
) -> list[RecipeCheck]:
    from recipe_kit.errors import RecipeKitError
    from recipe_kit.testing.engine import checks_of
    from recipe_kit.testing.subject import find_subject

    reasons = {}
    for text in expected:
        name, equals, reason = text.partition("=")
        if not equals or not reason.strip():
            raise RecipeKitError(
                f"cannot read the expected failure '{text}'", hint="write it as --expect-failure CHECK=REASON"
            )
        reasons[name.strip()] = reason.strip()
    subject = find_subject(project, recipe)  # type: ignore[arg-type]
    try:
        return list(checks_of(subject, expected_failures=reasons, slow=slow, only=only))
    except ValueError as error:  # a check of that name does not exist
        raise RecipeKitError(str(error)) from None


_STYLES: dict[str, Style] = {"passed": "green", "failed": "red", "expected failure": "yellow", "not applicable": "dim"}
_WIDTH_OF_STATUS = max(map(len, _STYLES))


def _print_outcome(outcome: CheckOutcome, width: int, stream: TextIO) -> None:
    import shutil
    import textwrap

    from recipe_kit.cli.terminal import seconds, styled

    status = styled(outcome.status.value.ljust(_WIDTH_OF_STATUS), _STYLES[outcome.status.value], stream)
    name = styled(outcome.name, "dim" if outcome.status == "not applicable" else "", stream)
    took = f"{' ' * (width - len(outcome.name))}  {seconds(outcome.seconds):>8}" if outcome.seconds >= 0.1 else ""
    print(f"  {status}  {name}{took}", file=stream)
    if outcome.message:
        columns = max(40, min(shutil.get_terminal_size().columns, 120) - 4)
        indent = " " * (_WIDTH_OF_STATUS + 4)
        # The line above has said which recipe and which check.
        message = outcome.message.removeprefix(f"recipe '{outcome.recipe}' fails check '{outcome.name}': ")
        for line in message.splitlines():
            text = textwrap.fill(line, columns, initial_indent=indent, subsequent_indent=indent)
            print(styled(text, "dim" if outcome.status != "failed" else "", stream), file=stream)
    stream.flush()


def _print_counts(outcomes: Sequence[CheckOutcome], took: float, stream: TextIO) -> None:
    from collections import Counter

    from recipe_kit.cli.terminal import seconds, styled
    from recipe_kit.testing.engine import SLOW_LEFT_OUT

    counts = Counter(outcome.status.value for outcome in outcomes)
    words = [styled(f"{counts[status]} {status}", style, stream) for status, style in _STYLES.items() if counts[status]]
    print(f"\n{', '.join(words)} in {seconds(took)}", file=stream)
    if any(outcome.message == SLOW_LEFT_OUT for outcome in outcomes):
        print("with --slow the slow checks run too", file=stream)


def _print_json(outcomes: Sequence[CheckOutcome]) -> None:
    import json
    from dataclasses import asdict

    print(json.dumps([{**asdict(each), "status": each.status.value} for each in outcomes], indent=2))


def add_to(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(
        epilog=examples(
            "recipe-kit check",
            "recipe-kit check sample_recipe --recipe sentiment --only same_seed_gives_the_same_scores",
        )
    )(check)
