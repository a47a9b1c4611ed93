"""The three logs of a run: `execution` (the kit's own, one line per event), `stdout` and `stderr` (the recipe's).

What a recipe prints is written to its log and still shown live. The value of a secret parameter reaches neither.
"""

from __future__ import annotations

import contextlib
import errno
import io
import json
import logging
import sys
import threading
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from recipe_kit.atomic import output_error
from recipe_kit.context import logger_to

EXECUTION_LOG = "execution.log"
STDOUT_LOG = "stdout.log"
STDERR_LOG = "stderr.log"
MASK = "**********"
_TELLING_NOTHING = 3
"""Up to so many characters a line of a secret is none by itself."""


class Redactor:
    """Replaces the values of secrets in text; calling it returns the text that may be shown."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self.secrets: set[str] = set()
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> None:
        """Mask these as well: as they are, as Python and JSON write them, and line by line, as logs are written."""
        for secret in filter(None, secrets):
            written = (repr(secret)[1:-1], json.dumps(secret)[1:-1])
            lines = (line.strip() for line in secret.splitlines()) if "\n" in secret else ()
            # Of a key in several lines, those with a bracket only tell nothing, and would mask every other.
            self.secrets |= {secret, *written, *(line for line in lines if len(line) > _TELLING_NOTHING)}

    def __call__(self, text: str) -> str:
        """Return `text` with every secret masked."""
        # The longest first: a secret may contain another one.
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, MASK)
        return text


def _open(file: Path, *, buffering: int = -1) -> TextIO:
    try:
        return file.open("w", encoding="utf-8", errors="backslashreplace", buffering=buffering)
    except OSError as error:
        raise output_error(file, error) from error


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[TextIO]:
    stream = _open(file)
    try:
        yield stream
    finally:
        with _as_far_as_there_is_space():
            stream.close()


@contextlib.contextmanager
def _as_far_as_there_is_space() -> Iterator[None]:
    """A log that cannot be written fails no task, least of all a `print` of the recipe's.

    Where the disk is full, the outputs and the result document say so.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise


class ExecutionLog:
    """The kit's own log of a run; calling it adds a line."""

    def __init__(self, file: Path, redact: Redactor) -> None:
        self._stream = _open(file, buffering=1)
        self._redact = redact
        self._lock = threading.Lock()

    def __call__(self, event: str) -> None:
        """Add one line: the time (UTC, ISO 8601, milliseconds) and `event`, which is kept on one line."""
        time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        line = " ".join(self._redact(event).splitlines())
        with self._lock:
            if not self._stream.closed:
                with _as_far_as_there_is_space():
                    self._stream.write(f"{time}Z {line}\n")

    def close(self) -> None:
        """Close the file; later calls do nothing."""
        with _as_far_as_there_is_space():
            self._stream.close()


class _Bytes(io.BufferedIOBase):
    """What `sys.stdout.buffer` is in a run: bytes that are written to it are text in UTF-8."""

    def __init__(self, text: io.TextIOBase) -> None:
        self._text = text

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._text.write(bytes(data).decode("utf-8", "backslashreplace"))
        return len(data)

    def flush(self) -> None:
        self._text.flush()


class _Tee(io.TextIOBase):
    """A text stream that writes to a log and, where there is one, to the stream that it stands in for."""

    def __init__(self, log: TextIO, live: TextIO | None, redact: Redactor) -> None:
        self._log = log
        self._live = live
        self._redact = redact
        self._pending = ""
        self._lock = threading.RLock()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    @property
    def buffer(self) -> _Bytes:
        return _Bytes(self)

    def reconfigure(self, **_options: object) -> None:
        """Do nothing: a script may set the encoding of its output, which is settled here."""

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._live is not None and self._live.isatty()

    def fileno(self) -> int:
        if self._live is None:
            raise io.UnsupportedOperation("fileno")
        return self._live.fileno()

    def write(self, text: str) -> int:
        with self._lock:
            if not self._redact.secrets:
                self._emit(text)
            else:
                # A secret may come in pieces: hold back the line that is not yet whole.
                whole, newline, self._pending = (self._pending + text).rpartition("\n")
                self._emit(self._redact(whole + newline))
        return len(text)

    def _emit(self, text: str) -> None:
        if not text:
            return
        if not self._log.closed:
            with _as_far_as_there_is_space():
                self._log.write(text)
        if self._live is not None:
            self._live.write(text)

    def flush(self) -> None:
        with self._lock:
            if not self._log.closed:
                with _as_far_as_there_is_space():
                    self._log.flush()
            if self._live is not None:
                self._live.flush()

    def finish(self) -> None:
        """Write out a last line that has no end."""
        with self._lock:
            self._emit(self._redact(self._pending))
            self._pending = ""
            self.flush()


@contextlib.contextmanager
def capture(folder: Path, redact: Redactor, *, live: bool = True) -> Iterator[logging.Logger]:
    """Write what Python code prints to the logs in `folder`, and give a logger that writes to `stderr`.

    Args:
        folder: Where ``stdout.log`` and ``stderr.log`` go.
        redact: What may not be shown.
        live: Whether it is also shown, where it would have been shown without the capture.
    """
    with _opened(folder / STDOUT_LOG) as out_log, _opened(folder / STDERR_LOG) as err_log:
        out = _Tee(out_log, sys.stdout if live else None, redact)
        err = _Tee(err_log, sys.stderr if live else None, redact)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                yield logger_to(sys.stderr)
            finally:
                out.finish()
                err.finish()
