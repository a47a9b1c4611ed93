"""Which known name somebody meant."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like `name`, whatever the letter case and the style; none if none is near."""
    import difflib

    by_letters = {_letters(each): each for each in sorted(known, reverse=True)}
    near = difflib.get_close_matches(_letters(name), by_letters, n=1)
    return by_letters[near[0]] if near else None


def quoted(names: Iterable[str]) -> str:
    """Return the names as a list in a sentence: `'a', 'b'`."""
    return ", ".join(f"'{name}'" for name in names)


def _letters(name: str) -> str:
    """Return what is left of a name when `num_features`, `NumFeatures` and `numFeatures` are the same."""
    return name.replace("_", "").replace("-", "").casefold()
