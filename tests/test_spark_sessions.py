"""One session per process, started quickly, and nothing left of it: not after the end, nor after any other end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.spark

PREAMBLE = """
import json, os, sys, tempfile, time
from pathlib import Path
from recipe_kit.errors import RecipeKitError
from recipe_kit.spark import SparkOptions, close_session, open_session
from recipe_kit.spark import sessions

def report(**facts):
    print(json.dumps(facts), flush=True)

def java():
    return sessions._running.driver.pid
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A new user's environment: an empty cache, an own folder for temporary files, nothing built behind our back."""
    (tmp_path / "tmp").mkdir()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("SPARK_", "PYSPARK_"))}
    return {
        **inherited,
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "TMPDIR": str(tmp_path / "tmp"),
        "RECIPE_KIT_SPARK_TUNING": "no-build",
    }


@contextlib.contextmanager
def _started(script: str, environment: dict[str, str], folder: Path) -> Iterator[subprocess.Popen[str]]:
    work = folder / "work"
    work.mkdir(exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PREAMBLE + textwrap.dedent(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=work,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _finish(process: subprocess.Popen[str]) -> tuple[list[dict[str, Any]], str]:
    out, err = process.communicate(timeout=240)
    return [json.loads(line) for line in out.splitlines() if line.startswith("{")], err


def _run(script: str, environment: dict[str, str], folder: Path) -> tuple[list[dict[str, Any]], str]:
    with _started(script, environment, folder) as process:
        return _finish(process)


def _is_gone(pid: int, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def _workers_below(folder: Path) -> list[str]:
    """Commands of processes that belong to a session whose temporary files are below `folder`."""
    found = subprocess.run(["ps", "axeww", "-o", "command"], capture_output=True, text=True, check=False).stdout
    return [line for line in found.splitlines() if "pyspark" in line and str(folder) in line]


def test_a_session_is_used_again_and_leaves_no_trace(environment: dict[str, str], tmp_path: Path) -> None:
    facts, err = _run(
        """
        before, path = dict(os.environ), list(sys.path)
        first = open_session(SparkOptions("local[2]", {"spark.sql.session.timeZone": "UTC"}), app_name="first")
        pid = java()
        report(
            rows=first.range(10).count(),
            ui=first.sparkContext.uiWebUrl,
            partitions=first.conf.get("spark.sql.shuffle.partitions"),
            host=first.conf.get("spark.driver.host"),
            again=open_session(SparkOptions(), app_name="second") is first,
            same=open_session(SparkOptions("local[2]"), app_name="second") is first,
        )
        for options in (
            SparkOptions("local[1]"), SparkOptions(settings={"spark.sql.session.timeZone": "CET"}),
            SparkOptions(tuned=False),
        ):
            try:
                open_session(options, app_name="third")
            except RecipeKitError as error:
                report(refused=str(error))
        first.sql("create table t as select 1 as x")
        close_session()
        close_session()
        # Java's flags belong to its process: another one can have others.
        second = open_session(SparkOptions("local[1]", tuned=False), app_name="second")
        flags = second.sparkContext._jvm.java.lang.management.ManagementFactory.getRuntimeMXBean().getInputArguments()
        report(
            rows=second.range(3).count(),
            other_java=java() != pid,
            quick=[flag for flag in flags if "Tiered" in flag or "SerialGC" in flag],
        )
        close_session()
        report(
            environment=sorted(name for name in {*before, *os.environ} if before.get(name) != os.environ.get(name)),
            path=sys.path == path,
            here=sorted(os.listdir(".")),
            temporary=sorted(os.listdir(tempfile.gettempdir())),
            pid=pid,
        )
        """,
        environment,
        tmp_path,
    )
    assert err == ""
    first, *refusals, second, after = facts
    assert first == {"rows": 10, "ui": None, "partitions": "1", "host": "127.0.0.1", "again": True, "same": True}
    begin = "this process already has a Spark session on local[2], and one with "
    end = " was asked for: one process has one session: use the same options, or call close_session() first"
    wanted = ["the master local[1]", "another spark.sql.session.timeZone", "tuning turned off"]
    assert [refusal["refused"] for refusal in refusals] == [begin + what + end for what in wanted]
    assert second == {"rows": 3, "other_java": True, "quick": []}
    assert _is_gone(after.pop("pid"))
    assert after == {"environment": [], "path": True, "here": [], "temporary": []}
    assert not (tmp_path / "cache").exists()


def test_a_failure_leaves_no_java_and_no_files(environment: dict[str, str], tmp_path: Path) -> None:
    facts, err = _run(
        """
        session = open_session(SparkOptions("local[2]"), app_name="test")
        report(pid=java())

        def fail(batches):
            print("seen by the author", file=sys.stderr, flush=True)
            raise ValueError("a bug in the recipe")

        session.range(10).mapInPandas(fail, "id bigint").collect()
        """,
        environment,
        tmp_path,
    )
    assert "ValueError: a bug in the recipe" in err
    assert "seen by the author" in err
    assert "ERROR" not in err  # Java's log would tell the same a second time, in 60 lines
    assert _is_gone(facts[0]["pid"])
    assert not list((tmp_path / "tmp").iterdir())


def test_ctrl_c_ends_a_running_job_and_java(environment: dict[str, str], tmp_path: Path) -> None:
    script = """
        import signal
        def told(number, frame):
            raise KeyboardInterrupt("told to stop")
        signal.signal(signal.SIGINT, told)
        session = open_session(SparkOptions("local[2]"), app_name="test")

        def sleep(batches):
            import time
            Path("started").touch()
            time.sleep(600)
            yield from batches

        report(pid=java())
        try:
            session.range(10).mapInPandas(sleep, "id bigint").collect()
        except KeyboardInterrupt as error:
            report(interrupted=str(error))
        report(still_works=session.range(5).count())
        close_session()
        report(handler=signal.getsignal(signal.SIGINT) is told)
    """
    with _started(script, environment, tmp_path) as process:
        assert process.stdout is not None
        pid = json.loads(process.stdout.readline())["pid"]
        deadline = time.monotonic() + 120
        while not (tmp_path / "work" / "started").exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        facts, _ = _finish(process)
    assert time.monotonic() - start < 30
    assert facts == [{"interrupted": "told to stop"}, {"still_works": 5}, {"handler": True}]
    assert _is_gone(pid)
    assert _workers_below(tmp_path) == []


def test_java_ends_when_python_is_killed(environment: dict[str, str], tmp_path: Path) -> None:
    script = """
        open_session(SparkOptions("local[1]"), app_name="test").range(1).count()
        report(pid=java())
        time.sleep(600)
    """
    with _started(script, environment, tmp_path) as process:
        assert process.stdout is not None
        pid = json.loads(process.stdout.readline())["pid"]
        process.kill()
    assert _is_gone(pid, seconds=30)


def test_a_start_that_fails_or_hangs_costs_one_sentence_and_leaves_nothing(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        url = f"spark://127.0.0.1:{mute.getsockname()[1]}"
        facts, err = _run(
            f"""
            for options in (
                SparkOptions("local[1]", {{"spark.driver.memory": "much"}}),
                SparkOptions("local[1]", {{"spark.driver.memory": "64m"}}),
                SparkOptions("{url}", start_timeout=15),
            ):
                start = time.monotonic()
                try:
                    open_session(options, app_name="test")
                except RecipeKitError as error:
                    report(
                        kind=type(error).__name__, sentence=str(error), late=time.monotonic() - start > 60,
                        temporary=os.listdir(tempfile.gettempdir()),
                    )
            """,
            environment,
            tmp_path,
        )
    assert err == ""
    assert [fact["kind"] for fact in facts] == ["SparkUnavailableError"] * 3
    assert not any(fact["late"] or fact["temporary"] or "\n" in fact["sentence"] for fact in facts)
    bad, small, mute_master = (fact["sentence"] for fact in facts)
    assert "much" in bad
    assert "Insufficient driver memory" in small or "heap" in small
    assert mute_master.startswith(f"Spark did not start on {url} ")


def test_a_session_of_somebody_else_is_used_and_left_open(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "mine").mkdir()
    (tmp_path / "work" / "mine" / "shipped.py").write_text("def twice(x):\n    return 2 * x\n")
    facts, _ = _run(
        """
        from pyspark.sql import SparkSession
        theirs = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
        said = []
        ours = open_session(SparkOptions(), app_name="test", source_folder=Path("mine"), log=said.append)

        def twice(batches):
            import shipped
            for batch in batches:
                yield shipped.twice(batch)

        total = ours.range(4).mapInPandas(twice, "id bigint").toPandas()["id"].sum()
        close_session()
        report(total=int(total), said=said, still_works=theirs.range(3).count())
        theirs.stop()
        """,
        {**environment, "PYSPARK_PYTHON": sys.executable},
        tmp_path,
    )
    assert facts == [
        {"total": 12, "said": ["using the Spark session that is already open in this process"], "still_works": 3}
    ]


def test_two_projects_with_modules_of_one_name_and_an_edit_each_meet_their_own(
    environment: dict[str, str], tmp_path: Path
) -> None:
    for name in ("one", "two"):
        (tmp_path / "work" / name).mkdir(parents=True)
        (tmp_path / "work" / name / "words.py").write_text(f"NAME = {name!r}\n")
    facts, err = _run(
        """
        def name(batches):
            import words
            for batch in batches:
                yield batch.assign(name=words.NAME)

        def names(folder):
            session = open_session(SparkOptions("local[1]"), app_name="test", source_folder=Path(folder))
            return session.range(1).mapInPandas(name, "id bigint, name string").collect()[0].name

        seen = [names("one"), names("two"), names("one")]
        Path("one/words.py").write_text("NAME = 'edited'")
        report(seen=[*seen, names("one"), names("two")])
        """,
        environment,
        tmp_path,
    )
    assert err == ""
    assert facts == [{"seen": ["one", "two", "one", "edited", "two"]}]


@pytest.mark.slow
def test_an_archive_is_built_used_and_done_without_when_java_refuses_it(
    environment: dict[str, str], tmp_path: Path
) -> None:
    build = [sys.executable, "-m", "recipe_kit.spark.training"]
    both = [
        subprocess.Popen(build, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=300)[0] for process in both]
    archives = list((tmp_path / "cache").rglob("classes.jsa"))
    assert len(archives) == 1, said
    assert sorted(process.returncode for process in both) == [0, 1]
    assert any("another process is building the class-data archive" in text for text in said)
    assert not list((tmp_path / "cache").rglob("*.unfinished"))
    facts, err = _run(
        """
        from recipe_kit.spark import archive
        said = []

        def classes_from_archive():
            session = open_session(SparkOptions("local[1]"), app_name="test", log=said.append)
            session.range(1).count()
            flags = session.sparkContext._jvm.java.lang.management.ManagementFactory.getRuntimeMXBean()
            found = [flag for flag in flags.getInputArguments() if "SharedArchiveFile" in flag]
            close_session()
            return len(found)

        used = classes_from_archive()
        place = archive.ArchivePlace(next(Path(os.environ["XDG_CACHE_HOME"]).rglob("classes.jsa")).parent)
        # Of another Java: sealed all the same, but Java looks inside.
        other = place.folder / "other"
        other.write_bytes(b"not an archive" * 100_000)
        with archive.exclusive(place):
            archive.install(place, other)
        report(used=used, refused=classes_from_archive(), said=said, left=place.exists())
        """,
        environment,
        tmp_path,
    )
    assert err == ""
    assert facts == [
        {
            "used": 1,
            "refused": 1,
            "said": ["Java does not accept the class-data archive in the cache: Spark runs without it"],
            "left": False,
        }
    ]
