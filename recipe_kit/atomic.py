"""Files and folders that appear whole or not at all.

Everything is written under a hidden, unique name beside its place and renamed when it is complete, so a reader never
sees half of it and a failure leaves what was there before.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from recipe_kit.errors import OutputError

_SENTENCES = {
    errno.ENOSPC: ("the disk is full", "free some space or choose another place"),
    errno.EDQUOT: ("the disk quota is used up", "free some space or choose another place"),
    errno.EACCES: ("permission denied", "choose a folder that you may write to"),
    errno.EPERM: ("permission denied", "choose a folder that you may write to"),
    errno.EROFS: ("the file system is read-only", "choose a folder that you may write to"),
    errno.EISDIR: ("it is a folder", "give the name of a file"),
    errno.ENOTDIR: ("a part of its path is a file, not a folder", None),
    errno.EEXIST: ("a part of its path is a file, not a folder", None),
    errno.ENAMETOOLONG: ("its name is too long", None),
}


def output_error(place: Path | str, error: OSError) -> OutputError:
    """The sentence for an operating system's error while writing to ``place``."""
    reason, hint = _SENTENCES.get(error.errno or 0, (error.strerror or str(error), None))
    return OutputError(f"cannot write {str(place)!r}, {reason}", hint=hint)


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """A name to write to that becomes ``path`` when the block ends well and is removed when it does not.

    Missing parent folders are made. Raises :class:`OutputError` for whatever the operating system refuses, also when
    it refuses to write that name inside the block.
    """
    place = _place_of(path)
    with _sentences(path, place):
        if place.is_dir():
            raise IsADirectoryError(errno.EISDIR, "is a folder")
        _refuse_devices(place)
        temporary = _beside(place)
        try:
            yield temporary
            _flush(temporary)
            if place.exists():
                temporary.chmod(stat.S_IMODE(place.stat().st_mode))
            temporary.replace(place)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """A new, empty folder to fill that becomes ``path`` when the block ends well, in place of a folder of that name.

    It is removed when the block does not end well; what was at ``path`` is then untouched.
    """
    place = _place_of(path)
    with _sentences(path, place):
        if place.exists() and not place.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "is a file")
        temporary = _beside(place)
        try:
            temporary.mkdir()
            yield temporary
            for file in temporary.rglob("*"):
                if file.is_file() and not file.is_symlink():
                    _flush(file)
            _put_in_place(temporary, place)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


def _put_in_place(temporary: Path, place: Path) -> None:
    if not place.exists():
        temporary.replace(place)
        return
    # A folder cannot be renamed over one that is not empty: the old one steps aside, and back if that goes wrong.
    old = _hidden(place, "old")
    try:
        place.replace(old)
        temporary.replace(place)
    except BaseException:
        if old.exists() and not place.exists():
            old.replace(place)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _place_of(path: Path) -> Path:
    """Where the bytes really go: renaming over a link would replace the link, not what it points to."""
    return path.resolve() if path.is_symlink() else path


def _refuse_devices(place: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISREG(place.stat().st_mode):
            raise OutputError(f"cannot write {str(place)!r}, it is not a regular file")


def _beside(place: Path) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    return _hidden(place, "partial")


def _hidden(place: Path, suffix: str) -> Path:
    return place.parent / f".{place.name[:80]}.{secrets.token_hex(6)}.{suffix}"


def _flush(file: Path) -> None:
    # Some file systems put the rename on disk before the bytes: without this a power cut could leave an empty file.
    with file.open("rb") as handle:
        os.fsync(handle.fileno())


@contextlib.contextmanager
def _sentences(path: Path, place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # What fills the place may be an author's code: a file of theirs that is missing is not ours to explain.
        about_us = error.errno in (errno.ENOSPC, errno.EDQUOT) or _on_the_way(error.filename, place)
        if error.errno not in _SENTENCES or not about_us:
            raise
        raise output_error(path, error) from error


def _on_the_way(name: object, place: Path) -> bool:
    """Whether an error is about the place, a folder above it or a file that is to take it (or does not say)."""
    if name is None:
        return True
    folder = str(place.parent)
    return str(name).startswith(folder) or folder.startswith(str(name))
