"""`make demo` works, and the README shows what it prints."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from doc_snippets import read_snippets

REPOSITORY = Path(__file__).resolve().parent.parent


def _promised() -> str:
    """The block that follows `$ make demo` in the README."""
    readme = read_snippets("README.md", (REPOSITORY / "README.md").read_text(encoding="utf-8"))
    command = next(index for index, snippet in enumerate(readme) if snippet.text == "$ make demo\n")
    return readme[command + 1].text


def _words(printed: str) -> list[list[str]]:
    """The words of each line: times and figures differ from one machine to the next, and columns' widths with them."""
    lines = printed.replace(f"{REPOSITORY}/", "").splitlines()
    plain = [re.sub(r"\d{8}T\d{6}|\d[\d.,]*", " ", line).split() for line in lines]
    # The rate is a column of its own only where something took more than two seconds.
    return [[word for word in line if word != "rows/s"] for line in plain]


def _make_demo(**environment: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if key not in {"MAKEFLAGS", "MAKELEVEL"}}
    return subprocess.run(
        # The environment is the one that these tests run in: nothing is to be set up.
        ["make", "--assume-old=.venv/.ready", "demo"],
        cwd=REPOSITORY,
        env=kept | {"NO_COLOR": "1", "COLUMNS": "120"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_java_the_demo_says_what_spark_needs(tmp_path: Path) -> None:
    done = _make_demo(JAVA_HOME=str(tmp_path))

    assert done.returncode == 0, done.stdout + done.stderr
    assert "train: sentiment 0.1.0, done" in done.stdout
    assert "sentiment-spark" not in done.stdout
    assert "The same recipe on Spark was left out: it needs Java 17 or newer" in done.stdout.splitlines()[-1]


@pytest.mark.slow
@pytest.mark.spark
def test_the_readme_shows_what_make_demo_prints() -> None:
    done = _make_demo()
    assert done.returncode == 0, done.stdout + done.stderr
    *promised, last = _words(_promised())
    assert last == ["..."], "the README shows the beginning and says that more follows"
    assert _words(done.stdout)[: len(promised)] == promised
