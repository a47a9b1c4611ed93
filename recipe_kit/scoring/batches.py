"""What happens to one batch, wherever it happens: rows to a frame, the frame to scores, the scores to output.

A batch must not look different from the whole table. What a column looks like can depend on rows that a batch does not
have (integers are `float64` in a frame once a single one is missing), so it is settled once for all batches. That is
done in hope: the first batch settles it, and a later one that does not fit is `Unsettled`; the caller then looks at the
whole table and begins again. Tables without such surprises, nearly all, are read once.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipe_kit.context import Context, logger_to, seed_generators
from recipe_kit.data import Block, format_block, frame_to_table, read_block, table_to_pandas
from recipe_kit.errors import RecipeDefinitionError
from recipe_kit.recipe import Recipe, place_of_hook

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from recipe_kit.parameters import ScoreParameters


BATCH_BYTES = 2 << 20
"""About how many bytes of a CSV or JSON-lines file make a batch: some ten thousand rows, which fit into a cache."""

_UNITS = ("ns", "us", "ms", "s")


@dataclass(frozen=True)
class Settled:
    """What is the same for all batches of a table."""

    types: pa.Schema
    """The columns and types that rows are read with."""
    dtypes: Mapping[str, Any] = field(default_factory=dict)
    """The dtype of each column of a batch's frame; empty before the first batch."""
    scores: pa.Schema | None = None
    """The columns and types of the scores; unknown before the first batch."""

    def no_scores(self) -> pa.Table:
        """Return a table of scores without rows."""
        import pyarrow as pa

        return (self.scores or pa.schema([])).empty_table()


class Unsettled(Exception):
    """A batch does not fit what was settled by the batches before it; `settled` fits both."""

    def __init__(self, reason: str, settled: Settled) -> None:
        super().__init__(reason, settled)
        self.reason = reason
        self.settled = settled


@dataclass(frozen=True)
class Piece:
    """The scores of a batch, ready to be written: text of a CSV file, or a table for other formats."""

    rows: int
    content: bytes | pa.Table


@dataclass(frozen=True)
class Scorer:
    """A recipe with its model, applied to batches."""

    recipe: Recipe
    model: Any
    parameters: ScoreParameters
    delimiter: str | None = None
    """What separates the fields of the CSV file that scores are written to; `None` for other formats."""

    def settle(self, table: pa.Table, settled: Settled) -> tuple[Settled, pa.Table]:
        """Return what the first batch settles for all others, as far as it is not, and its scores."""
        frame = frame_of(table, settled)
        dtypes = dict(zip(frame.columns, frame.dtypes, strict=True))
        scores = frame_to_table(self.scores(frame))
        return replace(settled, dtypes=dtypes, scores=scores.schema), scores

    def scores(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return what the recipe's `score` says of a batch.

        Raises:
            RecipeDefinitionError: It is no data frame, or has not one row per row of the batch.
        """
        import pandas as pd

        rows = len(frame)
        scores = self.recipe.score(self.model, frame, self.parameters)
        if not isinstance(scores, pd.DataFrame):
            raise RecipeDefinitionError(
                f"{self._hook} returned {type(scores).__name__}, which is no table", hint="return a data frame"
            )
        if len(scores) != rows:
            raise RecipeDefinitionError(
                f"{self._hook} returned {len(scores)} rows for a batch of {rows}",
                hint="a recipe with score_in_batches = True returns one row per input row, in the same order",
            )
        return scores

    def table(self, scores: pd.DataFrame, settled: Settled) -> pa.Table:
        """Return a batch's scores with the settled columns and types.

        Raises:
            RecipeDefinitionError: They have other columns than another batch, or types with nothing in common.
            Unsettled: Their values need other types.
        """
        table = frame_to_table(scores)
        if settled.scores is None or table.schema.equals(settled.scores):
            return table
        if table.column_names != settled.scores.names:
            raise RecipeDefinitionError(
                f"{self._hook} returned the columns {', '.join(settled.scores.names)} for a batch and"
                f" {', '.join(table.column_names)} for another",
                hint="return the same columns for every batch",
            )
        common = self._common_schema(settled.scores, table.schema)
        if not common.equals(settled.scores):
            old, new = next(pair for pair in zip(settled.scores, common, strict=True) if pair[0] != pair[1])
            raise Unsettled(
                f"score '{old.name}' is {new.type} from a later batch on, {old.type} before",
                replace(settled, scores=common),
            )
        return table.cast(common, safe=False)

    def piece(self, table: pa.Table, *, first: bool = False) -> Piece:
        """Return a batch's scores as the writer takes them; the first piece of a CSV file has the header."""
        if self.delimiter is None:
            return Piece(table.num_rows, table)
        return Piece(table.num_rows, format_block(table, header=first, delimiter=self.delimiter))

    def score_block(self, block: Block, settled: Settled, *, first: bool = False) -> Piece:
        """Return the scores of a block, from its bytes to those of the output."""
        frame = frame_of(read_block(block, settled.types), settled)
        return self.piece(self.table(self.scores(frame), settled), first=first)

    @property
    def _hook(self) -> str:
        recipe_class = type(self.recipe)
        return f"hook 'score' of recipe {recipe_class.__qualname__} ({place_of_hook(recipe_class, 'score')})"

    def _common_schema(self, one: pa.Schema, other: pa.Schema) -> pa.Schema:
        import pyarrow as pa

        fields = []
        for old, new in zip(one, other, strict=True):
            try:
                common = pa.unify_schemas([pa.schema([old]), pa.schema([new])], promote_options="permissive")
            except (pa.ArrowInvalid, pa.ArrowTypeError):
                raise RecipeDefinitionError(
                    f"{self._hook} returned '{old.name}' as {old.type} for a batch and as {new.type} for another",
                    hint="give the column one type, as with .astype(str)",
                ) from None
            fields.append(common.field(0))
        return pa.schema(fields)


@dataclass(frozen=True)
class Belongings:
    """What a recipe needs of a run to score in another process: the parameters, and what can be sent of its context."""

    parameters: ScoreParameters
    context: Mapping[str, Any]

    @classmethod
    def of(cls, context: Context, parameters: ScoreParameters) -> Belongings:
        """Return them without the logger, the record and the Spark session, which are of this process."""
        names = ("folder", "data_folder", "seed", "scheduled_time", "known_schema")
        return cls(parameters, {name: getattr(context, name) for name in names} | {"platform": dict(context.platform)})

    def scorer(self, recipe_class: type[Recipe], model_folder: Path, delimiter: str | None = None) -> Scorer:
        """Return the recipe in this process, its model restored from `model_folder`; what it logs goes to `stderr`."""
        recipe = recipe_class()
        recipe.context = Context(logger=logger_to(sys.stderr), **self.context)
        seed_generators(recipe.context.seed)
        return Scorer(recipe, recipe.load_model(model_folder), self.parameters, delimiter)


def frame_of(table: pa.Table, settled: Settled) -> pd.DataFrame:
    """Return a batch's rows as a frame with the settled dtypes.

    Raises:
        Unsettled: Its values need other dtypes.
    """
    frame = table_to_pandas(table)
    found = dict(zip(frame.columns, frame.dtypes, strict=True))
    common = {name: common_dtype(dtype, found[name]) for name, dtype in settled.dtypes.items() if found[name] != dtype}
    wider = {name: dtype for name, dtype in common.items() if dtype != settled.dtypes[name]}
    if wider:
        name = next(iter(wider))
        raise Unsettled(
            f"column '{name}' is {found[name]} from a later batch on, {settled.dtypes[name]} before",
            # What the scores are follows from what the columns are.
            replace(settled, dtypes={**settled.dtypes, **wider}, scores=None),
        )
    for name, dtype in common.items():
        frame[name] = frame[name].astype(dtype)
    return frame


def common_dtype(one: Any, other: Any) -> Any:
    """Return the dtype of a column of which two parts, each by itself, have the dtypes `one` and `other`."""
    import numpy as np

    if one == other:
        return one
    kinds = {getattr(one, "kind", "O"), getattr(other, "kind", "O")}
    if kinds <= {"i", "u", "f"}:
        return np.result_type(one, other)
    if kinds == {"M"}:
        # Where one date does not fit into nanoseconds, all are kept in a coarser unit.
        return max(one, other, key=lambda dtype: _UNITS.index(np.datetime_data(dtype)[0]))
    return np.dtype(object)
