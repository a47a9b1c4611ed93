"""`recipe-kit doctor`: what works here, and how to get what does not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from recipe_kit.cli.options import WorkFolderOption, examples


def doctor(
    work_folder: WorkFolderOption = None,
    deep: Annotated[bool, typer.Option("--deep", help="Also start Spark, which takes some seconds.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> int:
    """Say what works here, and how to get what does not.

    The exit code is 0 unless something is broken that nothing works without.
    """
    import sys

    from recipe_kit.cli.diagnosis import look_around
    from recipe_kit.cli.terminal import Cell, Column, print_table

    folder = (work_folder or Path(".recipe-kit", "runs")).resolve()
    findings = list(look_around(folder, deep=deep))
    if json:
        import json as format_of

        print(format_of.dumps([finding.as_json() for finding in findings], indent=2))
    else:
        styles = {"works": "green", "missing": "yellow", "broken": "red", "not tried": "dim"}
        rows = [
            (
                Cell(each.name, "bold"),
                Cell(each.state, styles[each.state]),  # type: ignore[arg-type]
                each.detail + (f"\n→ {each.hint}" if each.hint else ""),
            )
            for each in findings
        ]
        print_table((Column("what", whole=True), Column("state", whole=True), Column("details")), rows, sys.stdout)
    return 2 if any(each.required and each.state in ("missing", "broken") for each in findings) else 0


def add_to(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(epilog=examples("recipe-kit doctor", "recipe-kit doctor --deep --json"))(doctor)
