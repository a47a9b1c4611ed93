"""The classes that an author derives parameters from, and how such an object goes onto the wire."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from recipe_kit.errors import InvalidParameterError
from recipe_kit.parameters.annotations import key_of, wire_fields
from recipe_kit.parameters.wire import Parameter
from recipe_kit.parameters.wire_types import UnfitError


class Parameters(BaseModel):
    """The typed parameters of a task: declared as annotated attributes, checked, and never changed.

    `num_features` has the key `numFeatures`; `Field(alias="evaluation.labelColumn")` gives a key of one's own.

    Raises:
        ParameterDefinitionError: At the definition of a class with a type that has no wire form, or with two
            parameters that share one key.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=key_of,
        populate_by_name=True,
        validate_default=True,
        # Types that pydantic does not know are refused below, with a sentence of our own.
        arbitrary_types_allowed=True,
        # Errors of pydantic show everything that was passed in, secrets too.
        hide_input_in_errors=True,
        # `model_type` is a good name for a parameter.
        protected_namespaces=(),
    )

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if getattr(cls, "__pydantic_complete__", True):  # else it names a class that is yet to come: see wire_fields
            wire_fields(cls)


class TrainParameters(Parameters):
    """Parameters of training; derive your own from it."""

    training_data_location: str = Field(description="Where the training data is: a path or a URI.")


class ScoreParameters(Parameters):
    """Parameters of scoring; derive your own from it."""

    scoring_data_location: str = Field(description="Where the data to score is: a path or a URI.")
    scoring_results_location: str = Field(
        default="scoring_results.csv", description="Where the scores go: a path within the run's folder, or a URI."
    )


def to_wire(parameters: Parameters, *, reveal_secrets: bool = False) -> list[Parameter]:
    """Return parameters as they travel, in order of declaration: text, and `None` for nothing.

    Args:
        parameters: The typed parameters.
        reveal_secrets: Whether secrets have their value; otherwise they are withheld.

    Raises:
        InvalidParameterError: A text holds what cannot be carried (a NUL character, half of a surrogate pair).
    """
    wire = []
    for key, field in wire_fields(type(parameters)).items():
        if field.type.secret and not reveal_secrets:
            wire.append(Parameter(key=key, secret=True))
            continue
        try:
            value = field.type.write_wire(getattr(parameters, field.name))
        except UnfitError as error:
            reason = error.sentence
        except ValueError:  # Python writes a few thousand digits of a whole number and no more
            reason = "has more digits than can be written"
        else:
            wire.append(Parameter(key=key, value=value, secret=field.type.secret))
            continue
        raise InvalidParameterError(f"the value of parameter '{key}' cannot be written", hint=reason)
    return wire
