"""Who is told how a task gets on while it runs."""

from __future__ import annotations

import json
from typing import Any, Protocol, TextIO

from recipe_kit.task.documents import Phase


class Observer(Protocol):
    """Told of a task's phases as they begin and end, and of the rows done within one."""

    def phase_started(self, name: str) -> None:
        """Hear that a phase begins."""

    def rows_done(self, rows: int, total: int | None) -> None:
        """Hear how many rows of the current phase are done so far, and of how many, where that is known."""

    def phase_ended(self, phase: Phase) -> None:
        """Hear that a phase ended well."""


class Silent:
    """An observer that does nothing."""

    def phase_started(self, name: str) -> None:
        """Do nothing."""

    def rows_done(self, rows: int, total: int | None) -> None:
        """Do nothing."""

    def phase_ended(self, phase: Phase) -> None:
        """Do nothing."""


class Reporter:
    """An observer that writes what it hears to a stream, a JSON line each, for `replay` in another process."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def phase_started(self, name: str) -> None:
        """Write that a phase begins."""
        self._write(event="phase_started", name=name)

    def rows_done(self, rows: int, total: int | None) -> None:
        """Write how many rows are done."""
        self._write(event="rows_done", rows=rows, total=total)

    def phase_ended(self, phase: Phase) -> None:
        """Write that a phase ended."""
        self._write(event="phase_ended", phase=phase.model_dump(mode="json"))

    def _write(self, **event: Any) -> None:
        try:
            self._stream.write(json.dumps(event) + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            pass  # nobody listens any more; the task matters more


def replay(line: str, observer: Observer) -> None:
    """Tell `observer` what a line of a `Reporter` says."""
    event = json.loads(line)
    match event.pop("event"):
        case "phase_started":
            observer.phase_started(event["name"])
        case "rows_done":
            observer.rows_done(event["rows"], event["total"])
        case "phase_ended":
            observer.phase_ended(Phase.model_validate(event["phase"]))
