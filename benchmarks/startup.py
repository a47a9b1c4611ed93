"""How long the command line and the import take before anything is done."""

from __future__ import annotations

from functools import partial

from benchmarks.environment import Workplace
from benchmarks.measuring import in_turn, median_ratio, median_seconds, run
from benchmarks.outcome import Figure, Outcome, as_numbers

HELP_SECONDS, IMPORT_SECONDS = 0.20, 0.10


def measure(place: Workplace, *, quick: bool = False) -> Outcome:
    """Return the seconds of `recipe-kit --help` and of `import recipe_kit`, beside those of Python alone."""
    cases = {
        "python": partial(run, [place.python, "-c", "pass"]),
        "import": partial(run, [place.python, "-c", "import recipe_kit"]),
        "help": partial(run, [place.recipe_kit, "--help"]),
    }
    samples = in_turn(cases, rounds=5 if quick else 21)
    seconds = {name: median_seconds(taken) for name, taken in samples.items()}
    ratio = {name: median_ratio(taken, samples["python"]) for name, taken in samples.items()}
    return Outcome(
        [
            Figure("`python -c pass`", f"{seconds['python']:.3f} s"),
            Figure(
                "`import recipe_kit`",
                f"{seconds['import']:.3f} s ({ratio['import']:.1f} times Python alone)",
                f"at most {IMPORT_SECONDS:.2f} s",
                seconds["import"] <= IMPORT_SECONDS,
            ),
            Figure(
                "`recipe-kit --help`",
                f"{seconds['help']:.3f} s ({ratio['help']:.1f} times Python alone)",
                f"at most {HELP_SECONDS:.2f} s",
                seconds["help"] <= HELP_SECONDS,
            ),
        ],
        as_numbers(samples),
    )
