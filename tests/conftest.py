"""What the tests share: what they need of the machine, the real reviews, fresh environments, the kit's wheel."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from environments import Environment, uv

REPOSITORY = Path(__file__).resolve().parent.parent
# A job in the background of a shell ignores Ctrl-C, and so would all that the tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ON_CI = os.environ.get("CI", "").lower() in {"1", "true"}


# -- what a test needs of the machine -------------------------------------------------------------------------------


def _java_is_missing() -> str | None:
    java_home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{java_home}/bin" if java_home else None)
    if java is None or subprocess.run([java, "-version"], capture_output=True, check=False).returncode:
        return "there is no Java on this machine"
    return None


def _package_index_is_missing() -> str | None:
    # A look at one small package's index page, through uv and so with the user's own index and proxy settings.
    command = [uv(), "pip", "install", "--quiet", "--dry-run", "--no-deps", "--refresh", "--python", sys.executable]
    found = subprocess.run([*command, "--reinstall", "iniconfig"], capture_output=True, text=True, check=False)
    return f"no package index can be reached: {found.stderr.strip()}" if found.returncode else None


NEEDS: dict[str, Callable[[], str | None]] = {
    "java": _java_is_missing,
    "package index": _package_index_is_missing,
}
_looked_up: dict[str, str | None] = {}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of one file stay on one worker, except that all tests on Spark share one, and with it one session."""
    for item in items:
        if "spark" in getattr(item, "fixturenames", ()):
            item.add_marker("spark")
        if not config.pluginmanager.hasplugin("xdist"):
            continue
        group = "spark" if item.get_closest_marker("spark") else item.path.stem
        item.add_marker(pytest.mark.xdist_group(group))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that lacks something of this machine, and say what; on CI that is a failure."""
    needed = {name for marker in item.iter_markers("needs") for name in marker.args}
    if item.get_closest_marker("spark"):
        needed.add("java")
    for name in sorted(needed):
        if name not in _looked_up:
            _looked_up[name] = NEEDS[name]()
        if reason := _looked_up[name]:
            (pytest.fail if ON_CI else pytest.skip)(reason)


# -- data -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ReviewData:
    """Real review sentences; the labels of `scoring` are in `scoring_labels`, in the same order."""

    training: Path
    scoring: Path
    scoring_labels: Path


@pytest.fixture(scope="session")
def review_data() -> ReviewData:
    """The real reviews beside the repository; they are not part of it, so their absence is no failure on CI either."""
    folder = REPOSITORY.parent / "shared" / "data" / "reviews"
    data = ReviewData(folder / "training.csv", folder / "scoring.csv", folder / "scoring_labels.csv")
    if not all(path.is_file() for path in (data.training, data.scoring, data.scoring_labels)):
        pytest.skip("the real reviews are not on this machine")
    return data


# -- the distribution -----------------------------------------------------------------------------------------------


@pytest.fixture
def fresh_environment(tmp_path: Path) -> Iterator[Environment]:
    """An empty virtual environment, gone after the test."""
    folder = tmp_path / "environment"
    subprocess.run([uv(), "venv", "--quiet", "--python", sys.executable, folder], check=True)
    yield Environment(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kit's wheel, built from the working copy once for all tests of a worker."""
    folder = tmp_path_factory.mktemp("wheel")
    # hatchling is among the developers' tools, so that building asks no index for anything.
    command: list[str | Path] = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))
