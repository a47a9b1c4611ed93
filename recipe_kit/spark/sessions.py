"""One Spark session per process: opened with what the work needs, used again, and closed with all that it started."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from recipe_kit.errors import SparkUnavailableError
from recipe_kit.spark.masters import resolve_master
from recipe_kit.spark.running import RunningSpark
from recipe_kit.spark.settings import SparkOptions
from recipe_kit.spark.shipping import digest_of_source, pack_kit, pack_source
from recipe_kit.spark.starting import start

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_lock = threading.RLock()
_running: RunningSpark | None = None


def open_session(
    options: SparkOptions,
    *,
    app_name: str,
    source_folder: Path | None = None,
    expected_bytes: int | None = None,
    log: Callable[[str], None] | None = None,
) -> SparkSession:
    """The process's Spark session, started if there is none, with a project's code on its executors.

    An open session is used again where it offers what is asked for: the same master (or none asked for), every setting
    that is asked for, and no tuning where that is turned off. A session that somebody else started is used as it is.

    Args:
        options: master, settings and tuning.
        app_name: the name that the cluster shows.
        source_folder: the folder whose packages and modules functions on executors may import.
        expected_bytes: how much data will be read, where known; more than `SMALL_BYTES` gets Java's defaults.
        log: takes one line about anything the user may want to know.

    Raises:
        MissingExtraError: pyspark, or what Spark Connect needs, is not installed.
        SparkUnavailableError: Java is missing or too old, the cluster does not answer, or a session with other
            options is open.
    """
    global _running
    with _lock:
        if _running is not None and _running.process != os.getpid():
            _running = None  # this is a fork: the session is its parent's
        if _running is not None and not _running.is_alive:
            close_session()
        if _running is None:
            report = log or (lambda line: None)
            _running = start(options, app_name=app_name, expected_bytes=expected_bytes, log=report)
        elif not _running.adopted:
            _check_that_it_offers(_running, options)
        _put_code_on_executors(_running, source_folder.resolve() if source_folder is not None else None)
        return _running.session


def close_session() -> None:
    """Stop the session and its Java process, and remove what they left; nothing happens where none is open."""
    global _running
    with _lock:
        closing, _running = _running, None
        if closing is not None and closing.process == os.getpid():
            closing.stop()


atexit.register(close_session)


def _check_that_it_offers(running: RunningSpark, asked: SparkOptions) -> None:
    master = asked.master or asked.settings.get("spark.master")
    missing = [key for key, value in asked.settings.items() if running.options.settings.get(key) != value]
    if master not in (None, running.master.url):
        what = f"the master {master}"
    elif missing:
        what = f"another {missing[0]}"
    elif running.options.tuned and not asked.tuned:
        what = "tuning turned off"
    else:
        return
    raise SparkUnavailableError(
        f"this process already has a Spark session on {running.master.url}, and one with {what} was asked for",
        hint="one process has one session: use the same options, or call close_session() first",
    )


# -- the project's code ---------------------------------------------------------------------------------------------


def _put_code_on_executors(running: RunningSpark, source_folder: Path | None) -> None:
    """Make the kit and a project's modules importable where functions run.

    Python workers are kept and used again by their environment. The digest of the code is part of it here, so that
    another project, or the same after an edit, meets workers that have not yet imported anything.
    """
    if running.master.kind == "connect":
        for archive in _archives(running, source_folder):
            if archive.name not in running.shipped:
                running.session.addArtifacts(str(archive), pyfile=True)
                running.shipped.add(archive.name)
        return
    context = running.session.sparkContext
    if source_folder is not None:
        context.environment["RECIPE_KIT_CODE"] = f"{source_folder}@{digest_of_source(source_folder)}"
    if resolve_master(context.master, {}).is_local:
        # The workers are this machine's: they read the very files, and tracebacks show them.
        own = running.options.settings.get("spark.executorEnv.PYTHONPATH")
        context.environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(source_folder or ""), own]))
        return
    wanted = _archives(running, source_folder)
    for archive in wanted:
        if archive.name not in running.shipped:
            with _unchanged_import_path():
                context.addPyFile(str(archive))
            running.shipped.add(archive.name)
    others = [name for name in context._python_includes or [] if name not in running.shipped]
    # Only what this project needs: a module of the same name in another project's archive must not come first.
    context._python_includes = [*others, *(archive.name for archive in wanted)]


def _archives(running: RunningSpark, source_folder: Path | None) -> list[Path]:
    archives = [pack_kit(running.folder)]
    if source_folder is not None:
        archives.append(pack_source(source_folder, running.folder))
    return archives


@contextlib.contextmanager
def _unchanged_import_path() -> Iterator[None]:
    # addPyFile would put the archive before the sources here, and tracebacks would point into it.
    before = list(sys.path)
    try:
        yield
    finally:
        sys.path[:] = before
