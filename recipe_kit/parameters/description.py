"""What a class of parameters says about itself: a table, a JSON schema, and the platform's list of defaults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from recipe_kit.errors import ParameterDefinitionError
from recipe_kit.parameters.annotations import WireField, wire_fields
from recipe_kit.parameters.model import Parameters
from recipe_kit.parameters.wire import Parameter, TaskParameters
from recipe_kit.parameters.wire_types import UnfitError

# Factories that give the same each time; any other may not (`date.today`), so its value of today is no default.
_CONSTANT_FACTORIES: tuple[Any, ...] = (list, tuple, dict, str)


@dataclass(frozen=True)
class ParameterDescription:
    """One row of a table of parameters."""

    key: str
    python_name: str
    type: str
    """The type as an author writes it."""
    default: str | None
    """The default as text, or `computed`; `None` where there is none, or where it is secret."""
    allowed: str
    """What follows `must be`."""
    description: str
    required: bool
    secret: bool


def describe_parameters(parameters_class: type[Parameters]) -> list[ParameterDescription]:
    """Return one row per parameter, in order of declaration."""
    return [
        ParameterDescription(
            key=key,
            python_name=field.name,
            type=field.type.name,
            default=_default_text(parameters_class, field),
            allowed=field.type.allowed,
            description=field.info.description or "",
            required=field.info.is_required(),
            secret=field.type.secret,
        )
        for key, field in wire_fields(parameters_class).items()
    ]


def parameters_schema(parameters_class: type[Parameters]) -> dict[str, Any]:
    """Return the JSON schema of typed parameters by their keys, valid as JSON and without the default of any secret."""
    schema = parameters_class.model_json_schema(by_alias=True)
    for key, field in wire_fields(parameters_class).items():
        declared = schema["properties"][key]
        if field.info.title is None:
            declared.pop("title", None)  # made of the key, of which it spoils the letter case
        if "default" not in declared:
            continue
        if field.type.secret:
            del declared["default"]
        else:
            declared["default"] = field.type.write(_default(parameters_class, field))
    return schema


def defaults_as_tasks(tasks: Mapping[str, type[Parameters]]) -> list[TaskParameters]:
    """Return the defaults of a recipe's tasks as the platform has them in `defaultMLInstanceConfigs`.

    Parameters without a default are left out, and so are those whose default is computed at each run. Of a secret
    there is the key alone.

    Raises:
        ParameterDefinitionError: A default is not of its parameter's type.
    """
    return [TaskParameters(name=name, parameters=tuple(_defaults(each))) for name, each in tasks.items()]


def _defaults(parameters_class: type[Parameters]) -> Iterator[Parameter]:
    for key, field in wire_fields(parameters_class).items():
        if field.info.is_required() or _is_computed(field):
            continue
        if field.type.secret:
            yield Parameter(key=key, secret=True)
        else:
            yield Parameter(key=key, value=field.type.write_wire(_default(parameters_class, field)))


def _default_text(parameters_class: type[Parameters], field: WireField) -> str | None:
    if field.info.is_required() or field.type.secret:
        return None
    return "computed" if _is_computed(field) else field.type.write_text(_default(parameters_class, field))


def _is_computed(field: WireField) -> bool:
    factory = field.info.default_factory
    return factory is not None and factory not in _CONSTANT_FACTORIES


def _default(parameters_class: type[Parameters], field: WireField) -> Any:
    """Return a default as an object has it: `1` for a `float` is 1.0."""
    declared = field.info.get_default(call_default_factory=True)
    try:
        value = TypeAdapter(cast(Any, field.info.annotation)).validate_python(declared)
        field.type.write_text(value)
    except (ValidationError, UnfitError):
        reason = f"must be {field.type.allowed}"
    else:
        return value
    raise ParameterDefinitionError(
        f"the default of parameter '{field.name}' of {parameters_class.__qualname__} does not fit", hint=reason
    )
