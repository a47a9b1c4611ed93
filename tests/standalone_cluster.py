"""A real standalone cluster and a real Connect server on loopback, started from the installed pyspark."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_SECONDS_TO_START = 120
# The daemons do little; without this each of them warms up a compiler that the test then waits for.
_QUICK_JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


@dataclass(frozen=True)
class StandaloneCluster:
    """A master and its workers."""

    url: str
    processes: tuple[subprocess.Popen[bytes], ...]


@contextlib.contextmanager
def standalone_cluster(folder: Path, *, workers: int = 2) -> Iterator[StandaloneCluster]:
    """One master and some workers of one core each; their logs and work folders are in `folder`."""
    port, page = _free_port(), _free_port()
    url = f"spark://127.0.0.1:{port}"
    with contextlib.ExitStack() as stack:
        master = _start(
            stack, folder, "master", "org.apache.spark.deploy.master.Master",
            "--host", "127.0.0.1", "--port", str(port), "--webui-port", str(page),
        )  # fmt: skip
        _wait(lambda: _answers(port), master, folder / "master.log")
        started = [master]
        for number in range(workers):
            name = f"worker-{number}"
            started.append(_start(
                stack, folder, name, "org.apache.spark.deploy.worker.Worker",
                "--host", "127.0.0.1", "--cores", "1", "--memory", "1g",
                "--webui-port", str(_free_port()), "--work-dir", str(folder / name), url,
            ))  # fmt: skip
        _wait(lambda: _alive_workers(page) == workers, started[-1], folder / f"worker-{workers - 1}.log")
        yield StandaloneCluster(url, tuple(started))


@contextlib.contextmanager
def connect_server(folder: Path) -> Iterator[str]:
    """The ``sc://`` address of a Spark Connect server on this machine's cores."""
    port = _free_port()
    with contextlib.ExitStack() as stack:
        server = _start(
            stack, folder, "connect", "org.apache.spark.deploy.SparkSubmit",
            "--master", "local[2]", "--class", "org.apache.spark.sql.connect.service.SparkConnectServer",
            "--conf", f"spark.connect.grpc.binding.port={port}",
            "--conf", "spark.connect.grpc.binding.address=127.0.0.1",
            "--conf", "spark.driver.host=127.0.0.1", "--conf", "spark.ui.enabled=false",
            "--conf", f"spark.sql.warehouse.dir={folder / 'warehouse'}",
            "--conf", f"spark.driver.extraJavaOptions={_QUICK_JAVA}",
            "--conf", "spark.sql.shuffle.partitions=2",
            "spark-internal",
        )  # fmt: skip
        _wait(lambda: _answers(port), server, folder / "connect.log")
        yield f"sc://127.0.0.1:{port}"


def _start(
    stack: contextlib.ExitStack, folder: Path, name: str, java_class: str, *arguments: str
) -> subprocess.Popen[bytes]:
    from pyspark.find_spark_home import _find_spark_home

    log = stack.enter_context((folder / f"{name}.log").open("wb"))
    process = subprocess.Popen(
        [str(Path(_find_spark_home()) / "bin" / "spark-class"), java_class, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=folder,
        env={
            **os.environ,
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_NO_DAEMONIZE": "1",
            "SPARK_DAEMON_MEMORY": "768m",
            "SPARK_DAEMON_JAVA_OPTS": _QUICK_JAVA,
            "SPARK_LAUNCHER_OPTS": _QUICK_JAVA,
            "PYSPARK_PYTHON": sys.executable,
        },
    )
    stack.callback(_stop, process)
    return process


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait(is_ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    while not is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{log.name} is not ready:\n{log.read_text(errors='replace')[-4000:]}")
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _alive_workers(page: int) -> int:
    # Loopback must not go through a proxy that the environment names.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{page}/json", timeout=2) as answer:
            return int(json.load(answer)["aliveworkers"])
    except (OSError, ValueError):
        return 0
