"""`recipe-kit run`, `train`, `evaluate` and `score`, as a user sees them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from cli_project import COMMAND, INSTANCE, KIT, CommandLine, make_project, runs_of

from recipe_kit.cli.given import layers_given, location_given
from recipe_kit.errors import RecipeKitError


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = make_project(tmp_path / "project")
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


def _scores(file: Path) -> list[str]:
    return file.read_text().splitlines()


# -- what is run ----------------------------------------------------------------------------------------------------


def test_run_trains_and_scores_with_the_model_just_made(project: Path, call: CommandLine) -> None:
    called = call("run", "--json")
    assert called.exit_code == 0
    train, score = called.document
    assert (train["task"], train["state"], train["metrics"]) == ("train", "DONE", {"error": 0.0})
    assert (score["task"], score["state"], score["rowsWritten"]) == ("score", "DONE", 10)
    assert score["model"] == train["model"]
    assert _scores(Path(score["outputs"][0]["location"]))[:2] == ["size,price", "1,3"]


def test_each_run_has_a_folder_with_its_documents_and_logs(project: Path, call: CommandLine) -> None:
    train, score = call("run", "--json").document
    assert [run.name for run in runs_of(project)] == sorted([train["id"], score["id"]])
    for document in (train, score):
        folder = project / ".recipe-kit" / "runs" / document["id"]
        assert json.loads((folder / "result.json").read_text()) == document
        assert {"task.json", "execution.log", "stdout.log", "stderr.log"} <= {file.name for file in folder.iterdir()}


def test_a_project_is_named_by_its_folder(project: Path, call: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.parent)
    called = call("train", "project")
    assert called.exit_code == 0
    assert "  model  project/.recipe-kit/runs/" in called.out  # as one would type it from here


def test_runs_are_kept_out_of_version_control(project: Path, call: CommandLine) -> None:
    call("train")
    assert (project / ".recipe-kit" / ".gitignore").read_text() == "*\n"


def test_runs_may_be_kept_elsewhere(project: Path, call: CommandLine, tmp_path: Path) -> None:
    called = call("train", "--work-dir", tmp_path / "elsewhere")
    assert called.exit_code == 0
    assert len(list((tmp_path / "elsewhere").iterdir())) == 1
    assert not (project / ".recipe-kit").exists()


def test_score_takes_the_newest_model_and_says_which(project: Path, call: CommandLine) -> None:
    call("train")
    newest = call("train", "-p", "factor=2", "--json").document["model"]["folder"]
    called = call("score", "--json")
    assert called.document["model"]["folder"] == newest
    assert f"using the newest model of prices, {Path(newest).relative_to(project)}\n" in called.err


@pytest.mark.parametrize("part", ["", "model"])
def test_a_model_is_named_by_its_folder_or_its_runs(part: str, project: Path, call: CommandLine) -> None:
    first = call("train", "-p", "factor=2", "--json").document
    call("train")
    called = call("score", "--json", "--model", Path(".recipe-kit", "runs", first["id"], part))
    assert called.document["model"] == first["model"]
    assert "newest" not in called.err


def test_evaluate_measures_a_model_on_the_rows_held_out_or_on_other_data(project: Path, call: CommandLine) -> None:
    call("train")
    again = call("evaluate", "--json").document
    assert again["metrics"] == {"error": 0.0}
    assert [phase["rows"] for phase in again["phases"] if phase["name"] == "load"] == [100]
    (project / "other.csv").write_text("size,price\n1,4\n2,7\n")
    other = call("evaluate", "--json", "-p", "trainingDataLocation=other.csv").document
    assert other["metrics"] == {"error": 1.0}


def test_seed_and_processes_and_time_limit_reach_the_task(project: Path, call: CommandLine) -> None:
    _, score = call("run", "--seed", "7", "--processes", "2", "--timeout", "60", "--json").document
    task = json.loads((project / ".recipe-kit" / "runs" / score["id"] / "task.json").read_text())
    assert (task["seed"], task["processes"], task["timeLimit"]) == (7, 2, 60)


def test_spark_options_reach_the_task(project: Path, call: CommandLine) -> None:
    arguments = ("--spark-master", "local[1]", "--spark-setting", "spark.ui.port=4050", "--no-spark-tuning")
    document = call("train", *arguments, "--json").document
    task = json.loads((project / ".recipe-kit" / "runs" / document["id"] / "task.json").read_text())
    assert task["spark"] == {"master": "local[1]", "settings": {"spark.ui.port": "4050"}, "tuned": False}


def test_a_task_that_takes_too_long_is_ended(project: Path, call: CommandLine) -> None:
    called = call("run", "-p", "mode=wait", "--timeout", "0.5")
    assert called.exit_code == 1
    assert called.error == "the task went over its time limit of 0.5 s: give it longer with --timeout"
    assert KIT not in called.err


# -- parameters -----------------------------------------------------------------------------------------------------


def test_the_command_line_wins_over_the_instance_file(project: Path, call: CommandLine) -> None:
    other = json.loads(json.dumps(INSTANCE))
    other["tasks"][0]["parameters"].append({"key": "factor", "value": "2"})
    (project / "other.json").write_text(json.dumps(other))
    for arguments, first in (((), "3"), (("-p", "factor=4"), "12"), (("-p", "train.factor=5"), "15")):
        _, score = call("run", *arguments, "--json").document
        assert _scores(Path(score["outputs"][0]["location"]))[1] == f"1,{first}"
    _, score = call("run", "--instance", "other.json", "--json").document
    assert _scores(Path(score["outputs"][0]["location"]))[1] == "1,6"


def test_a_key_goes_to_each_task_that_knows_it(project: Path, call: CommandLine) -> None:
    called = call("run", "-p", "factor=2", "-p", "scoringResultsLocation=mine.csv", "--json")
    assert called.exit_code == 0, called.err
    assert _scores(project / "mine.csv")[1] == "1,6"


@pytest.mark.parametrize("source", ["command line", "command line, by task", "instance file"])
def test_a_secret_reaches_no_file(source: str, project: Path, call: CommandLine) -> None:
    arguments = {"command line": ("-p", "token=hunter2"), "command line, by task": ("-p", "train.token=hunter2")}
    if source == "instance file":
        document = json.loads(json.dumps(INSTANCE))
        document["tasks"][0]["parameters"].append({"key": "token", "value": "hunter2"})
        (project / "instance.json").write_text(json.dumps(document))
    called = call("run", *arguments.get(source, ()), "--json")
    assert called.exit_code == 0
    assert "hunter2" not in called.out + called.err
    kept = [file for run in runs_of(project) for file in run.rglob("*") if file.is_file()]
    assert not [file for file in kept if b"hunter2" in file.read_bytes()]


def test_of_two_values_for_one_key_the_last_counts(tmp_path: Path) -> None:
    (layer,) = layers_given(["a=1", "train.a=2"], ("train",), tmp_path)
    assert [(p.key, p.value) for p in layer.for_task("train")] == [("a", "1"), ("a", "2")]


def test_an_input_is_looked_for_where_one_stands_and_else_left_to_the_data_folder(tmp_path: Path) -> None:
    (tmp_path / "here.csv").touch()
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "a.csv").touch()

    def meant(value: str) -> str:
        return location_given("trainingDataLocation", value, tmp_path)

    assert meant("here.csv") == str(tmp_path / "here.csv")
    assert meant("parts/*.csv") == str(tmp_path / "parts" / "*.csv")
    assert meant("elsewhere.csv") == "elsewhere.csv"
    assert meant("other/*.csv") == "other/*.csv"


def test_an_output_is_where_one_stands_and_a_folder_stays_one(tmp_path: Path) -> None:
    def meant(value: str) -> str:
        return location_given("scoringResultsLocation", value, tmp_path)

    assert meant("scores.csv") == str(tmp_path / "scores.csv")
    assert meant("scores/") == f"{tmp_path}/scores/"


@pytest.mark.parametrize("value", ["s3://bucket/a.csv", "file:///a.csv", "/a.csv", "~/a.csv", ""])
@pytest.mark.parametrize("key", ["trainingDataLocation", "scoringResultsLocation"])
def test_uris_and_absolute_paths_stay_as_they_are(key: str, value: str, tmp_path: Path) -> None:
    assert location_given(key, value, tmp_path) == value


def test_scores_go_where_one_stands_if_the_command_line_says_so(
    project: Path, call: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand = project.parent / "stand"
    stand.mkdir()
    monkeypatch.chdir(stand)
    (stand / "mine.csv").write_text("size\n5\n")
    called = call("run", "../project", "-p", "scoringDataLocation=mine.csv", "-p", "scoringResultsLocation=out/s.csv")
    assert called.exit_code == 0, called.err
    assert _scores(stand / "out" / "s.csv") == ["size,price", "5,15"]
    assert "  scores  1 row in out/s.csv\n" in called.out


def test_a_setting_of_spark_needs_a_key_and_a_value() -> None:
    from recipe_kit.cli.given import settings_given

    assert settings_given(["spark.a=1=2"]) == {"spark.a": "1=2"}
    with pytest.raises(RecipeKitError, match=r"^cannot read the Spark setting '=1'"):
        settings_given(["=1"])


# -- what is shown --------------------------------------------------------------------------------------------------


def test_the_summary_has_rows_seconds_metrics_and_places(project: Path, call: CommandLine) -> None:
    called = call("train")
    lines = called.out.splitlines()
    assert lines[0].startswith("train: prices 1.2.0, done in ")
    assert [line.split()[0] for line in lines[3:9]] == ["start", "load", "split", "train", "evaluate", "save"]
    assert "  load       100" in called.out
    assert "  error   0.0000" in called.out
    (run,) = runs_of(project)
    assert f"  model  .recipe-kit/runs/{run.name}/model\n  logs   .recipe-kit/runs/{run.name}\n" in called.out
    assert called.err == ""


def test_a_recipe_that_fails_shows_the_authors_own_frames_and_then_the_sentence(
    project: Path, call: CommandLine
) -> None:
    called = call("run", "-p", "mode=fail")
    assert (called.exit_code, called.out) == (1, "")
    frames = [line.strip() for line in called.err.splitlines() if line.startswith("  File ")]
    assert [frame.rpartition(", ")[2] for frame in frames] == ["in train", "in broken"]
    assert called.error == "the recipe failed in train: ArithmeticError: the numbers do not add up"
    (run,) = runs_of(project)
    assert called.err.endswith(f"its logs are in .recipe-kit/runs/{run.name}\n")


def test_the_whole_traceback_is_shown_if_asked_for(project: Path, call: CommandLine) -> None:
    assert KIT in call("run", "-p", "mode=fail", "--full-traceback").err


# -- JSON, and other processes --------------------------------------------------------------------------------------


def _start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def test_with_json_stdout_holds_nothing_else_whoever_prints(project: Path) -> None:
    done = subprocess.run([*COMMAND, "train", "-p", "mode=noisy", "--json"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["state"] == "DONE"
    assert "from Python True\n" in done.stderr  # and garbage is collected again by then
    assert "from another process\n" in done.stderr
    assert "train: prices 1.2.0, done in" in done.stderr


def test_with_json_a_failure_is_told_by_the_document_too(project: Path, call: CommandLine) -> None:
    called = call("run", "-p", "mode=fail", "--json")
    assert called.exit_code == 1
    (train,) = called.document
    assert train["failure"]["message"] == called.error


def test_without_json_what_the_recipe_prints_is_on_stdout(project: Path, call: CommandLine) -> None:
    assert call("train", "-p", "mode=noisy").out.startswith("from Python True\n")


@pytest.mark.parametrize("as_json", [False, True])
def test_ctrl_c_ends_with_130_one_line_and_a_result_document(as_json: bool, project: Path) -> None:
    process = _start("run", "-p", "mode=wait", *(["--json"] if as_json else []))
    first = process.stderr if as_json else process.stdout
    assert first is not None
    assert first.readline() == "waiting\n"
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    (run,) = runs_of(project)
    assert err == f"train was interrupted in phase train; its logs are in .recipe-kit/runs/{run.name}\n"
    document = json.loads((run / "result.json").read_text())
    assert document["state"] == "ABORTED"
    assert not (run / "model").exists()
    assert json.loads(out) == [document] if as_json else out == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_ended_from_outside_leaves_a_result_document_too(number: signal.Signals, project: Path) -> None:
    process = _start("run", "-p", "mode=wait")
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    os.kill(process.pid, number)
    process.communicate(timeout=30)
    assert process.returncode == 130
    (run,) = runs_of(project)
    assert json.loads((run / "result.json").read_text())["state"] == "ABORTED"


@pytest.mark.slow
@pytest.mark.needs("package index")
def test_an_isolated_run_needs_nothing_of_the_recipe_in_this_environment(project: Path, tmp_path: Path) -> None:
    (project / "requirements.txt").write_text("iniconfig\n")
    (project / "prices.py").write_text(
        (project / "prices.py").read_text().replace("import os\n", "import iniconfig\nimport os\n")
    )
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    (blocked / "iniconfig.py").write_text("raise ImportError('the command line imported the recipe')\n")
    environment = os.environ | {"PYTHONPATH": str(blocked), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run(
        [*COMMAND, "run", "--isolated", "--json", "-p", "factor=2"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    _, score = json.loads(done.stdout)
    assert _scores(Path(score["outputs"][0]["location"]))[1] == "1,6"
