"""Scoring on Spark: the recipe and its model go to the executors, and each scores a share of the table.

Tables are read and written by the kit's own code there as well, so types, order and errors are those of the other ways.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from recipe_kit import default_hooks
from recipe_kit.context import TableRead, TableWritten
from recipe_kit.data import (
    Block,
    Location,
    Log,
    Schema,
    TableWriter,
    files_of,
    infer_schema,
    no_log,
    plan_blocks,
    read_block,
    resolve_location,
)
from recipe_kit.data.locations import CSV, PARQUET
from recipe_kit.errors import DataError
from recipe_kit.scoring.batches import BATCH_BYTES, Belongings, Piece, Scorer, Settled, Unsettled
from recipe_kit.scoring.elsewhere import raise_here, told_in
from recipe_kit.scoring.executors import PIECE_COLUMNS, Job, ModelPlace, score_blocks, score_rows, shipped
from recipe_kit.scoring.streaming import survey, write_piece
from recipe_kit.spark import in_one_sentence, read_spark_table, write_spark_table
from recipe_kit.spark.tables import SMALL_TABLE_BYTES, as_spark_has_it, struct_of

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

    from recipe_kit.models import StoredModel
    from recipe_kit.parameters import ScoreParameters
    from recipe_kit.recipe import Recipe

Result = TypeVar("Result")

_BLOCKS_PER_TASK = 16
_ROWS_OF_FIRST_BATCH = 1_000


def score_on_spark(
    recipe: Recipe,
    model: Any,
    stored: StoredModel,
    parameters: ScoreParameters,
    *,
    session: SparkSession,
    block_bytes: int = BATCH_BYTES,
) -> int:
    """Score the table at `parameters.scoring_data_location` on Spark, write the scores, return how many rows there are.

    The executors need Python, the kit's dependencies and what the recipe imports; its own code, the kit and the model
    are sent to them. They read the table themselves, except a small one, which is sent to them as well.

    Args:
        recipe: The recipe, with its context.
        model: The model, restored; it scores a first batch here, to find the columns of the scores.
        stored: Where the model is kept, for the executors to restore it.
        parameters: Of the task; they name both locations.
        session: The Spark session, which has been given the recipe's source folder.
        block_bytes: About how many bytes of a CSV or JSON-lines file make a batch.

    Raises:
        DataError: The table cannot be read.
        OutputError: The scores cannot be written; like after every other error, none are left.
        RecipeDefinitionError: `score` does not return one row per row, or not the same columns for every batch.
        RecipeFailedError: The recipe raised on an executor.
    """
    context = recipe.context
    place = resolve_location(parameters.scoring_data_location, context.data_folder)
    results = resolve_location(parameters.scoring_results_location, context.folder)
    with shipped(session, stored) as model_place:
        run = _Run(recipe, model, parameters, session, model_place, place, results)
        blocks = _blocks(place, results, block_bytes)
        rows, types = run.over_blocks(blocks) if blocks else run.over_rows()
    context.record.read.append(TableRead(place.target, rows, Schema.from_arrow(types)))
    context.record.written.append(TableWritten(results.target, rows))
    return rows


def _blocks(place: Location, results: Location, block_bytes: int) -> Sequence[Block] | None:
    """The blocks of a table that executors can be sent; `None` where Spark must move rows instead.

    That is: for what only Spark can open, for Parquet, for large files that cannot be entered anywhere, and for folders
    of scores, which executors' partitions become.
    """
    if results.text.endswith("/"):
        return None
    try:
        files = files_of(place)
    except (DataError, OSError):
        return None
    if files[0].format == PARQUET:
        return None
    small = sum(file.size * (5 if file.compression else 1) for file in files) <= SMALL_TABLE_BYTES
    if small:
        return [
            block if block.data is not None else replace(block, data=block.read())
            for block in plan_blocks(place, block_bytes=block_bytes)
        ]
    if any(file.path is None or file.compression for file in files):
        return None
    return list(plan_blocks(place, block_bytes=block_bytes))


@dataclass(frozen=True)
class _Run:
    """The scoring of one table."""

    recipe: Recipe
    model: Any
    parameters: ScoreParameters
    session: SparkSession
    model_place: ModelPlace
    place: Location
    results: Location

    def over_blocks(self, blocks: Sequence[Block]) -> tuple[int, pa.Schema]:
        """Return how many rows were scored, and their types; executors read blocks and give back text."""
        types = infer_schema(self.place, schema=self._schema, required=self._required, log=self._note)
        writer = TableWriter(self.results, log=self._note)
        delimiter = writer.delimiter if writer.format == CSV else None
        scorer = Scorer(self.recipe, self.model, self.parameters, delimiter)
        settled = Settled(types)
        while True:
            if settled.scores is None:
                settled, _ = scorer.settle(read_block(blocks[0], types), settled)
            job = self._job(settled, delimiter)
            pieces = _pieces(self._pieces_frame(job, blocks), self.model_place.run, as_text=delimiter is not None)
            try:
                with writer, closing(pieces):
                    if delimiter is not None:
                        write_piece(scorer.piece(settled.no_scores(), first=True), writer)
                    for piece in pieces:
                        write_piece(piece, writer)
                return writer.rows, types
            except Unsettled as found:
                self._begin_again(found)
                settled, writer = survey(iter(blocks), found.settled), TableWriter(self.results, log=no_log)

    def over_rows(self) -> tuple[int, pa.Schema]:
        """Return how many rows were scored, and their types; Spark reads, moves and gathers rows."""
        frame = read_spark_table(self.session, self.place, schema=self._schema, required=self._required, log=self._note)
        first = _told(frame.limit(_ROWS_OF_FIRST_BATCH).toArrow, self.model_place.run)
        scorer = Scorer(self.recipe, self.model, self.parameters)
        settled, log = Settled(first.schema), self._note
        while True:
            if settled.scores is None:
                settled, _ = scorer.settle(first, settled)
            columns = struct_of(as_spark_has_it(settled.no_scores()).schema)
            scores = frame.mapInArrow(partial(score_rows, self._job(settled, None)), columns)
            try:
                write = partial(write_spark_table, scores, self.results, log=log)
                return _told(write, self.model_place.run), first.schema
            except Unsettled as found:
                self._begin_again(found)
                settled, log = _survey(frame, found.settled, self.model_place.run), no_log

    @property
    def _schema(self) -> Schema:
        return default_hooks.expected_schema(self.recipe.context, self.recipe.scoring_columns)

    @property
    def _required(self) -> tuple[str, ...]:
        return tuple(self.recipe.scoring_columns)

    @property
    def _note(self) -> Log:
        return self.recipe.context.record.note

    def _job(self, settled: Settled, delimiter: str | None) -> Job:
        belongings = Belongings.of(self.recipe.context, self.parameters)
        return Job(type(self.recipe), belongings, self.model_place, settled, delimiter)

    def _begin_again(self, found: Unsettled) -> None:
        self._note(f"score: {found.reason}: scoring begins again, with what fits all rows")

    def _pieces_frame(self, job: Job, blocks: Sequence[Block]) -> DataFrame:
        if blocks[0].data is None:
            tasks = -(-len(blocks) // _BLOCKS_PER_TASK)
            numbers = self.session.range(0, len(blocks), 1, tasks)
            return numbers.mapInArrow(partial(score_blocks, job, blocks), PIECE_COLUMNS)
        import pyarrow as pa

        packed = pa.table({"block": pa.array([pickle.dumps(block) for block in blocks], pa.binary())})
        return self.session.createDataFrame(packed, "block binary").mapInArrow(
            partial(score_blocks, job, None), PIECE_COLUMNS
        )


def _pieces(frame: DataFrame, run: str, *, as_text: bool) -> Generator[Piece, None, None]:
    """The pieces of output, in order: computed by all executors at once, fetched one after the other."""
    import pyarrow as pa
    from pyspark import StorageLevel

    frame = frame.persist(StorageLevel.DISK_ONLY)
    try:
        _told(frame.count, run)
        for row in frame.toLocalIterator(prefetchPartitions=True):
            content = bytes(row.content)
            yield Piece(row.rows, content if as_text else pa.ipc.open_stream(content).read_all())
    finally:
        frame.unpersist()


def _told(work: Callable[[], Result], run: str) -> Result:
    """Return what `work` returns; an error that was told on an executor is raised here as what it was there."""
    try:
        return work()
    except Exception as error:
        told = told_in(str(error), run) or (in_one_sentence(error), None)
        if told[0] is None:
            raise
        raise_here(*told)
        raise


def _survey(frame: DataFrame, settled: Settled, run: str) -> Settled:
    """Return `settled` with dtypes that fit the missing values of all rows, which are read but not scored for it."""
    import numpy as np
    from pyspark.sql import functions

    numbers = {name: dtype for name, dtype in settled.dtypes.items() if getattr(dtype, "kind", "O") in "iub"}
    if not numbers:
        return settled
    names = [f"`{name.replace('`', '``')}`" for name in numbers]
    (missing,) = _told(frame.select([functions.max(functions.col(name).isNull()) for name in names]).collect, run)
    with_missing = {
        name: np.dtype(object) if dtype.kind == "b" else np.dtype(float)
        for (name, dtype), found in zip(numbers.items(), missing, strict=True)
        if found
    }
    return replace(settled, dtypes={**settled.dtypes, **with_missing})
