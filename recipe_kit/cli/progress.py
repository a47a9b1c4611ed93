"""How a task gets on, shown on stderr for phases of more than two seconds."""

from __future__ import annotations

import contextlib
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO

from recipe_kit.cli.terminal import has_colours, seconds

if TYPE_CHECKING:
    from recipe_kit.task.documents import Phase

PATIENCE = 2.0
"""Seconds that a phase may take before anything is shown of it."""
SIGN_OF_LIFE = 60.0
"""Seconds after which a log, too, hears of a phase of which only the time is known."""
_REDRAW = 0.2
_ERASE = "\r\x1b[2K"


class Progress:
    """An observer of one task that shows its long phases.

    On a terminal that is one line, drawn anew five times a second and gone when the phase ends. Elsewhere it is a
    plain line now and then, at twice the time each, and one when the phase ends; of a phase that counts no rows, such
    as a recipe's imports, a log wants no more than a sign of life.
    """

    def __init__(
        self, stream: TextIO, *, live: bool | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Show progress on `stream`; `live` says whether as a line that is redrawn (by default on a terminal)."""
        self._stream = stream
        self._live = has_colours(stream) if live is None else live
        self._clock = clock
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._phase: str | None = None
        self._began = 0.0
        self._rows: int | None = None
        self._total: int | None = None
        self._next_line = PATIENCE
        self._has_lines = False
        self._drawn = False
        self._line_is_open = False

    # -- what a task tells -------------------------------------------------------------------------------------------

    def phase_started(self, name: str) -> None:
        """Hear that a phase begins."""
        with self._lock:
            self._phase, self._began, self._rows, self._total = name, self._clock(), None, None
            self._next_line, self._has_lines = PATIENCE, False

    def rows_done(self, rows: int, total: int | None) -> None:
        """Hear how many rows of the current phase are done."""
        with self._lock:
            self._rows, self._total = rows, total

    def phase_ended(self, phase: Phase) -> None:
        """Hear that a phase ended well."""
        with self._lock:
            self._erase()
            # On a terminal the line has done its work, and the summary has all of it.
            if self._has_lines:
                rows = phase.rows if phase.rows is not None else self._rows
                self._write(f"{describe(phase.name, phase.seconds, rows)}, done\n")
            self._phase = None

    # -- showing it --------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._keep_showing, name="recipe-kit-progress", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        with self._lock:
            self._erase()
            self._phase = None

    def _keep_showing(self) -> None:
        while not self._stop.wait(_REDRAW):
            self.show()

    def show(self) -> None:
        """Show the current phase, if it has taken long enough."""
        with self._lock:
            elapsed = self._clock() - self._began
            if self._phase is None or elapsed < PATIENCE:
                return
            text = describe(self._phase, elapsed, self._rows, self._total)
            if self._live:
                if not self._line_is_open:
                    # A line that is broken in two could not be erased.
                    fitting = text[: shutil.get_terminal_size().columns - 1]
                    self._write(f"{_ERASE}\x1b[2m{fitting}\x1b[0m")
                    self._drawn = True
            elif elapsed >= self._next_line and (self._rows is not None or elapsed >= SIGN_OF_LIFE):
                self._next_line, self._has_lines = 2 * elapsed, True
                self._write(f"{text} ...\n")

    @contextlib.contextmanager
    def among_prints(self) -> Iterator[None]:
        """Keep the line apart from what is printed to stdout and stderr in the block."""
        if not self._live:
            yield
            return
        out: Any = _Apart(sys.stdout, self)
        err: Any = _Apart(sys.stderr, self)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            yield

    def make_way(self, stream: TextIO, text: str) -> int:
        """Write what the recipe printed to `stream`, in place of the progress line."""
        with self._lock:
            self._erase()
            count = stream.write(text)
            if text and stream.isatty():
                # While the recipe is in the midst of a line, ours would tear it apart.
                self._line_is_open = not text.endswith("\n")
                stream.flush()
            return count

    def _erase(self) -> None:
        if self._drawn:
            self._write(_ERASE)
            self._drawn = False

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # nobody looks any more; the task matters more
            self._stream.write(text)
            self._stream.flush()


class _Apart:
    """A text stream whose writes do not run into the progress line; all else is as in the stream it stands for."""

    def __init__(self, stream: TextIO, progress: Progress) -> None:
        self._stream = stream
        self._progress = progress

    def write(self, text: str) -> int:
        return self._progress.make_way(self._stream, text)

    def writelines(self, lines: list[str]) -> None:
        self.write("".join(lines))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def describe(phase: str, elapsed: float, rows: int | None, total: int | None = None) -> str:
    """Return one line on a phase: its name, its time, and its rows where they are known."""
    parts = [f"{phase}: {elapsed:.0f} s" if elapsed < 100 else f"{phase}: {seconds(elapsed)}"]
    if rows:
        share = f" of {total:,} ({rows / total:.0%})" if total else ""
        rate = rows / elapsed
        parts += [f"{rows:,} rows{share}", f"{rate:,.0f} rows/s"]
        if total and rows < total:
            parts.append(f"{(total - rows) / rate:.0f} s left")
    return ", ".join(parts)
