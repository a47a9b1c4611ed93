"""What works on this machine, found out one thing at a time, and how to get what does not."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from recipe_kit import __version__
from recipe_kit.cli.terminal import has_colours, is_terminal, shown, size
from recipe_kit.errors import RecipeKitError

State = Literal["works", "missing", "broken", "not tried"]

OLDEST_PYTHON = (3, 11)
LITTLE_SPACE = 1_000_000_000
"""Bytes below which a disk is called full: an environment for `--isolated` takes about half of it."""
_SECONDS_TO_ANSWER = 10
# The libraries that people ask about, and the extra that each comes with (none: what an extra does not bring).
_OPTIONAL = {
    "scikit-learn": None,
    "pyspark": "spark",
    "uv": "isolated",
    "cookiecutter": "scaffold",
    "pytest": "test",
}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    state: State
    detail: str
    hint: str | None = None
    """How to get it."""
    required: bool = False
    """Whether nothing works without it."""

    def as_json(self) -> dict[str, object]:
        """Return the finding as a JSON object."""
        return asdict(self)


def look_around(folder: Path, *, deep: bool = False) -> Iterator[Finding]:
    """Yield what is found, each as soon as it is known.

    Args:
        folder: Where runs would be kept.
        deep: Whether to start Spark, which takes some seconds.
    """
    yield Finding("recipe-kit", "works", f"{__version__} in {Path(__file__).parents[1]}", required=True)
    yield _python()
    yield from _base_packages()
    yield from _optional_packages()
    yield from _spark(deep)
    yield _docker()
    yield _disk("disk of the runs", folder, required=True)
    yield _disk("disk of the cache", _cache_folder())
    yield _terminal()


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST_PYTHON:
        hint = f"use Python {'.'.join(map(str, OLDEST_PYTHON))} or newer"
        return Finding("Python", "broken", f"{version} is too old", hint, required=True)
    return Finding("Python", "works", f"{version}, {sys.executable}, {os.cpu_count()} processors", required=True)


def _base_packages() -> Iterator[Finding]:
    """Yield what the distribution itself requires, as its metadata says."""
    try:
        requirements = metadata.requires("recipe-kit") or []
    except metadata.PackageNotFoundError:
        hint = "pip install recipe-kit"
        yield Finding("installation", "not tried", "recipe-kit runs from source and is not installed", hint)
        return
    for requirement in requirements:
        if "extra ==" in requirement:
            continue
        name = re.split(r"[^A-Za-z0-9._-]", requirement)[0]
        version = _version(name)
        if version is None:
            yield Finding(name, "missing", "is not installed", f"pip install '{requirement}'", required=True)
        else:
            yield Finding(name, "works", version, required=True)


def _optional_packages() -> Iterator[Finding]:
    for name, extra in _OPTIONAL.items():
        version = _version(name)
        if version is not None:
            yield Finding(name, "works", version)
        elif name == "uv" and shutil.which("uv"):
            yield Finding(name, "works", f"{shutil.which('uv')}")
        else:
            wanted = name if extra is None else f"'recipe-kit[{extra}]'"
            yield Finding(name, "missing", "is not installed", f"pip install {wanted}")


def _spark(deep: bool) -> Iterator[Finding]:
    from recipe_kit.spark.java import find_java, pyspark_version

    newest = "4.0"  # where there is no pyspark, what the one to be installed will need
    version = newest if _version("pyspark") is None else pyspark_version()
    try:
        java = find_java(version)
    except RecipeKitError as error:
        yield Finding("Java", "missing", error.message, error.hint)
        return
    yield Finding("Java", "works", f"{java.version}, {java.command}")
    if _version("pyspark") is None:
        return
    if deep:
        yield _spark_session()
    else:
        yield Finding("Spark", "not tried", "`recipe-kit doctor --deep` starts it")
    yield _class_data_archive(version)


def _spark_session() -> Finding:
    from recipe_kit.spark import SparkOptions, open_session

    clock = time.perf_counter()
    try:
        session = open_session(SparkOptions(), app_name="recipe-kit doctor")
        rows = session.range(10).count()
    except RecipeKitError as error:
        return Finding("Spark", "broken", error.message, error.hint)
    except Exception as error:  # whatever Spark says, it is the answer to the question
        first = (str(error).splitlines() or [""])[0]
        return Finding("Spark", "broken", f"{type(error).__name__}: {first}")
    if rows != 10:
        return Finding("Spark", "broken", f"counted {rows} rows of 10")
    return Finding("Spark", "works", f"{session.version}, first query after {time.perf_counter() - clock:.1f} s")


def _class_data_archive(version: str) -> Finding:
    from recipe_kit.spark.archive import archive_place
    from recipe_kit.spark.java import find_java

    name = "Spark's class archive"
    try:
        place = archive_place(find_java(version), version)
    except (OSError, RecipeKitError) as error:
        return Finding(name, "not tried", str(error))
    if place.is_whole():
        return Finding(name, "works", f"{size(place.archive.stat().st_size)} in {place.folder}")
    if place.failure.exists():
        reason = place.failure.read_text(encoding="utf-8", errors="replace").strip().splitlines()[:1]
        return Finding(name, "broken", f"could not be built: {''.join(reason)}", f"remove {place.failure} to try again")
    return Finding(name, "not tried", "none yet: it is built after the first run on Spark")


def _docker() -> Finding:
    if shutil.which("docker") is None:
        return Finding("Docker", "missing", "there is no docker command", "https://docs.docker.com/get-docker")
    try:
        client = _answer("docker", "--version")
        done = subprocess.run(
            ["docker", "version", "--format", "{{.Server.Version}}"],
            capture_output=True,
            text=True,
            timeout=_SECONDS_TO_ANSWER,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return Finding("Docker", "broken", "the docker command does not answer", "restart Docker")
    if done.returncode != 0:
        return Finding("Docker", "broken", f"{client}, whose daemon does not answer", "start Docker")
    return Finding("Docker", "works", f"{client}, daemon {done.stdout.strip()}")


def _answer(*command: str) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=_SECONDS_TO_ANSWER, stdin=subprocess.DEVNULL, check=False
    )
    return (done.stdout.strip().splitlines() or [""])[0]


def _disk(name: str, folder: Path, *, required: bool = False) -> Finding:
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    if not os.access(nearest, os.W_OK):
        hint = "name another with --work-dir" if required else "set XDG_CACHE_HOME to a folder that can be written"
        return Finding(name, "broken", f"{shown(nearest)} cannot be written", hint, required=required)
    free = shutil.disk_usage(nearest).free
    detail = f"{size(free)} free in {shown(folder)}"
    if free < LITTLE_SPACE:
        return Finding(name, "broken", detail, "make room", required=False)
    return Finding(name, "works", detail, required=required)


def _cache_folder() -> Path:
    from recipe_kit.spark.archive import cache_folder

    return cache_folder()


def _terminal() -> Finding:
    if not is_terminal(sys.stdout):
        return Finding("terminal", "works", "none, so output is plain lines")
    colours = "colours" if has_colours(sys.stdout) else "no colours"
    return Finding("terminal", "works", f"{shutil.get_terminal_size().columns} columns, {colours}")


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
