"""A process that scores blocks for another one, which has started it and tells it what to do through a socket.

It imports the recipe and restores the model once. Whatever it prints goes to the process that started it, and when
that process is gone, so is this one.
"""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import queue
import sys
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from recipe_kit.project import import_recipe
from recipe_kit.scoring.batches import Belongings, Piece, Scorer, Settled
from recipe_kit.scoring.elsewhere import portable

if TYPE_CHECKING:
    from recipe_kit.data import Block


@dataclass(frozen=True)
class Assignment:
    """What a scoring process must know before the first block."""

    recipe_entry: str
    source_folder: Path | None
    model_folder: Path
    delimiter: str | None
    settled: Settled
    belongings: bytes
    """The parameters and the context, pickled: their classes may be the author's, and need the recipe's folder."""


@dataclass(frozen=True)
class Ready:
    """The recipe is imported and the model restored."""


@dataclass(frozen=True)
class Printed:
    """Something was written to `stdout` or `stderr`."""

    stream: str
    text: str

    def show(self) -> None:
        """Write it to the stream of the same name here."""
        print(self.text, end="", file=sys.stderr if self.stream == "stderr" else sys.stdout)


@dataclass(frozen=True)
class Scored:
    """A block's scores."""

    number: int
    piece: Piece


@dataclass(frozen=True)
class Failed:
    """The process can do no more; see `elsewhere.portable`."""

    error: Exception
    traceback: str | None


def serve(connection: Connection) -> None:
    """Score the blocks that come through `connection` until `None` comes, or it is closed."""
    speaker = _Speaker(connection)
    out, err = _Forwarded("stdout", speaker), _Forwarded("stderr", speaker)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        outcome = _work(connection, speaker)
    out.finish()
    err.finish()
    if outcome is not None:
        speaker.try_to_say(outcome)


def _work(connection: Connection, speaker: _Speaker) -> Failed | None:
    """Score until nothing more comes, or return what went wrong with the recipe."""
    try:
        assignment: Assignment = connection.recv()
    except (EOFError, OSError):
        return None
    try:
        scorer = _scorer(assignment)
    except BaseException as error:
        return Failed(*portable(error))
    heard = _listen(connection)
    said = speaker.try_to_say(Ready())
    while said and (task := heard.get()) is not None:
        number, block = task
        try:
            piece = scorer.score_block(block, assignment.settled)
        except BaseException as error:
            return Failed(*portable(error))
        said = speaker.try_to_say(Scored(number, piece))
    return None


def _scorer(given: Assignment) -> Scorer:
    recipe_class = import_recipe(given.recipe_entry, given.source_folder)
    belongings: Belongings = pickle.loads(given.belongings)
    return belongings.scorer(recipe_class, given.model_folder, given.delimiter)


def _listen(connection: Connection) -> queue.SimpleQueue[tuple[int, Block] | None]:
    """What comes through the connection, taken out as it comes, so that the other side can always go on."""
    heard: queue.SimpleQueue[tuple[int, Block] | None] = queue.SimpleQueue()

    def listen() -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                heard.put(connection.recv())
        heard.put(None)

    threading.Thread(target=listen, name="recipe-kit-listen", daemon=True).start()
    return heard


class _Speaker:
    """Sends messages, of which those of several threads do not mix."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def try_to_say(self, message: Ready | Printed | Scored | Failed) -> bool:
        """Return whether there is still somebody who listens."""
        try:
            with self._lock:
                self._connection.send(message)
        except OSError:
            return False
        return True


class _Forwarded(io.TextIOBase):
    """A text stream whose lines appear where the run that this process works for shows and logs its own."""

    def __init__(self, name: str, speaker: _Speaker) -> None:
        self._name = name
        self._speaker = speaker
        self._pending = ""
        self._lock = threading.Lock()

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        with self._lock:
            # Whole lines, so that those of several processes do not mix.
            whole, newline, self._pending = (self._pending + text).rpartition("\n")
            self._send(whole + newline)
        return len(text)

    def finish(self) -> None:
        """Send a last line that has no end."""
        with self._lock:
            self._send(self._pending)
            self._pending = ""

    def _send(self, text: str) -> None:
        if text:
            self._speaker.try_to_say(Printed(self._name, text))


def main(descriptor: int) -> None:
    """Work for the process at the other end of the socket `descriptor`."""
    with Connection(descriptor) as connection, contextlib.suppress(EOFError):
        serve(connection)
    # A recipe's library may have left threads that never end; nothing of this process is needed any more.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
