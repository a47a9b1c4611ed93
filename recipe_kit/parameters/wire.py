"""What travels: a parameter as key and value, and the parameters of one task.

The same two shapes are in an engine's defaults, an instance, an experiment's template and a run. What the API's
documents hold beside them (`specification`, `datasets`) is kept as it came.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import Any, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, field_validator, model_serializer, model_validator
from pydantic_core import PydanticCustomError

WireScalar: TypeAlias = str | int | float | bool | None
"""What a value is on the wire; the kit itself writes text, and `None` for nothing."""

HIDDEN = "**********"
"""What is shown in place of a secret."""


_SURROGATE = re.compile(r"[\ud800-\udfff]")


def is_encodable(text: str) -> bool:
    """Return whether UTF-8 can write a text: Python's own may hold halves of surrogate pairs."""
    return _SURROGATE.search(text) is None


def text_of(value: WireScalar) -> str:
    """Return a wire value as the text that a command line or an environment variable carries."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value)


class Parameter(BaseModel):
    """One parameter on the wire.

    A secret may be *withheld*: its key is there, its value is not. Whoever reads such a parameter has not been given
    it. A value that is a JSON list or object becomes its JSON text.
    """

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)

    key: str
    value: WireScalar = None
    secret: bool = False

    @property
    def withheld(self) -> bool:
        """Whether this is the key of a secret without its value."""
        return self.secret and "value" not in self.model_fields_set

    def without_value(self) -> Parameter:
        """Return the parameter as a secret whose value is withheld."""
        return Parameter(key=self.key, secret=True, **(self.model_extra or {}))

    @field_validator("value", mode="before")
    @classmethod
    def _as_scalar(cls, value: Any) -> Any:
        return json.dumps(value, ensure_ascii=False) if isinstance(value, list | tuple | dict) else value

    @field_validator("key", "value", mode="after")
    @classmethod
    def _can_be_written(cls, text: Any) -> Any:
        if isinstance(text, str) and not is_encodable(text):  # Python reads such text, and no document can hold it
            raise PydanticCustomError("not_encodable", "holds half of a surrogate pair, which UTF-8 cannot write")
        return text

    @model_validator(mode="after")
    def _has_a_value(self) -> Self:
        if "value" not in self.model_fields_set and not self.secret:
            raise PydanticCustomError("parameter_without_value", "parameter '{key}' has no value", {"key": self.key})
        return self

    @model_serializer(mode="plain")
    def _on_the_wire(self) -> dict[str, Any]:
        fields: dict[str, Any] = {"key": self.key}
        if not self.withheld:
            # JSON has no word for the numbers that are not finite.
            infinite = isinstance(self.value, float) and not math.isfinite(self.value)
            fields["value"] = text_of(self.value) if infinite else self.value
        if self.secret:
            fields["secret"] = True
        return {**fields, **(self.model_extra or {})}

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            yield name, HIDDEN if name == "value" and self.secret else value


class TaskParameters(BaseModel):
    """The parameters of one task; other fields of the API's task (`specification`, `datasets`) are kept."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)

    name: str
    parameters: tuple[Parameter, ...] = ()


def canonical_task_name(name: str) -> str:
    """Return the name under which tasks are compared: any letter case, and `fp` is `featurePipeline`."""
    folded = name.casefold()
    return "featurepipeline" if folded == "fp" else folded
