"""Scoring in several processes of this machine, for recipes whose Python code keeps a processor busy.

Each is a fresh Python: forking one whose libraries have started threads can hang it. They get blocks to read, not
rows, and give back what goes into the file, so that little has to travel.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path

from recipe_kit.data import Block
from recipe_kit.errors import RecipeFailedError
from recipe_kit.scoring.batches import Belongings, Piece, Scorer, Settled
from recipe_kit.scoring.elsewhere import raise_here
from recipe_kit.scoring.worker import Assignment, Failed, Printed, Ready, Scored

_BLOCKS_AT_ONCE = 2
"""How many blocks a process is given: one to score, and one to begin with at once when that is done."""

_SECONDS_TO_END = 5.0
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
_START = "import sys; sys.path[:] = {path!r}; from recipe_kit.scoring.worker import main; main({descriptor})"


@dataclass(frozen=True)
class Origin:
    """Where scoring processes get the recipe and the model from."""

    recipe_entry: str
    source_folder: Path | None
    model_folder: Path


def score_in_processes(
    scorer: Scorer, origin: Origin, blocks: Iterator[Block], settled: Settled, processes: int
) -> Generator[Piece, None, None]:
    """Give the scores of all blocks, in order, scored by `processes` processes, of which this one is the first.

    None of the others is left when this is closed.

    Raises:
        Unsettled: A block needs other dtypes or types than those settled.
        RecipeFailedError: The recipe raised in another process, or one ended without a word.
    """
    assignment = Assignment(
        origin.recipe_entry,
        origin.source_folder,
        origin.model_folder,
        scorer.delimiter,
        settled,
        pickle.dumps(Belongings.of(scorer.recipe.context, scorer.parameters)),
    )
    first_blocks = list(itertools.islice(blocks, processes))
    processes = max(1, len(first_blocks))
    left = _Numbered(itertools.chain(first_blocks, blocks))
    done: dict[int, Piece] = {}
    next_out = 0
    # However unequal the processes are, no more than these are waiting for the one before them.
    limit = processes * (_BLOCKS_AT_ONCE + 2)
    with _started(processes - 1, assignment) as workers:
        while True:
            while next_out in done:
                yield done.pop(next_out)
                next_out += 1
            under_way = sum(len(worker.numbers) for worker in workers)
            for worker in workers:
                while worker.has_room and under_way + len(done) < limit and (task := left.take()) is not None:
                    worker.give(*task)
                    under_way += 1
            if left.is_empty and not under_way and not done:
                return
            may_score = not left.is_empty and under_way + len(done) < limit
            news = _with_news(workers, at_once=may_score)
            for worker in news:
                message = worker.receive()
                if isinstance(message, Scored):
                    done[message.number] = message.piece
            if may_score and not news and (task := left.take()) is not None:
                number, block = task
                done[number] = scorer.score_block(block, settled)


class _Numbered:
    """Blocks, numbered as they are taken."""

    def __init__(self, blocks: Iterator[Block]) -> None:
        self._blocks = enumerate(blocks)
        self.is_empty = False

    def take(self) -> tuple[int, Block] | None:
        """Return the next block with its number; `None` if there is no more."""
        task = next(self._blocks, None)
        self.is_empty = task is None
        return task


@dataclass
class _Worker:
    process: subprocess.Popen[bytes]
    connection: Connection
    ready: bool = False
    numbers: set[int] = field(default_factory=set)

    @property
    def has_room(self) -> bool:
        return self.ready and len(self.numbers) < _BLOCKS_AT_ONCE

    def give(self, number: int, block: Block) -> None:
        try:
            self.connection.send((number, block))
        except OSError:
            raise self._gone() from None
        self.numbers.add(number)

    def receive(self) -> Ready | Printed | Scored:
        """Return a message, after doing what it asks for; what went wrong there is raised here."""
        try:
            message = self.connection.recv()
        except (EOFError, OSError):
            raise self._gone() from None
        if isinstance(message, Failed):
            raise_here(message.error, message.traceback)
        if isinstance(message, Printed):
            message.show()
        elif isinstance(message, Ready):
            self.ready = True
        elif isinstance(message, Scored):
            self.numbers.discard(message.number)
        return message  # type: ignore[no-any-return]

    def finish(self) -> None:
        """Let it end, and hear what it has printed until then; one that has not begun is not waited for."""
        if self.ready:
            with contextlib.suppress(EOFError, OSError):
                self.connection.send(None)
                while self.connection.poll(_SECONDS_TO_END):
                    message = self.connection.recv()
                    if isinstance(message, Printed):
                        message.show()

    def _gone(self) -> RecipeFailedError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=_SECONDS_TO_END)
        code = self.process.returncode
        if code is not None and code < 0:
            how = f"was ended by signal {signal.Signals(-code).name}"
            hint = "the machine may be out of memory: use fewer --processes" if code == -signal.SIGKILL else None
        else:
            how, hint = f"ended with code {code}", None
        return RecipeFailedError(f"a scoring process {how} in the middle of its work", hint=hint)


def _with_news(workers: list[_Worker], *, at_once: bool) -> list[_Worker]:
    """The processes that have sent something; unless it has to be `at_once`, at least one has."""
    heard = wait([worker.connection for worker in workers], timeout=0 if at_once else None)
    return [worker for worker in workers if worker.connection in heard]


@contextlib.contextmanager
def _started(count: int, assignment: Assignment) -> Iterator[list[_Worker]]:
    workers: list[_Worker] = []
    try:
        for _ in range(count):
            workers.append(_start(count))
            workers[-1].connection.send(assignment)
        yield workers
        for worker in workers:
            worker.finish()
    finally:
        for worker in workers:
            worker.connection.close()
            _end(worker.process)


def _start(count: int) -> _Worker:
    ours, theirs = socket.socketpair()
    share = str(max(1, (os.cpu_count() or 1) // count))
    with theirs, _interrupts_held_back():
        process = subprocess.Popen(
            [sys.executable, "-c", _START.format(path=sys.path, descriptor=theirs.fileno())],
            stdin=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
            # Each library would start as many threads as there are processors, in each process.
            env={**dict.fromkeys(_THREAD_VARIABLES, share), **os.environ},
        )
    return _Worker(process, Connection(ours.detach()))


@contextlib.contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Start a child to which a Ctrl-C at the terminal means nothing: this process hears it too, and ends the child."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Make sure that it is gone; one that has finished its work is by now."""
    process.terminate()
    try:
        process.wait(timeout=_SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
