"""What several commands ask of a project: its work folder, its models, its recipe's class."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from recipe_kit import models
from recipe_kit.cli.terminal import print_note, shown
from recipe_kit.errors import ModelNotFoundError, RecipeImportError
from recipe_kit.project import Project
from recipe_kit.recipe import Recipe
from recipe_kit.task import MODEL_FOLDER

KIT_FOLDER = ".recipe-kit"


def default_work_folder(project: Project) -> Path:
    """Return where a project's runs are kept unless another folder is named."""
    return project.root / KIT_FOLDER / "runs"


def work_folder_of(project: Path, named: Path | None) -> Path:
    """Return the work folder `named`, which needs no project, or else that of the project in the folder `project`."""
    return named.resolve() if named is not None else default_work_folder(Project.load(project))


def prepare_work_folder(project: Project) -> None:
    """Keep the runs in a project out of version control."""
    file = project.root / KIT_FOLDER / ".gitignore"
    with contextlib.suppress(OSError):
        if not file.exists():
            file.write_text("*\n", encoding="utf-8")


def find_model(named: Path | None, work_folder: Path, recipe: str) -> Path:
    """Return the folder of the model that `named` means (a model's or its run's), else the recipe's newest one.

    Raises:
        ModelNotFoundError: There is no such folder; or nothing was named, and there is no model of the recipe.
    """
    if named is not None:
        return _model_in(named)
    newest = models.find_model(work_folder, recipe)
    if newest is None:
        raise ModelNotFoundError(
            f"there is no model of recipe '{recipe}' in {shown(work_folder)}",
            hint="train one with `recipe-kit train`, or name one with --model",
        )
    print_note(f"using the newest model of {recipe}, {shown(newest.folder)}")
    return newest.folder


def find_named_model(name: str, project: Path, work_folder: Path | None) -> Path:
    """Return the folder of the model that a folder or the beginning of an id names.

    Raises:
        ModelNotFoundError: There is no such model, or there are several.
    """
    if Path(name).is_dir():
        return _model_in(Path(name))
    folder = work_folder_of(project, work_folder)
    found = [each for each in models.list_models(folder) if each.manifest.id.startswith(name.lower())]
    if len(found) == 1:
        return found[0].folder
    if not found:
        raise ModelNotFoundError(
            f"no model '{name}' is in {shown(folder)}, and no folder has that name",
            hint="`recipe-kit models` lists what there is",
        )
    raise ModelNotFoundError(f"{len(found)} models in {shown(folder)} begin with '{name}'", hint="write more of the id")


def _model_in(folder: Path) -> Path:
    """Return the folder of the model where `folder` is a model's or its run's."""
    if not folder.is_dir():
        raise ModelNotFoundError(
            f"no model is in {shown(folder)}, there is no such folder", hint="`recipe-kit models` lists what there is"
        )
    of_run = folder / MODEL_FOLDER
    return (of_run if of_run.is_dir() and not (folder / models.MANIFEST_FILE).exists() else folder).resolve()


def import_recipe(project: Project, name: str) -> type[Recipe]:
    """Return the class of a recipe; where its module fails, the author's own traceback is shown first."""
    try:
        return project.import_recipe(name)
    except RecipeImportError as error:
        if error.__cause__ is not None:
            from recipe_kit.task import RecipeReference
            from recipe_kit.task.failures import author_traceback

            own = RecipeReference(name=name, entry=project.recipes[name], source_folder=project.source_folder)
            if shown_lines := author_traceback(error.__cause__, own):
                print(shown_lines.rstrip(), end="\n\n", file=sys.stderr)
        raise
