"""The pages on checks and fixtures list what the code has; run as a script, this file writes the tables of checks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from recipe_kit.testing import CHECKS
from recipe_kit.testing.checks import THEMES

pytest_plugins = ["pytester"]

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"
MARK = "<!-- The tables below are written from the code: python tests/test_testing_docs.py -->\n"


def tables() -> str:
    """The tables of all checks, by theme."""
    parts = []
    for theme in THEMES:
        title = (theme.__doc__ or "").partition("\n")[0]
        title = re.split(r"[:,.]", title.removeprefix("Checks of "))[0]
        parts.append(f"\n### {title[0].upper()}{title[1:]}\n")
        parts.append("| check | what it proves | why it matters | for | what to do |\n|---|---|---|---|---|")
        for check in CHECKS:
            if check.function.__module__ == theme.__name__:
                which = check.applies_to.words + ("; slow" if check.slow else "")
                cells = (f"`{check.name}`", check.proves, check.why, which, check.remedy)
                parts.append(f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |")
    return "\n".join(parts) + "\n"


def test_the_tables_of_checks_are_those_of_the_code() -> None:
    page = (REFERENCE / "checks.md").read_text(encoding="utf-8")
    assert page.partition(MARK)[2] == tables(), "run `python tests/test_testing_docs.py`"


def test_every_check_says_what_it_proves_why_it_matters_and_what_to_do() -> None:
    for check in CHECKS:
        assert check.proves.endswith("."), check.name
        assert check.why.endswith("."), check.name
        assert check.remedy, check.name
        assert not check.remedy.endswith("."), check.name


def test_the_table_of_fixtures_is_that_of_the_plugin(pytester: pytest.Pytester) -> None:
    page = (REFERENCE / "fixtures.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|$", page, flags=re.MULTILINE))
    text = pytester.runpytest_subprocess("--fixtures", "-q").stdout.str()
    section = re.search(r"fixtures defined from recipe_kit\.testing\.plugin -+\n(.*?)(?:\n---|\n=|\Z)", text, re.DOTALL)
    assert section is not None, text
    found = re.findall(r"^(\w+)(?: \[session scope\])? -- .*?\n    (.+)$", section[1], flags=re.MULTILINE)
    assert dict(found) == listed


if __name__ == "__main__":
    file = REFERENCE / "checks.md"
    file.write_text(file.read_text(encoding="utf-8").partition(MARK)[0] + MARK + tables(), encoding="utf-8")
