"""Where a table lies: paths, globs, folders of parts, and URIs.

A :class:`Location` is a name that was understood; the files behind it are looked up when it is read.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import re
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any

from recipe_kit.errors import DataError, DataNotFoundError, EmptyDataError
from recipe_kit.nearest import did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa

Log = Callable[[str], None]
"""What is told in the execution log while a table is read or written."""

CSV, PARQUET, JSON_LINES = "csv", "parquet", "jsonl"
_FORMATS = {
    ".csv": CSV,
    ".tsv": CSV,
    ".parquet": PARQUET,
    ".pq": PARQUET,
    ".jsonl": JSON_LINES,
    ".ndjson": JSON_LINES,
    ".json": JSON_LINES,
}
_COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
_URI = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+://")
_GLOB = re.compile(r"[*?\[]")
_CHUNK = 1 << 20


def no_log(message: str) -> None:
    """Nothing: the log of a caller that wants none."""


@dataclass(frozen=True)
class Location:
    """A place that a table is read from or written to: a path of this machine, or the URI of another store."""

    text: str
    """As the user wrote it; what messages say."""
    path: Path | None = None
    """The absolute path, where the place is on this machine."""
    uri: str | None = None
    """The URI, where it is not."""

    @property
    def target(self) -> str:
        """The absolute path or the URI, as text."""
        return str(self.path) if self.path is not None else str(self.uri)

    @property
    def is_glob(self) -> bool:
        """Whether the name has wildcards and is not, as it stands, a file."""
        if self.path is None:
            return "*" in self.text  # a question mark begins the query of a web address
        return bool(_GLOB.search(self.text)) and not self.path.exists()


@dataclass(frozen=True)
class DataFile:
    """One file of a table, with what its name says about its form."""

    name: str
    """What messages call it."""
    path: str | None
    """The absolute path, where the file is on this machine."""
    uri: str | None
    """The URI, where it is not."""
    format: str
    """``csv``, ``parquet`` or ``jsonl``."""
    delimiter: str
    """What separates the fields of a CSV file: a comma, or a tab in a ``.tsv`` file."""
    compression: str | None
    """``gzip``, ``zstd`` or none."""

    def open_bytes(self) -> IO[bytes]:
        """The bytes of the file as they are stored."""
        if self.path is not None:
            return Path(self.path).open("rb")
        filesystem, path = filesystem_of(str(self.uri))
        with _opening(str(self.uri)):
            stream: IO[bytes] = filesystem.open(path, "rb")
        return stream

    def open_plain(self) -> pa.NativeFile:
        """The bytes of the file without their compression, as an Arrow stream."""
        import pyarrow as pa

        stored: pa.NativeFile
        stored = pa.OSFile(self.path, "rb") if self.path is not None else pa.PythonFile(self.open_bytes(), "r")
        # The size of the buffer is what makes small reads from a compressed stream cheap.
        return pa.CompressedInputStream(stored, self.compression) if self.compression else stored

    @property
    def size(self) -> int:
        """How many bytes are stored."""
        if self.path is not None:
            return Path(self.path).stat().st_size
        filesystem, path = filesystem_of(str(self.uri))
        with _opening(str(self.uri)):
            return int(filesystem.size(path) or 0)


def resolve_location(text: str, base: Path) -> Location:
    """The location that ``text`` names; a relative path starts at the folder ``base``.

    ``~`` is the user's home; ``file://`` is a path; any other ``scheme://`` is a URI that fsspec opens when it is used.
    """
    if not text.strip():
        raise DataNotFoundError("a location is empty", hint="give a path or a URI")
    if text.startswith("file://"):
        return Location(text, path=Path(urllib.parse.unquote(urllib.parse.urlsplit(text).path)))
    if _URI.match(text):
        return Location(text, uri=text)
    try:
        return Location(text, path=Path.cwd() / base / Path(text).expanduser())
    except RuntimeError:
        raise DataNotFoundError(f"{text!r} begins with the home of a user who does not exist") from None


def filesystem_of(uri: str) -> tuple[Any, str]:
    """The fsspec file system of a URI, and the path inside it."""
    scheme = uri.partition("://")[0]
    try:
        import fsspec
    except ImportError as error:
        raise DataError(f"cannot open {scheme}:// locations here", hint="pip install fsspec") from error
    try:
        filesystem, path = fsspec.core.url_to_fs(uri)
    except ImportError as error:
        raise DataError(f"cannot open {scheme}:// locations here", hint=str(error)) from error
    except ValueError as error:
        raise DataError(f"cannot open {uri!r}, {str(error)[:1].lower()}{str(error)[1:]}") from error
    return filesystem, path


@contextlib.contextmanager
def _opening(uri: str) -> Iterator[None]:
    """Turns whatever the package of a store raises into one sentence, except that a file is not there."""
    try:
        yield
    except (FileNotFoundError, DataError):
        raise
    except Exception as error:
        raise DataError(f"cannot open {uri!r}, {type(error).__name__}: {error}") from error


def form_of(name: str) -> tuple[str | None, str, str | None]:
    """The format (none if the extension is unknown), the delimiter and the compression that a file's name says."""
    path = PurePosixPath(name.partition("?")[0] if _URI.match(name) else name)
    compression = _COMPRESSIONS.get(path.suffix.lower())
    if compression:
        path = path.with_suffix("")
    return _FORMATS.get(path.suffix.lower()), "\t" if path.suffix.lower() == ".tsv" else ",", compression


def files_of(location: Location, log: Log = no_log) -> tuple[DataFile, ...]:
    """The files of a table, sorted by name.

    In folders and globs, hidden files and those that start with an underscore are skipped. Raises
    :class:`DataNotFoundError` where nothing is, :class:`DataError` for a folder without a data file or of two formats.
    """
    names, several = _names(location)
    if several:
        known = [name for name in names if form_of(name)[0]]
        if known and len(known) < len(names):
            others = sorted(PurePosixPath(name).name for name in set(names) - set(known))
            log(f"{location.text}: skipped files that are no tables: {', '.join(others)}")
        names = known or names
    files = tuple(_data_file(location, name, several, log) for name in names)
    formats = sorted({file.format for file in files})
    if len(formats) > 1:
        raise DataError(
            f"{location.text!r} holds files of several formats ({', '.join(formats)})",
            hint="name one kind with a pattern such as '*.csv'",
        )
    return files


def _data_file(location: Location, name: str, several: bool, log: Log) -> DataFile:
    kind, delimiter, compression = form_of(name)
    shown = name if several and location.path is None else (_short(location, name) if several else location.text)
    if kind is None:
        suffix = PurePosixPath(name).suffix
        log(f"{shown}: {f'unknown extension {suffix!r}' if suffix else 'no extension'}, read as CSV")
    local = location.path is not None
    return DataFile(
        name=shown,
        path=name if local else None,
        uri=None if local else name,
        format=kind or CSV,
        delimiter=delimiter,
        compression=compression,
    )


def _short(location: Location, name: str) -> str:
    """A part of a folder or glob, written the way the user wrote the location."""
    folder = Path(location.text) if not location.is_glob else Path(location.text).parent
    return str(folder / Path(name).name)


def _names(location: Location) -> tuple[list[str], bool]:
    """The files' paths or URIs, and whether the location may stand for several."""
    return _local_names(location, location.path) if location.path is not None else _remote_names(location)


def _local_names(location: Location, path: Path) -> tuple[list[str], bool]:
    if location.is_glob:
        names = [
            name
            for name in glob.glob(_pattern(location, path), recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
            if _is_part(name) and Path(name).is_file()
        ]
        if not names:
            raise DataNotFoundError(f"no file matches {location.text!r} (in {path.parent})")
        return sorted(names), True
    if path.is_dir():
        inside = sorted(path.iterdir())
        names = [str(entry) for entry in inside if entry.is_file() and _is_part(entry.name)]
        if not names:
            folders = [entry.name for entry in inside if entry.is_dir() and _is_part(entry.name)]
            what = f"only folders ({', '.join(folders[:5])})" if folders else "no data file"
            raise EmptyDataError(f"{location.text!r} is a folder with {what} in it", hint="name a file")
        return names, True
    if not path.exists():
        raise DataNotFoundError(f"no file {location.text!r}{_looked_at(location, path)}", hint=_similar(path))
    return [str(path)], False


def _pattern(location: Location, path: Path) -> str:
    """The pattern, in which only what the user wrote has wildcards: the base folder may have brackets in its name."""
    base = str(path).removesuffix(location.text)
    return glob.escape(base) + location.text if base != str(path) else str(path)


def _remote_names(location: Location) -> tuple[list[str], bool]:
    filesystem, path = filesystem_of(str(location.uri))
    with _opening(location.text):
        if location.is_glob:
            names, several = filesystem.glob(path), True
        elif filesystem.isdir(path):
            names, several = [entry["name"] for entry in filesystem.ls(path) if entry["type"] == "file"], True
        else:
            names, several = ([path] if filesystem.exists(path) else []), False
    names = [name for name in names if not several or _is_part(name)]
    if not names:
        raise DataNotFoundError(f"nothing is at {location.text!r}")
    if not several:
        return [str(location.uri)], False
    return sorted(filesystem.unstrip_protocol(name) for name in names), True


def _is_part(name: str) -> bool:
    return not PurePosixPath(name).name.startswith((".", "_"))


def _looked_at(location: Location, path: Path) -> str:
    return f" (looked for {path})" if str(path) != location.text else ""


def _similar(path: Path) -> str | None:
    if not path.parent.is_dir():
        return f"the folder {str(path.parent)!r} does not exist"
    return did_you_mean(path.name, [entry.name for entry in path.parent.iterdir()], likeness=0.75)


def total_bytes(files: Sequence[DataFile]) -> int:
    """How many bytes the files have on disk: what progress is measured against."""
    return sum(file.size for file in files)


def fingerprint(location: Location) -> str:
    """``sha256:...`` of the table's bytes; of one file, what ``sha256sum`` says.

    For several files it is the SHA-256 over one line per file, in order of name: digest, two spaces, name.
    """
    files = files_of(location)
    if len(files) == 1:
        return f"sha256:{_digest(files[0])}"
    lines = "".join(f"{_digest(file)}  {PurePosixPath(file.path or str(file.uri)).name}\n" for file in files)
    return f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}"


def _digest(file: DataFile) -> str:
    digest = hashlib.sha256()
    with file.open_bytes() as stream:
        for chunk in _chunks(stream):
            digest.update(chunk)
    return digest.hexdigest()


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK):
        yield chunk
