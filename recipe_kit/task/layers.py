"""The layers of parameters on their way into a task: which ones a task sees, and where secrets stay out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from recipe_kit.errors import InvalidParameterError, MissingParameterError
from recipe_kit.parameters import SECRET_PLATFORM_KEYS, Layer, Parameter, TaskParameters
from recipe_kit.recipe import TaskName
from recipe_kit.task.documents import SparkRequest

SECRETS_VARIABLE = "RECIPE_KIT_SECRETS"
"""An environment variable with the values of secret parameters, a JSON object by key.

Documents on disk do not hold secrets, so whoever runs a task document again gives them here.
"""


def layers_of(task: TaskName, layers: Iterable[Layer]) -> tuple[Layer, ...]:
    """Return the layers as `task` sees them: `evaluate` takes the parameters of `train` unless it is given its own."""
    if task != "evaluate":
        return tuple(layers)
    seen = []
    for layer in layers:
        both = (*layer.for_task("train"), *layer.for_task("evaluate"))
        seen.append(replace(layer, tasks=(TaskParameters(name="evaluate", parameters=both),)))
    return tuple(seen)


def secrets_of(layers: Iterable[Layer], keys: frozenset[str] = frozenset()) -> set[str]:
    """Return the values that must not be shown: those sent as secrets, those of the secret `keys`, and tokens."""
    return {str(p.value) for p in _parameters(layers) if _is_secret(p, keys) and p.value not in (None, "")}


def without_secrets(layers: Iterable[Layer], keys: frozenset[str]) -> tuple[Layer, ...]:
    """Return the layers for a document on disk: the keys of secrets are kept, their values are not."""
    return tuple(_each(layer, lambda p: p.without_value() if _is_secret(p, keys) else p) for layer in layers)


def with_secrets(layers: Iterable[Layer], environment: Mapping[str, str] = os.environ) -> tuple[Layer, ...]:
    """Return the layers with the blank secrets filled in from the environment variable `SECRETS_VARIABLE`.

    Raises:
        InvalidParameterError: The variable is not a JSON object of texts.
    """
    values = _values_in(environment)

    def fill(parameter: Parameter) -> Parameter:
        if parameter.withheld and parameter.key in values:
            return parameter.model_copy(update={"value": values[parameter.key]})
        return parameter

    return tuple(_each(layer, fill) for layer in layers)


def require_secrets(layers: Iterable[Layer]) -> None:
    """Raise an error if the value of a secret was left out of the document and nobody has given it since.

    Raises:
        MissingParameterError: There is such a secret.
    """
    last = {parameter.key: parameter for parameter in _parameters(layers)}
    for parameter in last.values():
        if parameter.withheld:
            raise _withheld(parameter.key)


def secret_settings(request: SparkRequest | None) -> dict[str, str]:
    """Return those of Spark's settings that are secret: keys and tokens of stores, say."""
    if request is None or not request.settings:
        return {}
    from recipe_kit.spark.settings import without_secrets as without_secret_settings

    shown = without_secret_settings(request.settings)
    return {key: value for key, value in request.settings.items() if key not in shown}


def spark_without_secrets(request: SparkRequest | None) -> SparkRequest | None:
    """Return the request for a document on disk: the keys of secret settings are kept, their values are blank."""
    blank = dict.fromkeys(secret_settings(request), "")
    return request and request.model_copy(update={"settings": {**request.settings, **blank}})


def spark_with_secrets(
    request: SparkRequest | None, environment: Mapping[str, str] = os.environ
) -> SparkRequest | None:
    """Return the request with the blank secret settings filled in from the environment variable `SECRETS_VARIABLE`.

    Raises:
        InvalidParameterError: The variable is not a JSON object of texts.
        MissingParameterError: It does not have one of them.
    """
    blank = [key for key, value in secret_settings(request).items() if not value]
    if request is None or not blank:
        return request
    values = _values_in(environment)
    for key in blank:
        if key not in values:
            raise _withheld(key)
    return request.model_copy(update={"settings": {**request.settings, **{key: str(values[key]) for key in blank}}})


def _values_in(environment: Mapping[str, str]) -> dict[str, Any]:
    try:
        values = json.loads(environment.get(SECRETS_VARIABLE, "{}"))
    except json.JSONDecodeError:
        values = None
    if not isinstance(values, dict):
        # The text is not shown: it holds secrets.
        raise InvalidParameterError(
            f"the environment variable {SECRETS_VARIABLE} is not a JSON object", hint='write it as {"key": "value"}'
        )
    return values


def _withheld(key: str) -> MissingParameterError:
    return MissingParameterError(
        f"the value of the secret '{key}' is not kept in task documents",
        hint=f"""give it in the environment, as in {SECRETS_VARIABLE}='{{"{key}": "..."}}'""",
    )


def _each(layer: Layer, change: Callable[[Parameter], Parameter]) -> Layer:
    return replace(
        layer,
        tasks=tuple(
            task.model_copy(update={"parameters": tuple(change(p) for p in task.parameters)}) for task in layer.tasks
        ),
        everywhere=tuple(change(p) for p in layer.everywhere),
    )


def _is_secret(parameter: Parameter, keys: frozenset[str]) -> bool:
    return parameter.secret or parameter.key in keys or parameter.key in SECRET_PLATFORM_KEYS


def _parameters(layers: Iterable[Layer]) -> Iterator[Parameter]:
    for layer in layers:
        for task in layer.tasks:
            yield from task.parameters
        yield from layer.everywhere
