"""What the command line shows: plain words on any stream, tables drawn by rich where it is a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO

Style = Literal["", "bold", "dim", "red", "green", "yellow", "cyan"]

_CODES: dict[str, str] = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
_GAP = "  "


def is_terminal(stream: TextIO) -> bool:
    """Whether somebody watches `stream` on a terminal."""
    try:
        return stream.isatty()
    except ValueError:  # it is closed
        return False


def has_colours(stream: TextIO) -> bool:
    """Whether text on `stream` may be coloured (see https://no-color.org for the variable that forbids it)."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def styled(text: str, style: Style, stream: TextIO) -> str:
    """Return `text` in `style`, as it is where `stream` shows no styles."""
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if style and has_colours(stream) else text


def print_error(message: str, hint: str | None = None) -> None:
    """Print ``error: message: hint`` to stderr, on one line; what had a line each is told apart by semicolons."""
    text = "; ".join((f"{message}: {hint}" if hint else message).splitlines())
    print(styled("error:", "red", sys.stderr), text, file=sys.stderr)


def print_note(text: str) -> None:
    """Print a line about the work to stderr."""
    print(styled(text, "dim", sys.stderr), file=sys.stderr)


def shown(path: Path | str) -> str:
    """Return a path as a person in the current folder would write it: relative where it is below that folder."""
    if not Path(path).is_absolute():
        return str(path)
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    title: str
    right: bool = False
    """Whether it is set flush right, as figures are."""
    style: Style = ""
    whole: bool = False
    """Whether its words are kept on one line, whatever the width of the terminal."""


@dataclass(frozen=True)
class Cell:
    """A cell in a style of its own."""

    text: str
    style: Style = ""


Row = Sequence[str | Cell]


def print_table(columns: Sequence[Column], rows: Iterable[Row], stream: TextIO) -> None:
    """Print a table: fitted to the width of a terminal, in aligned columns elsewhere."""
    cells = [[cell if isinstance(cell, Cell) else Cell(cell) for cell in row] for row in rows]
    if is_terminal(stream):
        _draw(columns, cells, stream)
    else:
        stream.writelines(f"{line}\n" for line in _aligned(columns, cells))


def _draw(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], stream: TextIO) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim", border_style="dim")
    for column in columns:
        table.add_column(
            Text(column.title),
            justify="right" if column.right else "left",
            style=column.style or None,
            no_wrap=column.whole or column.right,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(Text(cell.text, style=cell.style) for cell in row))
    # Left to itself, rich would keep bold and dim where colours are not wanted.
    console = Console(file=stream, highlight=False, color_system="auto" if has_colours(stream) else None)
    console.print(Padding(table, (0, 0, 0, 2)))


def _aligned(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> list[str]:
    texts = [[column.title for column in columns], *([" ".join(c.text.split("\n")) for c in row] for row in rows)]
    widths = [max(len(line[index]) for line in texts) for index in range(len(columns))]
    lines = []
    for line in texts:
        fields = [
            text.rjust(width) if column.right else text.ljust(width)
            for text, width, column in zip(line, widths, columns, strict=True)
        ]
        lines.append((_GAP + _GAP.join(fields)).rstrip())
    return lines


def print_details(details: Iterable[tuple[str, str]], stream: TextIO) -> None:
    """Print labelled lines, which are never wrapped, so that a path can be copied whole."""
    details = list(details)
    width = max((len(label) for label, _ in details), default=0)
    for label, text in details:
        print(_GAP + styled(label.ljust(width), "dim", stream) + _GAP + text, file=stream)


def seconds(value: float) -> str:
    """Return a time in words: ``0.42 s``, ``12.3 s``, ``2 min 5 s``."""
    if value < 9.995:
        return f"{value:.2f} s"
    if value < 119.95:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def size(value: float) -> str:
    """Return a number of bytes in words: ``832 B``, ``1.4 MB`` (powers of 1000)."""
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.5:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 99.95 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def figure(value: float) -> str:
    """Return a metric to four decimals, or four digits where it is very large or very small."""
    return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e6 else f"{value:.4g}"


def count(number: int, noun: str) -> str:
    """Return a number of things in words: ``1 row``, ``2,000 rows``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
