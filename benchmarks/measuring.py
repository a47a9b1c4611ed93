"""Measuring whole processes, in turn.

What is compared runs alternately (one, the other, one, the other, ...), so that a machine that gets slower or faster
meanwhile does it to both; a ratio is the median of the ratios within each round.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_NOT_PASSED_ON = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")
_SECONDS_BETWEEN_LOOKS = 0.05


@dataclass(frozen=True)
class Sample:
    """What one process took, from its start to its end."""

    seconds: float
    processor_seconds: float
    """What its threads and children took of the processors; it depends less on who else is using the machine."""
    peak_bytes: int
    """The most memory (resident set) that the process had, or that one of its children had."""
    tree_peak_bytes: int
    """The most that it and its children had together, looked at every 50 ms; pages that they share count once.

    0 where the system has no /proc."""


def run(
    command: Sequence[str | Path], *, folder: Path | None = None, variables: Mapping[str, str] | None = None
) -> Sample:
    """Return what `command` took.

    Raises:
        RuntimeError: It ended with an error; the message has the end of what it wrote.
    """
    environment = {name: value for name, value in os.environ.items() if name not in _NOT_PASSED_ON}
    clock = time.perf_counter()
    process = subprocess.Popen(
        [str(word) for word in command],
        cwd=folder,
        env={**environment, **(variables or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    watch = _TreeWatch(process.pid)
    watch.start()
    assert process.stdout is not None
    written = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - clock
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    watch.stop()
    if process.returncode != 0:
        raise RuntimeError(
            f"{' '.join(map(str, command))} ended with {process.returncode}:\n{written[-4000:].decode()}"
        )
    unit = 1024 if os.uname().sysname == "Linux" else 1
    return Sample(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit, watch.peak)


def in_turn(cases: Mapping[str, Callable[[], Sample]], *, rounds: int, warm_up: bool = True) -> dict[str, list[Sample]]:
    """Return each case's samples, taken round by round; before the first one each case runs once unmeasured."""
    if warm_up:
        for case in cases.values():
            case()
    samples: dict[str, list[Sample]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, case in cases.items():
            samples[name].append(case())
    return samples


def median_seconds(samples: Sequence[Sample]) -> float:
    """Return the median of the samples' seconds."""
    return statistics.median(sample.seconds for sample in samples)


def median_ratio(samples: Sequence[Sample], reference: Sequence[Sample], of: str = "seconds") -> float:
    """Return the median, over the rounds, of a case's seconds divided by those of the reference."""
    pairs = zip(samples, reference, strict=True)
    return float(statistics.median(getattr(ours, of) / getattr(theirs, of) for ours, theirs in pairs))


class _TreeWatch(threading.Thread):
    """Looks again and again at how much memory a process and its descendants have together."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self._process = process
        self._over = threading.Event()

    def run(self) -> None:
        if not Path("/proc/self/smaps_rollup").exists():
            return
        while not self._over.wait(_SECONDS_BETWEEN_LOOKS):
            self.peak = max(self.peak, sum(_resident_bytes(process) for process in _tree(self._process)))

    def stop(self) -> None:
        self._over.set()
        self.join()


def _tree(process: int) -> list[int]:
    found = [process]
    for parent in found:
        try:
            tasks = list(Path(f"/proc/{parent}/task").iterdir())
            for task in tasks:
                found.extend(int(child) for child in (task / "children").read_text().split())
        except OSError:
            continue
    return found


def _resident_bytes(process: int) -> int:
    """The process's share of the pages it uses: one that three processes share counts a third."""
    try:
        found = re.search(r"^Pss:\s*(\d+) kB", Path(f"/proc/{process}/smaps_rollup").read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0
