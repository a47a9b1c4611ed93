"""Checks of data at the edges: none, a single row, nulls, values never seen.

Each asks for a result or a *named error*; `recipe_kit.testing.findings.is_named_error` says what that is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from recipe_kit.context import seed_generators
from recipe_kit.recipe import Recipe
from recipe_kit.testing.checks.registry import check
from recipe_kit.testing.findings import Finding, NotApplicableError, describe_error, is_named_error
from recipe_kit.testing.subject import Subject

if TYPE_CHECKING:
    import pandas as pd

NEVER_SEEN = "a value that no training data has"
COLUMNS_TRIED = 20
"""Columns that get nulls one by one; wider tables get them in the first columns only."""
ROWS_TRAINED = 2000
_SAY_SO = "raise ValueError(\"column 'age' has nulls, which this model cannot score\")"


@check(remedy="return an empty data frame with the columns of the scores, or refuse it with a sentence")
def scoring_no_rows_ends_well(subject: Subject) -> None:
    """Scoring a table without rows gives a table without rows, or a named error.

    A night without orders, an empty partition of a cluster: tables without rows are no rarity where nobody looks. The
    kit's own loading refuses them; a recipe that loads its data itself has to think of them.
    """
    _ = subject.scores
    if not _is_refused_by_the_kit(subject, "load_scoring_data"):
        _require_scores(subject, subject.scoring_rows.head(0), "a table without rows")


@check(remedy="keep tables tables: `data[[column]]` and not `data[column]`, no `squeeze`, no statistics of the rows")
def scoring_one_row_ends_well(subject: Subject) -> None:
    """Scoring a single row gives one score, or a named error.

    A service scores rows as they come, one by one, and the last batch of a file may be a single row.
    """
    _require_scores(subject, subject.scoring_rows.head(1), "a single row")


@check(remedy=f"fill nulls with what the training data suggest, or refuse them with a sentence: `{_SAY_SO}`")
def scoring_nulls_ends_well(subject: Subject) -> None:
    """Scoring rows with nulls gives every row a score, or a named error.

    Real tables have gaps where the sample has none. A traceback from inside a library at night tells nobody which
    column it was, and rows that are dropped without a word are missing from the result.
    """
    rows = subject.scoring_rows.head(20)
    for column in list(rows.columns)[:COLUMNS_TRIED]:
        _require_scores(subject, with_nulls(rows, [column]), f"rows with nulls in column '{column}'")


@check(remedy="say what an unknown category means: `OneHotEncoder(handle_unknown='ignore')`, `handleInvalid='keep'`")
def scoring_unseen_categories_ends_well(subject: Subject) -> None:
    """Scoring texts that no training data has gives every row a score, or a named error.

    New products, new cities and new spellings come after the model was trained; that is what it is for.
    """
    rows = subject.scoring_rows.head(20)
    texts = [column for column in rows.columns if _is_text(rows[column])]
    if not texts:
        raise NotApplicableError("the scoring sample has no column of text")
    for column in texts[:COLUMNS_TRIED]:
        unseen = rows.copy()
        unseen.loc[unseen.index[::3], column] = NEVER_SEEN
        _require_scores(subject, unseen, f"texts never seen in column '{column}'")


@check(remedy='refuse what cannot be learnt from with a sentence: `raise ValueError("there are no rows to train on")`')
def training_on_few_rows_ends_well(subject: Subject) -> None:
    """Training on no rows or on a single one gives a model, or a named error.

    A filter that matches nothing or a wrong date leaves an empty table; the error must say that, and not that an array
    has the wrong shape. The kit's own loading refuses tables without rows.
    """
    rows, data = _training_rows(subject)
    tables = {"a single row": rows.head(1)}
    if not _is_refused_by_the_kit(subject, "load_training_data"):
        tables["a table without rows"] = rows.head(0)
    for what, few in tables.items():
        _require_result_or_named_error(subject, partial(_train, subject, few, data), f"training on {what}")


@check(remedy=f"fill nulls, drop the rows that have them, or refuse them with a sentence: `{_SAY_SO}`")
def training_on_nulls_ends_well(subject: Subject) -> None:
    """Training on rows with nulls gives a model, or a named error.

    Gaps are in most tables that people have filled in; whoever starts the training needs to know which column to mend.
    """
    rows, data = _training_rows(subject)
    columns = list(rows.columns)
    scored = [column for column in columns if column in subject.scoring_rows.columns]
    # Apart: a label with nulls is often refused, which would hide what nulls in the other columns do.
    for group in (scored[:COLUMNS_TRIED], [column for column in columns if column not in scored][:COLUMNS_TRIED]):
        if group:
            names = ", ".join(f"'{column}'" for column in group)
            _require_result_or_named_error(
                subject,
                partial(_train, subject, with_nulls(rows, group), data),
                f"training on rows with nulls in {names}",
            )


def with_nulls(rows: pd.DataFrame, columns: list[Any]) -> pd.DataFrame:
    """Return a copy of `rows` with nulls in every third row of `columns`, typed as the kit types such columns."""
    gaps = [row % 3 == 1 for row in range(len(rows))]
    return rows.assign(**{column: rows[column].mask(gaps) for column in columns})


def _require_scores(subject: Subject, rows: pd.DataFrame, what: str) -> None:
    _ = subject.scores
    found = _require_result_or_named_error(subject, lambda: subject.score(rows), f"scoring {what}")
    if found is not None and subject.traits.scores_per_row and len(found) != len(rows):
        raise Finding(f"scoring {what} gives {len(found)} scores for {len(rows)} rows")


def _require_result_or_named_error(subject: Subject, do: Callable[[], Any], what: str) -> Any:
    try:
        return do()
    except Exception as error:
        if is_named_error(error):
            return None
        raise Finding(f"{what} raises {describe_error(error, subject.project.source_folder)}") from error


def _is_refused_by_the_kit(subject: Subject, hook: str) -> bool:
    """Return whether a table without rows never gets as far as the recipe, as `EmptyDataError` comes before."""
    return getattr(subject.recipe_class, hook) is getattr(Recipe, hook)


def _training_rows(subject: Subject) -> tuple[pd.DataFrame, Any]:
    """Return rows of the training sample as pandas, and the data frame that they are from."""
    from recipe_kit.testing.tables import as_pandas

    _ = subject.model_folder
    data = subject.load_training_data()
    rows = as_pandas(data.limit(ROWS_TRAINED) if subject.traits.data_frame == "spark" else data)
    return rows.head(ROWS_TRAINED).reset_index(drop=True), data


def _train(subject: Subject, rows: pd.DataFrame, like: Any) -> Any:
    recipe = subject.new_recipe()
    seed_generators(0)
    return recipe.train(subject.of_its_kind(rows, like), subject.parameters("train"))


def _is_text(column: pd.Series[Any]) -> bool:
    values = column.dropna()
    return len(values) > 0 and all(isinstance(value, str) for value in values)
