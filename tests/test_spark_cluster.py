"""The same code on this machine, on a standalone cluster and through Spark Connect; each driver is its own process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from standalone_cluster import connect_server, standalone_cluster

pytestmark = [pytest.mark.spark, pytest.mark.slow]

DRIVER = """
import json, sys
from pathlib import Path
from recipe_kit.data import resolve_location
from recipe_kit.spark import SparkOptions, close_session, open_session, read_spark_table, tables, write_spark_table

master, folder = sys.argv[1], Path(sys.argv[2])
quick = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # it is the cluster that is tested here, not Java's compiler
settings = {
    "spark.executor.memory": "512m",
    "spark.executor.extraJavaOptions": quick,
    "spark.driver.extraJavaOptions": quick,
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "2",
} if master.startswith("spark://") else {}
project = folder / "project"
sys.path.insert(0, str(project))
import wordy.counting

session = open_session(SparkOptions(master, settings), app_name="test", source_folder=project)
out = {"imported_from": [entry for entry in sys.path if "project" in entry or "recipe-kit" in entry]}
tables.SMALL_TABLE_BYTES = 0  # read on the executors
tables.TASK_BYTES = 200
table = read_spark_table(session, resolve_location("words.csv", folder))
scored = table.mapInPandas(wordy.counting.counted, "text string, stars bigint, words bigint, place string")
out["rows"] = write_spark_table(scored.drop("place"), resolve_location(sys.argv[3], folder))
out["groups"] = sorted(map(list, table.groupBy("stars").count().collect()))
out["places"] = sorted({row.place for row in scored.select("place").distinct().collect()})
try:
    from pyspark import SparkContext
    context = SparkContext._active_spark_context
    out["executors"] = 0 if context is None else context._jsc.sc().getExecutorMemoryStatus().size() - 1
except Exception:
    out["executors"] = 0
close_session()
print(json.dumps(out))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cluster")
    package = folder / "project" / "wordy"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "stop_words.txt").write_text("the a of")
    (package / "counting.py").write_text(
        textwrap.dedent(
            """
            import importlib.resources
            import os

            def counted(batches):
                # Both only work where this very package is importable.
                stop_words = importlib.resources.files("wordy").joinpath("stop_words.txt").read_text().split()
                for batch in batches:
                    words = batch["text"].str.split().map(lambda all: sum(word not in stop_words for word in all))
                    yield batch.assign(words=words, place=os.path.dirname(__file__))
            """
        )
    )
    lines = [f'"the number {row}, of\nmany",{row % 5}' for row in range(60)]
    (folder / "words.csv").write_text("\n".join(["text,stars", *lines]) + "\n")
    return folder


def _drive(master: str, folder: Path, output: str) -> dict[str, Any]:
    environment = {**os.environ, "RECIPE_KIT_SPARK_TUNING": "no-build"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", DRIVER, master, str(folder), output],
        capture_output=True,
        text=True,
        env=environment,
        cwd=folder,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


@pytest.fixture(scope="module")
def local(folder: Path) -> dict[str, Any]:
    return _drive("local[2]", folder, "local.csv")


@pytest.fixture(scope="module")
def standalone(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with standalone_cluster(tmp_path_factory.mktemp("standalone")) as cluster:
        yield _drive(cluster.url, folder, "standalone.csv")


@pytest.fixture(scope="module")
def connect(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with connect_server(tmp_path_factory.mktemp("connect")) as address:
        yield _drive(address, folder, "connect.csv")


def test_a_local_session_reads_the_project_s_own_files(local: dict[str, Any], folder: Path) -> None:
    assert local["rows"] == 60
    assert local["places"] == [str(folder / "project" / "wordy")]


def test_a_standalone_cluster_gives_the_same_answer_in_the_same_order(
    local: dict[str, Any], standalone: dict[str, Any], folder: Path
) -> None:
    assert (folder / "standalone.csv").read_bytes() == (folder / "local.csv").read_bytes()
    assert standalone["groups"] == local["groups"]


def test_a_standalone_cluster_computes_on_both_workers_with_code_that_was_shipped(standalone: dict[str, Any]) -> None:
    assert standalone["executors"] == 2
    assert all(".zip" in place for place in standalone["places"])


def test_shipped_code_does_not_hide_the_sources_in_the_driver(standalone: dict[str, Any], folder: Path) -> None:
    assert standalone["imported_from"] == [str(folder / "project")]


def test_spark_connect_gives_the_same_answer_with_code_that_was_shipped(
    local: dict[str, Any], connect: dict[str, Any], folder: Path
) -> None:
    assert (folder / "connect.csv").read_bytes() == (folder / "local.csv").read_bytes()
    assert connect["groups"] == local["groups"]
    assert connect["places"]
    assert not any(place.startswith(str(folder)) for place in connect["places"])
