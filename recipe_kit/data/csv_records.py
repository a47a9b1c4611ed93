"""Where the records of a CSV file end.

A line break inside quotes ends no record, so a file can only be cut where the quotes before the cut are balanced. That
is decided by counting them, a whole chunk at a time. A quote counts where it opens a field, closes it, or is doubled
inside one; a stray one, as in ``5" disk``, is text. The same rules are pyarrow's and those of Python's ``csv``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_QUOTE = ord('"')
_SCANNED_BYTES = 1 << 18
"""Little enough to stay in the processor's cache."""


class Readable(Protocol):
    """Anything that bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes; none at the end."""


@dataclass
class RecordCutter:
    """Finds, chunk after chunk, the last place where a record ends."""

    delimiter: str = ","
    inside: bool = False
    """Whether the chunks so far end within quotes."""
    may_open: bool = True
    """Whether a quote that comes next would open (or, right after a closing one, continue) a quoted field."""

    def last_end(self, chunk: bytes) -> int:
        """The position after the last line break of ``chunk`` that ends a record; 0 where there is none."""
        if not self.inside and b'"' not in chunk:
            self.may_open = chunk[-1:] in (b"\n", b"\r", self.delimiter.encode())
            return chunk.rfind(b"\n") + 1
        quotes = self._quotes(chunk)
        inside = self.inside ^ bool(len(quotes) & 1)
        end = _last_break_outside(chunk, quotes, inside)
        closed_last = bool(len(quotes)) and int(quotes[-1]) == len(chunk) - 1 and not inside
        self.may_open = closed_last or chunk[-1:] in (b"\n", b"\r", self.delimiter.encode())
        self.inside = inside
        return end

    def _quotes(self, chunk: bytes) -> NDArray[np.intp]:
        """The positions of the quotes that count."""
        import numpy as np

        data = np.frombuffer(chunk, np.uint8)
        quotes = np.flatnonzero(data == _QUOTE)
        opening = quotes[1::2] if self.inside else quotes[0::2]
        before = data[np.maximum(opening, 1) - 1]
        fits = (before == ord(self.delimiter)) | (before == 10) | (before == 13) | (before == _QUOTE)
        if len(opening) and opening[0] == 0:
            fits[0] = self.may_open
        return quotes if fits.all() else self._quotes_one_by_one(chunk, quotes)

    def _quotes_one_by_one(self, chunk: bytes, quotes: NDArray[np.intp]) -> NDArray[np.intp]:
        import numpy as np

        counted: list[int] = []
        inside, closed_at = self.inside, -2
        for position in quotes.tolist():
            if inside:
                inside, closed_at = False, position
            elif closed_at == position - 1 or (
                chunk[position - 1] in (ord(self.delimiter), 10, 13) if position else self.may_open
            ):
                inside = True
            else:
                continue
            counted.append(position)
        return np.array(counted, dtype=np.intp)


def _last_break_outside(chunk: bytes, quotes: NDArray[np.intp], inside: bool) -> int:
    """Looks backwards, stretch by stretch between two quotes, in those that are outside."""
    end = len(chunk)
    for index in range(len(quotes) - 1, -2, -1):
        start = int(quotes[index]) if index >= 0 else -1
        if not inside:
            found = chunk.rfind(b"\n", start + 1, end)
            if found >= 0:
                return found + 1
        inside, end = not inside, max(start, 0)
    return 0


def whole_records(stream: Readable, size: int, cutter: RecordCutter | None) -> Iterator[bytes]:
    """The stream in pieces of about ``size`` bytes that end where a record ends.

    Without a cutter every line is a record (JSON lines). Quotes that are never closed make the rest one
    piece, and leave the cutter inside.
    """
    pieces: list[bytes] = []
    while chunk := stream.read(size):
        end = cutter.last_end(chunk) if cutter else chunk.rfind(b"\n") + 1
        if end:
            yield b"".join((*pieces, chunk[:end]))
            pieces = [chunk[end:]] if end < len(chunk) else []
        else:
            pieces.append(chunk)
    if pieces:
        yield b"".join(pieces)


def record_ends(stream: Readable, size: int, cutter: RecordCutter | None) -> Iterator[int]:
    """Where :func:`whole_records` would cut the stream, as positions in it, without keeping what was read."""
    position = start = last = 0
    while chunk := stream.read(min(size, _SCANNED_BYTES)):
        end = cutter.last_end(chunk) if cutter else chunk.rfind(b"\n") + 1
        last = position + end if end else last
        position += len(chunk)
        if position - start >= size and last > start:
            yield last
            start = last
    if position > start:
        yield position


def ends_inside_quotes(stream: Readable, delimiter: str) -> bool:
    """Whether the stream's last quoted field is never closed."""
    cutter = RecordCutter(delimiter)
    while chunk := stream.read(_SCANNED_BYTES):
        cutter.last_end(chunk)
    return cutter.inside
