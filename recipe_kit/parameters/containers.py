"""How lists, tuples, dicts and nested models travel: as JSON text, whose parts are read by their own types.

A list of simple values may also be written as the platform's own keys are, separated by commas: ``a,b``.
"""

# What a method returns is said once, in WireType.
# ruff: noqa: D102

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from recipe_kit.nearest import nearest, quoted
from recipe_kit.parameters.wire import WireScalar, text_of
from recipe_kit.parameters.wire_types import Bounds, UnfitError, WireType

_UNBOUNDED = Bounds()


class JsonType(WireType):
    """A type whose text is JSON."""

    @property
    def listable(self) -> bool:
        return False

    def write_text(self, value: Any) -> str:
        return json.dumps(self.write(value), ensure_ascii=False, allow_nan=False)

    def read_text(self, text: str) -> Any:
        return self.read(self._from_json(text))

    def _from_json(self, text: str) -> Any:
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            raise UnfitError(
                f"must be {self.allowed}, written as JSON ({error.msg} at character {error.pos + 1})"
            ) from None
        except (ValueError, RecursionError):
            raise UnfitError(f"must be {self.allowed}, written as JSON") from None


class _ListLike(JsonType):
    """What lists and tuples share: the form that is separated by commas."""

    def read_text(self, text: str) -> Any:
        if not self._takes_commas or text.lstrip().startswith("["):
            return super().read_text(text)
        items = text.split(",") if text.strip() else []
        return self._items_from([item.strip() for item in items], text=True)

    def read_wire(self, value: WireScalar) -> Any:
        # A list of one number is easily written as that number.
        return self.read(None) if value is None else self.read_text(text_of(value))

    def read(self, value: Any) -> Any:
        if not isinstance(value, list | tuple):
            raise self.unfit()
        return self._items_from(list(value), text=False)

    @property
    def _takes_commas(self) -> bool:
        raise NotImplementedError

    def _items_from(self, items: list[Any], *, text: bool) -> Any:
        raise NotImplementedError


@dataclass(frozen=True)
class ListOf(_ListLike):
    """`list[X]`, or `tuple[X, ...]` where `kind` is `tuple`."""

    item: WireType
    kind: type[list[Any]] | type[tuple[Any, ...]]
    bounds: Bounds = _UNBOUNDED

    @property
    def name(self) -> str:
        return f"list[{self.item.name}]" if self.kind is list else f"tuple[{self.item.name}, ...]"

    @property
    def allowed(self) -> str:
        return f"a list{self.bounds.of_a_length('item')}, each item {self.item.allowed}"

    def write(self, value: Any) -> Any:
        if not isinstance(value, self.kind):
            raise self.unfit()
        return [_inside(f"item {n}", self.item.write, item) for n, item in enumerate(value, start=1)]

    def part(self, place: Any) -> tuple[str, WireType | None]:
        return f"item {place + 1}" if isinstance(place, int) else "", self.item

    @property
    def _takes_commas(self) -> bool:
        return self.item.listable

    def _items_from(self, items: list[Any], *, text: bool) -> Any:
        read = self.item.read_text if text else self.item.read
        return self.kind(_inside(f"item {n}", read, item) for n, item in enumerate(items, start=1))


@dataclass(frozen=True)
class TupleOf(_ListLike):
    """`tuple[X, Y]`: as many items as there are types."""

    items: tuple[WireType, ...]

    @property
    def name(self) -> str:
        return f"tuple[{', '.join(item.name for item in self.items) or '()'}]"

    @property
    def allowed(self) -> str:
        if not self.items:
            return "an empty list"
        return f"a list of {len(self.items)}: {'; '.join(item.allowed for item in self.items)}"

    def write(self, value: Any) -> Any:
        if not isinstance(value, tuple) or len(value) != len(self.items):
            raise self.unfit()
        pairs = enumerate(zip(self.items, value, strict=True), start=1)
        return [_inside(f"item {n}", wire_type.write, item) for n, (wire_type, item) in pairs]

    def part(self, place: Any) -> tuple[str, WireType | None]:
        known = isinstance(place, int) and place < len(self.items)
        return (f"item {place + 1}", self.items[place]) if known else ("", None)

    @property
    def _takes_commas(self) -> bool:
        return all(item.listable for item in self.items)

    def _items_from(self, items: list[Any], *, text: bool) -> Any:
        if len(items) != len(self.items):
            raise self.unfit()
        pairs = enumerate(zip(self.items, items, strict=True), start=1)
        return tuple(_inside(f"item {n}", t.read_text if text else t.read, item) for n, (t, item) in pairs)


@dataclass(frozen=True)
class DictOf(JsonType):
    """`dict[K, V]`: a JSON object, its keys in the text of K."""

    key: WireType
    value: WireType
    bounds: Bounds = _UNBOUNDED

    @property
    def name(self) -> str:
        return f"dict[{self.key.name}, {self.value.name}]"

    @property
    def allowed(self) -> str:
        entries = f"each value {self.value.allowed}"
        if self.key.name != "str":
            entries = f"each key {self.key.allowed}, {entries}"
        return f"a JSON object{self.bounds.of_a_length('key')}, {entries}"

    def write(self, value: Any) -> Any:
        if not isinstance(value, dict):
            raise self.unfit()
        return {
            self.key.write_text(key): _inside(f"the value of '{key}'", self.value.write, each)
            for key, each in value.items()
        }

    def read(self, value: Any) -> Any:
        if not isinstance(value, dict):
            raise self.unfit()
        return {
            _inside(f"the key '{key}'", self.key.read_text, key): _inside(
                f"the value of '{key}'", self.value.read, each
            )
            for key, each in value.items()
        }

    def part(self, place: Any) -> tuple[str, WireType | None]:
        # In pydantic's errors, a place '[key]' after that of an entry says that its key is meant.
        return ("its key", self.key) if place == "[key]" else (f"the value of '{place}'", self.value)


@dataclass(eq=False)
class ModelOf(JsonType):
    """A nested pydantic model: a JSON object by the fields' aliases."""

    model: type[BaseModel]
    fields: Mapping[str, tuple[str, WireType]] = field(default_factory=dict)
    """Each field's name and type, by key; filled in after the model's own types are known, as models may be
    recursive."""

    @property
    def name(self) -> str:
        return self.model.__name__

    @property
    def allowed(self) -> str:
        return f"a JSON object with {quoted(self.fields)}" if self.fields else "an empty JSON object"

    def write(self, value: Any) -> Any:
        if type(value) is not self.model:
            # A subclass would come back as this class, without what the subclass adds.
            raise UnfitError(f"must be of the class {self.model.__name__} itself")
        return {
            key: _inside(f"'{key}'", wire_type.write, getattr(value, name))
            for key, (name, wire_type) in self.fields.items()
        }

    def read(self, value: Any) -> Any:
        if not isinstance(value, dict):
            raise self.unfit()
        for key in value:
            if key not in self.fields:
                near = nearest(str(key), self.fields)
                hint = f"did you mean '{near}'?" if near else f"known are {quoted(self.fields)}"
                raise UnfitError(f"has no key '{key}', {hint}")
        return {key: _inside(f"'{key}'", self.fields[key][1].read, each) for key, each in value.items()}

    def part(self, place: Any) -> tuple[str, WireType | None]:
        return f"'{place}'", self.fields.get(str(place), ("", None))[1]


def _inside(step: str, convert: Any, value: Any) -> Any:
    try:
        return convert(value)
    except UnfitError as error:
        raise error.within(step) from None
