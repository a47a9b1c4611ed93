"""Layers of parameters: which value wins, where it came from, and the sentences about what is wrong."""

from __future__ import annotations

import traceback
from typing import Any, Self

import pytest
from pydantic import BaseModel, SecretStr, field_validator, model_validator

from recipe_kit.errors import InvalidParameterError, MissingParameterError, ParameterError, UnknownParameterError
from recipe_kit.parameters import (
    PLATFORM_KEYS,
    Field,
    Layer,
    Parameter,
    Parameters,
    Resolved,
    ScoreParameters,
    TaskParameters,
    TrainParameters,
    from_wire,
    refuse_unknown_tasks,
    resolve,
)


class Train(TrainParameters):
    num_features: int = Field(1000, ge=1)
    max_iter: int = Field(100, ge=1)
    reg_param: float = Field(0.15, ge=0)


def layer(source: str, task: str = "train", **values: Any) -> Layer:
    parameters = tuple(Parameter(key=key, value=value) for key, value in values.items())
    return Layer(source=source, tasks=(TaskParameters(name=task, parameters=parameters),))


WHERE = layer("engine", trainingDataLocation="a.csv")


def refused(kind: type[ParameterError], parameters_class: type[Parameters], *layers: Layer) -> str:
    with pytest.raises(kind) as caught:
        resolve(parameters_class, "train", layers)
    assert type(caught.value) is kind
    return str(caught.value)


# -- merging --------------------------------------------------------------------------------------------------------


def test_later_layers_win_and_each_value_remembers_its_source() -> None:
    resolved = resolve(
        Train,
        "train",
        [
            layer("engine", trainingDataLocation="a.csv", numFeatures="10", maxIter="10"),
            layer("instance.json", numFeatures="20", maxIter="20"),
            layer("command line", numFeatures="30"),
        ],
    )
    assert resolved.parameters == Train(training_data_location="a.csv", num_features=30, max_iter=20)
    assert resolved.sources == {
        "trainingDataLocation": "engine",
        "numFeatures": "command line",
        "maxIter": "instance.json",
        "regParam": "default",
    }


def test_only_the_value_that_wins_has_to_fit() -> None:
    resolved = resolve(Train, "train", [WHERE, layer("instance.json", maxIter="x"), layer("run", maxIter="5")])
    assert resolved.parameters.max_iter == 5


@pytest.mark.parametrize("name", ["train", "Train", "TRAIN"])
def test_tasks_are_found_in_any_letter_case(name: str) -> None:
    resolved = resolve(Train, "train", [WHERE, layer("instance.json", name, maxIter="5")])
    assert resolved.parameters.max_iter == 5


@pytest.mark.parametrize(("asked", "named"), [("fp", "featurePipeline"), ("featurePipeline", "FP"), ("fp", "fp")])
def test_fp_is_the_feature_pipeline(asked: str, named: str) -> None:
    class Pipeline(Parameters):
        window: int = 1

    assert resolve(Pipeline, asked, [layer("instance.json", named, window="7")]).parameters.window == 7


def test_of_a_key_given_twice_in_a_task_the_last_counts() -> None:
    twice = TaskParameters(
        name="train", parameters=(Parameter(key="maxIter", value="1"), Parameter(key="maxIter", value="2"))
    )
    assert resolve(Train, "train", [WHERE, Layer("instance.json", (twice,))]).parameters.max_iter == 2


def test_what_is_given_for_the_task_wins_over_what_is_given_for_all() -> None:
    both = Layer(
        "command line",
        tasks=(TaskParameters(name="train", parameters=(Parameter(key="maxIter", value="1"),)),),
        everywhere=(Parameter(key="maxIter", value="2"), Parameter(key="regParam", value="3")),
    )
    resolved = resolve(Train, "train", [WHERE, both])
    assert (resolved.parameters.max_iter, resolved.parameters.reg_param) == (1, 3.0)


def test_tasks_that_a_recipe_lacks_are_left_alone() -> None:
    assert resolve(Train, "train", [WHERE, layer("instance.json", "featurePipeline", anything="1")]).parameters


def test_a_task_that_nobody_has_is_refused_where_that_is_asked_for() -> None:
    refuse_unknown_tasks(layer("instance.json", "FP"), ["train", "score"])
    with pytest.raises(UnknownParameterError) as caught:
        refuse_unknown_tasks(layer("instance.json", "trian"), ["train", "score"])
    assert str(caught.value) == "unknown task 'trian' (from instance.json): did you mean 'train'?"


# -- the platform's own keys ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [*sorted(PLATFORM_KEYS), "ACP_DSW_ANYTHING", "ML_FRAMEWORK_ANYTHING"])
def test_keys_of_the_platform_are_no_parameters_and_no_error(key: str) -> None:
    parameter = Parameter(key=key, value=False)
    resolved = resolve(Train, "train", [WHERE, Layer("run", (TaskParameters(name="train", parameters=(parameter,)),))])
    assert resolved.platform == {key: False}
    assert resolved.sources[key] == "run"
    assert from_wire(ScoreParameters, [Parameter(key="scoringDataLocation", value="a"), parameter])


def test_a_key_of_the_platform_that_a_recipe_declares_is_a_parameter() -> None:
    class Declared(Parameters):
        timeframe: int = 0

    resolved = resolve(Declared, "train", [layer("instance.json", timeframe="60")])
    assert (resolved.parameters.timeframe, resolved.platform) == (60, {})


# -- what is wrong --------------------------------------------------------------------------------------------------


def test_an_unknown_key_names_the_nearest_one() -> None:
    assert refused(UnknownParameterError, Train, WHERE, layer("instance.json", numFeature="5")) == (
        "unknown parameter 'numFeature' of task 'train' (from instance.json): did you mean 'numFeatures'?"
    )


@pytest.mark.parametrize("key", ["NumFeatures", "num_features", "num-features"])
def test_an_unknown_key_in_another_style_names_the_right_one(key: str) -> None:
    assert refused(UnknownParameterError, Train, WHERE, layer("run", **{key: "5"})).endswith(
        "(from run): did you mean 'numFeatures'?"
    )


def test_an_unknown_key_like_no_other_lists_the_known_ones() -> None:
    assert refused(UnknownParameterError, Train, WHERE, layer("template", zzz="5")) == (
        "unknown parameter 'zzz' of task 'train' (from template):"
        " known are 'trainingDataLocation', 'numFeatures', 'maxIter', 'regParam'"
    )


def test_a_misspelt_key_of_the_platform_names_the_right_one() -> None:
    assert refused(UnknownParameterError, Train, WHERE, layer("run", sandBoxNam="5")).endswith(
        "did you mean 'sandboxName'?"
    )


def test_text_for_a_number_says_what_is_allowed_and_where_it_came_from() -> None:
    assert refused(InvalidParameterError, Train, WHERE, layer("command line", maxIter="abc")) == (
        "bad value 'abc' for parameter 'maxIter' of task 'train' (from command line):"
        " must be a whole number of at least 1"
    )


def test_a_number_out_of_range_says_what_is_allowed_and_where_it_came_from() -> None:
    assert refused(InvalidParameterError, Train, WHERE, layer("instance.json", maxIter=0)) == (
        "bad value 0 for parameter 'maxIter' of task 'train' (from instance.json): must be a whole number of at least 1"
    )


def test_a_missing_parameter_says_how_to_give_it() -> None:
    assert refused(MissingParameterError, Train) == (
        "task 'train' needs parameter 'trainingDataLocation', which has no default:"
        " set it in the instance file or with -p train.trainingDataLocation=VALUE"
    )


def test_all_that_is_wrong_is_told_at_once_one_line_each() -> None:
    text = refused(UnknownParameterError, Train, layer("run", regParam="-1", maxIter="x", numFeatures="y", zzz="1"))
    assert [line[:50] for line in text.splitlines()] == [
        "unknown parameter 'zzz' of task 'train' (from run)",
        "bad value 'y' for parameter 'numFeatures' of task ",
        "bad value 'x' for parameter 'maxIter' of task 'tra",
        "bad value '-1' for parameter 'regParam' of task 't",
        "task 'train' needs parameter 'trainingDataLocation",
    ]


def test_a_parameter_that_is_only_misspelt_is_not_called_missing_as_well() -> None:
    assert refused(UnknownParameterError, Train, layer("run", trainingDataLocaton="a.csv")) == (
        "unknown parameter 'trainingDataLocaton' of task 'train' (from run): did you mean 'trainingDataLocation'?"
    )


def test_a_default_that_does_not_fit_is_called_one() -> None:
    class Slip(Parameters):
        max_iter: int = Field(0, ge=1)

    assert refused(InvalidParameterError, Slip) == (
        "bad value 0 for parameter 'maxIter' of task 'train' (from default): must be a whole number of at least 1"
    )


def test_a_long_value_is_cut_short() -> None:
    assert len(refused(InvalidParameterError, Train, WHERE, layer("run", maxIter="x" * 10_000))) < 250


def test_the_words_of_an_authors_validator_are_the_reason() -> None:
    class Checked(Parameters):
        step: float = 0.1
        low: int = 0
        high: int = 1

        @field_validator("step")
        @classmethod
        def _no_half_steps(cls, step: float) -> float:
            if step == 0.5:
                raise ValueError("half steps do not converge")
            return step

        @model_validator(mode="after")
        def _in_order(self) -> Self:
            if self.low > self.high:
                raise ValueError("low must not be above high")
            return self

    assert refused(InvalidParameterError, Checked, layer("run", step="0.5")) == (
        "bad value '0.5' for parameter 'step' of task 'train' (from run): half steps do not converge"
    )
    assert refused(InvalidParameterError, Checked, layer("run", low="2")) == (
        "the parameters of task 'train' do not fit together: low must not be above high"
    )
    # The check of the whole would see a default in place of the bad value.
    assert "fit together" not in refused(InvalidParameterError, Checked, layer("run", low="1", high="x"))


# -- secrets --------------------------------------------------------------------------------------------------------


class Secretive(Parameters):
    token: SecretStr = Field(SecretStr("letmein0"), min_length=5)
    other: int = 1
    words: list[int] = Field(default_factory=list)

    @model_validator(mode="after")
    def _chatty(self) -> Self:
        if self.other == 7:
            raise ValueError(f"7 does not go with {self.token.get_secret_value()}")
        return self


def secretly(key: str, value: Any) -> Layer:
    task = TaskParameters(name="train", parameters=(Parameter(key=key, value=value, secret=True),))
    return Layer("run", (task,))


def test_a_bad_secret_is_named_and_not_shown() -> None:
    for given in (layer("run", token="hun2"), secretly("token", "hun2")):
        assert refused(InvalidParameterError, Secretive, given) == (
            "bad value for secret parameter 'token' of task 'train' (from run): must be text of at least 5 characters"
        )


def test_what_is_sent_as_secret_is_not_shown_whatever_the_recipe_declares() -> None:
    assert refused(InvalidParameterError, Secretive, secretly("other", "hunter2")) == (
        "bad value for secret parameter 'other' of task 'train' (from run): must be a whole number"
    )
    assert "hunter2" not in refused(InvalidParameterError, Secretive, secretly("words", '{"hunter2": 1}'))


def test_an_authors_message_with_a_secret_in_it_is_not_repeated() -> None:
    for given in (layer("run", token="hunter2", other="7"), layer("run", other="7")):
        text = refused(InvalidParameterError, Secretive, given)
        assert text == "the parameters of task 'train' do not fit together: the recipe's own check refuses them"


def test_no_secret_hangs_on_to_an_error() -> None:
    layers = [layer("run", token="hunter2", other="7")]
    with pytest.raises(InvalidParameterError) as caught:
        resolve(Secretive, "train", layers)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_a_withheld_secret_leaves_what_earlier_layers_said() -> None:
    withheld = Layer("run", (TaskParameters(name="train", parameters=(Parameter(key="token", secret=True),)),))
    resolved = resolve(Secretive, "train", [layer("engine", token="hunter2"), withheld])
    assert resolved.parameters.token.get_secret_value() == "hunter2"
    assert resolved.sources["token"] == "engine"


def test_resolved_parameters_show_no_secret() -> None:
    layers = [
        layer("instance.json", token="hunter2", ML_FRAMEWORK_IMS_TOKEN="hunter2", sandboxName="prod"),
        secretly("other", 4711),
        layer("command line", other="4712"),
    ]
    resolved = resolve(Secretive, "train", layers)
    assert resolved.secret_keys == {"token", "other", "ML_FRAMEWORK_IMS_TOKEN"}
    assert [p.model_dump() for p in resolved.to_wire()] == [
        {"key": "token", "secret": True},
        {"key": "other", "secret": True},
        {"key": "words", "value": "[]"},
    ]
    assert "hunter2" not in repr(resolved)
    assert resolved.platform["ML_FRAMEWORK_IMS_TOKEN"] == "hunter2"


# -- documents ------------------------------------------------------------------------------------------------------


def test_layers_travel_in_documents() -> None:
    class Document(BaseModel):
        layers: tuple[Layer, ...]

    layers = (
        layer("instance.json", a=None, b=False, c=1.5, d="x"),
        Layer("run", everywhere=(Parameter(key="token", secret=True),)),
    )
    read = Document.model_validate_json(Document(layers=layers).model_dump_json())
    assert read.layers == layers
    assert read.layers[1].everywhere[0].withheld


def test_a_resolved_object_is_typed_by_its_class() -> None:
    resolved: Resolved[Train] = resolve(Train, "train", [WHERE])
    assert resolved.parameters.num_features == 1000
