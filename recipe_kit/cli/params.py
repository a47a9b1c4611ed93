"""`recipe-kit params`: what can be set, and where it is set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recipe_kit.cli.options import InstanceOption, ProjectArgument, RecipeOption, examples

if TYPE_CHECKING:
    from typing import TextIO

    from recipe_kit.parameters import Layer, Parameter, ParameterDescription, Parameters
    from recipe_kit.recipe import RecipeTraits, TaskName


@dataclass(frozen=True)
class _Row:
    """A parameter with the value that the layers give it."""

    description: ParameterDescription
    value: str | None
    source: str
    secret: bool = False

    @property
    def is_missing(self) -> bool:
        """Whether it has to be given and is not."""
        from recipe_kit.parameters import DEFAULT_SOURCE

        return self.description.required and self.source == DEFAULT_SOURCE

    @property
    def shown_value(self) -> str:
        """The value, or why there is none to show."""
        if self.is_missing:
            return "(required)"
        return "(secret)" if self.secret else self.value or ""

    @property
    def meaning(self) -> str:
        """What the parameter is, what it must be, and what it is if nobody says anything."""
        each = self.description
        description = each.description.rstrip()
        sentence = f"{description}." if description and description[-1] not in ".!?" else description
        default = "" if each.default is None else f"; default {each.default or 'empty'}"
        return f"{sentence} Must be {each.allowed}{default}.".strip()

    def as_json(self) -> dict[str, object]:
        """Return the row as a JSON object."""
        fields = {key: value for key, value in asdict(self.description).items() if key != "python_name"}
        source = None if self.is_missing else self.source
        return {**fields, "secret": self.secret, "value": self.value, "source": source}


def params(
    project: ProjectArgument = Path(),
    recipe: RecipeOption = None,
    instance: InstanceOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print everything about each parameter as JSON.")] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of each task's parameters.")] = False,
    tasks: Annotated[
        bool, typer.Option("--tasks", help="Print the defaults as `tasks`, the platform's defaultMLInstanceConfigs.")
    ] = False,
) -> int:
    """Show what can be set in a recipe, and what is set.

    Each parameter comes with its value, where that is from, what is allowed, and its default.
    """
    import sys

    from recipe_kit.cli.projects import import_recipe
    from recipe_kit.errors import RecipeKitError
    from recipe_kit.parameters import defaults_as_tasks, parameters_schema
    from recipe_kit.project import Project
    from recipe_kit.recipe import traits_of

    if json + schema + tasks > 1:
        raise RecipeKitError("--json, --schema and --tasks exclude each other", hint="choose one of them")
    found = Project.load(project)
    name = found.choose(recipe)
    traits = traits_of(import_recipe(found, name))
    by_task = _by_task(traits)
    if schema:
        _print_json({task: parameters_schema(each) for task, each in by_task.items()})
        return 0
    if tasks:
        _print_json(
            [task.model_dump() for task in defaults_as_tasks({str(task): each for task, each in by_task.items()})]
        )
        return 0
    layers = found.layers(instance)
    rows = {task: _rows(task, each, layers) for task, each in by_task.items()}
    if json:
        _print_json({task: [row.as_json() for row in each] for task, each in rows.items()})
        return 0
    _print_tables(name, rows, sys.stdout)
    _print_what_does_not_fit(by_task, layers)
    return 0


def _by_task(traits: RecipeTraits) -> dict[TaskName, type[Parameters]]:
    """Return the classes that have something to say: `evaluate` mostly has that of `train`."""
    tasks: tuple[TaskName, ...] = ("train", "evaluate", "score")
    classes = traits.parameters
    own = traits.evaluates and classes["evaluate"] is not classes["train"]
    return {task: classes[task] for task in tasks if task != "evaluate" or own}


def add_to(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(
        epilog=examples(
            "recipe-kit params sample_recipe --recipe sentiment", "recipe-kit params --schema > schema.json"
        )
    )(params)


def _rows(task: TaskName, parameters_class: type[Parameters], layers: tuple[Layer, ...]) -> list[_Row]:
    from recipe_kit.parameters import DEFAULT_SOURCE, describe_parameters
    from recipe_kit.task.layers import layers_of

    given: dict[str, tuple[Parameter, str]] = {}
    for layer in layers_of(task, layers):
        for parameter in (*layer.everywhere, *layer.for_task(task)):
            given[parameter.key] = (parameter, layer.source)
    return [_row(each, *given.get(each.key, (None, DEFAULT_SOURCE))) for each in describe_parameters(parameters_class)]


def _row(description: ParameterDescription, given: Parameter | None, source: str) -> _Row:
    from recipe_kit.parameters import text_of

    secret = description.secret or (given is not None and given.secret)
    value = description.default if given is None else text_of(given.value)
    return _Row(description, None if secret else value, source, secret=secret)


def _print_tables(recipe: str, tasks: Mapping[TaskName, list[_Row]], stream: TextIO) -> None:
    """Print a line for each parameter, and below it what it is: in a column of its own that would get too narrow."""
    import shutil
    import textwrap

    from recipe_kit.cli.terminal import styled

    keys = max((len(row.description.key) for rows in tasks.values() for row in rows), default=0)
    values = max((len(row.shown_value) for rows in tasks.values() for row in rows), default=0)
    columns = max(40, min(shutil.get_terminal_size().columns, 120) - 1)
    for task, rows in tasks.items():
        print(f"{styled(task, 'bold', stream)} (recipe {recipe})\n", file=stream)
        print(styled(f"  {'parameter':{keys}}  {'value':{values}}  from", "dim", stream), file=stream)
        for row in rows:
            key = styled(f"{row.description.key:{keys}}", "bold", stream)
            value = styled(f"{row.shown_value:{values}}", "yellow" if row.is_missing else "", stream)
            source = "" if row.is_missing else styled(row.source, "dim", stream)
            print(f"  {key}  {value}  {source}".rstrip(), file=stream)
            text = textwrap.fill(row.meaning, columns, initial_indent=" " * 6, subsequent_indent=" " * 6)
            print(styled(text, "dim", stream), file=stream)
        print(file=stream)


def _print_what_does_not_fit(by_task: Mapping[TaskName, type[Parameters]], layers: tuple[Layer, ...]) -> None:
    """Say what running with these values would say; a value that is missing is in the table already."""
    from recipe_kit.cli.terminal import print_note
    from recipe_kit.errors import MissingParameterError, ParameterError
    from recipe_kit.parameters import resolve
    from recipe_kit.task.layers import layers_of

    for task, parameters_class in by_task.items():
        try:
            resolve(parameters_class, task, layers_of(task, layers))
        except MissingParameterError:
            continue
        except ParameterError as error:
            print_note(f"note: {error}")


def _print_json(document: object) -> None:
    import json

    print(json.dumps(document, indent=2, ensure_ascii=False))
