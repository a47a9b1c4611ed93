"""Typed parameters and their wire form.

An author declares parameters as a class (`model`), whose annotations (`annotations`) are of types that have a wire form
(`scalars`, `containers`). On the wire they are lists of key and value (`wire`). On the way in, layers of such lists are
merged (`layers`, `assignments` for the command line, `platform` for the keys that are not a recipe's) and read into a
typed object (`reading`). `description` is for those who want to know what there is to set.
"""

from __future__ import annotations

from pydantic import Field

from recipe_kit.parameters.annotations import secret_keys
from recipe_kit.parameters.assignments import (
    COMMAND_LINE,
    Assignment,
    layer_from_assignments,
    parse_assignment,
    refuse_unknown_everywhere,
)
from recipe_kit.parameters.description import (
    ParameterDescription,
    defaults_as_tasks,
    describe_parameters,
    parameters_schema,
)
from recipe_kit.parameters.layers import Layer, Resolved, refuse_unknown_tasks, resolve
from recipe_kit.parameters.model import Parameters, ScoreParameters, TrainParameters, to_wire
from recipe_kit.parameters.platform import PLATFORM_KEYS, PLATFORM_TASKS, SECRET_PLATFORM_KEYS, is_platform_key
from recipe_kit.parameters.reading import DEFAULT_SOURCE, from_wire
from recipe_kit.parameters.wire import Parameter, TaskParameters, WireScalar, canonical_task_name, text_of

__all__ = [
    "COMMAND_LINE",
    "DEFAULT_SOURCE",
    "PLATFORM_KEYS",
    "PLATFORM_TASKS",
    "SECRET_PLATFORM_KEYS",
    "Assignment",
    "Field",
    "Layer",
    "Parameter",
    "ParameterDescription",
    "Parameters",
    "Resolved",
    "ScoreParameters",
    "TaskParameters",
    "TrainParameters",
    "WireScalar",
    "canonical_task_name",
    "defaults_as_tasks",
    "describe_parameters",
    "from_wire",
    "is_platform_key",
    "layer_from_assignments",
    "parameters_schema",
    "parse_assignment",
    "refuse_unknown_everywhere",
    "refuse_unknown_tasks",
    "resolve",
    "secret_keys",
    "text_of",
    "to_wire",
]
