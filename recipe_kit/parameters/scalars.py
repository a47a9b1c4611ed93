"""The simple types: text, numbers, booleans, choices, dates, secrets, and any of these or nothing."""

# What a method returns is said once, in WireType.
# ruff: noqa: D102

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any, ClassVar, Literal

from pydantic import SecretStr

from recipe_kit.parameters.wire import WireScalar, is_encodable, text_of
from recipe_kit.parameters.wire_types import Bounds, UnfitError, WireType

_WHOLE_NUMBER = re.compile(r"([+-]?[0-9]+)(?:\.0*)?")
_UNBOUNDED = Bounds()


@dataclass(frozen=True)
class Text(WireType):
    """`str`: the text as it is. Numbers and booleans on the wire are taken as their text."""

    bounds: Bounds = _UNBOUNDED

    @property
    def name(self) -> str:
        return "str"

    @property
    def allowed(self) -> str:
        pattern = f" matching the pattern {self.bounds.pattern}" if self.bounds.pattern else ""
        return "text" + self.bounds.of_a_length("character") + pattern

    def write(self, value: Any) -> Any:
        if not isinstance(value, str):
            raise self.unfit()
        return _encodable(str.__str__(value))

    def read(self, value: Any) -> Any:
        if not isinstance(value, str | int | float):
            raise self.unfit()
        return _encodable(text_of(value))

    def write_text(self, value: Any) -> str:
        return _without_nul(self.write(value))

    def read_text(self, text: str) -> Any:
        return self.read(_without_nul(text))


class Secret(Text):
    """`SecretStr`: the text, which is shown nowhere."""

    @property
    def secret(self) -> bool:
        return True

    def write(self, value: Any) -> Any:
        if not isinstance(value, SecretStr):
            raise self.unfit()
        return super().write(value.get_secret_value())

    def read(self, value: Any) -> Any:
        return SecretStr(super().read(value))


@dataclass(frozen=True)
class Boolean(WireType):
    """`bool`: `true` and `false`; reads any letter case, and 1 and 0."""

    _WORDS: ClassVar[Mapping[str, bool]] = {"true": True, "false": False, "1": True, "0": False}

    @property
    def name(self) -> str:
        return "bool"

    @property
    def allowed(self) -> str:
        return "true or false"

    def write(self, value: Any) -> Any:
        if not isinstance(value, bool):
            raise self.unfit()
        return value

    def read(self, value: Any) -> Any:
        if isinstance(value, bool):
            return value
        if not isinstance(value, str | int):
            raise self.unfit()
        return self.read_text(str(value))

    def write_text(self, value: Any) -> str:
        return text_of(self.write(value))

    def read_text(self, text: str) -> Any:
        try:
            return self._WORDS[text.strip().lower()]
        except KeyError:
            raise self.unfit() from None


@dataclass(frozen=True)
class WholeNumber(WireType):
    """`int`: decimal digits. A JSON number or text such as `5.0` is the whole number 5."""

    bounds: Bounds = _UNBOUNDED

    @property
    def name(self) -> str:
        return "int"

    @property
    def allowed(self) -> str:
        return "a whole number" + self.bounds.of_a_number()

    def write(self, value: Any) -> Any:
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.unfit()
        return int(value)

    def read(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.read_text(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.unfit()
        if isinstance(value, float) and not value.is_integer():
            raise self.unfit()
        return int(value)

    def write_text(self, value: Any) -> str:
        return str(self.write(value))

    def read_text(self, text: str) -> Any:
        match = _WHOLE_NUMBER.fullmatch(text.strip())
        if match is None:
            raise self.unfit()
        try:
            return int(match[1])
        except ValueError:  # Python reads a few thousand digits and no more
            raise UnfitError("has more digits than can be read") from None


@dataclass(frozen=True)
class Number(WireType):
    """`float`: the shortest digits that give the same number back; `inf`, `-inf` and `nan` as these words."""

    bounds: Bounds = _UNBOUNDED

    @property
    def name(self) -> str:
        return "float"

    @property
    def allowed(self) -> str:
        return ("a finite number" if self.bounds.finite else "a number") + self.bounds.of_a_number()

    def write(self, value: Any) -> Any:
        number = self._float(value)
        return number if math.isfinite(number) else repr(number)  # JSON has no word for the others

    def read(self, value: Any) -> Any:
        return self.read_text(value) if isinstance(value, str) else self._float(value)

    def write_text(self, value: Any) -> str:
        return repr(self._float(value))

    def read_text(self, text: str) -> Any:
        try:
            if "_" in text or not text.isascii():  # float() takes more than people mean by a number
                raise ValueError
            return float(text)
        except ValueError:
            raise self.unfit() from None

    def _float(self, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.unfit()
        try:
            return float(value)
        except OverflowError:
            raise self.unfit() from None


@dataclass(frozen=True)
class Choice(WireType):
    """An `Enum` or a `Literal`: the text of the member's value."""

    type_name: str
    members: Mapping[str, Any]
    """The members by their text."""

    @property
    def name(self) -> str:
        return self.type_name

    @property
    def allowed(self) -> str:
        values = [_member_value(member) for member in self.members.values()]
        shown = [repr(value) if isinstance(value, str) else text_of(value) for value in values]
        return shown[0] if len(shown) == 1 else f"one of {', '.join(shown)}"

    def write(self, value: Any) -> Any:
        written = _member_value(value)
        if not isinstance(written, str | int | float) or text_of(written) not in self.members:
            raise self.unfit()
        return text_of(written) if isinstance(written, float) else written

    def read(self, value: Any) -> Any:
        if not isinstance(value, str | int | float):
            raise self.unfit()
        return self.read_text(text_of(value))

    def write_text(self, value: Any) -> str:
        return text_of(self.write(value))

    def read_text(self, text: str) -> Any:
        for known in (text, text.strip()):
            if known in self.members:
                return self.members[known]
        raise self.unfit()


@dataclass(frozen=True)
class Date(WireType):
    """`date`: ISO 8601."""

    bounds: Bounds = _UNBOUNDED

    @property
    def name(self) -> str:
        return "date"

    @property
    def allowed(self) -> str:
        return "a date such as 2026-01-31" + self.bounds.of_a_date()

    def write(self, value: Any) -> Any:
        if not isinstance(value, date):
            raise self.unfit()
        return date(value.year, value.month, value.day).isoformat()

    def read(self, value: Any) -> Any:
        if not isinstance(value, str):
            raise self.unfit()
        return self.read_text(value)

    def write_text(self, value: Any) -> str:
        return str(self.write(value))

    def read_text(self, text: str) -> Any:
        try:
            return date.fromisoformat(text.strip())
        except ValueError:
            raise self.unfit() from None


@dataclass(frozen=True)
class DateTime(WireType):
    """`datetime`: ISO 8601. The offset from UTC is kept; the name of a time zone is not."""

    bounds: Bounds = _UNBOUNDED
    zone: Literal["any", "aware", "naive"] = "any"

    @property
    def name(self) -> str:
        return {"any": "datetime", "aware": "AwareDatetime", "naive": "NaiveDatetime"}[self.zone]

    @property
    def allowed(self) -> str:
        kinds = {
            "any": "a date and time such as 2026-01-31T12:30:00 or 2026-01-31T12:30:00+01:00",
            "aware": "a date and time with an offset such as 2026-01-31T12:30:00+01:00",
            "naive": "a date and time without an offset such as 2026-01-31T12:30:00",
        }
        return kinds[self.zone] + self.bounds.of_a_date()

    def write(self, value: Any) -> Any:
        if not isinstance(value, datetime):
            raise self.unfit()
        offset = value.utcoffset()
        if offset is not None and offset.microseconds:
            # Python writes such an offset, and reads some of them back as none at all.
            raise UnfitError("must have an offset from UTC of whole seconds")
        return value.isoformat()

    def read(self, value: Any) -> Any:
        if not isinstance(value, str):
            raise self.unfit()
        return self.read_text(value)

    def write_text(self, value: Any) -> str:
        return str(self.write(value))

    def read_text(self, text: str) -> Any:
        try:
            return datetime.fromisoformat(text.strip())
        except ValueError:
            raise self.unfit() from None


@dataclass(frozen=True)
class Nullable(WireType):
    """`X | None`: JSON null on the wire, and `null` as text.

    Where X is text, a text that would be mistaken for something else (`null` itself, or one that is a JSON string) is
    written as a JSON string: `"null"` with its quotes is the word null, and `null` is nothing.
    """

    inner: WireType

    @property
    def secret(self) -> bool:
        return self.inner.secret

    @property
    def listable(self) -> bool:
        return self.inner.listable

    @property
    def name(self) -> str:
        return f"{self.inner.name} | None"

    @property
    def allowed(self) -> str:
        return f"{self.inner.allowed}, or null"

    def write(self, value: Any) -> Any:
        return None if value is None else self.inner.write(value)

    def read(self, value: Any) -> Any:
        return None if value is None else self.inner.read(value)

    def write_text(self, value: Any) -> str:
        if value is None:
            return "null"
        text = self.inner.write_text(value)
        if isinstance(self.inner, Text) and (text == "null" or _json_string(text) is not None):
            return json.dumps(text, ensure_ascii=False)
        return text

    def read_text(self, text: str) -> Any:
        if not isinstance(self.inner, Text):
            return None if text.strip() == "null" else self.inner.read_text(text)
        if text == "null":
            return None
        quoted = _json_string(text)
        return self.inner.read_text(text if quoted is None else quoted)

    def write_wire(self, value: Any) -> WireScalar:
        return None if value is None else self.write_text(value)

    def read_wire(self, value: WireScalar) -> Any:
        if value is None:
            return None
        return self.read_text(value) if isinstance(value, str) else self.inner.read_wire(value)

    def part(self, place: Any) -> tuple[str, WireType | None]:
        return self.inner.part(place)


def _encodable(text: str) -> str:
    if not is_encodable(text):
        raise UnfitError("must be text that can be written as UTF-8; it holds half of a surrogate pair")
    return text


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise UnfitError("must not hold a NUL character, which no command line or environment variable can carry")
    return text


def _json_string(text: str) -> str | None:
    if not text.startswith('"'):
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, str) else None


def _member_value(member: Any) -> Any:
    return member.value if isinstance(member, Enum) else member
