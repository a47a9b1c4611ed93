"""The two documents that every way of running a recipe shares: what to do, and what came of it.

Both are JSON with keys in camelCase and carry a version, so that a container built last year can be told what it needs
to hear. Their JSON schemas are published in ``docs/reference``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, ValidationError
from pydantic.alias_generators import to_camel

from recipe_kit.errors import TaskDocumentError
from recipe_kit.parameters import Layer
from recipe_kit.recipe import TaskName

TASK_FILE = "task.json"
RESULT_FILE = "result.json"
MODEL_FOLDER = "model"


def _number_or_text(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


# JSON knows no infinity and no NaN; as text, `float` reads them back.
_Metric = Annotated[float, PlainSerializer(_number_or_text, when_used="json")]


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    def to_json(self) -> str:
        """Return the document as JSON text, ready for a file."""
        return self.model_dump_json(by_alias=True, indent=2) + "\n"


class RecipeReference(_Document):
    """Which recipe, and where its code is."""

    name: str
    entry: str = Field(description="Module and class, as in `sentiment.recipe:Sentiment`.")
    version: str = Field(default="0", description="Version of the project that the recipe is from.")
    source_folder: Path | None = Field(
        default=None, description="What goes on sys.path; nothing where the recipe is installed, as in an image."
    )


class SparkRequest(_Document):
    """Where and how Spark is to run."""

    master: str | None = Field(default=None, description="Master URL; by default SPARK_REMOTE, or else `local[*]`.")
    settings: dict[str, str] = Field(default_factory=dict, description="Spark's own settings; they win over the kit's.")
    tuned: bool = Field(default=True, description="Whether the kit may make small local work quick.")


class TaskDocument(_Document):
    """One task of a recipe: everything that `run_task` needs to know."""

    version: Literal[1] = 1
    id: str
    task: TaskName
    recipe: RecipeReference
    followed_by: tuple[TaskName, ...] = Field(
        default=(),
        description="Tasks that are to run after it: a bad value of theirs stops this one too.",
    )
    layers: tuple[Layer, ...] = Field(
        default=(), description="Parameters in layers, the weakest first. Secrets are left out of documents on disk."
    )
    data_folder: Path = Field(default=Path(), description="Where relative input locations start.")
    model: Path | None = Field(default=None, description="Folder of the trained model; `score` and `evaluate` need it.")
    seed: int = Field(default=0, ge=0)
    scheduled_time: datetime | None = Field(default=None, description="When a scheduled run was due.")
    time_limit: float | None = Field(default=None, gt=0, description="Seconds after which the task is ended.")
    processes: int = Field(default=1, ge=1, description="Processes that score batches.")
    spark: SparkRequest | None = Field(default=None, description="Present where the task is to run on Spark.")


class State(StrEnum):
    """How a task ended, in the API's words."""

    DONE = "DONE"
    FAILED = "FAILED"
    ABORTED = "ABORTED"


class Phase(_Document):
    """One step of a task."""

    name: str
    seconds: float
    rows: int | None = Field(default=None, description="Rows that the step took or made.")


class Output(_Document):
    """A table that the task wrote."""

    location: str
    rows: int


class ModelReference(_Document):
    """A trained model that the task made or used."""

    id: str
    folder: Path


class Failure(_Document):
    """Why a task did not end well."""

    type: str = Field(description="Class of the error.")
    message: str = Field(description="One sentence: what, which, why.")
    hint: str | None = Field(default=None, description="What to do about it.")
    phase: str | None = Field(default=None, description="The step in which it happened.")
    exit_code: int = Field(default=1, description="1: the recipe failed; 2: the user's input was wrong.")
    traceback: str | None = Field(default=None, description="From the author's first own frame on.")
    full_traceback: str | None = None

    @property
    def sentence(self) -> str:
        """The message and, after a colon, the hint."""
        return f"{self.message}: {self.hint}" if self.hint else self.message


class ResultDocument(_Document):
    """What came of a task."""

    version: Literal[1] = 1
    id: str
    task: TaskName
    recipe: RecipeReference
    state: State
    started: datetime
    ended: datetime
    seconds: float
    seed: int = 0
    phases: tuple[Phase, ...] = ()
    rows_read: int = 0
    rows_written: int = 0
    metrics: dict[str, _Metric] = Field(default_factory=dict)
    model: ModelReference | None = None
    outputs: tuple[Output, ...] = ()
    failure: Failure | None = None
    versions: dict[str, str] = Field(default_factory=dict, description="Of Python, the kit and what the recipe used.")

    @property
    def exit_code(self) -> int:
        """What a command that ran the task exits with: 0 done, 1 the recipe failed, 2 the input was wrong."""
        if self.state is State.DONE:
            return 0
        if self.state is State.ABORTED:
            return 130
        return self.failure.exit_code if self.failure else 1


_Parsed = TypeVar("_Parsed", bound=_Document)


def parse_task(text: str, source: str) -> TaskDocument:
    """Return the task document in `text`, which came from `source`.

    Raises:
        TaskDocumentError: The text is not JSON, or not a task document of a version that this kit knows.
    """
    return _parse(TaskDocument, text, source, "task document")


def read_result(folder: Path) -> ResultDocument:
    """Return the result document in a run's folder.

    Raises:
        TaskDocumentError: There is none, or it is damaged.
    """
    file = folder / RESULT_FILE
    try:
        text = file.read_text(encoding="utf-8")
    except OSError:
        raise TaskDocumentError(f"{folder} has no result document", hint="the task did not run to its end") from None
    return _parse(ResultDocument, text, str(file), "result document")


def _parse(kind: type[_Parsed], text: str, source: str, name: str) -> _Parsed:
    try:
        document: Any = json.loads(text)
    except json.JSONDecodeError as error:
        raise TaskDocumentError(
            f"{name} {source} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from None
    if isinstance(document, Mapping) and document.get("version", 1) != 1:
        raise TaskDocumentError(
            f"{name} {source} is of version {document['version']}, and this recipe_kit knows version 1",
            hint="use the recipe_kit that wrote it",
        )
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        problem = first["msg"][:1].lower() + first["msg"][1:]
        raise TaskDocumentError(f"{name} {source} is wrong at {place or 'its top'}: {problem}") from None
