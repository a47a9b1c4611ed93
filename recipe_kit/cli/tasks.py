"""`recipe-kit run`, `train`, `evaluate` and `score`: what can be asked of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import typer

from recipe_kit.cli.options import (
    FullTracebackOption,
    InstanceOption,
    IsolatedOption,
    JsonOption,
    ModelOption,
    ParametersOption,
    ProcessesOption,
    ProjectArgument,
    RecipeOption,
    SeedOption,
    SparkMasterOption,
    SparkSettingsOption,
    SparkTuningOption,
    TimeoutOption,
    WorkFolderOption,
    examples,
)


@dataclass(frozen=True)
class Asked:
    """What the command line asked for, as it was written."""

    project: Path
    recipe: str | None = None
    instance: Path | None = None
    parameters: tuple[str, ...] = ()
    work_folder: Path | None = None
    model: Path | None = None
    isolated: bool = False
    processes: int = 1
    spark_master: str | None = None
    spark_settings: tuple[str, ...] = ()
    spark_tuning: bool = True
    timeout: float | None = None
    seed: int = 0
    json: bool = False
    full_traceback: bool = False


def run(
    project: ProjectArgument = Path(),
    recipe: RecipeOption = None,
    instance: InstanceOption = None,
    parameters: ParametersOption = None,
    work_folder: WorkFolderOption = None,
    isolated: IsolatedOption = False,
    processes: ProcessesOption = 1,
    spark_master: SparkMasterOption = None,
    spark_settings: SparkSettingsOption = None,
    no_spark_tuning: SparkTuningOption = False,
    timeout: TimeoutOption = None,
    seed: SeedOption = 0,
    json: JsonOption = False,
    full_traceback: FullTracebackOption = False,
) -> int:
    """Train a model, evaluate it, and score with it.

    With --json, stdout is an array of the two result documents, train's and score's.
    """
    from recipe_kit.cli.running import run_tasks

    asked = Asked(
        project=project,
        recipe=recipe,
        instance=instance,
        parameters=tuple(parameters or ()),
        work_folder=work_folder,
        isolated=isolated,
        processes=processes,
        spark_master=spark_master,
        spark_settings=tuple(spark_settings or ()),
        spark_tuning=not no_spark_tuning,
        timeout=timeout,
        seed=seed,
        json=json,
        full_traceback=full_traceback,
    )
    return run_tasks(("train", "score"), asked)


def train(
    project: ProjectArgument = Path(),
    recipe: RecipeOption = None,
    instance: InstanceOption = None,
    parameters: ParametersOption = None,
    work_folder: WorkFolderOption = None,
    isolated: IsolatedOption = False,
    spark_master: SparkMasterOption = None,
    spark_settings: SparkSettingsOption = None,
    no_spark_tuning: SparkTuningOption = False,
    timeout: TimeoutOption = None,
    seed: SeedOption = 0,
    json: JsonOption = False,
    full_traceback: FullTracebackOption = False,
) -> int:
    """Train a model, evaluate it on held-out rows, keep it.

    With --json, stdout is the result document.
    """
    from recipe_kit.cli.running import run_tasks

    asked = Asked(
        project=project,
        recipe=recipe,
        instance=instance,
        parameters=tuple(parameters or ()),
        work_folder=work_folder,
        isolated=isolated,
        spark_master=spark_master,
        spark_settings=tuple(spark_settings or ()),
        spark_tuning=not no_spark_tuning,
        timeout=timeout,
        seed=seed,
        json=json,
        full_traceback=full_traceback,
    )
    return run_tasks(("train",), asked)


def evaluate(
    project: ProjectArgument = Path(),
    recipe: RecipeOption = None,
    instance: InstanceOption = None,
    parameters: ParametersOption = None,
    work_folder: WorkFolderOption = None,
    model: ModelOption = None,
    isolated: IsolatedOption = False,
    spark_master: SparkMasterOption = None,
    spark_settings: SparkSettingsOption = None,
    no_spark_tuning: SparkTuningOption = False,
    timeout: TimeoutOption = None,
    seed: SeedOption = 0,
    json: JsonOption = False,
    full_traceback: FullTracebackOption = False,
) -> int:
    """Measure a trained model again, or on other data.

    It takes the parameters of train. On the data that the model was trained on, only the rows held out then count.
    With --json, stdout is the result document.
    """
    from recipe_kit.cli.running import run_tasks

    asked = Asked(
        project=project,
        recipe=recipe,
        instance=instance,
        parameters=tuple(parameters or ()),
        work_folder=work_folder,
        model=model,
        isolated=isolated,
        spark_master=spark_master,
        spark_settings=tuple(spark_settings or ()),
        spark_tuning=not no_spark_tuning,
        timeout=timeout,
        seed=seed,
        json=json,
        full_traceback=full_traceback,
    )
    return run_tasks(("evaluate",), asked)


def score(
    project: ProjectArgument = Path(),
    recipe: RecipeOption = None,
    instance: InstanceOption = None,
    parameters: ParametersOption = None,
    work_folder: WorkFolderOption = None,
    model: ModelOption = None,
    isolated: IsolatedOption = False,
    processes: ProcessesOption = 1,
    spark_master: SparkMasterOption = None,
    spark_settings: SparkSettingsOption = None,
    no_spark_tuning: SparkTuningOption = False,
    timeout: TimeoutOption = None,
    seed: SeedOption = 0,
    json: JsonOption = False,
    full_traceback: FullTracebackOption = False,
) -> int:
    """Score data with a trained model.

    With --json, stdout is the result document.
    """
    from recipe_kit.cli.running import run_tasks

    asked = Asked(
        project=project,
        recipe=recipe,
        instance=instance,
        parameters=tuple(parameters or ()),
        work_folder=work_folder,
        model=model,
        isolated=isolated,
        processes=processes,
        spark_master=spark_master,
        spark_settings=tuple(spark_settings or ()),
        spark_tuning=not no_spark_tuning,
        timeout=timeout,
        seed=seed,
        json=json,
        full_traceback=full_traceback,
    )
    return run_tasks(("score",), asked)


def add_to(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command(
        epilog=examples(
            "recipe-kit run",
            "recipe-kit run sample_recipe --recipe sentiment -p numFeatures=5000",
            "recipe-kit run sample_recipe --recipe sentiment-spark --spark-master 'local[2]'",
        )
    )(run)
    app.command(epilog=examples("recipe-kit train -p trainingDataLocation=reviews.csv -p maxIter=50"))(train)
    app.command(epilog=examples("recipe-kit evaluate -p trainingDataLocation=other_reviews.csv"))(evaluate)
    app.command(
        epilog=examples(
            "recipe-kit score -p scoringDataLocation=new.csv -p scoringResultsLocation=scores.csv",
            "recipe-kit score --model .recipe-kit/runs/20250101T120000-sentiment-train --processes 2",
        )
    )(score)
