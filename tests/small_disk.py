"""Disks of a few kilobytes and disks that are read-only, real ones, for tests of what happens when writing fails."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def mounted_disk(folder: Path, size: str = "64k") -> Iterator[Path]:
    """An empty file system of that size at `folder`; skips where none can be mounted, which on CI is a failure."""
    folder.mkdir()
    command: list[str | Path] = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        reason = done.stderr.strip() if done.returncode else None
    except OSError as error:
        reason = str(error)
    if reason:
        on_ci = os.environ.get("CI", "").lower() in {"1", "true"}
        (pytest.fail if on_ci else pytest.skip)(f"no small file system can be mounted here: {reason}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def read_only_disk(folder: Path) -> Iterator[Path]:
    """A file system that nothing can be written to, not even by root."""
    with mounted_disk(folder):
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        yield folder
