"""Parameters as a command line has them: ``-p KEY=VALUE`` and ``-p train.KEY=VALUE``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from recipe_kit.errors import InvalidParameterError, UnknownParameterError
from recipe_kit.nearest import nearest, quoted
from recipe_kit.parameters.annotations import wire_fields
from recipe_kit.parameters.layers import Layer
from recipe_kit.parameters.model import Parameters
from recipe_kit.parameters.platform import SECRET_PLATFORM_KEYS, is_platform_key
from recipe_kit.parameters.reading import Problem, raise_all, unknown_key
from recipe_kit.parameters.wire import Parameter, TaskParameters, canonical_task_name, is_encodable

COMMAND_LINE = "command line"
"""The source of what `-p` gives."""


@dataclass(frozen=True)
class Assignment:
    """What one `-p` says."""

    task: str | None
    """The task it is for; `None` for each task that knows the key."""
    key: str
    value: str = field(repr=False)  # it may be a secret

    @property
    def name(self) -> str:
        """All that stands before the equals sign."""
        return f"{self.task}.{self.key}" if self.task else self.key


def parse_assignment(text: str, task_names: Iterable[str] = ("train", "evaluate", "score")) -> Assignment:
    """Return what `KEY=VALUE` or `TASK.KEY=VALUE` says.

    Keys may have dots in them: what stands before the first one is a task only if it is among `task_names`, in any
    letter case. All after the first equals sign is the value, which may be empty.

    Raises:
        InvalidParameterError: There is no equals sign, or no key before it, or the text is not UTF-8.
    """
    if not is_encodable(text):
        raise InvalidParameterError(
            f"the parameter '{_printable(text.partition('=')[0])}' (from {COMMAND_LINE}) is not UTF-8",
            hint="check the encoding of the terminal or the script",
        )
    name, equals, value = text.partition("=")
    name = name.strip()
    known = {canonical_task_name(each): each for each in task_names}
    prefix, dot, key = name.partition(".")
    task = known.get(canonical_task_name(prefix)) if dot else None
    assignment = Assignment(task, key if task else name, value)
    if not equals or not assignment.key:
        # What stands after an equals sign may be a secret; what has none is a slip, and has to be shown to be found.
        shown = f"{name}=..." if equals else text
        raise InvalidParameterError(
            f"cannot read the parameter '{shown}' (from {COMMAND_LINE})",
            hint="write -p KEY=VALUE or -p TASK.KEY=VALUE, as in -p train.maxIter=50",
        )
    return assignment


def layer_from_assignments(
    texts: Iterable[str], tasks: Mapping[str, type[Parameters]], *, source: str = COMMAND_LINE
) -> Layer:
    """Return the layer of all that the `-p` options of a command line say.

    Args:
        texts: The options' values, in order; of two for one key, the later one counts.
        tasks: The class of each task's parameters, by the task's name.
        source: What messages call the layer.

    Raises:
        InvalidParameterError: A text is not `KEY=VALUE`.
        UnknownParameterError: A key is not a parameter of the task that is named, or of any task.
    """
    by_task: dict[str, list[Parameter]] = {}
    everywhere: list[Parameter] = []
    problems: list[Problem] = []
    for text in texts:
        assignment = _with_known_key(parse_assignment(text, tasks), tasks)
        classes = [tasks[assignment.task]] if assignment.task else list(tasks.values())
        fields = [known[assignment.key] for known in map(wire_fields, classes) if assignment.key in known]
        if not fields and not is_platform_key(assignment.key):
            problems.append(_unknown(assignment, tasks, source))
            continue
        secret = assignment.key in SECRET_PLATFORM_KEYS or any(known.type.secret for known in fields)
        parameter = Parameter(key=assignment.key, value=assignment.value, secret=secret)
        if assignment.task:
            by_task.setdefault(assignment.task, []).append(parameter)
        else:
            everywhere.append(parameter)
    if problems:
        raise_all(problems)
    given = tuple(TaskParameters(name=name, parameters=tuple(each)) for name, each in by_task.items())
    return Layer(source=source, tasks=given, everywhere=tuple(everywhere))


def refuse_unknown_everywhere(layer: Layer, tasks: Mapping[str, type[Parameters]]) -> None:
    """Raise an error if a layer gives all tasks a parameter that none of them has.

    Args:
        layer: Parameters from one source.
        tasks: The class of each task's parameters, by the task's name.

    Raises:
        UnknownParameterError: There is such a parameter; the nearest known one is named.
    """
    known = {key for each in tasks.values() for key in wire_fields(each)}
    problems = [
        _unknown(Assignment(None, parameter.key, ""), tasks, layer.source)
        for parameter in layer.everywhere
        if parameter.key not in known and not is_platform_key(parameter.key)
    ]
    if problems:
        raise_all(problems)


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _with_known_key(assignment: Assignment, tasks: Mapping[str, type[Parameters]]) -> Assignment:
    """Return the assignment, without a task where it is the whole name that is a key, such as `score.threshold`."""
    if assignment.task is None or assignment.key in wire_fields(tasks[assignment.task]):
        return assignment
    if any(assignment.name in wire_fields(each) for each in tasks.values()):
        return Assignment(None, assignment.name, assignment.value)
    return assignment


def _unknown(assignment: Assignment, tasks: Mapping[str, type[Parameters]], source: str) -> Problem:
    if assignment.task:
        return unknown_key(assignment.key, wire_fields(tasks[assignment.task]), assignment.task, source)
    keys = dict.fromkeys(key for each in tasks.values() for key in wire_fields(each))
    named = [f"{task}.{key}" for task, each in tasks.items() for key in wire_fields(each)]
    near = nearest(assignment.key, [*keys, *named] if "." in assignment.key else keys)
    hint = f"did you mean '{near}'?" if near else f"known are {quoted(keys)}, and tasks are {quoted(tasks)}"
    return Problem(UnknownParameterError, f"unknown parameter '{assignment.key}' (from {source})", hint, near)
