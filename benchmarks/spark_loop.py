"""Spark's local loop: start, first query, group a CSV file, group it again, stop; Spark's defaults against the kit's.

`python -m benchmarks.spark_loop` runs both as whole processes, in turn, and prints the medians; `--json` prints all.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.environment import REPOSITORY, describe_machine
from benchmarks.measuring import Sample, in_turn, median_ratio, median_seconds, run

TARGET = 0.55
ROWS = 20_000


def loop(kind: str, table: str) -> None:
    """Do what is measured, once, in this process."""
    if kind == "defaults":
        from pyspark.sql import SparkSession

        session = SparkSession.builder.master("local[*]").appName("loop").getOrCreate()
        stop: Callable[[], None] = session.stop
    else:
        from recipe_kit.spark import SparkOptions, close_session, open_session

        session = open_session(SparkOptions(), app_name="loop")
        stop = close_session
    from pyspark.sql import functions as F

    session.range(10).count()
    rows = session.read.csv(table, header=True, inferSchema=True)
    rows.groupBy("kind").agg(F.avg("value"), F.count("*")).collect()
    rows.groupBy("shop").agg(F.sum("value")).orderBy("shop").collect()
    stop()


def measure(folder: Path, *, rounds: int) -> dict[str, Any]:
    """Return the figures of `rounds` rounds; the archive is built first, in a cache of its own below `folder`."""
    table = folder / "rows.csv"
    _write_table(table)
    cache = {"XDG_CACHE_HOME": str(folder / "cache"), "PYTHONPATH": str(REPOSITORY)}
    clock = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "recipe_kit.spark.training"],
        check=True,
        capture_output=True,
        env={**os.environ, **cache},
    )
    seconds_to_build = time.perf_counter() - clock
    variables: Mapping[str, Mapping[str, str]] = {
        "defaults": {},
        "kit": {},
        "kit, before there is an archive": {"XDG_CACHE_HOME": str(folder / "empty")},
        "kit, RECIPE_KIT_SPARK_TUNING=off": {"RECIPE_KIT_SPARK_TUNING": "off"},
    }

    def once(name: str, own: Mapping[str, str]) -> Sample:
        kind = "defaults" if name == "defaults" else "kit"
        command = [sys.executable, "-m", "benchmarks.spark_loop", "--loop", kind, str(table)]
        environment = {**cache, "RECIPE_KIT_SPARK_TUNING": "no-build", **own}
        return run(command, folder=folder, variables=environment)

    samples = in_turn({name: partial(once, name, own) for name, own in variables.items()}, rounds=rounds)
    return {
        "seconds": {name: [round(sample.seconds, 3) for sample in found] for name, found in samples.items()},
        "median_seconds": {name: round(median_seconds(found), 3) for name, found in samples.items()},
        "ratio_to_defaults": {
            name: round(median_ratio(found, samples["defaults"]), 3) for name, found in samples.items()
        },
        "target_ratio": TARGET,
        "seconds_to_build_the_archive_once": round(seconds_to_build, 1),
        "megabytes_of_archive": round(next((folder / "cache").rglob("*.jsa")).stat().st_size / 1e6),
        "machine": {**describe_machine(), "load": f"{os.getloadavg()[0]:.1f}"},
    }


def _write_table(path: Path) -> None:
    chance = random.Random(1)
    with path.open("w") as lines:
        lines.write("kind,shop,value,text\n")
        for row in range(ROWS):
            lines.write(f"{chance.choice('abcdefg')},{chance.randrange(50)},{chance.random():.6f},word {row}\n")


def as_text(figures: Mapping[str, Any]) -> str:
    """Return the figures as a table to read."""
    lines = [f"{'start, query, two group-bys of a CSV, stop':44}{'median s':>9}{'ratio':>8}"]
    for name, seconds in figures["median_seconds"].items():
        lines.append(f"{name:44}{seconds:9.2f}{figures['ratio_to_defaults'][name]:8.2f}")
    lines.append(
        f"target {TARGET}; the archive: {figures['megabytes_of_archive']} MB, built once in "
        f"{figures['seconds_to_build_the_archive_once']} s"
    )
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print every sample, as JSON")
    parser.add_argument("--loop", nargs=2, metavar=("KIND", "TABLE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.loop:
        loop(*arguments.loop)
        return
    with tempfile.TemporaryDirectory(prefix="recipe-kit-bench-") as folder:
        figures = measure(Path(folder).resolve(), rounds=arguments.rounds)
    print(json.dumps(figures, indent=2) if arguments.json else as_text(figures))


if __name__ == "__main__":
    main()
