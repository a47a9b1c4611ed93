"""`recipe-kit models`: the trained models of a work folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from recipe_kit.cli.options import ProjectArgument, RecipeOption, WorkFolderOption, examples

if TYPE_CHECKING:
    from typing import TextIO

    from recipe_kit.models import Manifest, StoredModel

SHORT_ID = 8
"""Digits of a model's id that are shown, and enough to name it by."""

_FINGERPRINT = len("sha256:") + 12  # the whole of it is in the JSON

_JsonOption = Annotated[bool, typer.Option("--json", help="Print the manifests as JSON.")]


class _ListsByDefault(TyperGroup):
    """A group of commands whose `list` need not be written."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        named = args[:1] and args[0] in (*self.commands, *ctx.help_option_names)
        return super().parse_args(ctx, args if named else ["list", *args])


models = typer.Typer(cls=_ListsByDefault, help="List trained models, or show one.", rich_markup_mode=None)


@models.command(
    "list",
    epilog=examples("recipe-kit models", "recipe-kit models sample_recipe --recipe sentiment --json"),
)
def list_command(
    project: ProjectArgument = Path(),
    recipe: RecipeOption = None,
    work_folder: WorkFolderOption = None,
    json: _JsonOption = False,
) -> int:
    """List the models of a work folder, the newest first.

    This is what `recipe-kit models` does if it is told nothing else.
    """
    import sys

    from recipe_kit.cli.projects import work_folder_of
    from recipe_kit.cli.terminal import Cell, Column, figure, print_note, print_table, shown, size
    from recipe_kit.models import list_models

    folder = work_folder_of(project, work_folder)
    stored = list_models(folder, on_damaged=lambda _, error: print_note(f"left out: {error}"))
    found = [each.manifest for each in stored if recipe in (None, each.manifest.recipe)]
    if json:
        _print_json([_as_json(each) for each in stored if each.manifest in found])
        return 0
    if not found:
        of_recipe = f" of recipe '{recipe}'" if recipe else ""
        print_note(f"there are no models{of_recipe} in {shown(folder)}; `recipe-kit train` makes one")
        return 0
    columns = (
        Column("id", whole=True),
        Column("recipe"),
        Column("made", whole=True),
        Column("rows", right=True),
        Column("size", right=True),
        Column("metrics"),
    )
    rows = [
        (
            Cell(each.id[:SHORT_ID], "bold"),
            each.recipe,
            _when(each),
            _rows(each),
            size(_bytes(each)),
            ", ".join(f"{name} {figure(value)}" for name, value in each.metrics.items()),
        )
        for each in found
    ]
    print_table(columns, rows, sys.stdout)
    return 0


@models.command(epilog=examples("recipe-kit models show 3f9c2a1b", "recipe-kit models show path/to/run/model --json"))
def show(
    model: Annotated[
        str, typer.Argument(metavar="ID|DIR", help="Beginning of a model's id, or the folder of a model or its run.")
    ],
    project: ProjectArgument = Path(),
    work_folder: WorkFolderOption = None,
    json: _JsonOption = False,
) -> int:
    """Show what a model is: its recipe, training, metrics, parameters and files.

    Its files are checked against the digests that were kept when it was saved.
    """
    import sys

    from recipe_kit.cli.projects import find_named_model
    from recipe_kit.models import open_model

    stored = open_model(find_named_model(model, project, work_folder))
    if json:
        _print_json(_as_json(stored))
    else:
        _print_manifest(stored, sys.stdout)
    return 0


def add_to(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.add_typer(models, name="models")


def _print_manifest(stored: StoredModel, stream: TextIO) -> None:
    from recipe_kit.cli.terminal import Column, count, figure, print_details, print_table, shown, size, styled

    manifest = stored.manifest
    version = f" {manifest.recipe_version}" if manifest.recipe_version else ""
    print(f"{styled('model', 'bold', stream)} {manifest.id}\n", file=stream)
    details = [
        ("recipe", f"{manifest.recipe}{version} ({manifest.entry})"),
        ("made", _when(manifest)),
        ("folder", shown(stored.folder)),
        ("trained on", manifest.training_data or "not known"),
        ("rows", _rows(manifest) or "not known"),
        ("fingerprint", f"{manifest.fingerprint[:_FINGERPRINT]}..." if manifest.fingerprint else "not known"),
        ("seed", str(manifest.seed)),
        ("versions", ", ".join(f"{name} {version}" for name, version in manifest.versions.items())),
        ("size", f"{size(_bytes(manifest))} in {count(len(manifest.files), 'file')}, as saved (digests checked)"),
    ]
    print_details(details, stream)
    tables = (
        ("metric", [(name, figure(value)) for name, value in manifest.metrics.items()]),
        ("parameter", [(each["key"], str(each["value"])) for each in manifest.parameters]),
        ("column", list((manifest.training_schema.to_json() if manifest.training_schema else {}).items())),
    )
    for title, rows in tables:
        if rows:
            print(file=stream)
            print_table((Column(title, whole=True), Column("type" if title == "column" else "value")), rows, stream)


def _as_json(stored: StoredModel) -> dict[str, Any]:
    return {**stored.manifest.to_json(), "folder": str(stored.folder)}


def _when(manifest: Manifest) -> str:
    return manifest.created.astimezone().strftime("%Y-%m-%d %H:%M")


def _rows(manifest: Manifest) -> str:
    return "" if manifest.training_rows is None else f"{manifest.training_rows:,}"


def _bytes(manifest: Manifest) -> int:
    return sum(file.size for file in manifest.files.values())


def _print_json(document: object) -> None:
    import json

    print(json.dumps(document, indent=2, ensure_ascii=False))
