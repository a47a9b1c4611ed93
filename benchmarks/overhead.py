"""What `recipe-kit run` adds to a small gradient-boosting job, over a bare script that does the same."""

from __future__ import annotations

from benchmarks import generate
from benchmarks.environment import Workplace
from benchmarks.measuring import Sample, in_turn, median_ratio, median_seconds, run
from benchmarks.outcome import Figure, Outcome, as_numbers, megabytes

ROWS = 6_500
MOST = 1.10


def measure(place: Workplace, *, quick: bool = False) -> Outcome:
    """Return how many times as long the kit takes."""
    job = place.copy_of("overhead_job")
    (job / "data").mkdir()
    generate.write_sales(job / "data" / "training.csv", rows=ROWS, seed=1)
    generate.write_sales(job / "data" / "scoring.csv", rows=ROWS // 4, seed=2)

    def bare() -> Sample:
        return run([place.python, "bare.py", place.fresh("overhead-bare")], folder=job)

    def kit() -> Sample:
        return run([place.recipe_kit, "run", ".", "--work-dir", place.fresh("overhead-runs")], folder=job)

    samples = in_turn({"bare": bare, "kit": kit}, rounds=3 if quick else 11)
    ratio = median_ratio(samples["kit"], samples["bare"])
    of_processor = median_ratio(samples["kit"], samples["bare"], of="processor_seconds")
    peaks = {name: max(sample.peak_bytes for sample in taken) for name, taken in samples.items()}
    return Outcome(
        [
            Figure("bare script", f"{median_seconds(samples['bare']):.2f} s, {megabytes(peaks['bare'])}"),
            Figure("`recipe-kit run`", f"{median_seconds(samples['kit']):.2f} s, {megabytes(peaks['kit'])}"),
            Figure("wall time over the bare script", f"{ratio:.3f} times", f"at most {MOST:.2f} times", ratio <= MOST),
            Figure("processor time over the bare script", f"{of_processor:.3f} times"),
        ],
        {"rows": ROWS, "ratio": ratio, "samples": as_numbers(samples)},
    )
