"""Fresh virtual environments, for the tests that ask what the kit's distribution does outside this one."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path


def uv() -> str:
    """The path of uv."""
    import uv

    return uv.find_uv_bin()


@dataclass(frozen=True)
class Environment:
    """A fresh virtual environment, apart from the one that the tests run in."""

    folder: Path

    def install(self, *requirements: str | Path) -> None:
        """Add packages; uv's options are welcome among them."""
        command: list[str | Path] = [uv(), "pip", "install", "--quiet", "--python", self.folder / "bin" / "python"]
        # From uv's cache if it has all: some indexes make uv fetch and build pyspark anew each time it asks them.
        for options in (["--offline"], []):
            done = subprocess.run([*command, *options, *requirements], capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return
        raise AssertionError(done.stderr)

    def run(self, program: str, *arguments: str | Path, cwd: Path | None = None) -> str:
        """What a program of the environment prints; anything but success fails the test with all it said."""
        apart = {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONWARNINGS", "VIRTUAL_ENV"}
        environment = {key: value for key, value in os.environ.items() if key not in apart and key[:7] != "PYTEST_"}
        environment["PATH"] = f"{self.folder / 'bin'}{os.pathsep}{environment['PATH']}"
        done = subprocess.run(
            [self.folder / "bin" / program, *arguments],
            cwd=cwd or self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{program} exited with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def versions(self) -> dict[str, str]:
        """The version of each installed package, by name."""
        lines = subprocess.run(
            [uv(), "pip", "list", "--python", self.folder / "bin" / "python", "--format", "freeze", "--quiet"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        return dict(line.split("==") for line in lines if "==" in line)
