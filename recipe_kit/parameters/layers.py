"""Layers of parameters, and what a task gets out of them: later ones win, key by key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic

from recipe_kit.errors import UnknownParameterError
from recipe_kit.nearest import nearest, quoted
from recipe_kit.parameters.annotations import wire_fields
from recipe_kit.parameters.model import to_wire
from recipe_kit.parameters.platform import PLATFORM_TASKS, SECRET_PLATFORM_KEYS, is_platform_key
from recipe_kit.parameters.reading import DEFAULT_SOURCE, Given, P, Problem, is_told, read, unknown_key
from recipe_kit.parameters.wire import Parameter, TaskParameters, WireScalar, canonical_task_name


@dataclass(frozen=True)
class Layer:
    """Parameters from one source, such as an instance file or the command line."""

    source: str
    """What messages call it: `engine`, `instance.json`, `template`, `run`, `command line`."""
    tasks: tuple[TaskParameters, ...] = ()
    everywhere: tuple[Parameter, ...] = ()
    """Parameters for each task that knows their key; one given for the task itself wins over them."""

    def for_task(self, task_name: str) -> tuple[Parameter, ...]:
        """Return what the layer gives a task by name: any letter case, and `fp` is `featurePipeline`."""
        wanted = canonical_task_name(task_name)
        return tuple(p for task in self.tasks if canonical_task_name(task.name) == wanted for p in task.parameters)


@dataclass(frozen=True)
class Resolved(Generic[P]):
    """What a task gets out of its layers."""

    parameters: P
    platform: Mapping[str, WireScalar] = field(repr=False)  # tokens are among them
    """The platform's keys that the recipe does not declare, as they came."""
    sources: Mapping[str, str]
    """Where the value of each key is from; `default` where no layer gave it."""
    secret_keys: frozenset[str] = frozenset()
    """The keys whose values are secret: declared so, sent so by any layer, or the platform's own tokens."""

    def to_wire(self) -> list[Parameter]:
        """Return the parameters as they travel, the value of every secret withheld."""
        return [p.without_value() if p.key in self.secret_keys else p for p in to_wire(self.parameters)]


def resolve(parameters_class: type[P], task_name: str, layers: Iterable[Layer]) -> Resolved[P]:
    """Return what a task gets out of its layers, the weakest of which comes first.

    Tasks are found by name in any letter case, keys exactly; of a key that a task has twice, the last counts. A secret
    whose value is withheld changes nothing. Tasks that the layers have beside this one are left alone.

    Raises:
        UnknownParameterError: A key is neither a parameter of the task nor one of the platform's.
        InvalidParameterError: A value does not fit.
        MissingParameterError: A parameter without a default is in no layer.
    """
    fields = wire_fields(parameters_class)
    given: dict[str, Given] = {}
    platform: dict[str, WireScalar] = {}
    sources = dict.fromkeys(fields, DEFAULT_SOURCE)
    secrets = {key for key, known in fields.items() if known.type.secret}
    unknown: dict[Problem, None] = {}
    for source, parameter, everywhere in _in_order(task_name, layers):
        key = parameter.key
        if key in fields:
            if parameter.secret:
                secrets.add(key)
            if is_told(parameter, fields[key]):
                given[key] = Given(parameter, source)
                sources[key] = source
        elif is_platform_key(key):
            if parameter.secret or key in SECRET_PLATFORM_KEYS:
                secrets.add(key)
            if not (parameter.secret and parameter.value is None):
                platform[key] = parameter.value
                sources[key] = source
        elif not everywhere:  # else it is for another task: assignments are checked where all tasks are known
            unknown[unknown_key(key, fields, task_name, source)] = None
    known_secrets = {key: Given(g.parameter, g.source, secret=key in secrets) for key, g in given.items()}
    parameters = read(parameters_class, known_secrets, unknown, task_name)
    return Resolved(parameters, platform, sources, frozenset(secrets))


def refuse_unknown_tasks(layer: Layer, task_names: Iterable[str]) -> None:
    """Raise an error if a layer has a task that neither the recipe nor the platform has.

    Args:
        layer: Parameters from one source.
        task_names: The recipe's own tasks.

    Raises:
        UnknownParameterError: There is such a task; the nearest known one is named.
    """
    names = list(dict.fromkeys((*task_names, *PLATFORM_TASKS)))
    known = {canonical_task_name(name) for name in names}
    for task in layer.tasks:
        if canonical_task_name(task.name) not in known:
            near = nearest(task.name, names)
            hint = f"did you mean '{near}'?" if near else f"known are {quoted(names)}"
            raise UnknownParameterError(f"unknown task '{task.name}' (from {layer.source})", hint=hint)


def _in_order(task_name: str, layers: Iterable[Layer]) -> Iterator[tuple[str, Parameter, bool]]:
    for layer in layers:
        yield from ((layer.source, parameter, True) for parameter in layer.everywhere)
        yield from ((layer.source, parameter, False) for parameter in layer.for_task(task_name))
