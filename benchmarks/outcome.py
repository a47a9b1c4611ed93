"""What a benchmark says: a table for the docs, and every number for whoever wants to look closer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.measuring import Sample


@dataclass(frozen=True)
class Figure:
    """One line of a table: what was measured, and whether it is as good as was hoped for."""

    what: str
    value: str
    target: str = ""
    reached: bool | None = None

    def row(self) -> str:
        """Return the line in Markdown."""
        verdict = {True: "yes", False: "**no**", None: ""}[self.reached]
        return f"| {self.what} | {self.value} | {self.target} | {verdict} |"


@dataclass(frozen=True)
class Outcome:
    """What came of a benchmark."""

    figures: Sequence[Figure]
    numbers: Mapping[str, Any] = field(default_factory=dict)
    """Every measurement, as JSON can hold it."""

    def table(self) -> str:
        """Return the figures as a table in Markdown."""
        head = ["| What | Measured | Target | Reached |", "|---|---|---|---|"]
        return "\n".join([*head, *(figure.row() for figure in self.figures)])


def as_numbers(samples: Mapping[str, Sequence[Sample]]) -> dict[str, Any]:
    """Return the samples of several cases as JSON can hold them."""
    return {
        name: [
            {
                "seconds": round(sample.seconds, 4),
                "processorSeconds": round(sample.processor_seconds, 4),
                "peakBytes": sample.peak_bytes,
                "treePeakBytes": sample.tree_peak_bytes,
            }
            for sample in taken
        ]
        for name, taken in samples.items()
    }


def megabytes(count: float) -> str:
    """Return a number of bytes as megabytes (10^6)."""
    return f"{count / 1e6:,.0f} MB"
