"""The pages tell the truth: what they show is executed, what they link to exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from doc_snippets import Page, SnippetError, matches, read_snippets

REPOSITORY = Path(__file__).resolve().parent.parent
PAGES = sorted(
    str(path.relative_to(REPOSITORY))
    for path in [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *(REPOSITORY / "docs").rglob("*.md")]
)

# Blocks that are shown and not run, by page. Each needs a reason here.
NOT_RUN = {
    # `make demo` and installing have tests of their own (test_demo.py, test_distribution.py); `make test` runs this.
    "README.md": 3,
    "CONTRIBUTING.md": 1,  # the targets of the Makefile, `make test` among them
}
LANGUAGES = {"console", "csv", "dockerfile", "json", "makefile", "mermaid", "python", "text", "toml", "yaml"}


def _text(page: str) -> str:
    return (REPOSITORY / page).read_text(encoding="utf-8")


def _needs_spark(page: str) -> bool:
    return any("spark" in snippet.text for snippet in read_snippets(page, _text(page)) if snippet.runs)


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=pytest.mark.spark if _needs_spark(page) else ()) for page in PAGES]
)
def test_every_snippet_of_a_page_does_what_the_page_says(page: str, tmp_path: Path) -> None:
    running = Page(page, tmp_path)
    for snippet in read_snippets(page, _text(page)):
        running.run(snippet)


def test_few_blocks_are_left_out_and_each_is_known() -> None:
    left_out = {page: sum(not snippet.runs for snippet in read_snippets(page, _text(page))) for page in PAGES}
    assert {page: count for page, count in left_out.items() if count} == NOT_RUN


@pytest.mark.parametrize("page", PAGES)
def test_blocks_are_in_languages_that_are_checked_or_have_nothing_to_check(page: str) -> None:
    odd = [f"{page}:{s.line}: {s.language!r}" for s in read_snippets(page, _text(page)) if s.language not in LANGUAGES]
    assert not odd


@pytest.mark.parametrize("page", PAGES)
def test_relative_links_lead_to_files_and_headings_that_exist(page: str) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", _text(page), flags=re.DOTALL)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, heading = target.partition("#")
        file = (REPOSITORY / page).parent / path if path else REPOSITORY / page
        if not file.exists() or (heading and heading not in _anchors(file)):
            broken.append(target)
    assert not broken


def _anchors(file: Path) -> set[str]:
    headings = re.findall(r"^#+ +(.*?) *$", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


# -- the runner of snippets itself ----------------------------------------------------------------------------------


def _run(text: str, folder: Path) -> None:
    page = Page("docs/some.md", folder)
    for snippet in read_snippets("docs/some.md", text):
        page.run(snippet)


def test_a_failing_snippet_is_told_by_page_and_line(tmp_path: Path) -> None:
    page = "# Some\n\n```python\nnumber = 1\n```\n\nand then\n\n```python\n\nnumber / 0\n```\n"
    with pytest.raises(SnippetError, match=r"^docs/some\.md:11: ZeroDivisionError"):
        _run(page, tmp_path)


def test_snippets_of_a_page_share_names_and_a_folder(tmp_path: Path) -> None:
    _run(
        "```toml file=demo/settings.toml\nsize = 3\n```\n"
        "```console\n$ cd demo\n$ ls\nsettings.toml\n```\n"
        "```python\nfrom pathlib import Path\ntext = Path('settings.toml').read_text()\n```\n"
        "```python\nassert text == 'size = 3\\n'\n```\n",
        tmp_path,
    )
    assert (tmp_path / "demo" / "settings.toml").is_file()


def test_a_command_that_prints_something_else_is_told_by_page_and_line(tmp_path: Path) -> None:
    with pytest.raises(SnippetError, match=r"(?s)^docs/some\.md:2: `echo one` printed\none\n.*two"):
        _run("```console\n$ echo one\ntwo\n```\n", tmp_path)


def test_a_command_must_exit_as_its_block_says(tmp_path: Path) -> None:
    _run("```console exit=2\n$ (exit 2)\n```\n", tmp_path)
    with pytest.raises(SnippetError, match=r"^docs/some\.md:2: `false` exited with 1"):
        _run("```console\n$ false\n```\n", tmp_path)


@pytest.mark.parametrize("text", ["```json\n{'a': 1}\n```\n", "```toml\na = \n```\n"])
def test_documents_that_are_shown_must_parse(text: str, tmp_path: Path) -> None:
    with pytest.raises(SnippetError, match=r"^docs/some\.md:2: "):
        _run(text, tmp_path)


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        (("one", "two"), "one\ntwo\n", True),
        (("one", "two"), "one\n", False),
        (("took ... s",), "took 1.25 s\n", True),
        (("took ... s",), "took 1.25 s\nand more\n", False),
        (("one", "...", "four"), "one\ntwo\nthree\nfour\n", True),
        (("one", "...", "four"), "one\nfour\n", True),
        (("...", "four"), "one\ntwo\n", False),
        (("a (b) *",), "a (b) *   \n", True),
        (("rows  10", "time ... s"), "rows   10\ntime  1 s\n", True),
        (("done ...",), "done\n", False),
        (("name ... state",), "name  state\n", True),
        (("name ... state",), "name  of a state\n", True),
        (("one", ""), "one\n", True),
    ],
)
def test_dots_stand_for_anything_in_a_line_or_for_any_lines(
    expected: tuple[str, ...], printed: str, same: bool
) -> None:
    assert matches(expected, printed) is same
