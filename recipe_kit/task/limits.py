"""The bounds of a run: one run to a folder, and a time limit."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from recipe_kit.errors import OutputError, TaskTimeoutError, WorkFolderBusyError


@contextlib.contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold `folder`, which is made if it is missing, for one run.

    The lock is on the folder itself, so it leaves nothing behind and ends with the process that holds it.

    Raises:
        WorkFolderBusyError: Another run holds it.
        OutputError: The folder cannot be made or opened.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise OutputError(
            f"run folder {folder} cannot be used ({error.strerror})", hint="choose another with --work-dir"
        ) from None
    try:
        if not os.access(folder, os.W_OK):
            raise OutputError(f"run folder {folder} is not writable", hint="choose another with --work-dir")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WorkFolderBusyError(
                f"another run is using {folder}", hint="wait until it has ended, or choose another folder"
            ) from None
        except OSError:
            pass  # a file system without locks for folders, as NFS is: no reason not to run there
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def ended_in_order() -> Iterator[None]:
    """Let SIGTERM, and SIGHUP of a terminal that closes, end the block as Ctrl-C does.

    So a run that a platform or a person ends has a result, and leaves no process and no half-written file behind. A
    signal that is ignored, as by `nohup`, or handled already is left alone.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is signal.SIG_DFL]
    for number in ours:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def time_is_up(seconds: float | None) -> TaskTimeoutError:
    """Return what is said of a task that went over its time limit."""
    return TaskTimeoutError(
        f"the task went over its time limit of {seconds or 0:g} s", hint="give it longer with --timeout"
    )


class _TimeIsUp(BaseException):
    """Not an `Exception`, so that an author's ``except Exception`` does not swallow it."""


@contextlib.contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Raise `TaskTimeoutError` in the block once `seconds` have gone by; `None` sets no limit.

    It is a signal, so it needs the main thread and reaches Python code: a long call into compiled code ends first.
    """
    if seconds is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_alarm(_signal: int, _frame: FrameType | None) -> None:
        raise _TimeIsUp

    previous = signal.signal(signal.SIGALRM, on_alarm)
    # Again every second: raised inside a destructor or a callback of compiled code, an exception is swallowed.
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, previous)
    except _TimeIsUp:
        raise time_is_up(seconds) from None
