"""Python environments for recipes, built by uv, cached by content and shared between projects that need the same."""

from __future__ import annotations

import compileall
import contextlib
import fcntl
import hashlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import recipe_kit
from recipe_kit.errors import IsolationError

_KIT = Path(recipe_kit.__file__).resolve().parent
_DISTRIBUTION = "recipe-kit"
# The base of the kit that a recipe's environment needs; the command line's own packages are of no use there.
_COMMAND_LINE_ONLY = ("typer", "rich")
_INCLUDED = re.compile(r"(?:-r|-c|--requirements?|--constraints?)[\s=]*(\S+)")
_LOCAL = re.compile(rf"{_INCLUDED.pattern}|-e|--editable|[./~]|.*\bfile:|.*@\s*[./]")


@dataclass(frozen=True)
class Environment:
    """A Python environment that a recipe can run in."""

    folder: Path
    kit: Path
    """The folder with the running kit's own source, to be put on the environment's `PYTHONPATH`."""

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.folder / "bin" / "python"


def environment_for(project: Path, recipe: str | None = None, *, cache: Path | None = None) -> Environment:
    """Return an environment with what a recipe of the project in `project` requires, building it unless it is there.

    The requirements are those of ``requirements.txt`` where there is one, else the dependencies in
    ``pyproject.toml``, with those of the optional group that is named after the recipe. The kit itself is not installed
    from anywhere: its own running source is put in.

    Args:
        project: The project's root.
        recipe: The recipe's name, where it may have an optional group of dependencies of its own.
        cache: Where environments are kept, by default ``recipe-kit/environments`` in the user's cache folder.

    Raises:
        IsolationError: uv is missing, or the requirements cannot be installed.
    """
    requirements = _requirements(project, recipe)
    cache = cache or _cache_folder()
    kit = _ready(cache / "kits" / _digest_of_kit(), _copy_kit)
    parts = [sys.version, sys.platform, *requirements, *_of_this_project_only(project, requirements)]
    wanted = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]

    def build(folder: Path) -> None:
        uv = _uv()
        _call([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], project)
        python = str(folder / "bin" / "python")
        # Through a pipe: an index may be named with a password, and arguments can be seen by everybody.
        install = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python, "--requirements", "-"]
        _call(install, project, given="\n".join(requirements) + "\n")
        packages = [line for line in requirements if not line.startswith("-")]
        (folder / "requirements.txt").write_text("\n".join(packages) + "\n", encoding="utf-8")

    return Environment(_ready(cache / wanted, build), kit)


def _ready(folder: Path, build: Callable[[Path], None]) -> Path:
    """Return `folder`, built by `build` unless it is there already; half-built ones are begun again."""
    ready = folder / ".ready"
    if not ready.is_file():
        with _building(folder):
            if not ready.is_file():
                shutil.rmtree(folder, ignore_errors=True)
                build(folder)
                ready.touch()
    return folder


def _requirements(project: Path, recipe: str | None) -> tuple[str, ...]:
    file = project / "requirements.txt"
    if file.is_file():
        wanted = _lines_of(file)
    else:
        metadata = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8")).get("project", {})
        own_group = metadata.get("optional-dependencies", {}).get(recipe, ())
        wanted = [*metadata.get("dependencies", ()), *own_group]
    extras = sorted({extra for line in wanted if _name(line) == _DISTRIBUTION for extra in _extras(line)})
    own = [line for line in wanted if _name(line) != _DISTRIBUTION]
    return tuple(sorted({*own, *_kit_requirements(extras)}))


def _lines_of(file: Path) -> list[str]:
    text = file.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.partition(" #")[0].strip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def _of_this_project_only(project: Path, requirements: Sequence[str]) -> list[str]:
    """Return what the requirements mean that name files or folders, which another project has others of."""
    local = [line for line in requirements if _LOCAL.match(line)]
    if not local:
        return []
    files = [project / "pyproject.toml", *_included(project, local)]
    texts = [file.read_text(encoding="utf-8", errors="replace") for file in files if file.is_file()]
    return [str(project.resolve()), *texts]


def _included(folder: Path, lines: Sequence[str], known: frozenset[Path] = frozenset()) -> Iterator[Path]:
    for line in lines:
        match = _INCLUDED.match(line)
        file = (folder / match[1]).resolve() if match else None
        if file is not None and file.is_file() and file not in known:
            yield file
            yield from _included(file.parent, _lines_of(file), known | {file})


def _kit_requirements(extras: Sequence[str]) -> list[str]:
    """Return what the running kit needs, with the extras that the project asks for."""
    found = []
    for line in importlib.metadata.requires(_DISTRIBUTION) or ():
        requirement, _, marker = (part.strip() for part in line.partition(";"))
        wanted_by = re.findall(r"""extra\s*==\s*['"]([^'"]+)['"]""", marker)
        if wanted_by and not set(wanted_by) & set(extras):
            continue
        if _name(requirement) in _COMMAND_LINE_ONLY and not wanted_by:
            continue
        if _name(requirement) != _DISTRIBUTION:
            found.append(requirement)
    return found


def _name(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    return re.sub(r"[-_.]+", "-", match.group()).lower() if match else ""


def _extras(requirement: str) -> list[str]:
    match = re.match(r"[A-Za-z0-9._-]+\s*\[([^\]]*)\]", requirement)
    return [extra.strip() for extra in match.group(1).split(",")] if match else []


def _digest_of_kit() -> str:
    digest = hashlib.sha256(sys.version.encode())
    for file in _kit_files():
        digest.update(f"\0{file.relative_to(_KIT)}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:24]


def _kit_files() -> list[Path]:
    # Projects grow from templates on the author's side only.
    return sorted(
        file for file in _KIT.rglob("*") if file.suffix in (".py", ".typed") and "templates" not in file.parts
    )


def _copy_kit(folder: Path) -> None:
    # Not the folder that the kit lies in: beside it are all the other packages of the kit's own environment.
    for file in _kit_files():
        copy = folder / "recipe_kit" / file.relative_to(_KIT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
    compileall.compile_dir(folder, quiet=2)


def _cache_folder() -> Path:
    if sys.platform == "darwin" and "XDG_CACHE_HOME" not in os.environ:
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "recipe-kit" / "environments"


@contextlib.contextmanager
def _building(folder: Path) -> Iterator[None]:
    """Hold the right to build `folder`, waiting for another process that has it."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = folder.with_suffix(".lock").open("w")
    except OSError as error:
        raise IsolationError(
            f"the recipe's environment cannot be kept in {folder.parent} ({error.strerror})",
            hint="set XDG_CACHE_HOME to a folder that can be written",
        ) from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.is_file() else shutil.which("uv")
    if found is None:
        raise IsolationError("running in an environment of the recipe's own needs uv", hint="pip install uv")
    return found


def _call(command: Sequence[str], folder: Path, given: str = "") -> None:
    # A relative requirement (-e ., -r other.txt) is meant from the project's root.
    done = subprocess.run(command, cwd=folder, input=given, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = "; ".join(line.strip() for line in done.stderr.strip().splitlines()[:6])
        raise IsolationError(f"the recipe's environment could not be built: {reason}", hint="mend its requirements")
