"""The arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def complete_recipe(context: typer.Context, incomplete: str) -> list[str]:
    """Return the names of the project's recipes that begin with `incomplete`, read straight from its file."""
    import tomllib

    file = Path(context.params.get("project") or ".") / "pyproject.toml"
    try:
        recipes = tomllib.loads(file.read_text(encoding="utf-8"))["tool"]["recipe-kit"]["recipes"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [name for name in recipes if name.startswith(incomplete)]


ProjectArgument = Annotated[
    Path,
    typer.Argument(metavar="PROJECT", help="Folder of the project; by default the current one.", show_default=False),
]
RecipeOption = Annotated[
    str | None,
    typer.Option(
        "--recipe",
        "-r",
        metavar="NAME",
        autocompletion=complete_recipe,
        help="Which recipe; needed only where the project has several.",
    ),
]
InstanceOption = Annotated[
    Path | None,
    typer.Option("--instance", metavar="FILE", help="Instance file, in place of the project's own."),
]
ParametersOption = Annotated[
    list[str] | None,
    typer.Option(
        "--parameter",
        "-p",
        metavar="[TASK.]KEY=VALUE",
        help="Set a parameter (repeatable). A path for a key that ends in Location is looked for from the current"
        " folder first, then in the project's data folder; scoringResultsLocation starts at the current folder.",
    ),
]
WorkFolderOption = Annotated[
    Path | None,
    typer.Option(
        "--work-dir", metavar="DIR", help="Where runs are kept, a folder each; by default PROJECT/.recipe-kit/runs."
    ),
]
ModelOption = Annotated[
    Path | None,
    typer.Option("--model", metavar="DIR", help="Folder of a model or of its run; by default the recipe's newest one."),
]
IsolatedOption = Annotated[
    bool, typer.Option("--isolated", help="Run in an environment built from the project's own requirements.")
]
ProcessesOption = Annotated[int, typer.Option("--processes", metavar="N", min=1, help="Processes that score batches.")]
SparkMasterOption = Annotated[
    str | None,
    typer.Option(
        "--spark-master", metavar="URL", help="Run on Spark: local[*], spark://..., yarn, k8s://... or sc://..."
    ),
]
SparkSettingsOption = Annotated[
    list[str] | None,
    typer.Option("--spark-setting", metavar="KEY=VALUE", help="One of Spark's own settings (repeatable)."),
]
SparkTuningOption = Annotated[
    bool,
    typer.Option(
        "--no-spark-tuning", help="Leave Spark's and Java's own defaults, instead of what makes small local work quick."
    ),
]
TimeoutOption = Annotated[
    float | None, typer.Option("--timeout", metavar="SECONDS", min=0.001, help="End a task that takes longer.")
]
SeedOption = Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Seed of everything random.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON to stdout, and everything else to stderr.")]
FullTracebackOption = Annotated[
    bool,
    typer.Option("--full-traceback", help="Show a failed recipe's whole traceback, not only from your own code on."),
]


def examples(*lines: str) -> str:
    """Return the end of a command's help: examples, which are not rewrapped."""
    return "\b\n" + "\n".join(["Examples:" if len(lines) > 1 else "Example:", *(f"  {line}" for line in lines)])
