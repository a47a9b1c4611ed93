"""Typed, to the wire, and back: nothing is lost, for any type that a parameter may have."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum, IntEnum, StrEnum
from typing import Any, Literal, Optional

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import AwareDatetime, BaseModel, NaiveDatetime, SecretStr, create_model

from recipe_kit.errors import InvalidParameterError
from recipe_kit.parameters import Field, Parameter, Parameters, from_wire, text_of, to_wire

# Classes are made as examples go, and two processes share the machine with others.
relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


class Solver(Enum):
    ADAM = "adam"
    NONE = ""
    HALF = 0.5
    ON = True


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Colour(StrEnum):
    RED = "red"
    COMMA = "red,green"
    QUOTED = '"red"'


class Tree(BaseModel):
    label: str = ""
    depth_limit: float | None = Field(None, alias="depthLimit")
    branches: list[Tree] = []


@dataclass(frozen=True)
class Kind:
    """A type that a parameter may have, and values of it."""

    annotation: Any
    values: st.SearchStrategy[Any]


TRICKY = [
    "",
    " ",
    "null",
    '"null"',
    '""',
    '"a',
    "a,b",
    ",",
    "[]",
    "{}",
    "[1",
    "true",
    "1",
    "\n",
    "$HOME `id`",
    "'",
    "-p",
]
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")) | st.sampled_from(TRICKY)
NAIVE = st.datetimes()
DAY = 24 * 60 * 60
OFFSETS = (
    st.integers(1 - DAY, DAY - 1).map(lambda seconds: timezone(timedelta(seconds=seconds)))
    | st.just(UTC)
    | st.timezones()
)
AWARE = st.datetimes(timezones=OFFSETS)
TREES = st.recursive(
    st.builds(lambda label: Tree(label=label), TEXTS),
    lambda trees: st.builds(
        lambda label, limit, branches: Tree(label=label, depthLimit=limit, branches=branches),
        TEXTS,
        st.none() | st.floats(),
        st.lists(trees, max_size=3),
    ),
    max_leaves=4,
)

KEYS = [
    Kind(str, TEXTS),
    Kind(int, st.integers()),
    Kind(bool, st.booleans()),
    Kind(date, st.dates()),
    Kind(datetime, NAIVE),
    Kind(Solver, st.sampled_from(Solver)),
    Kind(Level, st.sampled_from(Level)),
    Kind(Colour, st.sampled_from(Colour)),
    Kind(Literal["a", 2, False], st.sampled_from(["a", 2, False])),
    Kind(Literal[Colour.RED, "blue"], st.sampled_from([Colour.RED, "blue"])),
]
SIMPLE = [
    *KEYS,
    Kind(float, st.floats()),
    Kind(datetime, NAIVE | AWARE),
    Kind(AwareDatetime, AWARE),
    Kind(NaiveDatetime, NAIVE),
]


def optional(kind: Kind) -> Kind:
    return Kind(Optional[kind.annotation], st.none() | kind.values)  # noqa: UP045 - made at run time


def list_of(kind: Kind) -> Kind:
    return Kind(list[kind.annotation], st.lists(kind.values, max_size=4))


def tuple_of(kind: Kind) -> Kind:
    return Kind(tuple[kind.annotation, ...], st.lists(kind.values, max_size=4).map(tuple))


def pair_of(first: Kind, second: Kind) -> Kind:
    return Kind(tuple[first.annotation, second.annotation], st.tuples(first.values, second.values))


def dict_of(key: Kind, value: Kind) -> Kind:
    return Kind(dict[key.annotation, value.annotation], st.dictionaries(key.values, value.values, max_size=3))


def model_of(first: Kind, second: Kind) -> Kind:
    model = create_model("Nested", some_field=(first.annotation, ...), other=(second.annotation, ...))
    return Kind(model, st.builds(model, some_field=first.values, other=second.values))


KINDS = st.recursive(
    st.sampled_from([*SIMPLE, Kind(Tree, TREES)]),
    lambda kinds: (
        kinds.map(optional)
        | kinds.map(list_of)
        | kinds.map(tuple_of)
        | st.builds(pair_of, kinds, kinds)
        | st.builds(dict_of, st.sampled_from(KEYS), kinds)
        | st.builds(model_of, kinds, kinds)
    ),
    max_leaves=4,
)
# Secrets stand alone: they are no part of other types.
SECRETS = st.sampled_from([Kind(SecretStr, TEXTS.map(SecretStr)), optional(Kind(SecretStr, TEXTS.map(SecretStr)))])


@st.composite
def parameters(draw: st.DrawFn, kinds: st.SearchStrategy[Kind] = KINDS | SECRETS) -> Parameters:
    kind = draw(kinds)
    made = create_model("Made", __base__=Parameters, the_value=(kind.annotation, ...))
    return made(the_value=draw(kind.values))


def plain(value: Any) -> Any:
    """A value as something that can be compared: nan equals itself, and what equals 1 is not all the same."""
    if isinstance(value, BaseModel):
        return type(value), {name: plain(each) for name, each in value}
    if isinstance(value, list | tuple):
        return type(value), [plain(each) for each in value]
    if isinstance(value, dict):
        return [(plain(key), plain(each)) for key, each in value.items()]
    if isinstance(value, SecretStr):
        return SecretStr, value.get_secret_value()
    if isinstance(value, datetime):
        return "datetime", value.isoformat()  # the instant and the offset; the zone's name does not travel
    return type(value), repr(value)


@given(parameters())
@relaxed
def test_a_value_of_any_supported_type_comes_back_from_the_wire_as_it_was(typed: Parameters) -> None:
    assert plain(from_wire(type(typed), to_wire(typed, reveal_secrets=True))) == plain(typed)


@given(parameters())
@relaxed
def test_what_is_on_the_wire_survives_json(typed: Parameters) -> None:
    document = json.dumps([p.model_dump() for p in to_wire(typed, reveal_secrets=True)], allow_nan=False)
    wire = [Parameter.model_validate(each) for each in json.loads(document)]
    assert plain(from_wire(type(typed), wire)) == plain(typed)


@given(parameters())
@relaxed
def test_every_value_has_a_text_that_reads_back_as_the_value(typed: Parameters) -> None:
    wire = [Parameter(key=p.key, value=text_of(p.value)) for p in to_wire(typed, reveal_secrets=True)]
    assert plain(from_wire(type(typed), wire)) == plain(typed)


@given(st.lists(parameters(), min_size=20, max_size=40))
@settings(relaxed, max_examples=10)
def test_wire_text_survives_a_shell_and_the_environment(many: list[Parameters]) -> None:
    texts = [text_of(p.value) for typed in many for p in to_wire(typed, reveal_secrets=True)]
    command = "printf '%s\\0' " + " ".join(shlex.quote(text) for text in texts)
    printed = subprocess.run(["sh", "-c", command], check=True, capture_output=True).stdout
    assert printed.decode().split("\0")[:-1] == texts

    variables = {f"VALUE_{n}": text for n, text in enumerate(texts)}
    program = "import json, os; print(json.dumps(dict(os.environ)))"
    seen = json.loads(
        subprocess.run(
            [sys.executable, "-X", "utf8", "-c", program],
            env={**os.environ, **variables},
            check=True,
            capture_output=True,
        ).stdout
    )
    assert {name: seen[name] for name in variables} == variables


@given(st.lists(TEXTS | st.text(st.characters(exclude_categories=["Cs"]), min_size=1)))
@example([])
@example([""])
@example(["a,b", " c "])
@relaxed
def test_lists_of_text_come_back_whatever_is_in_them(items: list[str]) -> None:
    class Tagged(Parameters):
        tags: list[str]

    assert from_wire(Tagged, to_wire(Tagged(tags=items))).tags == items


@given(TEXTS | st.none())
@example(None)
@example("null")
@example('"null"')
@relaxed
def test_optional_text_is_told_from_nothing(text: str | None) -> None:
    class Named(Parameters):
        name: str | None

    wire = to_wire(Named(name=text))
    assert wire[0].value is None if text is None else isinstance(wire[0].value, str)
    assert from_wire(Named, [Parameter(key="name", value=text_of(wire[0].value))]).name == text


@pytest.mark.parametrize("number", [2**63, -(2**200), 0])
def test_whole_numbers_are_exact_at_any_size(number: int) -> None:
    class Counted(Parameters):
        count: int
        counts: list[int]

    typed = Counted(count=number, counts=[number])
    assert from_wire(Counted, to_wire(typed)) == typed


def test_an_offset_of_a_fraction_of_a_second_is_refused() -> None:
    class Timed(Parameters):
        at: datetime

    odd = Timed(at=datetime(2026, 1, 31, tzinfo=timezone(timedelta(microseconds=1))))
    with pytest.raises(InvalidParameterError, match="parameter 'at' cannot be written: must have an offset"):
        to_wire(odd)
