"""The Java that Spark would start, found and judged before anything starts."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from recipe_kit.errors import MissingExtraError, SparkUnavailableError

_HOW_TO_GET = (
    "install Java {major} (`apt install openjdk-{major}-jre-headless`, `brew install openjdk@{major}` "
    "or https://adoptium.net) and put it on PATH or name its folder in JAVA_HOME"
)
_SECONDS_TO_ANSWER = 30


@dataclass(frozen=True)
class Java:
    """A Java that was asked for its version: its command, the version in figures, and all that it said."""

    command: Path
    version: str
    major: int
    banner: str


def pyspark_version() -> str:
    """The version of the installed pyspark.

    Raises:
        MissingExtraError: pyspark is not installed.
    """
    for distribution in ("pyspark", "pyspark-connect", "pyspark-client"):
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    raise MissingExtraError("Spark", "spark")


def oldest_java(spark_version: str) -> int:
    """The oldest major version of Java that this Spark starts on (Spark's own "Overview" page lists it)."""
    return 17 if int(spark_version.split(".", 1)[0]) >= 4 else 8


def find_java(spark_version: str, environment: Mapping[str, str] | None = None) -> Java:
    """The Java that Spark's start script would take: ``JAVA_HOME/bin/java``, or else ``java`` on the PATH.

    Raises:
        SparkUnavailableError: there is none, it does not run, or it is too old for this Spark.
    """
    environment = os.environ if environment is None else environment
    oldest = oldest_java(spark_version)
    hint = _HOW_TO_GET.format(major=max(oldest, 17))
    command = _command(environment, oldest, hint)
    try:
        answer = subprocess.run(
            [str(command), "-version"],
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=_SECONDS_TO_ANSWER,
            env=dict(environment),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SparkUnavailableError(
            f"Spark needs Java {oldest} or newer, and {command} does not run", hint=hint
        ) from error
    banner = (answer.stderr + answer.stdout).strip()
    found = re.search(r'version "([^"]+)"', banner)
    if answer.returncode != 0 or found is None:
        # macOS ships a /usr/bin/java that only says where Java could be downloaded.
        raise SparkUnavailableError(
            f"Spark needs Java {oldest} or newer, and {command} does not say which Java it is", hint=hint
        )
    java = Java(command=command, version=found[1], major=_major(found[1]), banner=banner)
    if java.major < oldest:
        raise SparkUnavailableError(
            f"Spark {spark_version} needs Java {oldest} or newer, and {command} is Java {java.version}", hint=hint
        )
    return java


def _command(environment: Mapping[str, str], oldest: int, hint: str) -> Path:
    home = environment.get("JAVA_HOME")
    if home:
        command = Path(home) / "bin" / "java"
        if not os.access(command, os.X_OK):
            raise SparkUnavailableError(
                f"Spark needs Java {oldest} or newer, and JAVA_HOME names a folder without bin/java: {home}",
                hint="correct JAVA_HOME, or unset it to take the java on PATH",
            )
        return command
    on_path = shutil.which("java", path=environment.get("PATH", os.defpath))
    if on_path is None:
        raise SparkUnavailableError(f"Spark needs Java {oldest} or newer, and this machine has none", hint=hint)
    return Path(on_path)


def _major(version: str) -> int:
    """17 for ``17.0.15`` and for ``17-ea``, 8 for ``1.8.0_392``."""
    figures = [int(figure) for figure in re.findall(r"\d+", version)]
    return figures[1] if figures[0] == 1 and len(figures) > 1 else figures[0]
