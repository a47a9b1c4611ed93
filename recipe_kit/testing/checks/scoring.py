"""Checks of scoring: which rows come back, and what the scores may depend on."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from recipe_kit.context import seed_generators
from recipe_kit.testing.checks.registry import (
    ON_PANDAS,
    SCORES_IN_BATCHES,
    SCORES_PER_ROW,
    check,
)
from recipe_kit.testing.checks.training import TOLERANCE
from recipe_kit.testing.findings import Finding, NotApplicableError
from recipe_kit.testing.subject import Subject
from recipe_kit.testing.tables import differences

if TYPE_CHECKING:
    import pandas as pd

EXTRA_COLUMN = "a_column_that_came_later"
BATCH_SIZES = (1, 7, 50)
ROWS_IN_BATCHES = 50
"""Rows that are scored in batches of one; each batch is a call."""


@check(
    remedy="return the rows as they came: no sorting, no dropping; or declare `scores_per_row = False`",
    applies_to=SCORES_PER_ROW,
)
def one_score_per_row(subject: Subject) -> None:
    """`score` returns one row per row of its input, in the same order.

    Who scores a table joins the scores to it by position; a row that is dropped, or two that change places, gives one
    customer the score of another.
    """
    rows, scores = subject.scoring_rows, subject.scores
    if len(scores) != len(rows):
        raise Finding(f"`score` returned {len(scores)} rows for {len(rows)}")
    # The order shows when the input comes in another one: scores that keep to their rows follow it.
    order = [*range(1, len(rows), 2), *range(0, len(rows), 2)][::-1]
    moved = subject.score(rows.iloc[order].reset_index(drop=True))
    changes = differences(moved, scores.iloc[order], tolerance=TOLERANCE)
    if changes:
        raise Finding(f"scores do not follow their rows when these come in another order: {changes[0]}")


@check(remedy="choose columns by name, never by position, and in the order of the training")
def column_order_does_not_matter(subject: Subject) -> None:
    """Data whose columns come in another order get the same scores.

    The order of columns is nobody's promise: a query, a join or another tool changes it, and a model that goes by
    position then takes the age for the income without any error.
    """
    if len(subject.scoring_rows.columns) < 2:
        raise NotApplicableError("the scoring sample has a single column")
    _require_same_scores(subject, subject.scoring_rows.iloc[:, ::-1], "with its columns in reverse order")


@check(remedy="take the columns that the model was trained on, and no others: `data[model.feature_names_in_]`")
def extra_columns_do_not_matter(subject: Subject) -> None:
    """Data with one column more get the same scores.

    Tables grow: an identifier, a comment, a column of tomorrow. A recipe that takes all there is breaks on the day on
    which somebody adds one.
    """
    rows = subject.scoring_rows
    texts = [f"extra {row % 3}" for row in range(len(rows))]
    _require_same_scores(subject, rows.assign(**{EXTRA_COLUMN: texts}), "with one column more")


@check(remedy="work on a copy: `data = data.assign(...)`, or `data.copy()` first", applies_to=ON_PANDAS)
def scoring_leaves_its_input_alone(subject: Subject) -> None:
    """`score` changes neither the data nor the parameters that it is given.

    The caller goes on with the same table, and the kit hands `score` pieces of tables that it goes on reading.
    """
    _ = subject.scores
    rows, parameters = subject.scoring_rows.copy(deep=True), subject.parameters("score")
    parameters_before = copy.deepcopy(parameters)
    seed_generators(0)
    subject.new_recipe(task="score").score(subject.model, rows, parameters)
    changes = differences(rows, subject.scoring_rows, check_column_order=True, check_types=True, tolerance=0.0)
    if changes:
        raise Finding(f"`score` changed the data that it was given: {changes[0]}")
    if parameters != parameters_before:
        changed = [name for name, value in parameters_before if getattr(parameters, name) != value]
        raise Finding(f"`score` changed the parameters that it was given: {', '.join(changed)}")


@check(
    remedy="let each row's score depend on this row and the model alone, or declare `score_in_batches = False`",
    applies_to=SCORES_IN_BATCHES,
)
def batches_of_any_size_give_the_same_scores(subject: Subject) -> None:
    """Rows that are scored one, seven or fifty at a time get the scores that they get all at once.

    A recipe that declares `score_in_batches` is handed whatever piece of a file is convenient, in whichever process;
    a mean, a rank or a category taken from the batch makes the scores depend on that.
    """
    import pandas as pd

    rows = subject.scoring_rows.head(ROWS_IN_BATCHES)
    expected = subject.scores.head(len(rows))
    for size in BATCH_SIZES:
        pieces = [subject.score(rows.iloc[start : start + size]) for start in range(0, len(rows), size)]
        changes = differences(pd.concat(pieces, ignore_index=True), expected, tolerance=TOLERANCE)
        if changes:
            raise Finding(f"scored {size} at a time, rows get other scores than all at once: {changes[0]}")


def _require_same_scores(subject: Subject, rows: pd.DataFrame, how: str) -> None:
    expected = subject.scores
    try:
        scores = subject.score(rows)
    except Exception as error:
        from recipe_kit.testing.findings import describe_error

        problem = describe_error(error, subject.project.source_folder)
        raise Finding(f"the sample {how} cannot be scored: {problem}") from error
    # Columns of the data may be passed through to the scores; the scores proper are what must not change.
    shared = [column for column in expected.columns if column in scores.columns]
    lost = [str(column) for column in expected.columns if column not in scores.columns]
    if lost:
        raise Finding(f"the sample {how} is scored without the columns {', '.join(lost)}")
    changes = differences(scores[shared], expected, tolerance=TOLERANCE)
    if changes:
        raise Finding(f"the sample {how} gets other scores: {changes[0]}")
