"""What a class of parameters says about itself."""

from __future__ import annotations

import json
from datetime import date
from enum import Enum
from typing import Any

import pytest
from pydantic import SecretStr, create_model

from recipe_kit.errors import ParameterDefinitionError
from recipe_kit.parameters import (
    Field,
    Parameter,
    ParameterDescription,
    Parameters,
    ScoreParameters,
    TaskParameters,
    TrainParameters,
    defaults_as_tasks,
    describe_parameters,
    from_wire,
    parameters_schema,
)


class Solver(Enum):
    ADAM = "adam"
    SGD = "sgd"


class Train(TrainParameters):
    """How to train."""

    num_features: int = Field(1000, ge=1, description="Buckets.")
    reg_param: float = 1
    limit: float = float("inf")
    solver: Solver = Solver.ADAM
    columns: list[str] = Field(default_factory=list)
    until: date = Field(default_factory=date.today)
    note: str | None = None
    token: SecretStr = SecretStr("hunter2")
    key: SecretStr | None = SecretStr("hunter2")


def test_each_parameter_is_described_in_one_row() -> None:
    rows = {row.key: row for row in describe_parameters(Train)}
    assert list(rows) == [
        "trainingDataLocation",
        "numFeatures",
        "regParam",
        "limit",
        "solver",
        "columns",
        "until",
        "note",
        "token",
        "key",
    ]
    assert rows["numFeatures"] == ParameterDescription(
        key="numFeatures",
        python_name="num_features",
        type="int",
        default="1000",
        allowed="a whole number of at least 1",
        description="Buckets.",
        required=False,
        secret=False,
    )
    assert rows["trainingDataLocation"].required
    assert rows["trainingDataLocation"].default is None
    assert (rows["token"].secret, rows["token"].default) == (True, None)
    assert {key: row.default for key, row in rows.items() if row.default} == {
        "numFeatures": "1000",
        "regParam": "1.0",
        "limit": "inf",
        "solver": "adam",
        "columns": "[]",
        "until": "computed",
        "note": "null",
    }
    assert (rows["solver"].type, rows["solver"].allowed) == ("Solver", "one of 'adam', 'sgd'")


def test_defaults_are_the_tasks_of_an_engine() -> None:
    tasks = defaults_as_tasks({"train": Train, "score": ScoreParameters})
    assert [task.model_dump(mode="json") for task in tasks] == [
        {
            "name": "train",
            "parameters": [
                {"key": "numFeatures", "value": "1000"},
                {"key": "regParam", "value": "1.0"},
                {"key": "limit", "value": "inf"},
                {"key": "solver", "value": "adam"},
                {"key": "columns", "value": "[]"},
                {"key": "note", "value": None},
                {"key": "token", "secret": True},
                {"key": "key", "secret": True},
            ],
        },
        {"name": "score", "parameters": [{"key": "scoringResultsLocation", "value": "scoring_results.csv"}]},
    ]


def test_defaults_read_back_as_the_defaults() -> None:
    (task,) = defaults_as_tasks({"train": Train})
    where = Parameter(key="trainingDataLocation", value="a.csv")
    assert from_wire(Train, [where, *task.parameters]) == Train(training_data_location="a.csv")
    assert TaskParameters.model_validate_json(task.model_dump_json()) == task


def test_a_default_of_another_type_is_refused() -> None:
    slip: Any = create_model("Slip", __base__=Parameters, name=(str, None))
    with pytest.raises(ParameterDefinitionError) as caught:
        defaults_as_tasks({"train": slip})
    assert str(caught.value) == "the default of parameter 'name' of Slip does not fit: must be text"


def test_the_schema_is_by_key_and_valid_json() -> None:
    schema = parameters_schema(Train)
    json.dumps(schema, allow_nan=False)
    assert schema["description"] == "How to train."
    assert schema["required"] == ["trainingDataLocation"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["numFeatures"] == {
        "type": "integer",
        "minimum": 1,
        "default": 1000,
        "description": "Buckets.",
    }


def test_the_schema_has_no_default_of_a_secret() -> None:
    schema = parameters_schema(Train)
    for key in ("token", "key"):
        assert "default" not in schema["properties"][key]
    assert "hunter2" not in json.dumps(schema)
