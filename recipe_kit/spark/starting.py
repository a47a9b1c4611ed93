"""Starting Spark: on this machine, on a cluster, through Spark Connect, or inside what is already running."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from recipe_kit.errors import MissingExtraError, SparkUnavailableError
from recipe_kit.spark import archive as archives
from recipe_kit.spark.driver import (
    Driver,
    forget_gateway,
    hang_up,
    put_back,
    without_connect,
    without_farewells,
)
from recipe_kit.spark.java import find_java, pyspark_version
from recipe_kit.spark.masters import Master, check_that_it_answers, resolve_master
from recipe_kit.spark.running import RunningSpark, restore_interrupt, values_of
from recipe_kit.spark.settings import (
    JAVA_FLAGS,
    SparkOptions,
    is_small,
    java_flags,
    session_settings,
    without_secrets,
)

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Log = Callable[[str], None]

_SET_BY_CONNECT = ("SPARK_REMOTE", "SPARK_CONNECT_MODE_ENABLED", "SPARK_LOCAL_REMOTE")
_SET_BY_CONTEXT = ("SPARK_AUTH_SOCKET_TIMEOUT", "SPARK_BUFFER_SIZE")
_JAVA_CLASS = re.compile(r"^(?:[\w$]+\.)+[\w$]+: ")


def start(options: SparkOptions, *, app_name: str, expected_bytes: int | None, log: Log) -> RunningSpark:
    """A new session, or the one that somebody else has opened in this process.

    Raises:
        MissingExtraError: pyspark, or what Spark Connect needs, is not installed.
        SparkUnavailableError: Java is missing or too old, or the cluster does not answer.
    """
    spark_version = pyspark_version()
    master = resolve_master(options.master, options.settings)
    if master.kind == "connect":
        return _connect(options, master, app_name)
    with without_connect():
        adopted = _session_of_others()
        if adopted is not None:
            log("using the Spark session that is already open in this process")
            return RunningSpark(adopted, options, master, _new_folder(), adopted=True)
        if master.kind == "submitted":
            return _start_submitted(options, master, app_name)
        java = find_java(spark_version)
        check_that_it_answers(master)
        if not master.is_local:
            return _start_on_cluster(options, master, app_name)
        place = archives.archive_place(java, spark_version) if options.is_tuned() else None
        return _start_locally(options, master, app_name, place, expected_bytes, log)


def python_of_executors(options: SparkOptions, master: Master) -> str:
    """The Python that executors run: the user's choice, this one where they share the machine, else ``python3``."""
    chosen = options.settings.get("spark.pyspark.python") or os.environ.get("PYSPARK_PYTHON")
    return chosen or (sys.executable if master.is_on_this_machine else "python3")


# -- in this process, or inside what is already running -------------------------------------------------------------


def _session_of_others() -> SparkSession | None:
    if "pyspark" not in sys.modules:
        return None
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    context = SparkContext._active_spark_context
    return SparkSession(context) if context is not None and context._jsc is not None else None


def _start_submitted(options: SparkOptions, master: Master, app_name: str) -> RunningSpark:
    """A session in the Java process of the spark-submit that started this Python."""
    from pyspark.sql import SparkSession

    on_interrupt = signal.getsignal(signal.SIGINT)
    builder = SparkSession.builder.appName(app_name)
    for key, value in options.settings.items():
        builder = builder.config(key, value)
    return RunningSpark(builder.getOrCreate(), options, master, _new_folder(), on_interrupt=on_interrupt)


def _start_locally(
    options: SparkOptions,
    master: Master,
    app_name: str,
    place: archives.ArchivePlace | None,
    expected_bytes: int | None,
    log: Log,
) -> RunningSpark:
    tuned = options.is_tuned()
    small = is_small(options, expected_bytes)
    user_flags = options.settings.get(JAVA_FLAGS, "")
    folder = _new_folder()
    settings = session_settings(options, master, app_name=app_name, folder=folder, tuned=tuned, small=small)

    def start_with(archive: Path | None) -> RunningSpark:
        flags = java_flags(user_flags, folder=folder, tuned=tuned, small=small, archive=archive)
        return _launch(options, master, {**settings, JAVA_FLAGS: flags}, folder, quick_launch=tuned)

    archive = archives.usable_archive(place, log) if place is not None else None
    try:
        if place is None or archive is None:
            running = start_with(None)
            running.place_to_build = place
            return running
        try:
            running = start_with(archive)
        except SparkUnavailableError:
            log("Spark did not start with the class-data archive in the cache: trying without it")
            place.discard()
            return start_with(None)
        if running.driver is not None and running.driver.refused_archive:
            log("Java does not accept the class-data archive in the cache: Spark runs without it")
            place.discard()
        return running
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _start_on_cluster(options: SparkOptions, master: Master, app_name: str) -> RunningSpark:
    folder = _new_folder()
    settings = session_settings(options, master, app_name=app_name, folder=folder, tuned=False, small=False)
    try:
        return _launch(options, master, settings, folder, quick_launch=options.is_tuned())
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


# -- the Java process and its context -------------------------------------------------------------------------------


def _launch(
    options: SparkOptions, master: Master, settings: Mapping[str, str], folder: Path, *, quick_launch: bool
) -> RunningSpark:
    variables: dict[str, str] = {}
    if master.is_local:
        variables["SPARK_LOCAL_IP"] = os.environ.get("SPARK_LOCAL_IP", "127.0.0.1")
    if quick_launch:
        # spark-submit starts a first, small Java that only composes the command of the second.
        own = os.environ.get("SPARK_LAUNCHER_OPTS", "")
        variables["SPARK_LAUNCHER_OPTS"] = f"-XX:TieredStopAtLevel=1 -XX:+UseSerialGC {own}".strip()
    on_interrupt = signal.getsignal(signal.SIGINT)
    variables_before = dict(values_of(_SET_BY_CONTEXT))
    import_path = frozenset(sys.path)
    driver = Driver(without_secrets(settings), variables)
    overdue = threading.Event()

    def give_up() -> None:
        overdue.set()
        driver.kill()

    timer = threading.Timer(options.start_timeout, give_up)
    timer.daemon = True
    timer.start()
    gateway = None
    try:
        gateway = driver.connect(time.monotonic() + options.start_timeout)
        with without_farewells():
            session = _session(gateway, settings)
    except BaseException as error:
        said = _said_by_java(error)  # Java is asked for it, which it can answer only while it runs
        if gateway is not None:
            hang_up(gateway)
        driver.end(at_once=overdue.is_set() or isinstance(error, KeyboardInterrupt), patience=3)
        if gateway is not None:
            forget_gateway(gateway)
        restore_interrupt(on_interrupt)
        put_back(variables_before)
        sys.path[:] = [entry for entry in sys.path if entry in import_path]
        if overdue.is_set():
            raise SparkUnavailableError(
                f"Spark did not start on {master.url} within {options.start_timeout:g} s",
                hint="check that the cluster has room, or allow more time",
            ) from None
        if said is not None:
            raise SparkUnavailableError(f"Spark did not start on {master.url} ({said or driver.complaint()})") from None
        raise
    finally:
        timer.cancel()
    running = RunningSpark(
        session,
        options,
        master,
        folder,
        driver=driver,
        on_interrupt=on_interrupt,
        variables_before=variables_before,
        import_path_added=frozenset(sys.path) - import_path,
    )
    session.sparkContext.pythonExec = python_of_executors(options, master)
    running.cancel_jobs_on_interrupt(session.sparkContext)
    driver.forward_output()
    return running


def _session(gateway: object, settings: Mapping[str, str]) -> SparkSession:
    from pyspark import SparkConf, SparkContext
    from pyspark.sql import SparkSession

    configuration = SparkConf(loadDefaults=False)
    for key, value in settings.items():
        configuration.set(key, value)
    return SparkSession(SparkContext(conf=configuration, gateway=gateway))


def _said_by_java(error: BaseException) -> str | None:
    """What Java gives as its reason, nothing if it has just gone away; None if the error is nothing of Java's."""
    from py4j.protocol import Py4JError, Py4JJavaError  # type: ignore[import-untyped]

    if not isinstance(error, Py4JError | OSError):
        return None
    with contextlib.suppress(Exception):
        if isinstance(error, Py4JJavaError):
            return _shortened(_JAVA_CLASS.sub("", str(error.java_exception.toString())))
    return ""


def _shortened(reason: str) -> str:
    first = next((line.strip(": ") for line in reason.splitlines() if line.strip(": ")), "no reason given")
    return first[:300]


# -- Spark Connect --------------------------------------------------------------------------------------------------


def _connect(options: SparkOptions, master: Master, app_name: str) -> RunningSpark:
    try:
        import grpc  # type: ignore[import-untyped]  # noqa: F401
        import grpc_status  # type: ignore[import-untyped]  # noqa: F401
        import pandas  # noqa: F401
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("Spark Connect", "spark") from error
    check_that_it_answers(master)
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    before = dict(values_of(_SET_BY_CONNECT))
    # The address is given below; the variable would count as a second one.
    os.environ.pop("SPARK_REMOTE", None)
    try:
        builder = SparkSession.builder.remote(master.url).appName(app_name)
        for key, value in options.settings.items():
            if key != "spark.master":
                builder = builder.config(key, value)
        session = builder.getOrCreate()
        _ = session.version  # the first word with the server
    except Exception as error:
        put_back(before)
        if isinstance(error, PySparkException) or type(error).__module__.startswith("grpc"):
            raise SparkUnavailableError(
                f"the Spark Connect server {master.url} cannot be used ({_shortened(str(error))})"
            ) from error
        raise
    return RunningSpark(session, replace(options), master, _new_folder(), variables_before=before)


def _new_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="recipe-kit-spark-")).resolve()
