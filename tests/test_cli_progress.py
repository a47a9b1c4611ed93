"""Progress: rows and rows per second of long phases, and never in the way of what a recipe prints."""

from __future__ import annotations

import io
import sys

import pytest

from recipe_kit.cli.progress import Progress, describe
from recipe_kit.cli.terminal import figure, seconds, size
from recipe_kit.task import Phase


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_short_phase_is_not_worth_a_word() -> None:
    for live in (False, True):
        stream, clock = io.StringIO(), Clock()
        progress = Progress(stream, live=live, clock=clock)
        progress.phase_started("load")
        clock.now += 1.9
        progress.show()
        progress.phase_ended(Phase(name="load", seconds=1.9, rows=10))
        assert stream.getvalue() == ""


def test_in_a_pipe_a_long_phase_is_a_plain_line_now_and_then_and_one_at_its_end() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = Progress(stream, live=False, clock=clock)
    progress.phase_started("score")
    for now in range(1, 10):
        clock.now = 100.0 + now
        progress.rows_done(now * 1000, 10_000)
        progress.show()
    progress.phase_ended(Phase(name="score", seconds=10.0, rows=10_000))
    assert stream.getvalue().splitlines() == [
        "score: 2 s, 2,000 rows of 10,000 (20%), 1,000 rows/s, 8 s left ...",
        "score: 4 s, 4,000 rows of 10,000 (40%), 1,000 rows/s, 6 s left ...",
        "score: 8 s, 8,000 rows of 10,000 (80%), 1,000 rows/s, 2 s left ...",
        "score: 10 s, 10,000 rows, 1,000 rows/s, done",
    ]


def test_in_a_pipe_a_phase_without_rows_gives_a_sign_of_life_once_a_minute_is_over() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = Progress(stream, live=False, clock=clock)
    progress.phase_started("train")
    for now in range(1, 150):
        clock.now = 100.0 + now
        progress.show()
    progress.phase_ended(Phase(name="train", seconds=150.0))
    assert stream.getvalue().splitlines() == ["train: 60 s ...", "train: 2 min 0 s ...", "train: 2 min 30 s, done"]


def test_on_a_terminal_a_long_phase_is_one_line_that_is_gone_at_its_end() -> None:
    stream, clock = Terminal(), Clock()
    progress = Progress(stream, live=True, clock=clock)
    progress.phase_started("train")
    clock.now += 3
    progress.show()
    clock.now += 1
    progress.show()
    progress.phase_ended(Phase(name="train", seconds=4.0))
    erase = "\r\x1b[2K"
    assert stream.getvalue() == f"{erase}\x1b[2mtrain: 3 s\x1b[0m{erase}\x1b[2mtrain: 4 s\x1b[0m{erase}"


def test_what_a_recipe_prints_does_not_run_into_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, clock = Terminal(), Clock()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setattr(sys, "stderr", terminal)
    progress = Progress(terminal, live=True, clock=clock)
    progress.phase_started("train")
    clock.now += 3
    with progress.among_prints():
        progress.show()
        print("epoch 1: ", end="")
        progress.show()  # in the midst of the recipe's line: nothing is drawn
        print("loss 0.5")
        progress.show()
    progress.phase_ended(Phase(name="train", seconds=4.0))
    line, erase = "\r\x1b[2K\x1b[2mtrain: 3 s\x1b[0m", "\r\x1b[2K"
    assert terminal.getvalue() == f"{line}{erase}epoch 1: loss 0.5\n{line}{erase}"


def test_a_stream_that_is_closed_ends_progress_and_not_the_task() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = Progress(stream, live=False, clock=clock)
    progress.phase_started("train")
    clock.now += 5
    stream.close()
    progress.show()
    progress.phase_ended(Phase(name="train", seconds=5.0))


def test_the_line_goes_when_a_task_ends_in_the_midst_of_a_phase() -> None:
    stream, clock = Terminal(), Clock()
    with Progress(stream, live=True, clock=clock) as progress:
        progress.phase_started("train")
        clock.now += 3
        progress.show()
    assert stream.getvalue().endswith("\r\x1b[2K")


def test_rows_per_second_are_told_where_rows_are_known() -> None:
    assert describe("train", 250, None, None) == "train: 4 min 10 s"
    assert describe("score", 2, 5_000, None) == "score: 2 s, 5,000 rows, 2,500 rows/s"


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.004, "0.00 s"), (9.994, "9.99 s"), (59.96, "60.0 s"), (125, "2 min 5 s"), (7260, "2 h 1 min")],
)
def test_times_are_told_in_words(value: float, words: str) -> None:
    assert seconds(value) == words


@pytest.mark.parametrize(
    ("value", "words"), [(0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (33_800, "33.8 kB"), (2.5e9, "2.5 GB")]
)
def test_sizes_are_told_in_words(value: float, words: str) -> None:
    assert size(value) == words


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.84251, "0.8425"), (0, "0.0000"), (12345.6, "12345.6000"), (3.2e-7, "3.2e-07"), (-5e9, "-5e+09")],
)
def test_metrics_have_four_decimals_unless_they_are_very_large_or_small(value: float, text: str) -> None:
    assert figure(value) == text
