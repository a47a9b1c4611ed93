"""The class-data archive (AppCDS) that makes Spark's Java start in half the time.

Java can keep the classes that a program loads in one file, checked and laid out, and map it into memory at the next
start. The kit lets a training run write such a file once per Java and pyspark (about 160 MB in the user's cache), after
the first session has closed, in the background and at low priority. Whatever stands in the way (a read-only cache, an
archive of another Java, a damaged file) only means that Spark starts without it.

Source: JEP 350, "Dynamic CDS Archives" (``-XX:ArchiveClassesAtExit`` and ``-XX:SharedArchiveFile``).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from recipe_kit.spark.java import Java
from recipe_kit.spark.settings import TUNING_VARIABLE

KEPT_ARCHIVES = 3
"""Archives of other Javas and other pysparks that stay in the cache; the longest unused go first."""

_SECONDS_BEFORE_ANOTHER_TRY = 7 * 24 * 3600
_CHECKED_BYTES = 64 * 1024


@dataclass(frozen=True)
class ArchivePlace:
    """Where the archive of one Java with one pyspark lies, or would lie."""

    folder: Path

    @property
    def archive(self) -> Path:
        """The archive itself."""
        return self.folder / "classes.jsa"

    @property
    def seal(self) -> Path:
        """What was true of the archive when it was whole: its size and a digest of its ends."""
        return self.folder / "classes.json"

    @property
    def failure(self) -> Path:
        """Why the archive could not be built; while this lies here nobody tries again for a week."""
        return self.folder / "failed.txt"

    def is_whole(self) -> bool:
        """Whether the archive is there and is the one that was sealed."""
        try:
            return bool(json.loads(self.seal.read_text()) == _seal_of(self.archive))
        except (OSError, ValueError):
            return False

    def exists(self) -> bool:
        """Whether something is there, whole or not."""
        return self.archive.exists()

    def discard(self) -> None:
        """Take the archive away, where that is allowed; the next session starts without it and builds another."""
        with contextlib.suppress(OSError):
            self.seal.unlink(missing_ok=True)
            self.archive.unlink(missing_ok=True)


def cache_folder(environment: Mapping[str, str] | None = None, platform: str = sys.platform) -> Path:
    """The kit's folder in the user's cache: XDG_CACHE_HOME, on macOS ``~/Library/Caches``, else ``~/.cache``."""
    environment = os.environ if environment is None else environment
    chosen = environment.get("XDG_CACHE_HOME")
    if chosen and Path(chosen).is_absolute():
        return Path(chosen) / "recipe-kit"
    home = Path(environment.get("HOME") or Path.home())
    return (home / "Library" / "Caches" if platform == "darwin" else home / ".cache") / "recipe-kit"


def archive_place(java: Java, spark_version: str, environment: Mapping[str, str] | None = None) -> ArchivePlace:
    """Where the archive for this Java and this installation of pyspark belongs.

    Java refuses an archive whose jars have another path, size or time, so these are part of the name.
    """
    digest = hashlib.sha256(f"{java.banner}\0{java.command.resolve()}\0".encode())
    for jar in sorted((_spark_home() / "jars").glob("*.jar")):
        status = jar.stat()
        digest.update(f"{jar}\0{status.st_size}\0{int(status.st_mtime)}\0".encode())
    key = f"java-{java.version}-pyspark-{spark_version}-{digest.hexdigest()[:8]}"
    return ArchivePlace(cache_folder(environment) / "spark" / key)


def _spark_home() -> Path:
    from pyspark.find_spark_home import _find_spark_home

    return Path(_find_spark_home())


def usable_archive(place: ArchivePlace, log: Callable[[str], None]) -> Path | None:
    """The archive to start with, or None; a damaged one is reported, removed and done without."""
    if not place.exists():
        return None
    if not place.is_whole():
        log("the class-data archive in the cache is damaged: Spark starts without it")
        place.discard()
        return None
    with contextlib.suppress(OSError):
        os.utime(place.seal)  # "used just now", for whoever tidies up; a read-only cache need not know
    return place.archive


def wants_building(place: ArchivePlace, environment: Mapping[str, str] | None = None) -> bool:
    """Whether an archive should be built: none there, no recent failure, not on CI (its cache is thrown away)."""
    environment = os.environ if environment is None else environment
    if place.exists() or environment.get(TUNING_VARIABLE) == "no-build":
        return False
    if environment.get("CI", "").lower() in ("true", "1") or os.getpid() == 1:
        return False
    try:
        if time.time() - place.failure.stat().st_mtime < _SECONDS_BEFORE_ANOTHER_TRY:
            return False
    except OSError:
        pass
    nearest = next(folder for folder in (place.folder, *place.folder.parents) if folder.exists())
    return os.access(nearest, os.W_OK)


def build_in_background(environment: Mapping[str, str] | None = None) -> None:
    """Start the training run apart from this process, at the lowest priority, and return at once."""
    environment = dict(os.environ if environment is None else environment)
    package = Path(__file__).resolve().parents[2]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(package), environment.get("PYTHONPATH")]))
    # The shell's own child is adopted by init: it is nobody's zombie when this process ends first, or last.
    with contextlib.suppress(OSError):
        subprocess.run(
            ["/bin/sh", "-c", 'nice -n 19 "$0" -m recipe_kit.spark.training >/dev/null 2>&1 &', sys.executable],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env=environment,
            cwd="/",
            check=False,
        )


@contextlib.contextmanager
def exclusive(place: ArchivePlace) -> Iterator[bool]:
    """Whether this process is the only one that builds; the lock falls with the process, however that ends."""
    place.folder.mkdir(parents=True, exist_ok=True)
    with (place.folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True


def install(place: ArchivePlace, built: Path) -> None:
    """Put a finished archive in its place, its seal last, and tidy up those that nobody uses."""
    seal = _seal_of(built)
    place.seal.unlink(missing_ok=True)
    built.replace(place.archive)
    unfinished = place.seal.with_suffix(".part")
    unfinished.write_text(json.dumps(seal))
    unfinished.replace(place.seal)
    place.failure.unlink(missing_ok=True)
    _tidy(place)


def _tidy(place: ArchivePlace) -> None:
    def last_used(folder: Path) -> float:
        try:
            return (folder / "classes.json").stat().st_mtime
        except OSError:
            return folder.stat().st_mtime

    others = [folder for folder in place.folder.parent.iterdir() if folder.is_dir() and folder != place.folder]
    for folder in sorted(others, key=last_used, reverse=True)[KEPT_ARCHIVES - 1 :]:
        shutil.rmtree(folder, ignore_errors=True)


def _seal_of(archive: Path) -> dict[str, object]:
    # Reading all 160 MB would cost what the archive saves; its ends and its size tell a cut or foreign file.
    size = archive.stat().st_size
    with archive.open("rb") as stream:
        digest = hashlib.sha256(stream.read(_CHECKED_BYTES))
        stream.seek(max(0, size - _CHECKED_BYTES))
        digest.update(stream.read(_CHECKED_BYTES))
    return {"size": size, "ends": digest.hexdigest()}
