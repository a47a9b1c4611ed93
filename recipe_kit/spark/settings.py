"""What a session is asked for, and the settings and Java flags that follow from it.

What the user sets always wins. The kit adds three layers below it, all readable in `session_settings`:
what every session gets, what every local session gets, and what makes small local data quick.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from recipe_kit.spark.masters import Master

SMALL_BYTES = 128 * 1024**2
"""Data up to here is small: as much as Spark reads as a single partition by default."""

SMALL_HEAP_BYTES = 2 * 1024**3
"""Who asks for more driver memory than this has big work in mind."""

TUNING_VARIABLE = "RECIPE_KIT_SPARK_TUNING"
"""``off``: Spark's and Java's own defaults; ``no-build``: an archive is used where there is one, but none is built."""

JAVA_FLAGS = "spark.driver.extraJavaOptions"
"""The setting that holds flags for the driver's Java."""

_SECRET = re.compile(r"secret|password|token|access[.]?key|credential", re.IGNORECASE)
_SIZE = re.compile(r"\s*(\d+)\s*([kmgt]?)b?\s*", re.IGNORECASE)
_UNITS = {"": 1024**2, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}


@dataclass(frozen=True)
class SparkOptions:
    """What a Spark session is asked for."""

    master: str | None = None
    """``local[*]``, ``spark://``, ``yarn``, ``k8s://`` or ``sc://``; None leaves it to SPARK_REMOTE or ``local[*]``."""

    settings: Mapping[str, str] = field(default_factory=dict)
    """Spark's own settings (``spark.executor.memory``, ...); they win over everything that the kit sets."""

    tuned: bool = True
    """Whether small local work is made quick; False leaves Spark's and Java's own defaults."""

    start_timeout: float = 120.0
    """Seconds after which a session that has not started is given up."""

    def is_tuned(self, environment: Mapping[str, str] | None = None) -> bool:
        """Whether tuning is wanted here and by the environment."""
        environment = os.environ if environment is None else environment
        return self.tuned and environment.get(TUNING_VARIABLE, "").strip().lower() not in ("off", "0", "false", "no")


def is_small(options: SparkOptions, expected_bytes: int | None) -> bool:
    """Whether the work is small: not known to read more than `SMALL_BYTES`, no big heap asked for."""
    heap = memory_bytes(options.settings.get("spark.driver.memory", "1g"))
    return (expected_bytes or 0) <= SMALL_BYTES and (heap is None or heap <= SMALL_HEAP_BYTES)


def memory_bytes(text: str) -> int | None:
    """Bytes of a Java memory size such as ``512m`` or ``4g`` (a bare number is MiB, as Spark has it)."""
    size = _SIZE.fullmatch(text)
    return int(size[1]) * _UNITS[size[2].lower()] if size else None


def session_settings(
    options: SparkOptions, master: Master, *, app_name: str, folder: Path, tuned: bool, small: bool
) -> dict[str, str]:
    """Every setting of a session, the user's on top; `folder` takes what Spark would leave in the current one."""
    settings = {
        "spark.app.name": app_name,
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
    }
    if master.url:
        settings["spark.master"] = master.url
    if master.is_local:
        settings |= {
            # A laptop changes networks; its own address at start may be gone an hour later.
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.sql.warehouse.dir": (folder / "warehouse").as_uri(),
            "spark.local.dir": str(folder),
            # What goes wrong in a local task reaches Python as an exception; the log would tell it a second time.
            "spark.log.level": "OFF",
        }
    if master.is_local and tuned:
        settings["spark.ui.enabled"] = "false"
        if small:
            settings |= {
                "spark.sql.shuffle.partitions": "1",
                "spark.sql.adaptive.enabled": "false",
                "spark.shuffle.compress": "false",
                "spark.shuffle.spill.compress": "false",
                "spark.broadcast.compress": "false",
            }
        else:
            settings["spark.sql.shuffle.partitions"] = str(2 * master.cores)
    return settings | dict(options.settings)


def java_flags(user_flags: str, *, folder: Path, tuned: bool, small: bool, archive: Path | None) -> str:
    """The flags of a local driver's Java: the kit's, then the user's own, which replace what they contradict.

    The quick compiler (C1) and the serial collector start fast and win as long as the work is a few seconds;
    on long work they lose to Java's defaults, so they are for small data only.
    """
    flags = [f"-Dderby.system.home={folder}", f"-Djava.io.tmpdir={folder}"]
    # A crash report belongs beside the session's folder (which goes), not into the user's current one.
    flags.append(f"-XX:ErrorFile={folder.parent}/hs_err_pid%p.log")
    if tuned and small and "TieredStopAtLevel" not in user_flags and "TieredCompilation" not in user_flags:
        flags.append("-XX:TieredStopAtLevel=1")
    if tuned and small and not re.search(r"-XX:\+Use\w+GC", user_flags):
        flags.append("-XX:+UseSerialGC")
    if tuned and archive is not None and not re.search("SharedArchiveFile|-Xshare|ArchiveClassesAtExit", user_flags):
        # With `auto` Java runs on without an archive that it refuses; `-Xlog:cds` makes it say so, to the kit.
        flags += [f"-XX:SharedArchiveFile={archive}", "-Xshare:auto", "-Xlog:cds"]
    return " ".join([*(f'"{flag}"' if " " in flag else flag for flag in flags), user_flags]).strip()


def without_secrets(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings that may stand on a command line, where every user of the machine can read them."""
    return {key: value for key, value in settings.items() if not _SECRET.search(key)}
