"""Checks of the parameters that a recipe declares, and of what happens to values that do not fit."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic import ValidationError

from recipe_kit.errors import InvalidParameterError, ParameterError, RecipeKitError, UnknownParameterError
from recipe_kit.parameters import Layer, Parameter, Parameters, TaskParameters, from_wire, resolve, to_wire
from recipe_kit.parameters.annotations import wire_fields
from recipe_kit.recipe import TaskName
from recipe_kit.task import ResultDocument, State
from recipe_kit.task.layers import layers_of
from recipe_kit.testing.checks.registry import check
from recipe_kit.testing.findings import Finding, NotApplicableError
from recipe_kit.testing.subject import Subject

UNKNOWN_KEY = "noRecipeHasThisParameter"
NO_NUMBER = "neither a number nor true nor false"


@check(remedy="give the parameter a default that its own type and bounds allow")
def defaults_are_valid(subject: Subject) -> None:
    """The default of every parameter satisfies the parameter's own type and bounds.

    A default that does not makes the recipe fail for whoever sets nothing, with an error about a value that they never
    gave.
    """
    for task, parameters_class in _classes(subject):
        given = {key: _known_value(subject, task, key) for key in _required(parameters_class)}
        try:
            parameters_class.model_validate({key: value for key, value in given.items() if value is not None})
        except ValidationError as error:
            names = {field.name: key for key, field in wire_fields(parameters_class).items()}
            bad = [e for e in error.errors() if e["type"] != "missing" and (not e["loc"] or e["loc"][0] not in given)]
            if bad:
                place = bad[0]["loc"][0] if bad[0]["loc"] else None
                about = f"the default of '{names.get(str(place), place)}'" if place else "the defaults together"
                raise Finding(f"{about} of task '{task}' cannot be used: {_lower(bad[0]['msg'])}") from None


@check(remedy='say what it is and in which unit: `Field(100, ge=1, description="Most iterations of the solver.")`')
def parameters_are_described(subject: Subject) -> None:
    """Every parameter has a description.

    The description is all that the platform's users see of a parameter, in `recipe-kit params`, on the server's page
    and in the engine's schema; a bare name leaves them to read the code.
    """
    bare = [
        f"'{key}' of task '{task}'"
        for task, parameters_class in _classes(subject)
        for key, field in wire_fields(parameters_class).items()
        if not (field.info.description or "").strip()
    ]
    if bare:
        raise Finding(f"there is no description of parameter {', '.join(bare)}")


@check(remedy="let validators return a value that they would accept unchanged, and leave conversions to the hooks")
def text_and_typed_parameters_agree(subject: Subject) -> None:
    """A parameter means the same whether it comes as text, as JSON or as a Python value, and however often it travels.

    On their way from an instance file through the platform to a container, values are written as text and read again,
    more than once. A value that changes on the way trains another model on the platform than on the laptop.
    """
    for task, parameters_class in _classes(subject):
        typed = _typed(subject, task)
        fields = wire_fields(parameters_class)
        as_text = to_wire(typed, reveal_secrets=True)
        as_json = [Parameter(key=key, value=f.type.write(getattr(typed, f.name))) for key, f in fields.items()]
        in_python = {key: getattr(typed, field.name) for key, field in fields.items()}
        ways: dict[str, Callable[[], Parameters]] = {
            "as text": partial(from_wire, parameters_class, as_text),
            "as JSON": partial(from_wire, parameters_class, as_json),
            "as a Python value": partial(parameters_class.model_validate, in_python),
        }
        for way, read in ways.items():
            try:
                again = read()
            except (ParameterError, ValidationError) as error:
                raise Finding(f"the parameters of task '{task}' are refused when they come {way}: {error}") from None
            for key, field in fields.items():
                before, after = getattr(typed, field.name), getattr(again, field.name)
                if before != after and not (before != before and after != after):  # NaN is like no other
                    shown = "" if field.type.secret else f": {before!r} becomes {after!r}"
                    raise Finding(f"parameter '{key}' of task '{task}' changes when it comes {way}{shown}")


@check(remedy="leave `extra` in the parameters' `model_config` as it is (`forbid`)")
def unknown_keys_are_refused(subject: Subject) -> None:
    """A parameter that the recipe does not know is refused before any data is read.

    A misspelt key that is ignored trains with the default instead, which nobody notices until the model is in use.
    """
    for task in _tasks(subject):
        layer = _layer(task, UNKNOWN_KEY, "1")
        error = _refusal(subject, task, layer)
        if not isinstance(error, UnknownParameterError):
            said = "takes it" if error is None else f"raises {type(error).__name__}"
            raise Finding(f"task '{task}' was given the parameter '{UNKNOWN_KEY}', which it does not have, and {said}")
    for task, parameters_class in _classes(subject):
        typed = _typed(subject, task)
        known = {key: getattr(typed, field.name) for key, field in wire_fields(parameters_class).items()}
        with contextlib.suppress(ValidationError):
            parameters_class.model_validate({**known, UNKNOWN_KEY: 1})
            raise Finding(
                f"{parameters_class.__name__}({UNKNOWN_KEY}=1) in Python is taken, though there is no such parameter"
            )
    _require_refused_at_the_start(_run_with(subject, "train", UNKNOWN_KEY, "1"), UNKNOWN_KEY)


@check(remedy="declare bounds with `Field(ge=..., le=...)`, an Enum or a Literal, and let no validator mend values")
def values_out_of_range_are_refused(subject: Subject) -> None:
    """A value of the wrong kind, or outside of the bounds that the schema shows, is refused before any data is read.

    The schema is what the platform shows to its users and checks their values with. A recipe that quietly takes, or
    mends, what its schema forbids trains with other values than its users believe.
    """
    refused: list[tuple[TaskName, BadValue]] = []
    for task, parameters_class in _classes(subject):
        for bad in bad_values(parameters_class):
            error = _refusal(subject, task, _layer(task, bad.key, bad.value))
            if error is None:
                raise Finding(f"parameter '{bad.key}' of task '{task}' takes {bad.value!r}, though {bad.why}")
            if not isinstance(error, InvalidParameterError):
                raise Finding(
                    f"parameter '{bad.key}' of task '{task}' refuses {bad.value!r} with {type(error).__name__}: {error}"
                )
            refused.append((task, bad))
    if not refused:
        raise NotApplicableError("no parameter has a bound, and all are text")
    task, bad = refused[0]
    if task == "train":
        _require_refused_at_the_start(_run_with(subject, "train", bad.key, bad.value), bad.key)


@dataclass(frozen=True)
class BadValue:
    """A value that a parameter must not take."""

    key: str
    value: str
    why: str


def bad_values(parameters_class: type[Parameters]) -> Iterator[BadValue]:
    """Yield values that the schema of a class of parameters forbids: out of each bound, and of the wrong kind."""
    schema = parameters_class.model_json_schema(by_alias=True)
    definitions = schema.get("$defs", {})
    for key, declared in schema.get("properties", {}).items():
        for form in _forms(declared, definitions):
            for value, why in _outside(form):
                yield BadValue(key, value, why)


def _outside(form: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    kind = form.get("type")
    step = 1 if kind == "integer" else 0.5
    if kind in ("integer", "number", "boolean"):
        yield NO_NUMBER, f"its schema says {kind}"
    bounds = {"minimum": -step, "maximum": step, "exclusiveMinimum": 0, "exclusiveMaximum": 0}
    if kind in ("integer", "number"):
        for bound, beyond in bounds.items():
            if bound in form:
                yield repr(form[bound] + beyond), f"its schema says {bound} {form[bound]}"
    if kind == "string" and "format" not in form:
        if form.get("minLength", 0) > 0:
            yield "x" * (form["minLength"] - 1), f"its schema says minLength {form['minLength']}"
        if "maxLength" in form:
            yield "x" * (form["maxLength"] + 1), f"its schema says maxLength {form['maxLength']}"
    choices = form.get("enum", [form["const"]] if "const" in form else None)
    if choices is not None:
        yield "none of these choices", f"its schema allows only {', '.join(map(repr, choices))}"


def _forms(declared: Mapping[str, Any], definitions: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what a parameter may be, its references followed; none where text may be anything."""
    forms: list[Mapping[str, Any]] = []
    for form in declared.get("anyOf", [declared]):
        if "$ref" in form:
            form = {**definitions.get(form["$ref"].rpartition("/")[2], {}), **{k: form[k] for k in form if k != "$ref"}}
        forms.append(form)
    return [form for form in forms if form.get("type") != "null"]


def _classes(subject: Subject) -> Iterator[tuple[TaskName, type[Parameters]]]:
    """Yield each class of parameters once, with the first task that takes it."""
    seen: set[type[Parameters]] = set()
    for task in _tasks(subject):
        parameters_class = subject.traits.parameters[task]
        if parameters_class not in seen:
            seen.add(parameters_class)
            yield task, parameters_class


def _tasks(subject: Subject) -> list[TaskName]:
    return ["train", "evaluate", "score"] if subject.traits.evaluates else ["train", "score"]


def _typed(subject: Subject, task: TaskName) -> Parameters:
    try:
        return subject.parameters(task)
    except RecipeKitError as error:
        raise NotApplicableError(f"the parameters of task '{task}' cannot be resolved ({error})") from error


def _required(parameters_class: type[Parameters]) -> list[str]:
    return [key for key, field in wire_fields(parameters_class).items() if field.info.is_required()]


def _known_value(subject: Subject, task: TaskName, key: str) -> Any:
    found = [p.value for layer in layers_of(task, subject.layers) for p in layer.for_task(task) if p.key == key]
    return found[-1] if found else None


def _layer(task: TaskName, key: str, value: str) -> Layer:
    parameters = (Parameter(key=key, value=value),)
    return Layer(source="check", tasks=(TaskParameters(name=task, parameters=parameters),))


def _refusal(subject: Subject, task: TaskName, layer: Layer) -> Exception | None:
    """Return the error with which the layer's values are refused, `None` where they are taken."""
    try:
        resolve(subject.traits.parameters[task], task, (*layers_of(task, subject.layers), layer))
    except Exception as error:
        return error
    return None


def _run_with(subject: Subject, task: TaskName, key: str, value: str) -> ResultDocument:
    return subject.run(subject.document(task, parameters={key: value}))


def _require_refused_at_the_start(result: ResultDocument, key: str) -> None:
    if result.state is State.DONE or result.failure is None:
        raise Finding(f"a run with a bad value of '{key}' was done as if nothing were wrong")
    if result.failure.phase != "start" or result.rows_read:
        raise Finding(f"a bad value of '{key}' was refused only in phase '{result.failure.phase}', after data was read")


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
