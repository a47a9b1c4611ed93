"""run_task: a task document goes in, a result document comes out, and the run's folder holds enough to do it again."""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pandas as pd
import pytest

from recipe_kit.errors import TaskDocumentError, WorkFolderBusyError
from recipe_kit.parameters import Layer, Parameter, TaskParameters
from recipe_kit.task import (
    SECRETS_VARIABLE,
    RecipeReference,
    ResultDocument,
    SparkRequest,
    State,
    TaskDocument,
    parse_task,
    read_result,
    run_task,
)
from recipe_kit.task.limits import exclusive
from recipe_kit.task.logs import Redactor, capture

RECIPE = """
import sys, time
import numpy as np
import pandas as pd
from pydantic import SecretStr
from recipe_kit import Field, Recipe, ScoreParameters, TrainParameters

class MeanParameters(TrainParameters):
    offset: float = Field(0.0, ge=0, description="Added to the mean.")
    password: SecretStr = SecretStr("")

class Mean(Recipe):
    training_columns = {"y": float}

    def train(self, data: pd.DataFrame, parameters: MeanParameters) -> float:
        print("training on", len(data), "rows, password", parameters.password.get_secret_value())
        print("to stderr", file=sys.stderr)
        self.context.logger.info("the mean is near")
        return float(data["y"].mean()) + parameters.offset

    def evaluate(self, model: float, data: pd.DataFrame, parameters: MeanParameters) -> dict[str, float]:
        return {"error": float((data["y"] - model).abs().mean())}

    def score(self, model: float, data: pd.DataFrame, parameters: ScoreParameters) -> pd.DataFrame:
        return data.assign(prediction=model)

class Failing(Mean):
    def train(self, data: pd.DataFrame, parameters: MeanParameters) -> float:
        return self.helper(parameters)

    def helper(self, parameters: MeanParameters) -> float:
        secret = parameters.password.get_secret_value()
        raise ValueError(f"cannot reach the base with {secret}")

class Slow(Mean):
    def train(self, data: pd.DataFrame, parameters: MeanParameters) -> float:
        self.context.folder.joinpath("begun").touch()
        try:
            for _ in range(100):
                time.sleep(0.1)
        except Exception:
            pass
        return 0.0

class Misnaming(Mean):
    def evaluate(self, model: float, data: pd.DataFrame, parameters: MeanParameters) -> dict[str, float]:
        return {"error": data["z"].sum()}

class Leaving(Mean):
    def train(self, data: pd.DataFrame, parameters: MeanParameters) -> float:
        sys.exit("no more")

class Odd(Mean):
    def evaluate(self, model: float, data: pd.DataFrame, parameters: MeanParameters) -> dict[str, float]:
        return {"error": "large"}

class FromDatabase(Mean):
    def load_training_data(self, parameters: MeanParameters) -> pd.DataFrame:
        return pd.DataFrame({"y": [float(i) for i in range(10)]})

class Shuffling(Mean):
    def split_training_data(self, data: pd.DataFrame, parameters: MeanParameters) -> tuple[pd.DataFrame, pd.DataFrame]:
        held_out = data.index.isin(np.random.permutation(len(data))[:3])
        return data[~held_out], data[held_out]

class HalfWritten(Mean):
    def score(self, model: float, data: pd.DataFrame, parameters: ScoreParameters) -> pd.DataFrame:
        raise RuntimeError("in the middle")
"""


def layer(source: str = "instance.json", **tasks: dict[str, object]) -> Layer:
    return Layer(
        source=source,
        tasks=tuple(
            TaskParameters(name=name, parameters=tuple(Parameter(key=k, value=v) for k, v in values.items()))  # type: ignore[arg-type]
            for name, values in tasks.items()
        ),
    )


class Bench:
    """A small project with a recipe that predicts the mean."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "means").mkdir(parents=True)
        (folder / "means" / "__init__.py").touch()
        (folder / "means" / "recipe.py").write_text(RECIPE)
        self.data = folder / "data"
        self.data.mkdir()
        pd.DataFrame({"x": range(10), "y": [float(i) for i in range(10)]}).to_csv(self.data / "train.csv", index=False)
        pd.DataFrame({"x": range(3)}).to_csv(self.data / "score.csv", index=False)

    def task(self, task: str = "train", recipe: str = "Mean", **changes: object) -> TaskDocument:
        fields: dict[str, object] = {
            "id": f"{task}-1",
            "task": task,
            "recipe": RecipeReference(name=recipe, entry=f"means.recipe:{recipe}", source_folder=self.folder),
            "layers": (layer(train={"trainingDataLocation": "train.csv"}, score={"scoringDataLocation": "score.csv"}),),
            "data_folder": self.data,
            "seed": 7,
        }
        return TaskDocument.model_validate({**fields, **changes})

    def run(self, task: str = "train", recipe: str = "Mean", folder: str = "run", **changes: object) -> ResultDocument:
        return run_task(self.task(task, recipe, **changes), self.folder / folder, live=False)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_training_holds_rows_out_measures_and_keeps_a_model(bench: Bench) -> None:
    result = bench.run()

    assert result.failure is None
    assert result.state is State.DONE
    assert [phase.name for phase in result.phases] == ["start", "load", "split", "train", "evaluate", "save"]
    assert result.rows_read == 10
    assert set(result.metrics) == {"error"}
    assert result.model is not None
    assert (result.model.folder / "manifest.json").is_file()


def test_a_run_leaves_enough_to_run_it_again(bench: Bench) -> None:
    first = bench.run()
    document = parse_task((bench.folder / "run" / "task.json").read_text(), "task.json")

    again = run_task(document, bench.folder / "again", live=False)

    assert again.metrics == first.metrics
    assert read_result(bench.folder / "run") == first


def test_scores_are_written_below_the_run_folder(bench: Bench) -> None:
    model = bench.run().model
    assert model is not None

    result = bench.run("score", folder="score", model=model.folder)

    assert result.failure is None
    assert result.rows_written == 3
    written = pd.read_csv(bench.folder / "score" / "scoring_results.csv")
    assert list(written.columns) == ["x", "prediction"]


def test_evaluating_on_the_training_data_uses_the_rows_held_out_then(bench: Bench) -> None:
    trained = bench.run()
    assert trained.model is not None

    again = bench.run("evaluate", folder="evaluate", model=trained.model.folder, seed=99)

    assert again.metrics == trained.metrics
    assert "only the rows held out then" in (bench.folder / "evaluate" / "execution.log").read_text()


def test_a_split_by_the_platform_s_parameters_is_the_one_of_the_training(bench: Bench) -> None:
    layers = bench.task().layers
    ratio = layer("run", train={"evaluation.trainRatio": 0.5, "evaluation.seed": 3})
    trained = bench.run(layers=(*layers, ratio))
    assert trained.model is not None

    others: tuple[dict[str, object], ...] = ({}, {"evaluation.trainRatio": 0.9})
    for other in others:
        again = bench.run("evaluate", model=trained.model.folder, layers=(*layers, layer("run", evaluate=other)))
        assert again.metrics == trained.metrics


def test_a_split_of_the_recipe_s_own_finds_the_generators_as_in_training(bench: Bench) -> None:
    trained = bench.run(recipe="Shuffling")
    assert trained.model is not None

    again = bench.run("evaluate", "Shuffling", folder="evaluate", model=trained.model.folder, seed=99)

    assert again.metrics == trained.metrics


def test_a_secret_of_several_lines_is_masked_however_it_is_printed(bench: Bench) -> None:
    key = "-----BEGIN KEY-----\nMIIEpAIB'AAKC\nhush77hush\n-----END KEY-----"
    layers = (layer(train={"trainingDataLocation": "train.csv", "password": key}),)

    bench.run(recipe="Failing", folder="failing", layers=layers)
    result = bench.run(layers=layers)

    assert result.state is State.DONE
    for file in bench.folder.rglob("*"):
        if file.suffix in (".json", ".log"):
            text = file.read_text()
            assert not any(part in text for part in ("MIIE", "AAKC", "hush77")), file


def test_secret_settings_of_spark_are_kept_out_of_documents_and_given_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "spark.hadoop.fs.s3a.secret.key"
    spark = SparkRequest(settings={key: "hush77hush", "spark.executor.cores": "2"})
    layers = (layer(train={"trainingDataLocation": "train.csv", "password": "x hush77hush"}),)

    assert bench.run(spark=spark, layers=layers).state is State.DONE
    text = (bench.folder / "run" / "task.json").read_text()
    assert "hush77" not in text + (bench.folder / "run" / "stdout.log").read_text()
    document = parse_task(text, "task.json").model_copy(update={"layers": bench.task().layers})
    assert document.spark == SparkRequest(settings={key: "", "spark.executor.cores": "2"})

    failure = run_task(document, bench.folder / "again", live=False).failure
    assert failure is not None
    assert failure.message == f"the value of the secret '{key}' is not kept in task documents"
    monkeypatch.setenv(SECRETS_VARIABLE, json.dumps({key: "hush77hush"}))
    assert run_task(document, bench.folder / "again", live=False).state is State.DONE


@pytest.mark.parametrize("location", ["database://reviews", "SELECT y FROM " + 300 * "y"])
def test_data_that_only_the_recipe_can_load_are_known_by_their_location(bench: Bench, location: str) -> None:
    def at(place: str) -> tuple[Layer, ...]:
        return (layer(train={"trainingDataLocation": place}),)

    trained = bench.run(recipe="FromDatabase", layers=at(location))
    assert trained.model is not None

    same, other = (
        bench.run("evaluate", "FromDatabase", model=trained.model.folder, layers=at(place), folder=name)
        for name, place in (("same", location), ("other", "database://others"))
    )

    assert same.metrics == trained.metrics
    assert "split" in [phase.name for phase in same.phases]
    assert "split" not in [phase.name for phase in other.phases]


def test_a_location_that_is_secret_is_kept_out_of_the_manifest_and_the_result(bench: Bench) -> None:
    for name in ("train", "score"):
        (bench.data / f"{name}.csv").rename(bench.data / f"{name}-hush.csv")
    secrets = {
        "train": {"trainingDataLocation": "train-hush.csv"},
        "score": {"scoringDataLocation": "score-hush.csv", "scoringResultsLocation": "scores-hush.csv"},
    }
    tasks = tuple(
        TaskParameters(name=name, parameters=tuple(Parameter(key=k, value=v, secret=True) for k, v in given.items()))
        for name, given in secrets.items()
    )
    layers = (Layer(source="instance.json", tasks=tasks),)

    model = bench.run(layers=layers).model
    assert model is not None
    scored = bench.run("score", folder="score", model=model.folder, layers=layers)
    again = bench.run("evaluate", folder="evaluate", model=model.folder, layers=layers)

    assert scored.state is State.DONE
    assert "split" in [phase.name for phase in again.phases]
    for file in bench.folder.rglob("*"):
        if file.suffix in (".json", ".log"):
            assert "hush" not in file.read_text(), file


def test_evaluating_on_other_data_uses_all_of_them(bench: Bench) -> None:
    trained = bench.run()
    assert trained.model is not None
    pd.DataFrame({"y": [0.0, 0.0]}).to_csv(bench.data / "other.csv", index=False)
    other = layer("command line", evaluate={"trainingDataLocation": "other.csv"})

    result = bench.run("evaluate", folder="e", model=trained.model.folder, layers=(*bench.task().layers, other))

    assert [phase.name for phase in result.phases] == ["start", "load", "restore", "evaluate"]
    assert result.rows_read == 2


def test_what_the_recipe_prints_is_kept_in_the_logs_of_its_run(bench: Bench) -> None:
    bench.run()
    run = bench.folder / "run"

    assert "training on 8 rows" in (run / "stdout.log").read_text()
    assert (run / "stderr.log").read_text() == "to stderr\nINFO the mean is near\n"
    assert "train: " in (run / "execution.log").read_text()


def test_what_the_recipe_prints_is_shown_live(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    run_task(bench.task(), bench.folder / "run", live=True)

    shown = capsys.readouterr()
    assert "training on 8 rows" in shown.out
    assert "to stderr" in shown.err


@pytest.mark.parametrize("recipe", ["Mean", "Failing"])
def test_a_secret_is_in_no_file_of_a_run(bench: Bench, recipe: str) -> None:
    secret = layer("command line", train={"password": "open sesame"})

    result = bench.run(recipe=recipe, layers=(*bench.task().layers, secret))

    assert result.state is (State.DONE if recipe == "Mean" else State.FAILED)
    files = [file for file in (bench.folder / "run").rglob("*") if file.is_file()]
    assert len(files) >= 5
    assert [file.name for file in files if b"open sesame" in file.read_bytes()] == []
    assert "**********" in (bench.folder / "run" / "stdout.log").read_text() + str(result.failure)


def test_a_kept_task_asks_for_its_secret_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = layer("command line", train={"password": "open sesame"})
    bench.run(layers=(*bench.task().layers, secret))
    document = parse_task((bench.folder / "run" / "task.json").read_text(), "task.json")

    without = run_task(document, bench.folder / "without", live=False)
    monkeypatch.setenv(SECRETS_VARIABLE, json.dumps({"password": "open sesame"}))
    given = run_task(document, bench.folder / "given", live=False)

    assert without.failure is not None
    assert "'password'" in without.failure.sentence
    assert given.state is State.DONE


def test_a_failure_shows_the_traceback_from_the_authors_first_frame_on(bench: Bench) -> None:
    result = bench.run(recipe="Failing")

    assert result.state is State.FAILED
    assert result.exit_code == 1
    assert result.failure is not None
    assert result.failure.sentence == "the recipe failed in train: ValueError: cannot reach the base with"
    traceback = result.failure.traceback or ""
    assert traceback.splitlines()[1].endswith("in train")
    assert "running.py" not in traceback
    assert "running.py" in (result.failure.full_traceback or "")
    assert not (bench.folder / "run" / "model").exists()


def test_causes_inside_a_library_are_left_out_of_the_authors_traceback(bench: Bench) -> None:
    failure = bench.run(recipe="Misnaming").failure

    assert failure is not None
    first, *_ = [line for line in (failure.traceback or "").splitlines() if "File" in line]
    assert "means/recipe.py" in first
    assert "direct cause" not in (failure.traceback or "")
    assert failure.sentence == "the recipe failed in evaluate: KeyError: 'z'"


def test_wrong_data_show_no_traceback(bench: Bench) -> None:
    (bench.data / "train.csv").write_text("x\n1\n")

    failure = bench.run().failure

    assert failure is not None
    assert failure.traceback is None
    assert "has no column 'y'" in failure.sentence


def test_a_value_that_does_not_fit_a_later_task_stops_the_first(bench: Bench) -> None:
    bad = layer("command line", score={"scoringResultsLocation": None})

    result = bench.run(layers=(*bench.task().layers, bad), followed_by=("score",))

    assert result.exit_code == 2
    assert result.failure is not None
    assert "'scoringResultsLocation' of task 'score'" in result.failure.sentence


@pytest.mark.parametrize("task", ["train", "score"])
def test_a_secret_of_one_task_is_not_in_the_document_of_another(bench: Bench, task: str) -> None:
    model = bench.run().model
    assert model is not None
    secret = layer("instance.json", train={"password": "open sesame"})

    bench.run(task, folder="other", model=model.folder, layers=(*bench.task().layers, secret))

    assert "open sesame" not in (bench.folder / "other" / "task.json").read_text()


def test_a_recipe_that_exits_has_failed(bench: Bench) -> None:
    result = bench.run(recipe="Leaving")

    assert result.state is State.FAILED
    assert result.failure is not None
    assert "SystemExit: no more" in result.failure.sentence


def test_a_metric_that_is_no_number_is_named(bench: Bench) -> None:
    failure = bench.run(recipe="Odd").failure

    assert failure is not None
    assert failure.sentence == "metric 'error' of recipe Odd is 'large', not a number"


def test_a_bad_value_fails_before_any_data_is_read(bench: Bench) -> None:
    bad = layer("command line", train={"offset": "-1"})

    result = bench.run(layers=(*bench.task().layers, bad))

    assert result.exit_code == 2
    assert [phase.name for phase in result.phases] == []
    assert result.failure is not None
    assert "'offset'" in result.failure.sentence
    assert "command line" in result.failure.sentence


def test_a_failed_score_leaves_no_scores(bench: Bench) -> None:
    model = bench.run(recipe="HalfWritten").model
    assert model is not None

    result = bench.run("score", recipe="HalfWritten", folder="score", model=model.folder)

    assert result.state is State.FAILED
    assert sorted(f.name for f in (bench.folder / "score").iterdir()) == [
        "execution.log",
        "result.json",
        "stderr.log",
        "stdout.log",
        "task.json",
    ]


def test_scoring_without_a_model_says_so(bench: Bench) -> None:
    failure = bench.run("score").failure

    assert failure is not None
    assert failure.sentence == "task 'score' needs a trained model: train one first, or name one with --model"


def test_a_time_limit_ends_a_task_that_swallows_exceptions(bench: Bench) -> None:
    started = time.monotonic()
    result = bench.run(recipe="Slow", time_limit=0.5)

    assert time.monotonic() - started < 5
    assert result.failure is not None
    assert result.failure.sentence == ("the task went over its time limit of 0.5 s: give it longer with --timeout")
    assert result.exit_code == 1


def test_an_interrupt_leaves_a_result_that_says_so(bench: Bench) -> None:
    def interrupt() -> None:
        while not (bench.folder / "run" / "begun").exists():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    result = bench.run(recipe="Slow")

    assert result.state is State.ABORTED
    assert read_result(bench.folder / "run").state is State.ABORTED
    assert not (bench.folder / "run" / "model").exists()


def test_two_runs_at_once_in_one_folder_are_refused(bench: Bench) -> None:
    with (
        exclusive(bench.folder / "run"),
        pytest.raises(WorkFolderBusyError, match=r"another run is using .*/run: wait"),
    ):
        bench.run()


def test_a_file_system_that_locks_no_folders_is_used_without_a_lock(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(descriptor: int, operation: int) -> None:
        raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setattr("fcntl.flock", flock)

    assert bench.run().state is State.DONE


def test_a_folder_can_be_used_again_after_a_run(bench: Bench) -> None:
    bench.run()

    assert bench.run().state is State.DONE


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "task document t.json is not JSON: .* at line 1, column 2"),
        ('{"version": 2}', "is of version 2, and this recipe_kit knows version 1"),
        ('{"version": 1, "id": "x"}', "is wrong at task: field required"),
        ("[]", "is wrong at its top"),
    ],
)
def test_a_broken_task_document_gets_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(TaskDocumentError, match=sentence):
        parse_task(text, "t.json")


def test_a_task_document_survives_json(bench: Bench) -> None:
    task = bench.task(time_limit=3, processes=2)

    assert parse_task(task.to_json(), "x") == task


def test_a_metric_that_is_not_finite_survives_json(bench: Bench) -> None:
    result = bench.run().model_copy(update={"metrics": {"error": float("inf"), "r2": float("nan")}})

    again = ResultDocument.model_validate(json.loads(result.to_json(), parse_constant=pytest.fail))

    assert again.metrics["error"] == float("inf")
    assert again.metrics["r2"] != again.metrics["r2"]


@pytest.mark.parametrize("document", [TaskDocument, ResultDocument])
def test_the_published_schema_is_the_code_s(document: type[TaskDocument] | type[ResultDocument]) -> None:
    name = "task" if document is TaskDocument else "result"
    published = Path(__file__).parents[1] / "docs" / "reference" / f"{name}.schema.json"

    assert json.loads(published.read_text()) == document.model_json_schema(by_alias=True)


def test_bytes_that_a_recipe_prints_are_kept_too(bench: Bench) -> None:
    with capture(bench.folder, Redactor(["hush"]), live=False):
        sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
        sys.stdout.buffer.write("grüße, hush\n".encode())

    assert (bench.folder / "stdout.log").read_text(encoding="utf-8") == "grüße, **********\n"
