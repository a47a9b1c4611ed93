"""From an author's annotations to the types that travel; what has no wire form is refused here, by name."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum, Flag
from functools import cache
from typing import Any

import annotated_types
from pydantic import AliasChoices, AliasPath, AwareDatetime, BaseModel, Json, NaiveDatetime, RootModel, SecretStr
from pydantic.errors import PydanticUndefinedAnnotation
from pydantic.fields import FieldInfo

from recipe_kit.errors import ParameterDefinitionError
from recipe_kit.parameters.containers import DictOf, ListOf, ModelOf, TupleOf
from recipe_kit.parameters.scalars import (
    Boolean,
    Choice,
    Date,
    DateTime,
    Nullable,
    Number,
    Secret,
    Text,
    WholeNumber,
)
from recipe_kit.parameters.wire import text_of
from recipe_kit.parameters.wire_types import Bounds, WireType

SUPPORTED = (
    "supported are str, int, float, bool, Enum, Literal, date, datetime, SecretStr, list[X], tuple[X, ...],"
    " tuple[X, Y], dict[str, X], pydantic models of these, and X | None"
)


@dataclass(frozen=True)
class WireField:
    """A declared parameter: its name in Python, its key on the wire, its type and pydantic's record of it."""

    name: str
    key: str
    type: WireType
    info: FieldInfo


def key_of(name: str) -> str:
    """Return the key of a parameter without an alias: `num_features` is `numFeatures`, `lambda_` is `lambda`."""
    first, *others = [part for part in name.split("_") if part] or [name]
    return first + "".join(part[0].upper() + part[1:] for part in others)


@cache
def wire_fields(parameters_class: type[BaseModel]) -> Mapping[str, WireField]:
    """Return the declared parameters of a class by their key, in order of declaration.

    Raises:
        ParameterDefinitionError: A type has no wire form, or two parameters share one key.
    """
    _complete(parameters_class)
    fields: dict[str, WireField] = {}
    takers: dict[str, str] = {}
    reader = _Reader(parameters_class)
    for name, info in parameters_class.model_fields.items():
        key = reader.key(parameters_class, name, info)
        for text in {name, key}:
            # A key that is the Python name of another parameter would be taken by both.
            if text in takers:
                raise ParameterDefinitionError(
                    f"parameters '{takers[text]}' and '{name}' of {parameters_class.__qualname__} share one key,"
                    f" '{text}'",
                    hint="rename one of them",
                )
            takers[text] = name
        fields[key] = WireField(name, key, reader.field(name, info), info)
    return types.MappingProxyType(fields)


def secret_keys(parameters_class: type[BaseModel]) -> frozenset[str]:
    """Return the keys of the parameters that are declared secret."""
    return frozenset(key for key, field in wire_fields(parameters_class).items() if field.type.secret)


def _complete(model: type[BaseModel]) -> None:
    if getattr(model, "__pydantic_complete__", True):
        return
    try:
        model.model_rebuild()
    except PydanticUndefinedAnnotation as error:
        raise ParameterDefinitionError(
            f"an annotation of {model.__qualname__} names '{error.name}', which is not defined",
            hint="define or import it before the parameters are used, outside of `if TYPE_CHECKING`",
        ) from None


class _NoWireFormError(Exception):
    """An annotation that has no wire form; the text says why, where more can be said than that."""

    def __init__(self, annotation: Any, why: str = "") -> None:
        super().__init__(why)
        self.annotation = annotation
        self.why = why


class _Reader:
    """Reads the annotations of one class of parameters, and of the models nested in it."""

    def __init__(self, parameters_class: type[BaseModel]) -> None:
        self.parameters_class = parameters_class
        self.models: dict[type[BaseModel], ModelOf] = {}

    def field(self, name: str, info: FieldInfo) -> WireType:
        try:
            return self._type(info.annotation, info.metadata, nested=False)
        except _NoWireFormError as error:
            why = error.why or f"{_shown(error.annotation)} has no wire form"
            raise ParameterDefinitionError(
                f"parameter '{name}' of {self.parameters_class.__qualname__} has a type that cannot be passed to a"
                f" recipe ({why})",
                hint=SUPPORTED,
            ) from None

    def key(self, model: type[BaseModel], name: str, info: FieldInfo) -> str:
        key = name if info.validation_alias is None else info.validation_alias
        written = name if info.serialization_alias is None else info.serialization_alias
        if isinstance(key, AliasChoices | AliasPath) or key != written:
            raise ParameterDefinitionError(
                f"parameter '{name}' of {model.__qualname__} has different keys for reading and writing",
                hint='give it one with Field(alias="...")',
            )
        if not key or "=" in key or not key.isprintable() or key != key.strip():
            raise ParameterDefinitionError(
                f"parameter '{name}' of {model.__qualname__} has the key {key!r}, which a command line cannot name",
                hint="use a key of printable characters without '='",
            )
        return key

    def _type(self, annotation: Any, metadata: Iterable[Any], *, nested: bool) -> WireType:
        annotation, found = _unwrapped(annotation, metadata)
        if any(each is Json or type(each) is Json for each in found):
            raise _NoWireFormError(annotation, "Json[...] is read from JSON already by the type inside it")
        origin = typing.get_origin(annotation)
        arguments = typing.get_args(annotation)
        if origin in (typing.Union, types.UnionType):
            return self._nullable(annotation, arguments, found, nested=nested)
        if origin is typing.Literal:
            return _literal(annotation, arguments)
        if origin is not None:
            return self._container(annotation, origin, arguments, _bounds(found))
        if annotation is SecretStr and nested:
            raise _NoWireFormError(
                annotation, "SecretStr inside another type could be shown; make the secret a parameter of its own"
            )
        if isinstance(annotation, type):
            return self._class(annotation, _bounds(found))
        raise _NoWireFormError(annotation)

    def _class(self, annotation: type, bounds: Bounds) -> WireType:
        simple: dict[Any, WireType] = {
            str: Text(bounds),
            int: WholeNumber(bounds),
            float: Number(bounds),
            bool: Boolean(),
            date: Date(bounds),
            datetime: DateTime(bounds),
            AwareDatetime: DateTime(bounds, "aware"),
            NaiveDatetime: DateTime(bounds, "naive"),
            SecretStr: Secret(bounds),
        }
        if annotation in simple:
            return simple[annotation]
        if issubclass(annotation, Enum):
            if issubclass(annotation, Flag):
                raise _NoWireFormError(annotation, f"{_shown(annotation)} is a Flag, whose members can be combined")
            return _choice(annotation, _shown(annotation), {member: member.value for member in annotation})
        if issubclass(annotation, BaseModel) and not issubclass(annotation, RootModel):
            return self._model(annotation)
        raise _NoWireFormError(annotation, _advice(annotation))

    def _nullable(self, annotation: Any, arguments: tuple[Any, ...], found: list[Any], *, nested: bool) -> WireType:
        others = [each for each in arguments if each is not types.NoneType]
        if len(others) != 1 or len(arguments) != 2:
            raise _NoWireFormError(
                annotation, f"{_shown(annotation)} is ambiguous: which of the types a text is meant for cannot be told"
            )
        return _nullable(self._type(others[0], found, nested=nested), annotation)

    def _container(self, annotation: Any, origin: Any, arguments: tuple[Any, ...], bounds: Bounds) -> WireType:
        if origin is list:
            return ListOf(self._type(arguments[0], (), nested=True), list, bounds)
        if origin is tuple:
            if len(arguments) == 2 and arguments[1] is Ellipsis:
                return ListOf(self._type(arguments[0], (), nested=True), tuple, bounds)
            return TupleOf(tuple(self._type(each, (), nested=True) for each in arguments))
        if origin is dict:
            key = self._type(arguments[0], (), nested=True)
            if not isinstance(key, Text | WholeNumber | Boolean | Choice | Date | DateTime):
                raise _NoWireFormError(annotation, f"keys of {_shown(annotation)} cannot be told apart as text")
            return DictOf(key, self._type(arguments[1], (), nested=True), bounds)
        raise _NoWireFormError(annotation)

    def _model(self, model: type[BaseModel]) -> WireType:
        if model in self.models:
            return self.models[model]
        _complete(model)
        if model.model_config.get("extra") == "allow":
            raise _NoWireFormError(model, f"{_shown(model)} allows fields of any type (extra='allow')")
        known = self.models[model] = ModelOf(model)
        known.fields = {
            self.key(model, name, info): (name, self._type(info.annotation, info.metadata, nested=True))
            for name, info in model.model_fields.items()
        }
        if len(known.fields) < len(model.model_fields):
            raise _NoWireFormError(model, f"two fields of {_shown(model)} share one key")
        return known


def _unwrapped(annotation: Any, metadata: Iterable[Any]) -> tuple[Any, list[Any]]:
    """Return the bare type under `Annotated`, `NewType` and type aliases, and all that was said about it."""
    found = list(metadata)
    while True:
        if typing.get_origin(annotation) is typing.Annotated:
            annotation, *more = typing.get_args(annotation)
            found += more
        elif isinstance(annotation, typing.NewType):
            annotation = annotation.__supertype__
        elif hasattr(annotation, "__value__") and not isinstance(annotation, type):  # `type X = ...`
            annotation = annotation.__value__
        else:
            return annotation, found


def _bounds(metadata: Iterable[Any]) -> Bounds:
    said: dict[str, Any] = {}
    for each in _flat(metadata):
        for name in ("ge", "gt", "le", "lt", "multiple_of", "min_length", "max_length", "pattern"):
            value = getattr(each, name, None)
            if value is not None:
                said[name] = getattr(value, "pattern", value)  # a compiled pattern is shown as its text
        if getattr(each, "allow_inf_nan", None) is False:
            said["finite"] = True
    return Bounds(**said)


def _flat(metadata: Iterable[Any]) -> Iterable[Any]:
    for each in metadata:
        if isinstance(each, FieldInfo):
            yield from _flat(each.metadata)
        elif isinstance(each, annotated_types.GroupedMetadata):
            yield each
            yield from _flat(each)
        else:
            yield each


def _nullable(inner: WireType, annotation: Any) -> WireType:
    if isinstance(inner, Nullable):
        return inner
    if isinstance(inner, Choice) and "null" in inner.members:
        raise _NoWireFormError(annotation, "the choice 'null' cannot be told from no value")
    return Nullable(inner)


def _literal(annotation: Any, members: tuple[Any, ...]) -> WireType:
    values = {member: member.value if isinstance(member, Enum) else member for member in members if member is not None}
    if len(values) < len([member for member in members if member is not None]):
        raise _NoWireFormError(annotation, f"two members of {_shown(annotation)} are equal")
    choice = _choice(annotation, _shown(annotation), values)
    return _nullable(choice, annotation) if None in members else choice


def _choice(annotation: Any, name: str, values: Mapping[Any, Any]) -> WireType:
    members: dict[str, Any] = {}
    for member, value in values.items():
        if not isinstance(value, str | int | float):
            raise _NoWireFormError(annotation, f"members of {name} must be text, numbers or booleans")
        text = text_of(value)
        if text in members:
            raise _NoWireFormError(annotation, f"two members of {name} are written as '{text}'")
        if text.strip() != text or not text.isprintable():
            raise _NoWireFormError(annotation, f"a member of {name}, {text!r}, cannot be written on a command line")
        members[text] = member
    if not members:
        raise _NoWireFormError(annotation, f"{name} has no members")
    return Choice(name, members)


def _advice(annotation: type) -> str:
    if annotation in (list, tuple, dict):
        inside = {list: "list[str]", tuple: "tuple[str, ...]", dict: "dict[str, str]"}[annotation]
        return f"{annotation.__name__} does not say what is in it; write, for instance, {inside}"
    return ""


def _shown(annotation: Any) -> str:
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return annotation.__name__
    return str(annotation).replace("typing.", "")
