"""From the wire to the typed object, and what is said of every value that does not fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from pydantic import SecretStr, ValidationError

from recipe_kit.errors import InvalidParameterError, MissingParameterError, ParameterError, UnknownParameterError
from recipe_kit.nearest import nearest, quoted
from recipe_kit.parameters.annotations import WireField, wire_fields
from recipe_kit.parameters.model import Parameters
from recipe_kit.parameters.platform import PLATFORM_KEYS, is_platform_key
from recipe_kit.parameters.scalars import Nullable
from recipe_kit.parameters.wire import Parameter, WireScalar, text_of
from recipe_kit.parameters.wire_types import UnfitError, WireType

DEFAULT_SOURCE = "default"
"""The source of a value that no layer gave."""

P = TypeVar("P", bound=Parameters)

_LONGEST_SHOWN = 80
# Pydantic's errors that a parameter's own description (`allowed`) already covers.
_COVERED = frozenset(
    {
        "bool_parsing",
        "bool_type",
        "date_type",
        "datetime_type",
        "dict_type",
        "enum",
        "finite_number",
        "float_parsing",
        "float_type",
        "greater_than",
        "greater_than_equal",
        "int_from_float",
        "int_parsing",
        "int_type",
        "less_than",
        "less_than_equal",
        "list_type",
        "literal_error",
        "model_type",
        "multiple_of",
        "none_required",
        "string_pattern_mismatch",
        "string_too_long",
        "string_too_short",
        "string_type",
        "timezone_aware",
        "timezone_naive",
        "too_long",
        "too_short",
        "tuple_type",
    }
)


@dataclass(frozen=True)
class Given:
    """A value that was given for a parameter, and by whom; `secret` where anybody said that it is one."""

    parameter: Parameter
    source: str | None = None
    secret: bool = False


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, as one sentence and what to do about it."""

    kind: type[ParameterError]
    message: str
    hint: str
    about: str | None = None
    """The parameter that is missing, or that an unknown key was meant for."""


def from_wire(parameters_class: type[P], wire: Iterable[Parameter]) -> P:
    """Return the typed object that a list from the wire stands for; platform keys of no concern to it are left out.

    Raises:
        UnknownParameterError: A key is neither a parameter of the class nor one of the platform's.
        InvalidParameterError: A value does not fit.
        MissingParameterError: A parameter without a default is not there.
    """
    fields = wire_fields(parameters_class)
    given: dict[str, Given] = {}
    problems: list[Problem] = []
    for parameter in wire:
        if parameter.key in fields:
            if is_told(parameter, fields[parameter.key]):
                given[parameter.key] = Given(parameter, secret=parameter.secret)
        elif not is_platform_key(parameter.key):
            problems.append(unknown_key(parameter.key, fields))
    return read(parameters_class, given, problems)


def is_told(parameter: Parameter, field: WireField) -> bool:
    """Return whether a parameter carries a value, not just the key of a secret that is kept elsewhere."""
    if parameter.withheld:
        return False
    return not (parameter.secret and parameter.value is None and not isinstance(field.type, Nullable))


def read(parameters_class: type[P], given: Mapping[str, Given], problems: Iterable[Problem] = (), task: str = "") -> P:
    """Return the typed object of the given values, or raise one error that names all that is wrong.

    Args:
        parameters_class: The class to make an object of.
        given: The values by key; every key is one of the class's.
        problems: What is known to be wrong already.
        task: The task's name for messages, if there is one.
    """
    reader = _Reader(parameters_class, given, task)
    parameters: P | None = reader.read()
    unknown = list(problems)
    misspelt = {problem.about for problem in unknown}
    found = [*unknown, *(p for p in reader.problems if p.about is None or p.about not in misspelt)]
    if found or parameters is None:
        raise_all(found)
    return parameters


def raise_all(problems: list[Problem]) -> NoReturn:
    """Raise one error of the first problem's class that tells of all of them, one line each."""
    if len(problems) == 1:
        raise problems[0].kind(problems[0].message, hint=problems[0].hint)
    raise problems[0].kind("\n".join(f"{problem.message}: {problem.hint}" for problem in problems))


def unknown_key(key: str, fields: Iterable[str], task: str = "", source: str | None = None) -> Problem:
    """Return what is said of a key that a task does not have."""
    known = list(fields)
    near = nearest(key, known) or nearest(key, PLATFORM_KEYS)
    if near:
        hint = f"did you mean '{near}'?"
    elif known:
        hint = f"known are {quoted(known)}"
    else:
        hint = "it takes no parameters"
    return Problem(UnknownParameterError, f"unknown parameter '{key}'{_of(task)}{_from(source)}", hint, near)


class _Reader:
    """One attempt to make a typed object."""

    def __init__(self, parameters_class: type[Parameters], given: Mapping[str, Given], task: str) -> None:
        self.parameters_class = parameters_class
        self.fields = wire_fields(parameters_class)
        self.given = given
        self.task = task
        self._candidates: dict[str, Any] = {}
        self._bad: dict[str, Problem] = {}
        self._others: list[Problem] = []

    @property
    def problems(self) -> list[Problem]:
        """What is wrong: bad values in order of declaration, then the rest."""
        return [*(self._bad[key] for key in self.fields if key in self._bad), *self._others]

    def read(self) -> Any:
        """Return the object, or nothing and leave behind what is wrong."""
        unfit: set[str] = set()
        for key, given in self.given.items():
            try:
                self._candidates[key] = self.fields[key].type.read_wire(given.parameter.value)
            except UnfitError as error:
                unfit.add(key)
                self._bad_value(key, error.sentence)
        errors: list[Any] = []
        try:
            parameters = self.parameters_class.model_validate(self._candidates)
        except ValidationError as error:
            # Handled below, out of this block: the error knows all that was passed in, secrets too, and must not
            # hang on to ours as its context.
            errors = list(error.errors(include_url=False))
        else:
            return None if unfit else parameters
        self._explain(errors, unfit)
        return None

    def _explain(self, errors: list[Any], unfit: set[str]) -> None:
        keys = {field.name: key for key, field in self.fields.items()}
        missing: list[str] = []
        explained = set(unfit)
        for error in errors:
            place = error["loc"]
            if not place:
                if not unfit:  # else it may be about the default that stands in for the value that did not fit
                    self._bad_combination(error)
                continue
            # Pydantic names a field by its alias, but by its own name where it is the default that does not fit.
            key = place[0] if place[0] in self.fields else keys.get(place[0], str(place[0]))
            if key in explained:
                continue
            explained.add(key)
            if error["type"] == "missing" and len(place) == 1:
                missing.append(key)
            elif key in self.fields:
                self._bad_value(key, self._reason(error, key), error.get("input"))
            else:  # an author's own validator of the whole, before the fields are looked at, put it there
                self._bad_combination(error)
        for key in missing:
            self._missing(key)

    def _reason(self, error: Mapping[str, Any], key: str) -> str:
        path: list[str] = []
        wire_type: WireType | None = self.fields[key].type
        for place in error["loc"][1:]:
            step, wire_type = wire_type.part(place) if wire_type else ("", None)
            if step:
                path.append(step)
        kind = error["type"]
        if kind == "missing":
            return f"{', '.join(path)} is missing"
        if wire_type is None or kind not in _COVERED:
            reason = self._words_of_the_author(error)
            if reason is None:
                return f"{', '.join(path)} is refused by the recipe's own check".lstrip()
            return f"{', '.join(path)}: {reason}" if path else reason
        return f"{', '.join(path)} must be {wire_type.allowed}".lstrip()

    def _words_of_the_author(self, error: Mapping[str, Any]) -> str | None:
        """Return the text of an error that a validator raised, unless a secret is in it."""
        cause = error.get("ctx", {}).get("error")
        words = " ".join(str(error["msg"] if cause is None else cause).split())
        if not words or any(secret in words for secret in self._secrets()):
            return None
        return words if cause is not None else words[:1].lower() + words[1:]

    def _secrets(self) -> set[str]:
        values: set[str] = set()
        for key, field in self.fields.items():
            given = self.given.get(key)
            if given is not None and (given.secret or field.type.secret):
                values |= {text_of(given.parameter.value), text_of(given.parameter.value).strip()}
                candidate = self._candidates.get(key)
                if isinstance(candidate, SecretStr):
                    values.add(candidate.get_secret_value())
            if isinstance(field.info.default, SecretStr):
                values.add(field.info.default.get_secret_value())
        return values - {""}

    def _bad_value(self, key: str, reason: str, default: Any = None) -> None:
        given = self.given.get(key)
        wire_type = self.fields[key].type
        what, value = "secret parameter", ""
        if given is not None and given.secret and not wire_type.secret:
            reason = wire_type.unfit().sentence  # any more would tell of what is in the value
        elif not wire_type.secret:
            what = "parameter"
            value = f" {_value_shown(given.parameter.value) if given else _cut(repr(default))}"
        source = given.source if given else DEFAULT_SOURCE
        sentence = f"bad value{value} for {what} '{key}'{_of(self.task)}{_from(source)}"
        self._bad[key] = Problem(InvalidParameterError, sentence, reason)

    def _bad_combination(self, error: Mapping[str, Any]) -> None:
        self._others.append(
            Problem(
                InvalidParameterError,
                f"the parameters{_of(self.task)} do not fit together",
                self._words_of_the_author(error) or "the recipe's own check refuses them",
            )
        )

    def _missing(self, key: str) -> None:
        what = "secret parameter" if self.fields[key].type.secret else "parameter"
        if self.task:
            sentence = f"task '{self.task}' needs {what} '{key}', which has no default"
            hint = f"set it in the instance file or with -p {self.task}.{key}=VALUE"
        else:
            sentence, hint = f"{what} '{key}' is not given and has no default", "give it a value"
        self._others.append(Problem(MissingParameterError, sentence, hint, key))


def _of(task: str) -> str:
    return f" of task '{task}'" if task else ""


def _from(source: str | None) -> str:
    return f" (from {source})" if source else ""


def _value_shown(value: WireScalar) -> str:
    return _cut(repr(value) if isinstance(value, str) else text_of(value))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
