"""`make demo` works, and the README shows what it prints."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from doc_snippets import Command, read_commands, read_snippets

REPOSITORY = Path(__file__).resolve().parent.parent


def _readme_command(text: str) -> Command:
    readme = read_snippets("README.md", (REPOSITORY / "README.md").read_text(encoding="utf-8"))
    commands = [command for s in readme if s.language == "console" for command in read_commands(s)]
    return next(command for command in commands if command.text == text)


def _words(printed: str) -> list[list[str]]:
    """The words of each line: times and figures differ from one machine to the next, and columns' widths with them."""
    lines = printed.replace(f"{REPOSITORY}/", "").splitlines()
    plain = [re.sub(r"\d{8}T\d{6}|\d[\d.,]*", " ", line).split() for line in lines]
    # The rate is a column of its own only where something took more than two seconds.
    return [[word for word in line if word != "rows/s"] for line in plain]


@pytest.mark.slow
@pytest.mark.spark
def test_the_readme_shows_what_make_demo_prints() -> None:
    environment = {key: value for key, value in os.environ.items() if key not in {"MAKEFLAGS", "MAKELEVEL"}}
    done = subprocess.run(
        # The environment is the one that these tests run in: nothing is to be set up.
        ["make", "--assume-old=.venv/.ready", "demo"],
        cwd=REPOSITORY,
        env=environment | {"NO_COLOR": "1", "COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert _words("\n".join(_readme_command("make demo").output)) == _words(done.stdout.rstrip())
