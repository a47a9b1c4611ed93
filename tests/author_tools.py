"""What an author runs in a project of theirs, run by tests as they would run it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent

LINT = (("ruff", "check", "--no-cache", "."), ("ruff", "format", "--no-cache", "--check", "."))
TYPES = ("mypy",)
# What mypy knows of the libraries is kept from run to run, by worker, since mypy locks nothing.
_MYPY_CACHE = REPOSITORY / ".mypy_cache" / f"projects-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
TESTS = ("pytest", "-q", "-p", "no:cacheprovider")


def run_tool(project: Path, *command: str) -> str:
    """Return what a tool of this environment prints when it is run in `project`; it must succeed."""
    # A project must be clean for everybody, so the settings of the test run around it are left out.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=project,
        env={**kept, "PYTHONPATH": str(REPOSITORY), "MYPY_CACHE_DIR": str(_MYPY_CACHE)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def files_of(project: Path) -> set[str]:
    """Return the files that belong to a project: not what running it leaves behind."""
    left_behind = {"__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".recipe-kit", ".venv"}
    files = (file.relative_to(project) for file in project.rglob("*") if file.is_file())
    return {file.as_posix() for file in files if not left_behind & set(file.parts)}
