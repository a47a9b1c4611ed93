"""Scoring a table of any size in little memory: batch after batch, in this process or in several."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipe_kit import default_hooks
from recipe_kit.context import TableRead, TableWritten
from recipe_kit.data import (
    Block,
    Schema,
    TableWriter,
    infer_schema,
    no_log,
    plan_blocks,
    read_block,
    resolve_location,
    table_to_pandas,
)
from recipe_kit.data.locations import CSV
from recipe_kit.data.parts import in_order
from recipe_kit.scoring.batches import BATCH_BYTES, Piece, Scorer, Settled, Unsettled, common_dtype, frame_of
from recipe_kit.scoring.processes import Origin, score_in_processes

if TYPE_CHECKING:
    import pandas as pd

    from recipe_kit.models import StoredModel
    from recipe_kit.parameters import ScoreParameters
    from recipe_kit.recipe import Recipe

Progress = Callable[[int, int | None], None]
"""Is told how many rows are done, and of how many, where that is known."""

_READERS = max(1, min(4, os.cpu_count() or 1))


def score_in_batches(
    recipe: Recipe,
    model: Any,
    stored: StoredModel,
    parameters: ScoreParameters,
    *,
    recipe_entry: str,
    source_folder: Path | None,
    processes: int = 1,
    progress: Progress = lambda rows, total: None,
    block_bytes: int = BATCH_BYTES,
) -> int:
    """Score the table at `parameters.scoring_data_location`, write the scores, and return how many rows there are.

    Memory does not grow with the table. Rows stay in order, and how the table is cut changes nothing: each batch has
    the dtypes that the whole table would have, and each row of scores the types that all together have.

    Args:
        recipe: The recipe, with its context.
        model: The model, restored.
        stored: Where the model is kept, for other processes to restore it.
        parameters: Of the task; they name both locations.
        recipe_entry: How other processes import the recipe.
        source_folder: Where they import it from.
        processes: How many processes score, this one included; alone it reads and writes in threads.
        progress: Is told of the rows done.
        block_bytes: About how many bytes of a CSV or JSON-lines file make a batch.

    Raises:
        DataError: The table cannot be read.
        OutputError: The scores cannot be written; like after every other error, none are left.
        RecipeDefinitionError: `score` does not return one row per row, or not the same columns for every batch.
    """
    context = recipe.context
    place = resolve_location(parameters.scoring_data_location, context.data_folder)
    results = resolve_location(parameters.scoring_results_location, context.folder)
    types = infer_schema(
        place,
        schema=default_hooks.expected_schema(context, recipe.scoring_columns),
        required=tuple(recipe.scoring_columns),
        log=context.record.note,
    )
    writer = TableWriter(results, log=context.record.note)
    scorer = Scorer(recipe, model, parameters, writer.delimiter if writer.format == CSV else None)
    origin = Origin(recipe_entry, source_folder, stored.folder_of_files)
    settled = Settled(types)
    while True:
        pieces = _pieces(scorer, origin, plan_blocks(place, block_bytes=block_bytes), settled, processes)
        try:
            with writer, closing(pieces):
                for piece in pieces:
                    write_piece(piece, writer)
                    progress(writer.rows, None)
            break
        except Unsettled as found:
            context.record.note(f"score: {found.reason}: scoring begins again, with what fits all rows")
            settled = survey(plan_blocks(place, block_bytes=block_bytes), found.settled)
            writer = TableWriter(results, log=no_log)
    context.record.read.append(TableRead(place.target, writer.rows, Schema.from_arrow(types)))
    context.record.written.append(TableWritten(results.target, writer.rows))
    return writer.rows


def _pieces(
    scorer: Scorer, origin: Origin, blocks: Iterator[Block], settled: Settled, processes: int
) -> Generator[Piece, None, None]:
    """The scores in order, batch by batch."""
    if settled.scores is None:
        settled, scores = scorer.settle(read_block(next(blocks), settled.types), settled)
        yield scorer.piece(scores, first=True)
    else:
        yield scorer.score_block(next(blocks), settled, first=True)
    if processes > 1:
        yield from score_in_processes(scorer, origin, blocks, settled, processes)
    else:
        yield from _score_here(scorer, blocks, settled)


def _score_here(scorer: Scorer, blocks: Iterator[Block], settled: Settled) -> Generator[Piece, None, None]:
    """While this thread scores a batch, others read the next ones and make text of the last."""

    def frame(block: Block) -> pd.DataFrame:
        return frame_of(read_block(block, settled.types), settled)

    def piece(scores: pd.DataFrame) -> Piece:
        return scorer.piece(scorer.table(scores, settled))

    # Only this thread calls the recipe, whose code need not be safe in several.
    frames = in_order(frame, blocks, workers=_READERS)
    yield from in_order(piece, map(scorer.scores, frames), workers=1)


def survey(blocks: Iterator[Block], settled: Settled) -> Settled:
    """Return `settled` with dtypes that fit every row of the table, which is read but not scored for it."""

    def dtypes(block: Block) -> Mapping[str, Any]:
        frame = table_to_pandas(read_block(block, settled.types))
        return dict(zip(frame.columns, frame.dtypes, strict=True))

    found = dict(settled.dtypes)
    for of_block in in_order(dtypes, blocks, workers=_READERS):
        found.update({name: common_dtype(found[name], dtype) for name, dtype in of_block.items()})
    return replace(settled, dtypes=found)


def write_piece(piece: Piece, writer: TableWriter) -> None:
    """Write the scores of a batch."""
    if isinstance(piece.content, bytes):
        writer.write_formatted(piece.content, piece.rows)
    else:
        writer.write(piece.content)
