"""Scoring a CSV file of 12 columns with a linear model, read to written, against `read_csv`, `predict`, `to_csv`.

Both write each row's id and prediction; both start Python, import what they need and restore the same model.
"""

from __future__ import annotations

import csv
import itertools
import math
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks import generate
from benchmarks.environment import Workplace
from benchmarks.measuring import Sample, in_turn, median_ratio, median_seconds, run
from benchmarks.outcome import Figure, Outcome, as_numbers, megabytes

MILLION = 1_000_000
TARGETS = {2 * MILLION: 2.5, 10 * MILLION: 4.5}
MOST_GROWTH = 1.1
MOST_MEMORY = 600e6


def measure(place: Workplace, *, quick: bool = False) -> Outcome:
    """Return the rows per second and the peak memory at both sizes."""
    job = place.copy_of("batch_scoring_job")
    (job / "data").mkdir()
    generate.write_numbers(job / "data" / "training.csv", rows=20_000, seed=1, with_label=True)
    runs = place.fresh("batch-runs")
    run([place.recipe_kit, "train", ".", "--work-dir", runs], folder=job)
    model = next(runs.glob("*train/model"))
    figures, numbers, peaks = [], {}, {}
    for rows, target in TARGETS.items():
        data = place.folder / f"numbers-{rows}.csv"
        if not data.exists():
            generate.write_numbers(data, rows=rows, seed=2)
        cases = _cases(place, job, model, data)
        rounds = 1 if quick else {2 * MILLION: 5, 10 * MILLION: 3}[rows]
        samples = in_turn(cases, rounds=rounds, warm_up=rows == min(TARGETS) and not quick)
        _same_scores(place.folder / "scores-bare.csv", place.folder / "scores-1.csv")
        size = f"{rows // MILLION} million rows ({megabytes(data.stat().st_size)})"
        for name, taken in samples.items():
            seconds = median_seconds(taken)
            # A Python of its own for each process: what they have together counts.
            peak = max(max(sample.peak_bytes, sample.tree_peak_bytes) for sample in taken)
            peaks[rows, name] = peak
            speed = f"{seconds:.2f} s, {rows / seconds / 1e3:,.0f} k rows/s, {megabytes(peak)}"
            if name == "bare":
                figures.append(Figure(f"{size}: bare script", speed))
                continue
            times = 1 / median_ratio(taken, samples["bare"])
            figures.append(
                Figure(
                    f"{size}: `--processes {name}`",
                    f"{speed}; {times:.2f} times the rows per second",
                    f"at least {target} times",
                    times >= target,
                )
            )
        numbers[str(rows)] = as_numbers(samples)
    small, large = TARGETS
    for name in ("1", "2"):
        growth, peak = peaks[large, name] / peaks[small, name], peaks[large, name]
        figures.append(
            Figure(
                f"`--processes {name}`: peak memory at 10 million rows over that at 2 million",
                f"{growth:.2f} times, {megabytes(peak)}",
                f"at most {MOST_GROWTH} times, under {megabytes(MOST_MEMORY)}",
                growth <= MOST_GROWTH and peak < MOST_MEMORY,
            )
        )
    return Outcome(figures, numbers)


def _cases(place: Workplace, job: Path, model: Path, data: Path) -> dict[str, Callable[[], Sample]]:
    def kit(processes: int) -> Sample:
        results = place.folder / f"scores-{processes}.csv"
        work = place.fresh("batch-scores")
        command: list[str | Path] = [
            place.recipe_kit,
            "score",
            ".",
            "--model",
            model,
            "--work-dir",
            work,
            "--processes",
            str(processes),
        ]
        locations = [f"scoringDataLocation={data}", f"scoringResultsLocation={results}"]
        return run([*command, *(word for location in locations for word in ("-p", location))], folder=job)

    stored = next(model.rglob("model.joblib"))
    bare: list[str | Path] = [place.python, "bare.py", stored, data, place.folder / "scores-bare.csv"]
    return {"bare": partial(run, bare, folder=job), "1": partial(kit, 1), "2": partial(kit, 2)}


def _same_scores(one: Path, other: Path) -> None:
    """Make sure that both have done the work: the first rows and the last say the same."""
    for ends in (
        zip(_first_rows(one), _first_rows(other), strict=True),
        zip(_last_rows(one), _last_rows(other), strict=False),
    ):
        for (id_here, score_here), (id_there, score_there) in ends:
            if id_here != id_there or not math.isclose(float(score_here), float(score_there), rel_tol=1e-9):
                raise RuntimeError(f"{one} and {other} do not hold the same scores")


def _first_rows(file: Path) -> list[list[str]]:
    with file.open(newline="") as stream:
        return list(itertools.islice(csv.reader(stream), 1, 200))


def _last_rows(file: Path) -> list[list[str]]:
    """The last rows, the very last one first."""
    with file.open("rb") as stream:
        stream.seek(-4_000, os.SEEK_END)
        lines = stream.read().decode().splitlines()[1:]
    return list(csv.reader(reversed(lines)))
