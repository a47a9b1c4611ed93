"""The commands that only look: `params`, `models`, `check`, `doctor`; and `new`."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from cli_project import COMMAND, INSTANCE, PYPROJECT, RECIPE, CommandLine, make_project, runs_of

from recipe_kit.cli import diagnosis


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = make_project(tmp_path / "project")
    monkeypatch.chdir(root)
    monkeypatch.setenv("COLUMNS", "80")
    return root


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


# -- params ---------------------------------------------------------------------------------------------------------


def test_params_tells_each_parameter_with_its_value_and_where_that_is_from(project: Path, call: CommandLine) -> None:
    called = call("params")
    assert called.exit_code == 0
    assert called.out == (
        "train (recipe prices)\n"
        "\n"
        "  parameter               value                from\n"
        "  trainingDataLocation    training.csv         instance.json\n"
        "      Where the training data is: a path or a URI. Must be text.\n"
        "  mode                    mean                 default\n"
        "      How training goes. Must be text; default mean.\n"
        "  factor                  1.0                  default\n"
        "      What prices are multiplied by. Must be a number of at most 10 and greater\n"
        "      than 0; default 1.0.\n"
        "  token                   (secret)             default\n"
        "      What opens the door. Must be text.\n"
        "\n"
        "score (recipe prices)\n"
        "\n"
        "  parameter               value                from\n"
        "  scoringDataLocation     scoring.csv          instance.json\n"
        "      Where the data to score is: a path or a URI. Must be text.\n"
        "  scoringResultsLocation  scoring_results.csv  default\n"
        "      Where the scores go: a path within the run's folder, or a URI. Must be\n"
        "      text; default scoring_results.csv.\n"
        "\n"
    )


def test_params_says_what_is_missing_and_what_does_not_fit(project: Path, call: CommandLine) -> None:
    tasks = [{"name": "train", "parameters": [{"key": "factor", "value": "much"}]}]
    (project / "instance.json").write_text(json.dumps({"name": "Prices", "tasks": tasks}))
    called = call("params")
    assert called.exit_code == 0
    assert re.search(r"^  trainingDataLocation +\(required\)$", called.out, flags=re.MULTILINE)
    assert "bad value 'much' for parameter 'factor' of task 'train' (from instance.json)" in called.err


def test_params_shows_no_secret(project: Path, call: CommandLine) -> None:
    document = json.loads(json.dumps(INSTANCE))
    document["tasks"][0]["parameters"].append({"key": "token", "value": "hunter2"})
    (project / "instance.json").write_text(json.dumps(document))
    for arguments in ([], ["--json"], ["--schema"], ["--tasks"]):
        called = call("params", *arguments)
        assert called.exit_code == 0
        assert "hunter2" not in called.out + called.err


def test_params_gives_the_same_as_json(project: Path, call: CommandLine) -> None:
    document = call("params", "--json").document
    assert list(document) == ["train", "score"]
    factor = next(each for each in document["train"] if each["key"] == "factor")
    assert (factor["value"], factor["source"], factor["default"], factor["required"]) == (
        "1.0",
        "default",
        "1.0",
        False,
    )


def test_params_gives_a_json_schema_and_the_platforms_list_of_tasks(project: Path, call: CommandLine) -> None:
    assert call("params", "--schema").document["train"]["properties"]["factor"]["maximum"] == 10
    tasks = call("params", "--tasks").document
    assert [task["name"] for task in tasks] == ["train", "score"]
    assert {"key": "factor", "value": "1.0"} in tasks[0]["parameters"]
    assert call("params", "--tasks", "--schema").error.startswith("--json, --schema and --tasks exclude each other")


def test_params_takes_another_instance_file(project: Path, call: CommandLine) -> None:
    (project / "other.json").write_text(json.dumps({"name": "Other", "tasks": []}))
    assert "(required)" in call("params", "--instance", "other.json").out


# -- models ---------------------------------------------------------------------------------------------------------


def test_models_are_listed_newest_first(project: Path, call: CommandLine) -> None:
    first, second = (call("train", "--json").document["model"]["id"] for _ in range(2))
    called = call("models")
    assert called.out == call("models", "list").out
    header, *rows = called.out.splitlines()
    assert header.split() == ["id", "recipe", "made", "rows", "size", "metrics"]
    assert [row.split()[0] for row in rows] == [second[:8], first[:8]]
    assert rows[0].endswith("  error 0.0000")
    listed = call("models", "--json").document
    assert [each["id"] for each in listed] == [second, first]
    assert Path(listed[0]["folder"]).is_dir()


def test_models_are_listed_by_recipe_and_of_any_work_folder(
    project: Path, call: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("train", "--work-dir", tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    assert len(call("models", "--work-dir", "runs", "--json").document) == 1  # no project is needed for that
    assert call("models", "--work-dir", "runs", "--recipe", "other", "--json").document == []
    assert call("models", "project").err == (
        "there are no models in project/.recipe-kit/runs; `recipe-kit train` makes one\n"
    )


def test_a_model_is_shown_by_the_beginning_of_its_id_or_by_its_folder(project: Path, call: CommandLine) -> None:
    model = call("train", "--json").document["model"]
    (run,) = runs_of(project)
    shown = call("models", "show", model["id"][:8])
    assert shown.exit_code == 0
    assert shown == call("models", "show", run) == call("models", "show", run / "model")
    assert shown.out.startswith(f"model {model['id']}\n")
    for line in ("recipe       prices 1.2.0 (prices:Prices)", "rows         100", "factor                1.0"):
        assert line in shown.out
    manifest = json.loads((run / "model" / "manifest.json").read_text())
    assert call("models", "show", run, "--json").document == {**manifest, "folder": model["folder"]}


def test_a_model_that_is_not_there_or_not_one_alone_is_told(
    project: Path, call: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = iter(["3f9c2a1b-1", "3f9c2a1b-2"])
    monkeypatch.setattr("recipe_kit.models.uuid.uuid4", lambda: next(ids))
    call("train")
    call("train")
    assert call("models", "show", "nothing").error == (
        "no model 'nothing' is in .recipe-kit/runs, and no folder has that name: "
        "`recipe-kit models` lists what there is"
    )
    assert call("models", "show", "3F9").error == "2 models in .recipe-kit/runs begin with '3F9': write more of the id"


def test_a_model_whose_files_were_altered_is_not_shown_as_good(project: Path, call: CommandLine) -> None:
    call("train")
    (run,) = runs_of(project)
    next(run.rglob("model.joblib")).write_bytes(b"")
    called = call("models", "show", run)
    assert called.exit_code == 2
    assert "was altered" in called.error


def test_a_damaged_manifest_is_left_out_of_the_list_and_told(project: Path, call: CommandLine) -> None:
    call("train")
    call("train")
    (runs_of(project)[0] / "model" / "manifest.json").write_text("{")
    called = call("models")
    assert called.exit_code == 0
    assert len(called.out.splitlines()) == 2
    assert called.err.startswith("left out: the model in ")


# -- check ----------------------------------------------------------------------------------------------------------


def test_check_has_a_line_for_each_check_and_counts_them(project: Path, call: CommandLine) -> None:
    only = [argument for name in ("hooks_are_annotated", "parameters_are_described") for argument in ("--only", name)]
    called = call("check", *only)
    assert called.exit_code == 0
    assert called.out.splitlines()[:2] == [
        "  passed            hooks_are_annotated",
        "  passed            parameters_are_described",
    ]
    assert called.out.splitlines()[-1].startswith("2 passed in ")


def test_a_check_that_fails_says_what_to_do_and_exits_with_1(project: Path, call: CommandLine) -> None:
    (project / "prices.py").write_text(RECIPE.replace(', description="How training goes."', ""))
    called = call("check", "--only", "parameters_are_described")
    assert called.exit_code == 1
    assert called.out.splitlines()[0] == "  failed            parameters_are_described"
    assert "mode" in called.out
    (outcome,) = call("check", "--only", "parameters_are_described", "--json").document
    assert (outcome["recipe"], outcome["status"]) == ("prices", "failed")


def test_a_failure_may_be_expected_for_a_reason(project: Path, call: CommandLine) -> None:
    (project / "prices.py").write_text(RECIPE.replace(', description="How training goes."', ""))
    only = ("--only", "parameters_are_described")
    called = call("check", *only, "--expect-failure", "parameters_are_described=it is a sketch")
    assert called.exit_code == 0
    assert "  expected failure  parameters_are_described\n                    it is a sketch\n" in called.out
    assert call("check", *only, "--expect-failure", "parameters_are_described").error == (
        "cannot read the expected failure 'parameters_are_described': write it as --expect-failure CHECK=REASON"
    )


def test_a_check_that_does_not_exist_is_named(project: Path, call: CommandLine) -> None:
    called = call("check", "--only", "hooks_are_anotated")
    assert called.exit_code == 2
    assert called.error == "there is no check 'hooks_are_anotated': did you mean 'hooks_are_annotated'?"


# -- doctor ---------------------------------------------------------------------------------------------------------


def test_doctor_finds_what_the_kit_needs_and_exits_with_0(project: Path, call: CommandLine) -> None:
    called = call("doctor", "--json")
    assert called.exit_code == 0
    findings = {finding["name"]: finding for finding in called.document}
    for name in ("recipe-kit", "Python", "pandas", "pyarrow", "pydantic", "disk of the runs"):
        assert (findings[name]["state"], findings[name]["required"]) == ("works", True)
    assert {"Java", "Docker", "uv", "scikit-learn", "pyspark", "disk of the cache", "terminal"} <= set(findings)
    rows = call("doctor").out.splitlines()
    assert [row[2 : 2 + len(name)] for row, name in zip(rows[1:], findings, strict=True)] == list(findings)


def test_doctor_says_how_to_get_what_is_missing(
    project: Path, call: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    found = diagnosis._version
    monkeypatch.setattr(diagnosis, "_version", lambda name: None if name == "cookiecutter" else found(name))
    called = call("doctor", "--json")
    assert called.exit_code == 0  # none of these is required
    findings = {finding["name"]: finding for finding in called.document}
    assert (findings["cookiecutter"]["state"], findings["cookiecutter"]["hint"]) == (
        "missing",
        "pip install 'recipe-kit[scaffold]'",
    )
    assert findings["Java"]["state"] == "missing"
    assert findings["Java"]["hint"].startswith("install Java 17")
    assert findings["Docker"]["state"] == "missing"


def test_doctor_exits_with_2_where_something_required_is_broken(
    project: Path, call: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = diagnosis._version
    monkeypatch.setattr(diagnosis, "_version", lambda name: None if name == "pandas" else found(name))
    called = call("doctor")
    assert called.exit_code == 2
    assert re.search(r"pandas +missing +is not installed → pip install 'pandas", called.out)


@pytest.mark.spark
def test_doctor_starts_spark_if_asked_to(project: Path) -> None:
    done = subprocess.run([*COMMAND, "doctor", "--deep", "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (spark,) = [finding for finding in json.loads(done.stdout) if finding["name"] == "Spark"]
    assert spark["state"] == "works"
    assert "first query after" in spark["detail"]


# -- new ------------------------------------------------------------------------------------------------------------


def test_new_makes_a_project_and_says_what_to_do_next(
    call: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    called = call("new", "Happy Talk", "--no-input", "-p", "licence=MIT")
    assert called.exit_code == 0, called.err
    assert called.out.splitlines() == [
        "made happy-talk",
        "",
        "next:",
        "  cd happy-talk",
        "  python -m venv .venv && . .venv/bin/activate",
        "  pip install -e '.[test]'",
        "  recipe-kit run",
        "  pytest",
    ]
    assert "MIT" in (tmp_path / "happy-talk" / "pyproject.toml").read_text()
    assert call("params", "happy-talk").exit_code == 0


def test_new_asks_what_it_is_not_told(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "new"],
        input="pyspark\nHappy Talk\n\n\n\n\n\n",
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "pyspark" in (tmp_path / "happy-talk" / "happy_talk" / "recipe.py").read_text()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["Foo", "--no-input", "-t", "pyspar"], "there is no template 'pyspar': there are: python, pyspark"),
        (["Foo", "--no-input", "-p", "licens=MIT"], "the template asks no question 'licens': did you mean 'licence'?"),
        (["Foo", "--no-input", "-p", "MIT"], "cannot read the answer 'MIT': write it as in -p licence=MIT"),
    ],
)
def test_new_says_what_cannot_be_and_makes_nothing(
    arguments: list[str], sentence: str, call: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    called = call("new", *arguments)
    assert (called.exit_code, called.error) == (2, sentence)
    assert not list(tmp_path.iterdir())


def test_new_does_not_wait_for_answers_that_cannot_come(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "new"], stdin=subprocess.DEVNULL, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith(
        "error: the questions cannot be asked, as the input has ended: give the answers with -p, and --no-input"
    )
    assert not list(tmp_path.iterdir())


def test_a_project_of_several_recipes_shows_the_one_that_is_named(project: Path, call: CommandLine) -> None:
    (project / "pyproject.toml").write_text(PYPROJECT + 'other = "prices:Prices"\n')
    assert call("params", "--recipe", "other").out.startswith("train (recipe other)\n")
