"""Scoring batch by batch gives what scoring all rows at once gives, in little memory, in one process or in several."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pandas as pd
import pytest
from rowwise import ROWS, Rowwise, difficult_rows

from recipe_kit.data import resolve_location, table_to_pandas
from recipe_kit.data.reading import read_table
from recipe_kit.errors import EmptyDataError, MalformedDataError, RecipeDefinitionError, RecipeFailedError


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rowwise:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("ROWWISE_HOME", str(os.getpid()))
    return Rowwise(tmp_path)


@pytest.fixture
def difficult(project: Rowwise) -> Rowwise:
    difficult_rows().to_csv(project.folder / "rows.csv", index=False)
    return project


@pytest.mark.parametrize("block_bytes", [60, 700, 3_000, 1 << 20])
def test_batches_of_any_size_give_what_all_rows_at_once_give(difficult: Rowwise, block_bytes: int) -> None:
    assert difficult.in_batches("Rowwise", "rows.csv", block_bytes=block_bytes) == difficult.whole(
        "Rowwise", "rows.csv"
    )


def test_a_value_that_changes_a_columns_dtype_makes_scoring_begin_again_and_the_log_says_so(difficult: Rowwise) -> None:
    difficult.in_batches("Rowwise", "rows.csv", block_bytes=700)
    again = [note for note in difficult.notes if "begins again" in note]
    assert len(again) == 1
    assert "column 'whole'" in again[0] or "column 'truth'" in again[0]


def test_a_table_without_surprises_is_scored_once(project: Rowwise) -> None:
    pd.DataFrame({"id": range(ROWS)}).to_csv(project.folder / "rows.csv", index=False)
    done: list[int] = []
    project.in_batches("Numbers", "rows.csv", block_bytes=100, progress=lambda rows, total: done.append(rows))
    assert done == sorted(done)
    assert done[-1] == ROWS
    assert not project.notes


@pytest.mark.parametrize("results", ["scores.csv", "scores.tsv", "scores.jsonl", "scores.parquet", "scores.csv.gz"])
@pytest.mark.parametrize("data", ["rows.csv", "rows.csv.gz", "rows.jsonl", "rows.parquet"])
def test_every_format_comes_in_and_goes_out(project: Rowwise, data: str, results: str) -> None:
    frame = difficult_rows()
    if data.endswith(".parquet"):
        frame.to_parquet(project.folder / data, row_group_size=25)
    elif data.endswith(".jsonl"):
        frame.to_json(project.folder / data, orient="records", lines=True)
    else:
        frame.to_csv(project.folder / data, index=False)
    project.whole("Rowwise", data, results=results)
    place = resolve_location(results, project.run)
    whole = table_to_pandas(read_table(place))
    project.in_batches("Rowwise", data, results=results, block_bytes=500)
    pd.testing.assert_frame_equal(table_to_pandas(read_table(place)), whole)
    assert project.left_over() == [results]


def test_a_folder_of_parts_is_scored_in_the_order_of_its_parts(project: Rowwise) -> None:
    folder = project.folder / "parts"
    folder.mkdir()
    for part in range(3):
        ids = range(part * 40, part * 40 + 40)
        text = pd.DataFrame({"id": ids}).to_csv(index=False)
        (folder / f"part-{part}.csv.gz").write_bytes(gzip.compress(text.encode()))
    scored = project.in_batches("Numbers", "parts", block_bytes=50).decode().splitlines()[1:]
    assert [int(line.split(",")[0]) for line in scored] == list(range(120))


def test_scores_whose_type_widens_late_have_one_type_in_all_rows(project: Rowwise) -> None:
    pd.DataFrame({"id": range(60)}).to_csv(project.folder / "rows.csv", index=False)
    project.in_batches("Widening", "rows.csv", results="scores.parquet", block_bytes=30)
    half = pd.read_parquet(project.run / "scores.parquet")["half"]
    assert half.dtype == float
    assert half.tolist() == [row / 2 if row > 40 else row for row in range(60)]


def test_only_a_few_batches_are_in_memory_at_any_time(project: Rowwise) -> None:
    pd.DataFrame({"id": range(5_000)}).to_csv(project.folder / "rows.csv", index=False)
    read: list[int] = []
    recipe_module = sys.modules[type(project.recipe("Numbers")).__module__]
    import recipe_kit.scoring.streaming as streaming

    original = streaming.read_block

    def counted(*arguments: object) -> object:
        read.append(1)
        return original(*arguments)  # type: ignore[arg-type]

    ahead: list[int] = []
    written: list[int] = []

    def progress(rows: int, total: int | None) -> None:
        written.append(rows)
        ahead.append(len(read) - len(written))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streaming, "read_block", counted)
        project.in_batches("Numbers", "rows.csv", block_bytes=100, progress=progress)
    assert recipe_module is not None
    assert len(read) > 100
    assert max(ahead) < 12


# -- what a recipe may not do ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recipe", "sentence"),
    [
        (
            "Shortening",
            r"hook 'score' of recipe Shortening \(recipe\.py:\d+\) returned (\d+) rows for a batch of (\d+)",
        ),
        ("Listing", r"hook 'score' of recipe Listing \(recipe\.py:\d+\) returned list, which is no table"),
        ("Shifting", r"returned the columns id for a batch and id, more for another: return the same columns"),
    ],
)
def test_what_score_may_not_return_is_said_in_one_sentence(project: Rowwise, recipe: str, sentence: str) -> None:
    pd.DataFrame({"id": range(ROWS)}).to_csv(project.folder / "rows.csv", index=False)
    with pytest.raises(RecipeDefinitionError, match=sentence):
        project.in_batches(recipe, "rows.csv", block_bytes=100)
    assert project.left_over() == []


def test_a_bad_row_late_in_the_table_is_named_and_leaves_no_scores(project: Rowwise) -> None:
    lines = ["id,other", *(f"{row},1" for row in range(ROWS)), "1,2,3"]
    (project.folder / "rows.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(MalformedDataError, match=r"rows\.csv, line 122"):
        project.in_batches("Numbers", "rows.csv", block_bytes=100)
    assert project.left_over() == []


def test_a_table_without_rows_is_refused(project: Rowwise) -> None:
    (project.folder / "rows.csv").write_text("id\n")
    with pytest.raises(EmptyDataError):
        project.in_batches("Numbers", "rows.csv")


def test_an_earlier_result_survives_a_failure(project: Rowwise) -> None:
    pd.DataFrame({"id": range(ROWS)}).to_csv(project.folder / "rows.csv", index=False)
    before = project.in_batches("Numbers", "rows.csv")
    with pytest.raises(RecipeDefinitionError):
        project.in_batches("Shortening", "rows.csv")
    assert (project.run / "batches.csv").read_bytes() == before


# -- several processes ----------------------------------------------------------------------------------------------


def processes_of(parent: int) -> list[int]:
    """The processes that `parent` has started and that are still there, without the one that lists them."""
    with subprocess.Popen(["ps", "-A", "-o", "pid=,ppid="], stdout=subprocess.PIPE, text=True) as listing:
        pairs = [tuple(map(int, line.split())) for line in listing.communicate()[0].splitlines()]
    return [process for process, its_parent in pairs if its_parent == parent and process != listing.pid]


@pytest.fixture
def already_there() -> set[int]:
    """The processes that tests before this one have started and still use, such as Spark's."""
    return set(processes_of(os.getpid()))


@pytest.fixture
def many_rows(project: Rowwise) -> Rowwise:
    """So many that other processes get their share, which they do once they have imported what they need."""
    pd.DataFrame({"id": range(20 * ROWS)}).to_csv(project.folder / "rows.csv", index=False)
    return project


@pytest.mark.parametrize("block_bytes", [200])
def test_several_processes_give_what_one_gives(difficult: Rowwise, block_bytes: int) -> None:
    one = difficult.in_batches("Rowwise", "rows.csv", block_bytes=block_bytes)
    assert difficult.in_batches("Rowwise", "rows.csv", block_bytes=block_bytes, processes=3) == one


@pytest.mark.parametrize("results", ["scores.csv", "scores.parquet"])
def test_other_processes_take_part_and_what_they_print_is_heard(
    many_rows: Rowwise, results: str, already_there: set[int], capsys: pytest.CaptureFixture[str]
) -> None:
    several = many_rows.in_batches("Elsewhere", "rows.csv", results=results, block_bytes=40, processes=2)
    heard = capsys.readouterr()
    assert several == many_rows.in_batches("Numbers", "rows.csv", results=results, block_bytes=40)
    assert "scored away from home" in heard.out
    assert "and complained" in heard.err
    assert "INFO seed 11 in run" in heard.err
    assert list(many_rows.run.glob("helper-*"))
    assert set(processes_of(os.getpid())) <= already_there


def test_what_the_recipe_raises_in_another_process_is_told_with_its_traceback(
    many_rows: Rowwise, already_there: set[int]
) -> None:
    with pytest.raises(
        RecipeFailedError, match="the recipe failed in score: ValueError: cannot be scored here"
    ) as told:
        many_rows.in_batches("RaisingElsewhere", "rows.csv", block_bytes=40, processes=2)
    traceback = str(told.value.__cause__)
    assert "recipe.py" in traceback
    assert "in away" in traceback
    assert "recipe_kit/scoring" not in traceback
    assert many_rows.left_over() == []
    assert set(processes_of(os.getpid())) <= already_there


def test_a_process_that_dies_is_reported_with_the_likely_reason(many_rows: Rowwise, already_there: set[int]) -> None:
    with pytest.raises(RecipeFailedError, match=r"a scoring process was ended by signal SIGKILL .* out of memory"):
        many_rows.in_batches("DyingElsewhere", "rows.csv", block_bytes=40, processes=2)
    assert many_rows.left_over() == []
    assert set(processes_of(os.getpid())) <= already_there


def test_ctrl_c_ends_all_processes_and_leaves_no_scores(many_rows: Rowwise) -> None:
    program = textwrap.dedent(
        f"""
        import os, sys
        sys.path[:0] = [{str(Path(__file__).parent)!r}]
        os.environ["ROWWISE_HOME"] = str(os.getpid())
        from pathlib import Path
        from rowwise import ROWS, Rowwise, difficult_rows
        project = Rowwise(Path({str(many_rows.folder / "again")!r}))
        Path(project.folder / "rows.csv").write_text(Path({str(many_rows.folder / "rows.csv")!r}).read_text())
        try:
            project.in_batches("LongElsewhere", "rows.csv", block_bytes=40, processes=3)
        except KeyboardInterrupt:
            print("interrupted", project.left_over())
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    run = many_rows.folder / "again" / "run"
    deadline = time.monotonic() + 60
    while not list(run.glob("helper-*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    helpers = processes_of(process.pid)
    time.sleep(0.5)
    os.killpg(process.pid, signal.SIGINT)  # what a terminal does: the whole group hears it
    written, _ = process.communicate(timeout=60)
    assert written == "interrupted []\n"
    assert len(helpers) == 2
    for helper in helpers:
        with pytest.raises(ProcessLookupError):
            os.kill(helper, 0)
