"""Declaring parameters: keys, types, and what is refused while the class is being defined."""

from __future__ import annotations

import json
from datetime import date, datetime
from enum import Enum, Flag
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import AliasChoices, BaseModel, ConfigDict, Json, RootModel, SecretStr, ValidationError, create_model

from recipe_kit.errors import InvalidParameterError, MissingParameterError, ParameterDefinitionError
from recipe_kit.parameters import (
    Field,
    Parameter,
    Parameters,
    ScoreParameters,
    TaskParameters,
    TrainParameters,
    from_wire,
    secret_keys,
    text_of,
    to_wire,
)


class SentimentParameters(TrainParameters):
    num_features: int = Field(1000, ge=1)
    reg_param: float = Field(0.15, ge=0)
    label: str = Field("label", alias="evaluation.labelColumn")
    token: SecretStr = SecretStr("")


def read(annotation: Any, value: Any, *metadata: Any) -> Any:
    """What a parameter of a type makes of a value on the wire."""
    annotated = Annotated[annotation, *metadata] if metadata else annotation
    made = create_model("Made", __base__=Parameters, value=(annotated, ...))
    return getattr(from_wire(made, [Parameter(key="value", value=value)]), "value")  # noqa: B009 - made at run time


def refusal(annotation: Any, value: Any, *metadata: Any) -> str:
    """What is said of a value on the wire that does not fit, after its key."""
    with pytest.raises(InvalidParameterError) as caught:
        read(annotation, value, *metadata)
    return str(caught.value.hint)


# -- classes --------------------------------------------------------------------------------------------------------


def test_python_names_are_snake_case_and_keys_are_camel_case() -> None:
    keys = [p.key for p in to_wire(SentimentParameters(training_data_location="a.csv"))]
    assert keys == ["trainingDataLocation", "numFeatures", "regParam", "evaluation.labelColumn", "token"]


@pytest.mark.parametrize(
    ("name", "key"),
    [("l2", "l2"), ("log1p_scale", "log1pScale"), ("lambda_", "lambda"), ("a__b", "aB"), ("maxIter", "maxIter")],
)
def test_a_key_keeps_letters_and_digits_as_they_are(name: str, key: str) -> None:
    made = create_model("Made", __base__=Parameters, **{name: (int, 1)})  # type: ignore[call-overload]
    assert [p.key for p in to_wire(made())] == [key]


def test_parameters_cannot_be_changed() -> None:
    parameters = ScoreParameters(scoring_data_location="a.csv")
    with pytest.raises(ValidationError, match="frozen"):
        parameters.scoring_data_location = "b.csv"  # type: ignore[misc]


def test_locations_of_training_and_scoring_are_there_without_being_declared() -> None:
    assert TrainParameters(training_data_location="a.csv").training_data_location == "a.csv"
    assert ScoreParameters(scoring_data_location="a.csv").scoring_results_location == "scoring_results.csv"


def test_a_parameter_may_be_called_model_something_without_a_warning() -> None:
    class Named(Parameters):
        model_type: str = "linear"

    assert to_wire(Named()) == [Parameter(key="modelType", value="linear")]


class Early(Parameters):
    later: Later


class Later(BaseModel):
    x: int


def test_a_class_may_name_a_type_that_is_defined_after_it() -> None:
    assert from_wire(Early, [Parameter(key="later", value='{"x": 1}')]).later == Later(x=1)


def test_a_name_that_is_never_defined_is_reported_when_the_class_is_used() -> None:
    class Hopeful(Parameters):
        later: NeverDefined  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(ParameterDefinitionError, match="names 'NeverDefined', which is not defined"):
        from_wire(Hopeful, [])


# -- what has no wire form ------------------------------------------------------------------------------------------


class Repeated(Enum):
    NUMBER = 1
    TEXT = "1"


class Permission(Flag):
    READ = 1
    WRITE = 2


class Empty(Enum):
    pass


class Account(BaseModel):
    user: str
    password: SecretStr


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")


@pytest.mark.parametrize(
    ("annotation", "why"),
    [
        (Path, "Path has no wire form"),
        (object, "object has no wire form"),
        (Any, "Any has no wire form"),
        (bytes, "bytes has no wire form"),
        (set[str], "set[str] has no wire form"),
        (list, "list does not say what is in it; write, for instance, list[str]"),
        (int | str, "int | str is ambiguous"),
        (int | str | None, "int | str | None is ambiguous"),
        (float | int, "float | int is ambiguous"),
        (list[Path], "Path has no wire form"),
        (dict[float, int], "keys of dict[float, int] cannot be told apart as text"),
        (Literal[1, "1"], "two members of Literal[1, '1'] are written as '1'"),
        (Literal["null", "a"] | None, "the choice 'null' cannot be told from no value"),
        (Literal[b"a"], "must be text, numbers or booleans"),
        (Repeated, "two members of Repeated are written as '1'"),
        (Permission, "Permission is a Flag, whose members can be combined"),
        (Empty, "Empty has no members"),
        (list[SecretStr], "SecretStr inside another type could be shown; make the secret a parameter of its own"),
        (Account, "SecretStr inside another type could be shown"),
        (dict[str, Account], "SecretStr inside another type could be shown"),
        (Open, "Open allows fields of any type (extra='allow')"),
        (RootModel[int], "has no wire form"),
        (Json[list[int]], "Json[...] is read from JSON already"),
    ],
)
def test_a_type_without_wire_form_is_refused_when_the_class_is_defined(annotation: Any, why: str) -> None:
    with pytest.raises(ParameterDefinitionError) as caught:
        create_model("Made", __base__=Parameters, odd_one=(annotation, ...))
    assert caught.value.message.startswith("parameter 'odd_one' of Made has a type that cannot be passed to a recipe")
    assert why in caught.value.message
    assert str(caught.value.hint).startswith("supported are str, int, float, bool, Enum, Literal, date, datetime")


def test_two_parameters_with_one_key_are_refused() -> None:
    with pytest.raises(ParameterDefinitionError, match=r"parameters 'a_b' and 'aB' of .*Twice share one key, 'aB'"):

        class Twice(Parameters):
            a_b: int = 1
            aB: int = 2


def test_a_key_that_is_the_python_name_of_another_parameter_is_refused() -> None:
    with pytest.raises(ParameterDefinitionError, match=r"parameters 'first' and 'second' .* share one key, 'second'"):

        class Crossed(Parameters):
            first: int = Field(1, alias="second")
            second: int = Field(2, alias="third")


@pytest.mark.parametrize("key", ["", "a=b", "a\n", " a"])
def test_a_key_that_no_command_line_can_name_is_refused(key: str) -> None:
    with pytest.raises(ParameterDefinitionError, match="which a command line cannot name"):
        create_model("Made", __base__=Parameters, x=(int, Field(1, alias=key)))


def test_different_keys_for_reading_and_writing_are_refused() -> None:
    for alias in ("other", AliasChoices("a", "b")):
        with pytest.raises(ParameterDefinitionError, match="has different keys for reading and writing"):
            create_model("Made", __base__=Parameters, x=(int, Field(1, validation_alias=alias)))


# -- reading one value ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("annotation", "value", "typed"),
    [
        (bool, "True", True),
        (bool, "FALSE", False),
        (bool, "1", True),
        (bool, 0, False),
        (bool, False, False),
        (int, "5", 5),
        (int, " +5 ", 5),
        (int, "100.0", 100),
        (int, 100.0, 100),
        (float, "1e3", 1000.0),
        (float, 1, 1.0),
        (float, "-Infinity", float("-inf")),
        (str, "", ""),
        (str, 5, "5"),
        (str, False, "false"),
        (str, "null", "null"),
        (date, "2026-01-31", date(2026, 1, 31)),
        (datetime, "2026-01-31 12:30", datetime(2026, 1, 31, 12, 30)),
        (list[str], "", []),
        (list[str], "a, b", ["a", "b"]),
        (list[str], "a,", ["a", ""]),
        (list[str], '["a,b", ""]', ["a,b", ""]),
        (list[str], ["a", "b"], ["a", "b"]),
        (list[int], "1,2", [1, 2]),
        (list[int], 1, [1]),
        (list[int | None], "1,null", [1, None]),
        (list[int] | None, "null", None),
        (list[int] | None, "", []),
        (tuple[int, str], "1,a", (1, "a")),
        (dict[str, int], {"a": 1}, {"a": 1}),
        (dict[int, bool], '{"1": true}', {1: True}),
        (int | None, "null", None),
        (int | None, None, None),
        (str | None, "null", None),
        (str | None, '"null"', "null"),
        (str | None, '"half', '"half'),
        (Literal["a", None], "null", None),
        (Literal[1, 2], "2", 2),
    ],
)
def test_a_value_is_read_from_text_or_from_json(annotation: Any, value: Any, typed: Any) -> None:
    found = read(annotation, value)
    assert (type(found), found) == (type(typed), typed)


@pytest.mark.parametrize(
    ("annotation", "value", "allowed"),
    [
        (int, "abc", "must be a whole number"),
        (int, "1_000", "must be a whole number"),
        (int, "1.5", "must be a whole number"),
        (int, True, "must be a whole number"),
        (int, None, "must be a whole number"),
        (int, "9" * 5000, "has more digits than can be read"),
        (float, "", "must be a number"),
        (float, "1_0", "must be a number"),
        (bool, "yes", "must be true or false"),
        (bool, 2, "must be true or false"),
        (str, None, "must be text"),
        (date, "31.1.2026", "must be a date such as 2026-01-31"),
        (Literal["adam", "sgd"], "Adam", "must be one of 'adam', 'sgd'"),
        (Literal[1, 2] | None, "3", "must be one of 1, 2"),
        (list[int], "1,x", "item 2 must be a whole number"),
        (list[list[int]], "[[1], [2, 0.5]]", "item 2, item 2 must be a whole number"),
        (list[list[int]], "1,2", "must be a list, each item a list, each item a whole number, written as JSON (Extra"),
        (list[int], "[1", "must be a list, each item a whole number, written as JSON (Expecting"),
        (list[int], None, "must be a list, each item a whole number"),
        (tuple[int, int], "1", "must be a list of 2: a whole number; a whole number"),
        (dict[str, int], "[]", "must be a JSON object, each value a whole number"),
        (dict[int, int], '{"a": 1}', "the key 'a' must be a whole number"),
        (dict[str, int], '{"a": "x"}', "the value of 'a' must be a whole number"),
        (dict[str, int], "[" * 100_000, "must be a JSON object, each value a whole number, written as JSON"),
    ],
)
def test_a_value_that_does_not_fit_is_told_what_is_allowed(annotation: Any, value: Any, allowed: str) -> None:
    assert refusal(annotation, value).startswith(allowed)


@pytest.mark.parametrize(
    ("annotation", "bounds", "value", "allowed"),
    [
        (int, {"ge": 1}, "0", "must be a whole number of at least 1"),
        (int, {"le": 1}, "2", "must be a whole number of at most 1"),
        (int, {"ge": 1, "le": 5}, "6", "must be a whole number from 1 to 5"),
        (int, {"multiple_of": 5}, "6", "must be a whole number a multiple of 5"),
        (float, {"gt": 0, "lt": 1.0}, "1", "must be a number greater than 0 and less than 1"),
        (float, {"allow_inf_nan": False}, "nan", "must be a finite number"),
        (float | None, {"ge": 0.5}, "0", "must be a number of at least 0.5, or null"),
        (str, {"min_length": 1}, "", "must be text of at least 1 character"),
        (str, {"max_length": 2}, "abc", "must be text of at most 2 characters"),
        (str, {"min_length": 2, "max_length": 3}, "a", "must be text of 2 to 3 characters"),
        (str, {"pattern": "^[a-z]+$"}, "A", "must be text matching the pattern ^[a-z]+$"),
        (list[int], {"min_length": 1}, "", "must be a list of at least 1 item, each item a whole number"),
        (date, {"ge": date(2026, 1, 1)}, "2025-01-01", "must be a date such as 2026-01-31 on or after 2026-01-01"),
        (list[Annotated[int, Field(ge=1)]], {}, "1,0", "item 2 must be a whole number of at least 1"),
        (
            dict[str, Annotated[int, Field(ge=1)]],
            {},
            '{"a": 0}',
            "the value of 'a' must be a whole number of at least 1",
        ),
    ],
)
def test_what_is_allowed_includes_the_declared_bounds(
    annotation: Any, bounds: dict[str, Any], value: str, allowed: str
) -> None:
    assert refusal(annotation, value, Field(**bounds)) == allowed


class Layer(BaseModel):
    model_config = ConfigDict(frozen=True)

    units: int = Field(ge=1, alias="unitCount")
    inner: list[Layer] = []


def test_a_nested_model_is_json_by_its_aliases() -> None:
    assert read(Layer, '{"unitCount": 3}') == Layer(unitCount=3)
    assert text_of(
        to_wire(create_model("Made", __base__=Parameters, x=(Layer, ...))(x=Layer(unitCount=3)))[0].value
    ) == ('{"unitCount": 3, "inner": []}')


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ('{"unitCount": 0}', "'unitCount' must be a whole number of at least 1"),
        ('{"unitCount": "x"}', "'unitCount' must be a whole number"),
        ("{}", "'unitCount' is missing"),
        ('{"units": 1}', "has no key 'units', known are 'unitCount', 'inner'"),
        ('{"unitCounts": 1}', "has no key 'unitCounts', did you mean 'unitCount'?"),
        ('{"unitCount": 1, "inner": [{"unitCount": 0}]}', "'inner', item 1, 'unitCount' must be a whole number"),
        ("3", "must be a JSON object with 'unitCount', 'inner'"),
    ],
)
def test_a_bad_part_of_a_nested_model_is_named(value: str, reason: str) -> None:
    assert refusal(Layer, value).startswith(reason)


def test_a_subclass_in_place_of_a_nested_model_is_not_cut_down_in_silence() -> None:
    class Wider(Layer):
        more: int = 1

    made = create_model("Made", __base__=Parameters, x=(Layer, ...))
    with pytest.raises(InvalidParameterError, match="must be of the class Layer itself"):
        to_wire(made(x=Wider(unitCount=1)))


@pytest.mark.parametrize("text", ["a\0b", "\udcff"])
@pytest.mark.parametrize("annotation", [str, str | None, SecretStr])
def test_text_that_cannot_be_carried_is_refused_both_ways(annotation: Any, text: str) -> None:
    expected = "NUL character" if "\0" in text else "half of a surrogate pair"
    with pytest.raises((InvalidParameterError, ValidationError), match=expected):
        read(annotation, text)
    made = create_model("Made", __base__=Parameters, value=(annotation, ...))
    typed = made.model_construct(value=SecretStr(text) if annotation is SecretStr else text)
    with pytest.raises(InvalidParameterError, match=f"the value of parameter 'value' cannot be written: .*{expected}"):
        to_wire(typed, reveal_secrets=True)


# -- the wire -------------------------------------------------------------------------------------------------------


def test_secret_is_left_out_of_the_wire_unless_true() -> None:
    assert Parameter(key="a", value=1).model_dump_json() == '{"key":"a","value":1}'
    assert Parameter(key="a", value="x", secret=True).model_dump() == {"key": "a", "value": "x", "secret": True}


@pytest.mark.parametrize("value", [False, True, 0, 1, 1.0, "1", "", None])
def test_a_value_keeps_its_json_type(value: Any) -> None:
    read_back = Parameter.model_validate_json(json.dumps({"key": "a", "value": value})).value
    assert (type(read_back), read_back) == (type(value), value)


def test_nothing_is_written_as_null_even_where_nothing_is_left_out() -> None:
    assert Parameter(key="a", value=None).model_dump_json(exclude_none=True) == '{"key":"a","value":null}'


def test_numbers_that_json_has_no_word_for_are_written_as_text() -> None:
    task = TaskParameters(name="train", parameters=(Parameter(key="a", value=float("nan")),))
    assert task.model_dump_json() == '{"name":"train","parameters":[{"key":"a","value":"nan"}]}'


def test_other_fields_of_the_api_are_kept() -> None:
    document = {
        "name": "train",
        "parameters": [{"key": "a", "value": "1", "note": "n"}],
        "specification": {"type": "SparkTaskSpec"},
        "datasets": {"inputs": []},
    }
    assert TaskParameters.model_validate(document).model_dump(mode="json") == document


def test_a_parameter_without_a_value_is_refused_unless_it_is_a_secret() -> None:
    with pytest.raises(ValidationError, match="parameter 'a' has no value"):
        Parameter(key="a")
    assert Parameter(key="a", secret=True).withheld
    assert not Parameter(key="a", value=None, secret=True).withheld


# -- secrets --------------------------------------------------------------------------------------------------------


def test_a_secret_is_on_the_wire_only_if_asked_for() -> None:
    parameters = SentimentParameters(training_data_location="a.csv", token=SecretStr("hunter2"))
    assert [p.model_dump() for p in to_wire(parameters) if p.secret] == [{"key": "token", "secret": True}]
    revealed = to_wire(parameters, reveal_secrets=True)
    assert [p.model_dump() for p in revealed if p.secret] == [{"key": "token", "value": "hunter2", "secret": True}]
    assert secret_keys(SentimentParameters) == {"token"}


def test_a_withheld_secret_counts_as_not_given() -> None:
    class Needy(Parameters):
        token: SecretStr

    for withheld in (Parameter(key="token", secret=True), Parameter(key="token", value=None, secret=True)):
        with pytest.raises(MissingParameterError, match="secret parameter 'token' is not given"):
            from_wire(Needy, [withheld])


def test_a_secret_is_in_no_repr() -> None:
    parameters = SentimentParameters(training_data_location="a.csv", token=SecretStr("hunter2"))
    wire = to_wire(parameters, reveal_secrets=True)
    task = TaskParameters(name="train", parameters=tuple(wire))
    for shown in (repr(parameters), str(parameters), repr(wire), str(wire[-1]), repr(task), str(task)):
        assert "hunter2" not in shown
    assert "hunter2" not in repr(wire[-1].without_value().model_dump())


def test_pydantic_itself_does_not_show_a_secret_that_was_passed_in() -> None:
    with pytest.raises(ValidationError) as caught:
        SentimentParameters.model_validate({"token": "hunter2"})
    assert "hunter2" not in str(caught.value)
