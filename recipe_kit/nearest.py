"""Which known name somebody meant."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], *, likeness: float = 0.6) -> str | None:
    """Return the known name that is most like `name`, whatever the letter case and the style; none if none is near.

    Args:
        name: What was written.
        known: What could have been meant.
        likeness: How much two names must share, from 0 (nothing) to 1 (everything).
    """
    import difflib  # slow to import, and only needed when something is wrong

    by_letters = {_letters(each): each for each in sorted(known, reverse=True)}
    near = difflib.get_close_matches(_letters(name), by_letters, n=1, cutoff=likeness)
    return by_letters[near[0]] if near else None


def did_you_mean(name: str, known: Iterable[str], *, likeness: float = 0.6) -> str | None:
    """Return the question that names the nearest known name; none if none is near."""
    near = nearest(name, known, likeness=likeness)
    return f"did you mean '{near}'?" if near else None


def quoted(names: Iterable[str]) -> str:
    """Return the names as a list in a sentence: `'a', 'b'`."""
    return ", ".join(f"'{name}'" for name in names)


def _letters(name: str) -> str:
    """Return what is left of a name when `num_features`, `NumFeatures` and `numFeatures` are the same."""
    return name.replace("_", "").replace("-", "").casefold()
