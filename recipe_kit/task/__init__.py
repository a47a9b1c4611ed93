"""One way to execute: a task document goes in, a result document comes out."""

from __future__ import annotations

from recipe_kit.task.documents import (
    MODEL_FOLDER,
    RESULT_FILE,
    TASK_FILE,
    Failure,
    ModelReference,
    Output,
    Phase,
    RecipeReference,
    ResultDocument,
    SparkRequest,
    State,
    TaskDocument,
    parse_task,
    read_result,
)
from recipe_kit.task.layers import SECRETS_VARIABLE
from recipe_kit.task.observing import Observer, Reporter, Silent, replay
from recipe_kit.task.running import run_task

__all__ = [
    "MODEL_FOLDER",
    "RESULT_FILE",
    "SECRETS_VARIABLE",
    "TASK_FILE",
    "Failure",
    "ModelReference",
    "Observer",
    "Output",
    "Phase",
    "RecipeReference",
    "Reporter",
    "ResultDocument",
    "Silent",
    "SparkRequest",
    "State",
    "TaskDocument",
    "parse_task",
    "read_result",
    "replay",
    "run_task",
]
