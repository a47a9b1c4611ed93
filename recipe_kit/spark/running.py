"""A Spark session together with everything that was started or changed for it, and how all of that ends."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from recipe_kit.spark import archive as archives
from recipe_kit.spark.driver import Driver, forget_gateway, hang_up, put_back, without_farewells
from recipe_kit.spark.masters import Master
from recipe_kit.spark.settings import JAVA_FLAGS, SparkOptions

if TYPE_CHECKING:
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

_SECONDS_TO_STOP = 20.0
_SECONDS_TO_WRITE_AN_ARCHIVE = 600.0


@dataclass
class RunningSpark:
    """What belongs to an open session and goes when it is closed."""

    session: SparkSession
    options: SparkOptions
    master: Master
    folder: Path
    """Takes what Spark would leave in the current folder or the system's; removed at the end."""
    process: int = field(default_factory=os.getpid)
    driver: Driver | None = None
    """The Java process, where the kit has started it."""
    adopted: bool = False
    """Whether somebody else has started the session, who then also stops it."""
    on_interrupt: Any = None
    """What Ctrl-C did before."""
    variables_before: dict[str, str | None] = field(default_factory=dict)
    import_path_added: frozenset[str] = frozenset()
    """What pyspark has added to ``sys.path``: a folder that goes with the session."""
    shipped: set[str] = field(default_factory=set)
    """Names of the archives of code that the executors have been sent."""
    place_to_build: archives.ArchivePlace | None = None
    """Where a class-data archive is missing that this session would have used."""

    @property
    def is_alive(self) -> bool:
        """Whether the session still works: nobody has stopped it, and Java has not crashed."""
        if self.master.kind == "connect":
            return not getattr(self.session, "is_stopped", False)
        with contextlib.suppress(Exception):
            context = self.session.sparkContext._jsc
            return context is not None and not context.sc().isStopped()
        return False

    def cancel_jobs_on_interrupt(self, context: SparkContext) -> None:
        """Let Ctrl-C cancel the running jobs, and then do what it did before the session was opened.

        pyspark's own handler sends the wish to cancel through the connection that waits for the job's end.
        """
        before = self.on_interrupt
        if threading.current_thread() is not threading.main_thread():
            return

        def cancel() -> None:
            with contextlib.suppress(Exception):
                context.cancelAllJobs()

        def interrupted(number: int, frame: FrameType | None) -> None:
            threading.Thread(target=cancel, daemon=True).start()
            if callable(before):
                before(number, frame)
            else:
                raise KeyboardInterrupt

        signal.signal(signal.SIGINT, signal.SIG_IGN if before is signal.SIG_IGN else interrupted)

    def stop(self) -> None:
        """End the session, its Java process and its workers; remove its files; undo what it changed here."""
        if not self.adopted:
            in_order = self._stop_session()
            if self.driver is not None:
                with without_farewells():
                    self._end(self.driver, in_order)
            restore_interrupt(self.on_interrupt)
            put_back(self.variables_before)
            sys.path[:] = [entry for entry in sys.path if entry not in self.import_path_added]
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.place_to_build is not None and archives.wants_building(self.place_to_build):
            archives.build_in_background()

    def _stop_session(self) -> bool:
        """Whether the session stopped in order; asked for from a thread of its own.

        The connection of this one may still be waiting for an answer that an exception has cut short.
        """
        done = threading.Event()

        def stop() -> None:
            with contextlib.suppress(Exception):
                self.session.stop()
                done.set()

        thread = threading.Thread(target=stop, name="recipe-kit-spark-stop", daemon=True)
        thread.start()
        thread.join(_SECONDS_TO_STOP)
        return done.is_set()

    def _end(self, driver: Driver, in_order: bool) -> None:
        from pyspark import SparkContext

        gateway = SparkContext._gateway
        user_flags = self.options.settings.get(JAVA_FLAGS, "")
        if gateway is not None:
            hang_up(gateway)
        if "ArchiveClassesAtExit" in user_flags:
            driver.end(patience=_SECONDS_TO_WRITE_AN_ARCHIVE)
        else:
            # A stopped local session has nothing more to do, and its files are removed here; half a second saved.
            # A user's own flags may be an agent's, which writes its results at the end.
            driver.end(at_once=not in_order or (self.master.is_local and not user_flags))
        if gateway is not None:
            forget_gateway(gateway)


def restore_interrupt(handler: Any) -> None:
    """Let Ctrl-C do again what it did before."""
    if handler is not None and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, handler)


def values_of(names: tuple[str, ...]) -> Mapping[str, str | None]:
    """The environment's values of these variables, None for those that are not set."""
    return {name: os.environ.get(name) for name in names}
