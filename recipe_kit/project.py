"""A recipe project on disk, and how a recipe is found in it.

A project is a folder whose ``pyproject.toml`` has a ``[tool.recipe-kit]`` table. It is run from where it lies, without
being installed: its source folder goes on `sys.path`.
"""

from __future__ import annotations

import importlib
import json
import sys
import tomllib
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from recipe_kit.errors import (
    InstanceFileError,
    ProjectError,
    RecipeDefinitionError,
    RecipeImportError,
    RecipeKitError,
    RecipeNotFoundError,
)
from recipe_kit.nearest import did_you_mean
from recipe_kit.parameters import Layer, TaskParameters
from recipe_kit.recipe import Recipe, traits_of

_KEYS = ("recipes", "instance", "data", "expected-failures")
_EXAMPLE = '[tool.recipe-kit.recipes] with a line such as sentiment = "sentiment.recipe:Sentiment"'


class Instance(BaseModel):
    """An instance file: the API's MLInstance, of which running a recipe needs the tasks; the rest is kept as it is."""

    model_config = ConfigDict(frozen=True, extra="allow", alias_generator=to_camel, populate_by_name=True)

    name: str
    tasks: tuple[TaskParameters, ...] = ()


@dataclass(frozen=True)
class Project:
    """A recipe project: what its ``[tool.recipe-kit]`` table says, with every path absolute."""

    root: Path
    name: str
    version: str
    recipes: Mapping[str, str]
    """Where each recipe is: ``"package.module:Class"`` by the recipe's name."""
    instance_file: Path | None
    data_folder: Path
    expected_failures: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Why a check of `recipe_kit.testing` is expected to fail, by the recipe's name and the check's."""

    @classmethod
    def load(cls, folder: Path | str) -> Project:
        """Return the project in `folder`.

        Raises:
            ProjectError: There is no project, or its table has an unknown key or a value of the wrong kind.
        """
        root = Path(folder).resolve()
        file = root / "pyproject.toml"
        try:
            document = tomllib.loads(file.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            raise ProjectError(
                f"{root} is no recipe project, as it has no pyproject.toml",
                hint="name the project's folder, or make a project with `recipe-kit new`",
            ) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ProjectError(f"{file} is not valid TOML ({error})", hint="mend the file") from None
        table = document.get("tool", {}).get("recipe-kit")
        if not isinstance(table, dict):
            raise ProjectError(f"{file} has no [tool.recipe-kit] table", hint=f"add {_EXAMPLE}")
        for key in table:
            if key not in _KEYS:
                raise ProjectError(f"unknown key '{key}' in [tool.recipe-kit] of {file}", hint=_nearest(key, _KEYS))
        metadata = document.get("project", {})
        instance = _text(table, "instance", file)
        return cls(
            root=root,
            name=metadata.get("name", root.name),
            version=metadata.get("version", "0"),
            recipes=_recipes(table, file),
            instance_file=None if instance is None else root / instance,
            data_folder=root / (_text(table, "data", file) or "data"),
            expected_failures=_expected_failures(table, file),
        )

    @property
    def source_folder(self) -> Path:
        """The folder that the project's packages are imported from: ``src`` where there is one, else the root."""
        src = self.root / "src"
        return src if src.is_dir() else self.root

    def choose(self, name: str | None = None) -> str:
        """Return `name`, or the name of the only recipe where `name` is `None`.

        Raises:
            RecipeNotFoundError: There is no such recipe, or there are several and none was named.
        """
        if name is None:
            if len(self.recipes) > 1:
                raise RecipeNotFoundError(
                    f"project {self.name} has several recipes ({', '.join(self.recipes)}) and none was chosen",
                    hint=f"choose one, as in --recipe {next(iter(self.recipes))}",
                )
            return next(iter(self.recipes))
        if name not in self.recipes:
            raise RecipeNotFoundError(
                f"project {self.name} has no recipe '{name}'", hint=_nearest(name, self.recipes.keys())
            )
        return name

    def import_recipe(self, name: str) -> type[Recipe]:
        """Return the class of the recipe `name`, its hooks and annotations checked.

        Raises:
            RecipeNotFoundError: The project has no such recipe, or its class is not where the project says.
            RecipeImportError: The author's module raised while it was imported.
            RecipeDefinitionError: The class is not a recipe, lacks a hook, or has one of the wrong signature.
        """
        return import_recipe(self.recipes[self.choose(name)], self.source_folder)

    def instance(self, file: Path | None = None) -> Instance | None:
        """Return what `file` holds, or else the project's own instance file; `None` where it names none.

        Raises:
            InstanceFileError: The file is missing, is not JSON, or has not the shape of the API's MLInstance.
        """
        chosen = file or self.instance_file
        return None if chosen is None else read_instance(chosen)

    def layers(self, file: Path | None = None) -> tuple[Layer, ...]:
        """Return the layer of parameters that the instance file gives; none where there is no such file."""
        chosen = file or self.instance_file
        instance = self.instance(file)
        if chosen is None or instance is None:
            return ()
        return (Layer(source=chosen.name, tasks=instance.tasks),)


def read_instance(file: Path) -> Instance:
    """Return the instance that `file` holds.

    Raises:
        InstanceFileError: The file is missing, is not JSON, or has not the shape of the API's MLInstance.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InstanceFileError(f"instance file {file} does not exist", hint="check the path") from None
    except IsADirectoryError:
        raise InstanceFileError(f"instance file {file} is a folder", hint="give the name of a file") from None
    except OSError as error:
        raise InstanceFileError(f"instance file {file} cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise InstanceFileError(
            f"instance file {file}, line {line}: byte 0x{error.object[error.start]:02x} is not UTF-8",
            hint="save the file as UTF-8",
        ) from None
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise InstanceFileError(
            f"instance file {file} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}",
            hint="mend that line",
        ) from None
    try:
        return Instance.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in first["loc"]).lstrip(".")
        problem = "must be a list" if first["type"] == "tuple_type" else first["msg"][:1].lower() + first["msg"][1:]
        raise InstanceFileError(
            f"instance file {file} has not the shape of an MLInstance: {place or 'the document'}: {problem}",
            hint='it looks like {"name": "...", "tasks": [{"name": "train", "parameters": '
            '[{"key": "...", "value": "..."}]}]}',
        ) from None


def import_recipe(entry: str, source_folder: Path | None = None) -> type[Recipe]:
    """Return the recipe class at `entry` (``"package.module:Class"``).

    Args:
        entry: Module and class.
        source_folder: What goes first on `sys.path`; `None` where the recipe is installed.

    Raises:
        RecipeNotFoundError: The module has no such class, or does not exist.
        RecipeImportError: The author's module raised while it was imported.
        RecipeDefinitionError: The class is not a recipe, lacks a hook, or has one of the wrong signature.
    """
    module_name, _, class_name = entry.partition(":")
    if source_folder is not None:
        _put_first_on_path(source_folder, module_name.partition(".")[0])
    try:
        module = importlib.import_module(module_name)
    except RecipeKitError:  # a class in it is refused by the kit: the sentence is its own
        raise
    except ModuleNotFoundError as error:
        if error.name is not None and (module_name == error.name or module_name.startswith(error.name + ".")):
            where = f" in {source_folder}" if source_folder else ""
            raise RecipeNotFoundError(
                f"there is no module '{error.name}'{where}, which recipe '{entry}' names",
                hint="correct [tool.recipe-kit.recipes] in pyproject.toml",
            ) from None
        raise RecipeImportError(
            f"module '{module_name}' cannot be imported, as it needs '{error.name}', which is not installed"
            f"{_author_line(error, source_folder)}",
            hint=f"run `pip install {error.name}`, or run with --isolated if the project's dependencies name it",
        ) from error
    except (Exception, SystemExit) as error:
        raise RecipeImportError(
            f"module '{module_name}' cannot be imported: {type(error).__name__}: "
            f"{error.msg if isinstance(error, SyntaxError) else error}"
            f"{_author_line(error, source_folder)}"
        ) from error
    recipe_class = getattr(module, class_name, None)
    if recipe_class is None:
        candidates = [n for n, v in vars(module).items() if isinstance(v, type) and issubclass(v, Recipe)]
        raise RecipeNotFoundError(
            f"module '{module_name}' has no class '{class_name}'", hint=_nearest(class_name, candidates)
        )
    if not (isinstance(recipe_class, type) and issubclass(recipe_class, Recipe)):
        raise RecipeDefinitionError(f"'{entry}' is not a recipe", hint="derive the class from recipe_kit.Recipe")
    traits_of(recipe_class)
    return recipe_class


def _put_first_on_path(folder: Path, package: str) -> None:
    """Make `package` importable from `folder`, forgetting one of the same name that another project brought."""
    text = str(folder)
    if sys.path[:1] != [text]:
        if text in sys.path:
            sys.path.remove(text)
        sys.path.insert(0, text)
    ours = (folder / package).is_dir() or (folder / f"{package}.py").is_file()
    loaded = sys.modules.get(package)
    if ours and loaded is not None and not _lies_in(loaded, folder):
        for name in [n for n in sys.modules if n == package or n.startswith(package + ".")]:
            del sys.modules[name]
    importlib.invalidate_caches()


def _lies_in(module: Any, folder: Path) -> bool:
    places = [getattr(module, "__file__", None), *getattr(module, "__path__", ())]
    return any(place is not None and Path(place).resolve().is_relative_to(folder) for place in places)


def _author_line(error: BaseException, source_folder: Path | None) -> str:
    """Return ``" (recipe.py:12)"`` for the last line of the author's own code that `error` passed through."""
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({Path(error.filename).name}:{error.lineno})"
    if source_folder is None:
        return ""
    own = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).is_relative_to(source_folder)]
    return f" ({Path(own[-1].filename).name}:{own[-1].lineno})" if own else ""


def _recipes(table: Mapping[str, Any], file: Path) -> Mapping[str, str]:
    recipes = table.get("recipes")
    if not isinstance(recipes, dict) or not recipes:
        raise ProjectError(f"{file} names no recipe", hint=f"add {_EXAMPLE}")
    for name, entry in recipes.items():
        module, _, class_name = entry.partition(":") if isinstance(entry, str) else ("", "", "")
        if not class_name.isidentifier() or not all(part.isidentifier() for part in module.split(".")):
            raise ProjectError(
                f"recipe '{name}' in {file} is {entry!r}, which names no class",
                hint='write it as "package.module:Class"',
            )
    return dict(recipes)


def _expected_failures(table: Mapping[str, Any], file: Path) -> Mapping[str, Mapping[str, str]]:
    found: Mapping[str, Mapping[str, str]] = table.get("expected-failures", {})
    for recipe, reasons in found.items() if isinstance(found, dict) else [("", found)]:
        if recipe not in table["recipes"] or not isinstance(reasons, dict):
            raise ProjectError(
                f"[tool.recipe-kit.expected-failures] of {file} does not hold a table for each recipe by name",
                hint='write [tool.recipe-kit.expected-failures.RECIPE] with lines such as check_name = "the reason"',
            )
        for check, reason in reasons.items():
            if not isinstance(reason, str) or not reason.strip():
                raise ProjectError(
                    f"the expected failure of check '{check}' in {file} gives no reason", hint="write why, as text"
                )
    return found


def _text(table: Mapping[str, Any], key: str, file: Path) -> str | None:
    value = table.get(key)
    if value is not None and not isinstance(value, str):
        raise ProjectError(f"'{key}' in [tool.recipe-kit] of {file} is {value!r}, not a path", hint="write it as text")
    return value


def _nearest(word: str, known: Iterable[str]) -> str:
    known = list(known)
    return did_you_mean(word, known) or (f"there are: {', '.join(known)}" if known else "there are none")
