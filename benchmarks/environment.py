"""What is measured, and where: the kit as users install it, and what is said of the machine.

A checkout is an editable installation, whose imports take another way than those of an installed wheel. So the kit is
built and installed into an environment of its own, with its bytecode compiled; bare scripts run in the same one.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
_LIBRARIES = ("numpy", "pandas", "pyarrow", "pydantic", "pyspark", "scikit-learn")


@dataclass(frozen=True)
class Workplace:
    """Where benchmarks run: a folder for generated data and results, and the environment that is measured."""

    folder: Path
    environment: Path

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.environment / "bin" / "python"

    @property
    def recipe_kit(self) -> Path:
        """The environment's `recipe-kit` command."""
        return self.environment / "bin" / "recipe-kit"

    def fresh(self, name: str) -> Path:
        """Return an empty folder of that name."""
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def copy_of(self, job: str) -> Path:
        """Return a fresh copy of a job that lies beside this file, so that nothing is written into the checkout."""
        folder = self.folder / job
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(Path(__file__).parent / job, folder, ignore=shutil.ignore_patterns("__pycache__"))
        return folder


def set_up(folder: Path) -> Workplace:
    """Return a workplace in `folder` with this checkout's wheel installed; one that is there is used again."""
    folder.mkdir(parents=True, exist_ok=True)
    wheel = _build_wheel(folder / "wheel")
    key = hashlib.sha256(wheel.read_bytes() + sys.version.encode()).hexdigest()[:12]
    environment = folder / f"environment-{key}"
    if not (environment / "ready").exists():
        for old in folder.glob("environment-*"):
            shutil.rmtree(old)
        _install(wheel, environment, folder)
        (environment / "ready").touch()
    return Workplace(folder, environment)


def _build_wheel(target: Path) -> Path:
    shutil.rmtree(target, ignore_errors=True)
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(target)]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    return next(target.glob("*.whl"))


def _install(wheel: Path, environment: Path, folder: Path) -> None:
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else "uv"
    installed = {d.name: d.version for d in importlib.metadata.distributions() if d.name != "recipe-kit"}
    versions = folder / "versions.txt"
    versions.write_text("".join(f"{name}=={version}\n" for name, version in sorted(installed.items())))
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(environment)], check=True)
    wanted = [f"{wheel}[test]", "scikit-learn"]
    target = ["--python", str(environment / "bin" / "python"), "--constraint", str(versions)]
    subprocess.run([uv, "pip", "install", "--quiet", "--compile-bytecode", *target, *wanted], check=True)


def describe_machine() -> dict[str, str]:
    """Return what figures depend on: processor, memory, system, versions."""
    libraries = {}
    for name in _LIBRARIES:
        try:
            libraries[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": platform.python_version(),
        **libraries,
    }


def _processor() -> str:
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found[1].strip() if found else platform.processor() or platform.machine()
