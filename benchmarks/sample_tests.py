"""How long the sample's own tests take, with and without Spark, and what they save by sharing one session."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import partial

from benchmarks.environment import REPOSITORY, Workplace
from benchmarks.measuring import Sample, in_turn, median_seconds, run
from benchmarks.outcome import Figure, Outcome, as_numbers

SAMPLE = REPOSITORY / "sample_recipe"
_SPARK_TESTS = ("tests/test_spark_recipe.py", "tests/test_agreement.py")
_SESSION = """
from recipe_kit.spark import SparkOptions, close_session, open_session
open_session(SparkOptions(), app_name="one").range(10).count()
close_session()
"""


def measure(place: Workplace, *, quick: bool = False) -> Outcome:
    """Return the seconds; Spark is that of the environment that runs the benchmarks."""
    pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    cases = {
        "without Spark": partial(run, [*pytest, *(f"--ignore={file}" for file in _SPARK_TESTS)], folder=SAMPLE),
        "with Spark": partial(run, pytest, folder=SAMPLE),
        "a session": partial(run, [sys.executable, "-c", _SESSION], folder=place.folder),
        "Python": partial(run, [sys.executable, "-c", "import pyspark.sql, recipe_kit.spark"], folder=place.folder),
    }
    samples: dict[str, list[Sample]] = in_turn(cases, rounds=1 if quick else 3)
    seconds = {name: median_seconds(taken) for name, taken in samples.items()}
    tests = _tests(pytest)
    saved = (tests - 1) * (seconds["a session"] - seconds["Python"])
    return Outcome(
        [
            Figure("`pytest` without the Spark recipe's tests", f"{seconds['without Spark']:.1f} s"),
            Figure("`pytest`, all tests", f"{seconds['with Spark']:.1f} s"),
            Figure(
                "what the shared session saves",
                f"{saved:.0f} s: {tests} tests on Spark share one; to start and stop one takes"
                f" {seconds['a session'] - seconds['Python']:.1f} s",
            ),
        ],
        {"testsOnSpark": tests, "samples": as_numbers(samples)},
    )


def _tests(pytest: list[str]) -> int:
    """Return how many tests there are that ask for Spark."""
    listed = subprocess.run(
        [*pytest, "--collect-only", *_SPARK_TESTS], cwd=SAMPLE, capture_output=True, text=True, check=True
    )
    return len(re.findall(r"^tests/\S+::", listed.stdout, re.MULTILINE))
