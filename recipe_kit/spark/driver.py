"""The Java process of a session: started with its flags, listened to, and always ended.

pyspark would start it too, but then its output could not be held back, a hanging start could not be ended, and a later
session of the same Python process could not have other flags. The hand-over used here (a file with port and secret,
then PYSPARK_GATEWAY_PORT and PYSPARK_GATEWAY_SECRET) is the one between spark-submit and the Python that it starts.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipe_kit.errors import SparkUnavailableError

if TYPE_CHECKING:
    from py4j.java_gateway import JavaGateway  # type: ignore[import-untyped]

_CONNECT_VARIABLES = ("SPARK_REMOTE", "SPARK_CONNECT_MODE_ENABLED", "SPARK_LOCAL_REMOTE", "SPARK_API_MODE")
_NOISE = re.compile(
    r"Using Spark's default log4j profile|Setting default log level|To adjust logging level|incubator modules"
    r"|NativeCodeLoader|netlib-(blas|lapack): JNI_OnLoad"
    r"|\]\[(cds|aot)|WARNING: (Unknown module|A (restricted|terminally)|Use --enable|Restricted)"
)
_REFUSED_ARCHIVE = re.compile(r"\]\[(cds|aot).*(Unable to (map|use) shared|failed to load)")
_TELLING = re.compile(r"^(Error|Exception|Caused by|Could not|Unrecognized|Invalid|Unable)\b|(Error|Exception): ")


@contextlib.contextmanager
def environment(**changes: str | None) -> Iterator[None]:
    """The process's environment with these variables set (None: unset), as it was before afterwards."""
    before = {name: os.environ.get(name) for name in changes}
    put_back(changes)
    try:
        yield
    finally:
        put_back(before)


def put_back(variables: Mapping[str, str | None]) -> None:
    """Give these environment variables these values, and remove those whose value is None."""
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def without_connect() -> contextlib.AbstractContextManager[None]:
    """An environment in which pyspark does not take itself for a Spark Connect client."""
    return environment(**dict.fromkeys(_CONNECT_VARIABLES))


class Driver:
    """A running Java process of Spark."""

    def __init__(self, settings: Mapping[str, str], variables: Mapping[str, str]) -> None:
        """Start it with the settings on its command line, and these variables added to its environment."""
        from pyspark.find_spark_home import _find_spark_home

        self._hand_over = Path(tempfile.mkdtemp(prefix="recipe-kit-gateway-"))
        command = [str(Path(_find_spark_home()) / "bin" / "spark-submit")]
        for key, value in settings.items():
            command += ["--conf", f"{key}={value}"]
        command += shlex.split(os.environ.get("PYSPARK_SUBMIT_ARGS", "pyspark-shell"))
        inherited = {name: value for name, value in os.environ.items() if name not in _CONNECT_VARIABLES}
        self._last_lines: deque[str] = deque(maxlen=200)
        self._forwarding = threading.Event()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,  # Java ends itself when this pipe breaks: also when Python is killed
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C at the terminal is for Python, which then stops Java in order
            env={
                **inherited,
                **variables,
                "SPARK_CONNECT_MODE": "0",
                "_PYSPARK_DRIVER_CONN_INFO_PATH": str(self._hand_over / "connection"),
            },
        )
        self._listener = threading.Thread(target=self._listen, name="recipe-kit-spark-output", daemon=True)
        self._listener.start()

    @property
    def pid(self) -> int:
        """The id of the Java process (the start script replaces itself by it)."""
        return self._process.pid

    @property
    def lines(self) -> list[str]:
        """The last lines that Java wrote."""
        return list(self._last_lines)

    @property
    def refused_archive(self) -> bool:
        """Whether Java has said that its class-data archive is of no use to it."""
        return any(_REFUSED_ARCHIVE.search(line) for line in self._last_lines)

    def connect(self, deadline: float) -> JavaGateway:
        """A gateway to the process, once it is ready.

        Raises:
            SparkUnavailableError: it ended instead, or was not ready at the deadline (of `time.monotonic`).
        """
        from pyspark.java_gateway import launch_gateway

        connection = self._hand_over / "connection"
        while not connection.exists():
            if self._process.poll() is not None:
                self._listener.join(timeout=2)
                raise SparkUnavailableError(f"Spark's Java process ended before it was ready ({self.complaint()})")
            if time.monotonic() > deadline:
                raise SparkUnavailableError("Spark's Java process did not become ready in time")
            time.sleep(0.02)
        handed_over = connection.read_bytes()
        port, length = struct.unpack_from(">ii", handed_over)
        secret = handed_over[8 : 8 + length].decode()
        shutil.rmtree(self._hand_over, ignore_errors=True)
        with environment(PYSPARK_GATEWAY_PORT=str(port), PYSPARK_GATEWAY_SECRET=secret):
            return launch_gateway()  # type: ignore[no-untyped-call]

    def forward_output(self) -> None:
        """From now on pass on what Java and the Python workers write, to whatever is ``sys.stderr`` at that moment."""
        self._forwarding.set()

    def complaint(self) -> str:
        """The line of Java's output that says best what went wrong."""
        lines = [line for line in self.lines if line and not line.startswith(("\t", " ")) and not _NOISE.search(line)]
        telling = [line for line in lines if _TELLING.search(line)]
        return (telling or lines or [f"exit code {self._process.poll()}"])[0].strip()[:300]

    def end(self, *, at_once: bool = False, patience: float = 10.0) -> None:
        """End the process and wait for it; `at_once` where nothing is left for it to do."""
        self._forwarding.clear()
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        if at_once:
            self._process.kill()
        for last_resort in (self._process.terminate, self._process.kill, None):
            try:
                self._process.wait(timeout=patience)
                break
            except subprocess.TimeoutExpired:
                if last_resort is not None:
                    last_resort()
                patience = 5.0
        self._listener.join(timeout=2)
        if self._process.stdout is not None and not self._listener.is_alive():
            self._process.stdout.close()
        shutil.rmtree(self._hand_over, ignore_errors=True)

    def kill(self) -> None:
        """End the process without a word, so that a call into it that hangs comes back with an error."""
        self._process.kill()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for raw in self._process.stdout:
            line = raw.decode("utf-8", "replace").rstrip("\n")
            self._last_lines.append(line)
            if self._forwarding.is_set() and not _NOISE.search(line):
                # The stream may be gone (closed by a test runner's capture); Java must not block on that.
                with contextlib.suppress(ValueError, OSError):
                    print(line, file=sys.stderr, flush=True)


@contextlib.contextmanager
def without_farewells() -> Iterator[None]:
    """Keep py4j from telling the root logger, with a traceback, that a process which is being ended has gone."""

    def is_no_farewell(record: logging.LogRecord) -> bool:
        return not str(record.msg).startswith("Exception while sending command")

    root = logging.getLogger()
    root.addFilter(is_no_farewell)
    try:
        yield
    finally:
        root.removeFilter(is_no_farewell)


def hang_up(gateway: Any) -> None:
    """Let no more commands go to a gateway, and those that are on their way arrive.

    py4j's own shutdown would send one more, perhaps into a connection that waits for another answer.
    """
    client = gateway._gateway_client
    client.is_connected = False
    pending = getattr(client, "finalizer_deque", ())  # of objects to be forgotten by Java; now they are just dropped
    deadline = time.monotonic() + 0.2
    while pending and time.monotonic() < deadline:
        time.sleep(0.005)
    if pending is not None and hasattr(pending, "appendleft"):
        from py4j.clientserver import SHUTDOWN_FINALIZER_WORKER  # type: ignore[import-untyped]

        pending.appendleft(SHUTDOWN_FINALIZER_WORKER)


def forget_gateway(gateway: Any) -> None:
    """Make pyspark forget a gateway whose process has ended, so that its next session starts one of its own."""
    from pyspark import SparkContext

    with contextlib.suppress(Exception):
        gateway.close(keep_callback_server=True, close_callback_server_connections=True)
        gateway.shutdown_callback_server()
    SparkContext._gateway = None
    SparkContext._jvm = None
