"""Measure the figures in docs/performance.md: `python -m benchmarks [NAME ...] [--quick] [--folder FOLDER]`.

Each benchmark's numbers go to benchmarks/results.json, with the machine and the date, and its table to the page.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.environment import Workplace, describe_machine, set_up
from benchmarks.outcome import Figure, Outcome

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results.json"
PAGE = HERE.parent / "docs" / "performance.md"
NAMES = ("startup", "overhead", "batch_scoring", "spark_loop", "sample_tests")


def main() -> None:
    """Run the benchmarks that were named, or all."""
    parser = argparse.ArgumentParser("python -m benchmarks", description="Measure the figures in docs/performance.md.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(NAMES)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="a few rounds only, to try the scripts; nothing is kept")
    parser.add_argument(
        "--folder", type=Path, default=_cache(), help="for the environment and the data (default: %(default)s)"
    )
    given = parser.parse_args()
    unknown = sorted(set(given.names) - set(NAMES))
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}: there are {', '.join(NAMES)}")
    place = set_up(given.folder)
    for name in given.names or NAMES:
        print(f"{name} ...", file=sys.stderr, flush=True)
        load = os.getloadavg()[0]
        outcome = _measure(name, place, quick=given.quick)
        print(f"\n## {name}\n\n{outcome.table()}\n", flush=True)
        if not given.quick:
            kept = {
                "measured": datetime.now(UTC).isoformat(timespec="seconds"),
                "command": f"python -m benchmarks {name}",
                "loadBefore": round(load, 1),
                "machine": describe_machine(),
                "table": outcome.table(),
                "numbers": outcome.numbers,
            }
            _keep(name, kept)


def _measure(name: str, place: Workplace, *, quick: bool) -> Outcome:
    module = importlib.import_module(f"benchmarks.{name}")
    if name == "spark_loop":
        return _outcome_of_spark_loop(module.measure(place.fresh(name), rounds=1 if quick else 5))
    outcome: Outcome = module.measure(place, quick=quick)
    return outcome


def _outcome_of_spark_loop(figures: Mapping[str, Any]) -> Outcome:
    lines = []
    for case, seconds in figures["median_seconds"].items():
        ratio, target = figures["ratio_to_defaults"][case], figures["target_ratio"]
        held = case == "kit"
        lines.append(
            Figure(
                case if case != "defaults" else "Spark's defaults",
                f"{seconds:.1f} s" if case == "defaults" else f"{seconds:.1f} s, {ratio:.2f} times the defaults",
                f"at most {target:.2f} times" if held else "",
                ratio <= target if held else None,
            )
        )
    return Outcome(lines, figures)


def _keep(name: str, kept: dict[str, Any]) -> None:
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results[name] = kept
    RESULTS.write_text(json.dumps(dict(sorted(results.items())), indent=1) + "\n")
    machine = ", ".join(
        value if key in ("processor", "memory", "system") else f"{key} {value}"
        for key, value in kept["machine"].items()
    )
    load = f"load average before it began: {kept['loadBefore']}"
    said = f"`{kept['command']}`, {kept['measured'][:10]}: {machine}; {load}."
    text = f"<!-- {name} -->\n\n{kept['table']}\n\n{said}\n\n<!-- end -->"
    page = PAGE.read_text()
    changed = re.sub(rf"<!-- {name} -->.*?<!-- end -->", lambda _: text, page, flags=re.DOTALL)
    PAGE.write_text(changed)


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "recipe-kit" / "benchmarks"


if __name__ == "__main__":
    main()
