"""Scoring on Spark gives what scoring in this process gives: on this machine, on a cluster, and through Connect."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rowwise import ROWS, Rowwise, difficult_rows, write_source
from standalone_cluster import connect_server, standalone_cluster

from recipe_kit.errors import MalformedDataError, RecipeDefinitionError, RecipeFailedError
from recipe_kit.scoring import on_spark
from recipe_kit.spark import SparkOptions, open_session

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same code for all tests, so that Spark's Python processes have to import it only once."""
    return write_source(tmp_path_factory.mktemp("source"))


@pytest.fixture
def project(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rowwise:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delenv("ROWWISE_HOME", raising=False)  # Spark keeps its Python processes, and what they know
    project = Rowwise(tmp_path, source)
    difficult_rows().to_csv(project.folder / "rows.csv", index=False)
    return project


@pytest.fixture
def session(project: Rowwise) -> Any:
    return open_session(SparkOptions(), app_name="tests", source_folder=project.source)


@pytest.fixture(params=["a small table", "a large table"])
def size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "a large table":
        monkeypatch.setattr(on_spark, "SMALL_TABLE_BYTES", 0)


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("results", ["scores.csv", "scores.jsonl", "scores.parquet"])
def test_spark_gives_what_one_process_gives(project: Rowwise, session: Any, results: str) -> None:
    expected = project.in_batches("Rowwise", "rows.csv", results=results, block_bytes=900)
    assert project.on_spark("Rowwise", "rows.csv", session, results=results, block_bytes=900) == expected
    assert project.left_over() == [results]


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("data", ["rows.csv.gz", "rows.jsonl", "rows.parquet"])
def test_spark_reads_what_one_process_reads(project: Rowwise, session: Any, data: str) -> None:
    frame = difficult_rows()
    if data.endswith(".parquet"):
        frame.to_parquet(project.folder / data, row_group_size=25)
    elif data.endswith(".jsonl"):
        frame.to_json(project.folder / data, orient="records", lines=True)
    else:
        frame.to_csv(project.folder / data, index=False)
    assert project.on_spark("Rowwise", data, session, block_bytes=900) == project.in_batches("Rowwise", data)


def test_spark_writes_a_folder_of_parts_where_the_name_ends_in_a_slash(project: Rowwise, session: Any) -> None:
    project.on_spark("Numbers", "rows.csv", session, results="scores/")
    parts = [pd.read_csv(part) for part in sorted((project.run / "scores").iterdir())]
    assert pd.concat(parts)["id"].tolist() == list(range(ROWS))


@pytest.mark.usefixtures("size")
def test_what_the_recipe_raises_on_an_executor_is_told_with_its_traceback(project: Rowwise, session: Any) -> None:
    with pytest.raises(RecipeFailedError, match="failed in score: ValueError: cannot be scored here") as told:
        project.on_spark("RaisingElsewhere", "rows.csv", session, block_bytes=900)
    assert "in away" in str(told.value.__cause__)
    assert project.left_over() == []


def test_a_recipe_that_returns_too_few_rows_is_refused_on_spark_too(project: Rowwise, session: Any) -> None:
    with pytest.raises(RecipeDefinitionError, match=r"returned the columns .* for a batch and .* for another"):
        project.on_spark("Shifting", "rows.csv", session, block_bytes=900)


def test_a_bad_row_is_named_on_spark_too(project: Rowwise, session: Any) -> None:
    lines = ["id,other", *(f"{row},1" for row in range(ROWS)), "1,2,3"]
    (project.folder / "bad.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(MalformedDataError, match=r"bad\.csv, line 122"):
        project.on_spark("Numbers", "bad.csv", session, block_bytes=100)
    assert project.left_over() == []


# -- elsewhere ------------------------------------------------------------------------------------------------------

DRIVER = """
import json, os, sys
from pathlib import Path
sys.path[:0] = [sys.argv[1]]
from rowwise import Rowwise
from recipe_kit.scoring import on_spark
from recipe_kit.spark import SparkOptions, close_session, open_session

master, folder = sys.argv[2], Path(sys.argv[3])
quick = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
settings = {
    "spark.executor.memory": "512m",
    "spark.executor.extraJavaOptions": quick,
    "spark.driver.extraJavaOptions": quick,
    "spark.ui.enabled": "false",
} if master.startswith("spark://") else {}
project = Rowwise(folder / "project")
session = open_session(SparkOptions(master, settings), app_name="test", source_folder=project.source)
scored = {}
for size in (on_spark.SMALL_TABLE_BYTES, 0):
    on_spark.SMALL_TABLE_BYTES = size
    scored[size] = project.on_spark("Rowwise", str(folder / "rows.csv"), session, block_bytes=900).decode()
try:
    project.on_spark("RaisingElsewhere", str(folder / "rows.csv"), session, block_bytes=900)
except Exception as error:
    said = f"{type(error).__name__}: {error}"
close_session()
print(json.dumps({"scored": list(scored.values()), "said": said}))
"""


@pytest.fixture(params=["standalone", "connect"])
def master(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "connect":
        with connect_server(tmp_path) as address:
            yield address
    else:
        with standalone_cluster(tmp_path) as cluster:
            yield cluster.url


@pytest.mark.slow
def test_a_cluster_gives_what_one_process_gives(project: Rowwise, master: str) -> None:
    expected = project.in_batches("Rowwise", "rows.csv", block_bytes=900).decode()
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", DRIVER, str(Path(__file__).parent), master, str(project.folder)],
        capture_output=True,
        text=True,
        env={**os.environ, "RECIPE_KIT_SPARK_TUNING": "no-build"},
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["scored"] == [expected, expected]
    assert answer["said"] == "RecipeFailedError: the recipe failed in score: ValueError: cannot be scored here"
