"""Every mistake of a user is told in one sentence, without a traceback of the kit's, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cli_project import COMMAND, INSTANCE, KIT, PYPROJECT, RECIPE, CommandLine, make_project, runs_of
from small_disk import mounted_disk, read_only_disk


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = make_project(tmp_path / "project")
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


@dataclass(frozen=True)
class Mistake:
    """What is done to a good project, the command that is then typed, and what the user reads."""

    name: str
    spoil: Callable[[Path], object]
    command: tuple[str, ...]
    sentence: str


def nothing(root: Path) -> None:
    """Leave the project as it is."""


def write(name: str, text: str | bytes) -> Callable[[Path], object]:
    def spoil(root: Path) -> None:
        (root / name).write_bytes(text if isinstance(text, bytes) else text.encode())

    return spoil


def instance_with(**train: str) -> Callable[[Path], object]:
    document = json.loads(json.dumps(INSTANCE))
    document["tasks"][0]["parameters"] += [{"key": key, "value": value} for key, value in train.items()]
    return write("instance.json", json.dumps(document))


# Told before anything is read: not even a run is kept.
REFUSED = [
    Mistake(
        "no project table",
        write("pyproject.toml", '[project]\nname = "prices"\n'),
        ("run",),
        "ROOT/pyproject.toml has no [tool.recipe-kit] table: "
        'add [tool.recipe-kit.recipes] with a line such as sentiment = "sentiment.recipe:Sentiment"',
    ),
    Mistake(
        "no project",
        lambda root: (root / "pyproject.toml").unlink(),
        ("run",),
        "ROOT is no recipe project, as it has no pyproject.toml: "
        "name the project's folder, or make a project with `recipe-kit new`",
    ),
    Mistake(
        "recipe not found",
        nothing,
        ("run", "--recipe", "price"),
        "project prices has no recipe 'price': did you mean 'prices'?",
    ),
    Mistake(
        "several recipes",
        write("pyproject.toml", PYPROJECT + 'other = "prices:Prices"\n'),
        ("run",),
        "project prices has several recipes (prices, other) and none was chosen: choose one, as in --recipe prices",
    ),
    Mistake(
        "hook missing",
        write("prices.py", RECIPE.replace("def score(", "def scores(")),
        ("train",),
        "recipe Prices (prices.py) has no hook 'score': write `def score(self, model, data, parameters)`",
    ),
    Mistake(
        "instance file missing",
        nothing,
        ("run", "--instance", "other.json"),
        "instance file other.json does not exist: check the path",
    ),
    Mistake(
        "instance not JSON",
        write("instance.json", '{"name": "Prices",\n "tasks": [,]}'),
        ("run",),
        "instance file ROOT/instance.json is not JSON: Expecting value at line 2, column 12: mend that line",
    ),
    Mistake(
        "instance of the wrong shape",
        write("instance.json", '{"name": "Prices", "tasks": [{"name": "train", "parameters": [{"value": "a"}]}]}'),
        ("run",),
        "instance file ROOT/instance.json has not the shape of an MLInstance: "
        "tasks[0].parameters[0].key: field required: "
        'it looks like {"name": "...", "tasks": [{"name": "train", "parameters": [{"key": "...", "value": "..."}]}]}',
    ),
    Mistake(
        "instance with a table where a list is meant",
        write("instance.json", '{"name": "Prices", "tasks": {"train": {"factor": 2}}}'),
        ("run",),
        "instance file ROOT/instance.json has not the shape of an MLInstance: tasks: must be a list: "
        'it looks like {"name": "...", "tasks": [{"name": "train", "parameters": [{"key": "...", "value": "..."}]}]}',
    ),
    Mistake(
        "instance file in another encoding",
        write("instance.json", b'{"name":\n "caf\xe9"}'),
        ("run",),
        "instance file ROOT/instance.json, line 2: byte 0xe9 is not UTF-8: save the file as UTF-8",
    ),
    Mistake(
        "a folder where the instance file is meant",
        nothing,
        ("run", "--instance", "data"),
        "instance file data is a folder: give the name of a file",
    ),
    Mistake(
        "unknown parameter of a task",
        nothing,
        ("train", "-p", "facto=2"),
        "unknown parameter 'facto' of task 'train' (from command line): did you mean 'factor'?",
    ),
    Mistake(
        "unknown parameter of a run",
        nothing,
        ("run", "-p", "facto=2"),
        "unknown parameter 'facto' (from command line): did you mean 'factor'?",
    ),
    Mistake(
        "unknown parameter in the instance file",
        instance_with(facto="2"),
        ("run",),
        "unknown parameter 'facto' of task 'train' (from instance.json): did you mean 'factor'?",
    ),
    Mistake(
        "text for a number",
        nothing,
        ("run", "-p", "factor=much"),
        "bad value 'much' for parameter 'factor' of task 'train' (from command line): "
        "must be a number of at most 10 and greater than 0",
    ),
    Mistake(
        "out of range",
        nothing,
        ("train", "-p", "train.factor=11"),
        "bad value '11' for parameter 'factor' of task 'train' (from command line): "
        "must be a number of at most 10 and greater than 0",
    ),
    Mistake(
        "several mistakes at once",
        nothing,
        ("train", "-p", "train.factor=0", "-p", "train.facto=2"),
        "unknown parameter 'facto' of task 'train' (from command line): did you mean 'factor'?; "
        "bad value '0' for parameter 'factor' of task 'train' (from command line): "
        "must be a number of at most 10 and greater than 0",
    ),
    Mistake(
        "parameter without a value",
        nothing,
        ("run", "-p", "factor"),
        "cannot read the parameter 'factor' (from command line): "
        "write -p KEY=VALUE or -p TASK.KEY=VALUE, as in -p train.maxIter=50",
    ),
    Mistake(
        "parameter of a task that is not run",
        nothing,
        ("score", "-p", "train.factor=2"),
        "parameter 'train.factor' (from command line) is for task 'train', which is not run: this command runs score",
    ),
    Mistake(
        "location missing",
        write("instance.json", '{"name": "Prices", "tasks": []}'),
        ("train",),
        "task 'train' needs parameter 'trainingDataLocation', which has no default: "
        "set it in the instance file or with -p train.trainingDataLocation=VALUE",
    ),
    Mistake(
        "location of the scoring data missing",
        write("instance.json", json.dumps({**INSTANCE, "tasks": INSTANCE["tasks"][:1]})),
        ("run",),
        "task 'score' needs parameter 'scoringDataLocation', which has no default: "
        "set it in the instance file or with -p score.scoringDataLocation=VALUE",
    ),
    Mistake(
        "model missing",
        nothing,
        ("score", "--model", "nowhere"),
        "no model is in nowhere, there is no such folder: `recipe-kit models` lists what there is",
    ),
    Mistake(
        "folder of no model",
        nothing,
        ("score", "--model", "data"),
        "no model is in ROOT/data, it has no manifest.json: name the folder of a model, or of the run that trained it",
    ),
    Mistake(
        "work folder is a file",
        nothing,
        ("run", "--work-dir", "prices.py"),
        "no run folder can be made in ROOT/prices.py (Not a directory): choose another with --work-dir",
    ),
    Mistake(
        "no model yet",
        nothing,
        ("score",),
        "there is no model of recipe 'prices' in .recipe-kit/runs: "
        "train one with `recipe-kit train`, or name one with --model",
    ),
    Mistake(
        "Spark for a recipe that it cannot spread",
        nothing,
        ("train", "--spark-setting", "memory"),
        "cannot read the Spark setting 'memory': write it as in --spark-setting spark.driver.memory=4g",
    ),
]

# Told when the data are read: the run is kept as a record, with no model and no scores.
READING = [
    Mistake(
        "file not found",
        nothing,
        ("run", "-p", "trainingDataLocation=trainin.csv"),
        "no file 'trainin.csv' (looked for ROOT/data/trainin.csv): did you mean 'training.csv'?",
    ),
    Mistake("empty file", write("data/training.csv", ""), ("run",), "training.csv is empty"),
    Mistake(
        "header only", write("data/training.csv", "size,price\n"), ("run",), "training.csv has a header but no rows"
    ),
    Mistake(
        "missing column",
        write("data/training.csv", "size,prize\n1,2\n"),
        ("run",),
        "training.csv has no column 'price' (it has size, prize): did you mean 'prize'?",
    ),
    Mistake(
        "ragged row",
        write("data/training.csv", "size,price\n1,2\n3\n"),
        ("run",),
        "training.csv, line 3: 1 field where the header has 2: is a value missing?",
    ),
    Mistake(
        "text in a column of numbers",
        write("data/training.csv", "size,price\n1,2\n3,much\n"),
        ("run",),
        "training.csv, line 3, column 'price': 'much' is not a number",
    ),
    Mistake(
        "wrong encoding",
        write("data/training.csv", b"size,price\n1,2\n\xff\xfe3,4\n"),
        ("run",),
        "training.csv, line 3, column 'size': byte 0xff is not UTF-8: "
        "save the file as UTF-8, for instance with: iconv -f latin1 -t utf-8",
    ),
    Mistake(
        "missing column of JSON lines",
        write("data/training.jsonl", '{"size": 1, "prize": 2}\n'),
        ("run", "-p", "trainingDataLocation=training.jsonl"),
        "training.jsonl has no column 'price' (it has size, prize): did you mean 'prize'?",
    ),
    Mistake(
        "folder of several tables where a file is meant",
        nothing,
        ("run", "-p", "trainingDataLocation=data"),
        "ROOT/data/training.csv has other columns than ROOT/data/scoring.csv, it adds 'price': "
        "the files of one table have the same columns",
    ),
    Mistake(
        "folder of no data where a file is meant",
        lambda root: (root / "data" / "empty").mkdir(),
        ("run", "-p", "trainingDataLocation=empty"),
        "'empty' is a folder with no data file in it: name a file",
    ),
]


LOGS = ["execution.log", "result.json", "stderr.log", "stdout.log", "task.json"]


def _read(text: str, root: Path) -> str:
    return text.replace(str(root.resolve()), "ROOT")


@pytest.mark.parametrize("mistake", REFUSED, ids=lambda mistake: mistake.name)
def test_a_mistake_that_is_seen_at_once_is_one_sentence_and_keeps_no_run(
    mistake: Mistake, project: Path, call: CommandLine
) -> None:
    mistake.spoil(project)
    before = set(project.rglob("*"))
    called = call(*mistake.command)
    assert called.exit_code == 2, called.err
    assert _read(called.error, project) == mistake.sentence
    assert called.out == ""
    assert KIT not in called.err
    assert "Traceback" not in called.err
    left = {path for path in set(project.rglob("*")) - before if "__pycache__" not in path.parts}
    assert not left


@pytest.mark.parametrize("mistake", READING, ids=lambda mistake: mistake.name)
def test_a_mistake_in_the_data_is_one_sentence_and_leaves_neither_model_nor_scores(
    mistake: Mistake, project: Path, call: CommandLine
) -> None:
    mistake.spoil(project)
    called = call(*mistake.command)
    assert called.exit_code == 2, called.err
    assert _read(called.error, project) == mistake.sentence
    assert called.out == ""
    assert KIT not in called.err
    assert "Traceback" not in called.err
    (run,) = runs_of(project)
    assert sorted(file.name for file in run.iterdir()) == LOGS


def test_an_error_in_the_authors_module_is_shown_from_its_own_line_on(project: Path, call: CommandLine) -> None:
    (project / "prices.py").write_text("LIMIT = 1 / 0\n")
    called = call("run")
    assert called.exit_code == 2
    assert called.error == "module 'prices' cannot be imported: ZeroDivisionError: division by zero (prices.py:1)"
    assert called.err.startswith(f'Traceback (most recent call last):\n  File "{project / "prices.py"}", line 1')
    assert KIT not in called.err
    assert not runs_of(project)


def test_an_error_of_syntax_in_the_authors_module_is_told_once_with_its_line(project: Path, call: CommandLine) -> None:
    (project / "prices.py").write_text("LIMIT = 1\ndef train(:\n")
    called = call("run")
    assert called.exit_code == 2
    assert called.error == "module 'prices' cannot be imported: SyntaxError: invalid syntax (prices.py:2)"
    assert "Traceback" not in called.err
    assert not runs_of(project)


def test_a_package_that_the_recipe_lacks_is_named(project: Path, call: CommandLine) -> None:
    (project / "prices.py").write_text("import xgbost\n")
    called = call("params")
    assert called.exit_code == 2
    assert called.error == (
        "module 'prices' cannot be imported, as it needs 'xgbost', which is not installed (prices.py:1): "
        "run `pip install xgbost`, or run with --isolated if the project's dependencies name it"
    )
    assert KIT not in called.err


def test_scores_that_cannot_be_written_leave_nothing(project: Path, call: CommandLine) -> None:
    (project / "scores").mkdir()
    called = call("run", "-p", "scoringResultsLocation=scores")
    assert called.exit_code == 2
    assert _read(called.error, project) == "cannot write 'ROOT/scores', it is a folder: give the name of a file"
    assert not list((project / "scores").iterdir())
    score, train = sorted(runs_of(project), key=lambda run: run.name.rpartition("-")[2])
    assert sorted(file.name for file in score.iterdir()) == LOGS
    assert (train / "model" / "manifest.json").exists()


def test_scores_that_do_not_fit_on_the_disk_are_one_sentence_and_leave_nothing(
    project: Path, tmp_path: Path, call: CommandLine
) -> None:
    rows = "".join(f"{size}\n" for size in range(20_000))
    (project / "data" / "scoring.csv").write_text(f"size\n{rows}")
    with mounted_disk(tmp_path / "disk") as disk:
        called = call("run", "-p", f"scoringResultsLocation={disk / 'scores.csv'}")
        assert not list(disk.iterdir())
    assert called.exit_code == 2
    assert called.error == (
        f"cannot write '{disk / 'scores.csv'}', the disk is full: free some space or choose another place"
    )
    assert "Traceback" not in called.err


def test_a_model_that_does_not_fit_on_the_disk_is_one_sentence_and_leaves_only_logs(
    project: Path, tmp_path: Path, call: CommandLine
) -> None:
    large = RECIPE.replace("return parameters.factor *", "return b'x' * 100_000 or").replace(
        "def evaluate", "def _rate"
    )
    (project / "prices.py").write_text(large)
    with mounted_disk(tmp_path / "disk") as disk:
        called = call("train", "--work-dir", disk)
        (run,) = disk.iterdir()
        assert sorted(file.name for file in run.iterdir()) == LOGS
    assert called.exit_code == 2
    assert called.error == f"cannot write '{run / 'model'}', the disk is full: free some space or choose another place"
    assert "Traceback" not in called.err


def test_a_disk_without_space_even_for_the_logs_is_one_sentence(
    project: Path, tmp_path: Path, call: CommandLine
) -> None:
    with mounted_disk(tmp_path / "disk", "4k") as disk:
        (disk / "much").write_bytes(b"x" * 4096)
        called = call("train", "--work-dir", disk, "-p", "mode=noisy")
        (run,) = set(disk.iterdir()) - {disk / "much"}
        assert not [file for file in run.iterdir() if file.stat().st_size]
    assert called.exit_code == 2
    assert re.fullmatch(
        r"cannot write '.*\.json', the disk is full: free some space or choose another place", called.error
    )
    assert "Traceback" not in called.err


def test_a_place_that_may_not_be_written_is_one_sentence(project: Path, tmp_path: Path, call: CommandLine) -> None:
    with read_only_disk(tmp_path / "disk") as disk:
        scores = call("run", "-p", f"scoringResultsLocation={disk / 'scores.csv'}")
        runs = call("run", "--work-dir", disk / "runs")
    assert (scores.exit_code, scores.error) == (
        2,
        f"cannot write '{disk / 'scores.csv'}', the file system is read-only: choose a folder that you may write to",
    )
    assert (runs.exit_code, runs.error) == (
        2,
        f"no run folder can be made in {disk / 'runs'} (Read-only file system): choose another with --work-dir",
    )
    assert "Traceback" not in scores.err + runs.err


def test_a_model_that_was_altered_is_refused(project: Path, call: CommandLine) -> None:
    call("train")
    (model,) = project.rglob("model.joblib")
    model.write_bytes(model.read_bytes() + b"!")
    called = call("score")
    assert called.exit_code == 2
    assert re.fullmatch(
        r"the model in ROOT/.*-train/model was altered, model.joblib is not the file that was saved: "
        r"train it again, or restore its files",
        _read(called.error, project),
    )
    assert not list(project.rglob("scoring_results*"))


def test_a_model_of_another_recipe_is_refused(project: Path, call: CommandLine) -> None:
    call("train")
    (project / "pyproject.toml").write_text(PYPROJECT + 'other = "prices:Prices"\n')
    (run,) = runs_of(project)
    called = call("score", "--recipe", "other", "--model", run)
    assert called.exit_code == 2
    assert _read(called.error, project).endswith(
        "-train/model was trained by recipe 'prices', not 'other': name a model of this recipe, or train one"
    )


def test_an_extra_that_is_not_installed_is_named(
    project: Path, call: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("cookiecutter", "cookiecutter.exceptions", "cookiecutter.generate", "cookiecutter.prompt"):
        monkeypatch.setitem(sys.modules, module, None)
    called = call("new", "Mine", "--no-input")
    assert (called.exit_code, called.error) == (
        2,
        "making a project from a template needs packages that are not installed: pip install 'recipe-kit[scaffold]'",
    )


def test_a_machine_without_java_is_told_how_to_get_it(project: Path) -> None:
    (project / "prices.py").write_text(RECIPE.replace("import pandas as pd", "import pyspark.sql as pd"))
    nowhere = {**os.environ, "PATH": "/nowhere", "RECIPE_KIT_SPARK_TUNING": "off"}
    nowhere.pop("JAVA_HOME", None)
    done = subprocess.run([*COMMAND, "train"], env=nowhere, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == (
        "error: Spark needs Java 17 or newer, and this machine has none: install Java 17"
        " (`apt install openjdk-17-jre-headless`, `brew install openjdk@17` or https://adoptium.net)"
        " and put it on PATH or name its folder in JAVA_HOME\n"
    )
    assert not runs_of(project)


def test_two_runs_into_the_same_work_folder_at_once_do_not_disturb_each_other(project: Path) -> None:
    both = [
        subprocess.Popen([*COMMAND, "run", "--work-dir", "runs", "--json"], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    documents = [json.loads(process.communicate()[0]) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert len({result["id"] for results in documents for result in results}) == 4
