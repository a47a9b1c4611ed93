"""Parameters on a command line: `-p KEY=VALUE` and `-p train.KEY=VALUE`."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from recipe_kit.errors import InvalidParameterError, UnknownParameterError
from recipe_kit.parameters import (
    Assignment,
    Field,
    Layer,
    Parameter,
    Parameters,
    ScoreParameters,
    TrainParameters,
    layer_from_assignments,
    parse_assignment,
    refuse_unknown_everywhere,
    resolve,
)


class Train(TrainParameters):
    num_features: int = 1000
    seed_text: str = ""
    label: str = Field("label", alias="evaluation.labelColumn")
    token: SecretStr = SecretStr("")


class Score(ScoreParameters):
    seed_text: str = ""
    threshold: float = Field(0.5, alias="train.threshold")


TASKS: dict[str, type[Parameters]] = {"train": Train, "score": Score}


@pytest.mark.parametrize(
    ("text", "assignment"),
    [
        ("numFeatures=5", Assignment(None, "numFeatures", "5")),
        ("train.numFeatures=5", Assignment("train", "numFeatures", "5")),
        ("Train.numFeatures=5", Assignment("train", "numFeatures", "5")),
        ("evaluation.labelColumn=y", Assignment(None, "evaluation.labelColumn", "y")),
        ("train.evaluation.labelColumn=y", Assignment("train", "evaluation.labelColumn", "y")),
        ("a=b=c", Assignment(None, "a", "b=c")),
        ("a=", Assignment(None, "a", "")),
        ("a= b ", Assignment(None, "a", " b ")),
    ],
)
def test_an_assignment_is_task_key_and_value(text: str, assignment: Assignment) -> None:
    assert parse_assignment(text) == assignment


@pytest.mark.parametrize(
    ("text", "shown"), [("numFeatures", "'numFeatures'"), ("=hunter2", "'=...'"), ("train.=hunter2", "'train.=...'")]
)
def test_what_is_no_assignment_says_how_to_write_one(text: str, shown: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        parse_assignment(text)
    assert str(caught.value) == (
        f"cannot read the parameter {shown} (from command line):"
        " write -p KEY=VALUE or -p TASK.KEY=VALUE, as in -p train.maxIter=50"
    )


def test_text_in_another_encoding_is_refused() -> None:
    with pytest.raises(InvalidParameterError) as caught:
        parse_assignment("token=hunter2\udcff")
    assert str(caught.value) == (
        "the parameter 'token' (from command line) is not UTF-8: check the encoding of the terminal or the script"
    )


def test_a_key_without_task_goes_to_each_task_that_knows_it() -> None:
    layer = layer_from_assignments(
        ["seedText=a", "score.seedText=b", "trainingDataLocation=t.csv", "scoringDataLocation=s.csv"], TASKS
    )
    assert layer.source == "command line"
    assert resolve(Train, "train", [layer]).parameters.seed_text == "a"
    assert resolve(Score, "score", [layer]).parameters.seed_text == "b"


def test_of_two_assignments_for_one_key_the_later_counts() -> None:
    layer = layer_from_assignments(["trainingDataLocation=a", "trainingDataLocation=b"], TASKS)
    assert resolve(Train, "train", [layer]).parameters.training_data_location == "b"


def test_a_key_that_begins_like_a_task_is_found_whole() -> None:
    layer = layer_from_assignments(["train.threshold=0.9", "scoringDataLocation=s.csv"], TASKS)
    assert resolve(Score, "score", [layer]).parameters.threshold == 0.9


def test_keys_of_the_platform_may_be_assigned() -> None:
    layer = layer_from_assignments(["sandboxName=prod", "train.tenantId=_t", "trainingDataLocation=a"], TASKS)
    assert resolve(Train, "train", [layer]).platform == {"sandboxName": "prod", "tenantId": "_t"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("numFeature=1", "unknown parameter 'numFeature' (from command line): did you mean 'numFeatures'?"),
        (
            "train.numFeature=1",
            "unknown parameter 'numFeature' of task 'train' (from command line): did you mean 'numFeatures'?",
        ),
        (
            "trian.numFeatures=1",
            "unknown parameter 'trian.numFeatures' (from command line): did you mean 'train.numFeatures'?",
        ),
        (
            "zzz=1",
            "unknown parameter 'zzz' (from command line): known are 'trainingDataLocation', 'numFeatures', 'seedText',"
            " 'evaluation.labelColumn', 'token', 'scoringDataLocation', 'scoringResultsLocation', 'train.threshold',"
            " and tasks are 'train', 'score'",
        ),
    ],
)
def test_an_unknown_key_names_the_nearest_one(text: str, sentence: str) -> None:
    with pytest.raises(UnknownParameterError) as caught:
        layer_from_assignments([text], TASKS)
    assert str(caught.value) == sentence


def test_a_secret_on_the_command_line_is_marked_and_not_shown() -> None:
    assert "hunter2" not in repr(parse_assignment("token=hunter2"))
    layer = layer_from_assignments(["token=hunter2"], TASKS)
    assert layer.everywhere[0].secret
    assert "hunter2" not in repr(layer)
    assert layer_from_assignments(["ML_FRAMEWORK_IMS_TOKEN=hunter2"], TASKS).everywhere[0].secret


def test_a_key_for_all_tasks_that_none_of_them_has_is_refused_in_any_layer() -> None:
    known = Layer("run", everywhere=(Parameter(key="numFeatures", value=1), Parameter(key="sandboxName", value="prod")))
    refuse_unknown_everywhere(known, TASKS)
    with pytest.raises(UnknownParameterError) as caught:
        refuse_unknown_everywhere(Layer("run", everywhere=(Parameter(key="numFeature", value=1),)), TASKS)
    assert str(caught.value) == "unknown parameter 'numFeature' (from run): did you mean 'numFeatures'?"
