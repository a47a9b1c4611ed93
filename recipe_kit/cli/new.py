"""`recipe-kit new`: a project from a template."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from recipe_kit.cli.options import examples

_TEMPLATES = {"python": "pandas and scikit-learn", "pyspark": "Spark"}


def new(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Name of the project, in words.", show_default=False)
    ] = None,
    template: Annotated[
        str | None,
        typer.Option("--template", "-t", metavar="python|pyspark", help="Which template; by default it is asked for."),
    ] = None,
    answers: Annotated[
        list[str] | None,
        typer.Option(
            "--answer", "-p", metavar="KEY=VALUE", help="Answer one of the template's questions (repeatable)."
        ),
    ] = None,
    no_input: Annotated[
        bool, typer.Option("--no-input", help="Ask nothing, and take the defaults for what is not given.")
    ] = False,
    output_folder: Annotated[
        Path,
        typer.Option(
            "--output-dir",
            "-o",
            metavar="DIR",
            help="Where the project's folder is made; by default here.",
            show_default=False,
        ),
    ] = Path(),
) -> int:
    """Make a project: a working recipe, sample data, tests.

    The questions are name, package, description, author, python_version and licence.
    """
    from recipe_kit.cli.terminal import shown, styled
    from recipe_kit.scaffold import create_project

    given = _answers(answers or ())
    if name is not None:
        given["name"] = name
    chosen = template or ("python" if no_input else _ask_for_template())
    folder = create_project(chosen, given, output_folder, ask=not no_input)  # type: ignore[arg-type]
    print(f"made {styled(shown(folder.resolve()), 'bold', sys.stdout)}\n\nnext:")
    for step in (
        f"cd {shown(folder.resolve())}",
        "python -m venv .venv && . .venv/bin/activate",
        "pip install -e '.[test]'",
        "recipe-kit run",
        "pytest",
    ):
        print(f"  {step}")
    return 0


def _answers(texts: list[str] | tuple[str, ...]) -> dict[str, str]:
    from recipe_kit.errors import ScaffoldError

    answers = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise ScaffoldError(f"cannot read the answer '{text}'", hint="write it as in -p licence=MIT")
        answers[key.strip()] = value
    return answers


def _ask_for_template() -> str:
    from recipe_kit.errors import ScaffoldError

    words = ", ".join(f"{name} for {what}" for name, what in _TEMPLATES.items())
    try:
        return str(typer.prompt(f"Template ({words})", default="python"))
    except (EOFError, typer.Abort):
        if sys.stdin.isatty():  # somebody pressed Ctrl-C or Ctrl-D
            raise
        raise ScaffoldError(
            "the questions cannot be asked, as the input has ended", hint="give the answers with -p, and --no-input"
        ) from None


def add_to(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(
        epilog=examples(
            "recipe-kit new",
            "recipe-kit new 'Happy Reviews' --template pyspark --no-input -p licence=MIT",
        )
    )(new)
