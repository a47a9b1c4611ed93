"""Parameters that do not mean what they say."""

from __future__ import annotations

from typing import Annotated

import pandas as pd
from pydantic import AfterValidator, BeforeValidator, ConfigDict

from bad.good import Good, Model, Training, fitted
from recipe_kit import Field, TrainParameters


class WithBadDefault(Training):
    ridge: float = Field(-1.0, ge=0, description="Strength of the L2 penalty.")


class BadDefault(Good):
    def train(self, data: pd.DataFrame, parameters: WithBadDefault) -> Model:
        return fitted(data, parameters.ridge)

    def evaluate(self, model: Model, data: pd.DataFrame, parameters: WithBadDefault) -> dict[str, float]:
        return super().evaluate(model, data, parameters)


class WithoutDescription(TrainParameters):
    ridge: float = Field(0.1, ge=0)


class BareParameter(Good):
    def train(self, data: pd.DataFrame, parameters: WithoutDescription) -> Model:
        return fitted(data, parameters.ridge)

    def evaluate(self, model: Model, data: pd.DataFrame, parameters: WithoutDescription) -> dict[str, float]:
        return super().evaluate(model, data, parameters)


class InPercent(TrainParameters):
    ridge: Annotated[float, AfterValidator(lambda percent: percent / 100)] = Field(
        10.0, description="Strength of the L2 penalty, in percent."
    )


class ConvertsOnEveryReading(Good):
    def train(self, data: pd.DataFrame, parameters: InPercent) -> Model:
        return fitted(data, parameters.ridge)

    def evaluate(self, model: Model, data: pd.DataFrame, parameters: InPercent) -> dict[str, float]:
        return super().evaluate(model, data, parameters)


class Forgiving(Training):
    model_config = ConfigDict(extra="ignore")


class IgnoresUnknownKeys(Good):
    def train(self, data: pd.DataFrame, parameters: Forgiving) -> Model:
        return fitted(data, parameters.ridge)

    def evaluate(self, model: Model, data: pd.DataFrame, parameters: Forgiving) -> dict[str, float]:
        return super().evaluate(model, data, parameters)


class Mending(TrainParameters):
    ridge: Annotated[float, Field(ge=0), BeforeValidator(lambda value: max(float(value), 0.0))] = Field(
        0.1, description="Strength of the L2 penalty."
    )


class MendsValues(Good):
    def train(self, data: pd.DataFrame, parameters: Mending) -> Model:
        return fitted(data, parameters.ridge)

    def evaluate(self, model: Model, data: pd.DataFrame, parameters: Mending) -> dict[str, float]:
        return super().evaluate(model, data, parameters)


class Promising(TrainParameters):
    ridge: float = Field(0.1, description="Strength of the L2 penalty.", json_schema_extra={"minimum": 0})


class BoundsInTheSchemaOnly(Good):
    def train(self, data: pd.DataFrame, parameters: Promising) -> Model:
        return fitted(data, max(parameters.ridge, 0.0))

    def evaluate(self, model: Model, data: pd.DataFrame, parameters: Promising) -> dict[str, float]:
        return super().evaluate(model, data, parameters)
