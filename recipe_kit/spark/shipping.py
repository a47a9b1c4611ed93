"""The project's own code, packed for the executors."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import recipe_kit

_NOT_AT_THE_TOP = {
    "build", "data", "dist", "docs", "env", "examples", "htmlcov", "notebooks", "node_modules", "spark-warehouse",
    "site-packages", "venv",
}  # fmt: skip
_NOWHERE = {"__pycache__", "test", "tests"}
_TOOL_SCRIPTS = {"conftest.py", "noxfile.py", "setup.py"}
_EPOCH = (1980, 1, 1, 0, 0, 0)
_LARGEST_DATA_FILE = 10 * 1024**2


def source_files(source_folder: Path) -> Iterator[tuple[str, Path]]:
    """Name in the archive and path of each file of the packages and modules below a folder, in order of name.

    Packages go with the data files that lie in them. Tests, environments, data, builds, hidden and compiled files stay.
    """
    for entry in sorted(source_folder.iterdir(), key=lambda path: path.name):
        if entry.name.startswith(".") or entry.name in _NOWHERE:
            continue
        if entry.is_file() and _is_module(entry):
            yield entry.name, entry
        elif entry.is_dir() and entry.name not in _NOT_AT_THE_TOP and not entry.name.endswith(".egg-info"):
            files = list(_below(entry, entry.name))
            # A folder without a single module is no package, whatever else lies in it.
            if any(name.endswith(".py") for name, _ in files):
                yield from files


def _is_module(path: Path) -> bool:
    return (
        path.suffix == ".py"
        and path.name not in _TOOL_SCRIPTS
        and not path.name.startswith("test_")
        and not path.name.endswith("_test.py")
    )


def _below(folder: Path, name: str) -> Iterator[tuple[str, Path]]:
    if (folder / "pyvenv.cfg").exists():
        return
    for entry in sorted(folder.iterdir(), key=lambda path: path.name):
        if entry.name.startswith(".") or entry.name in _NOWHERE or entry.suffix in (".pyc", ".pyo"):
            continue
        if entry.is_dir():
            yield from _below(entry, f"{name}/{entry.name}")
        elif entry.is_file() and (_is_module(entry) if entry.suffix == ".py" else _is_light(entry)):
            yield f"{name}/{entry.name}", entry


def _is_light(path: Path) -> bool:
    return path.stat().st_size <= _LARGEST_DATA_FILE


def digest_of_source(source_folder: Path) -> str:
    """Twelve hexadecimal digits that change when any file changes that would be shipped."""
    digest = hashlib.sha256()
    for name, path in source_files(source_folder):
        content = path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:12]


def pack_source(source_folder: Path, into: Path) -> Path:
    """A zip archive of a folder's packages in `into`; the same files give the same bytes and the same name."""
    name = source_folder.resolve().name or "source"
    return _pack(list(source_files(source_folder)), into / f"{name}-{digest_of_source(source_folder)}.zip")


def pack_kit(into: Path) -> Path:
    """A zip archive of the kit itself in `into`, for executors whose Python does not have it."""
    package = Path(recipe_kit.__file__).resolve().parent
    files = [
        (name, path)
        for name, path in _below(package, package.name)
        if path.suffix in (".py", ".json", ".typed") and not name.startswith(f"{package.name}/templates/")
    ]
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for _, path in files)).hexdigest()[:12]
    return _pack(files, into / f"recipe-kit-{digest}.zip")


def _pack(files: list[tuple[str, Path]], target: Path) -> Path:
    if target.exists():
        return target
    unfinished = target.with_suffix(".part")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in files:
            entry = zipfile.ZipInfo(name, date_time=_EPOCH)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    return unfinished.replace(target)
