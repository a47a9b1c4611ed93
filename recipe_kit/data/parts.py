"""What reading a table is made of: its files with their columns, and blocks of them that are read on their own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from recipe_kit.data.csv_records import RecordCutter, record_ends, whole_records
from recipe_kit.data.locations import DataFile
from recipe_kit.errors import DataError, DataNotFoundError, MalformedDataError

Item = TypeVar("Item")
Result = TypeVar("Result")

BLOCK_BYTES = 8 << 20
"""About how many bytes are read at once: large enough for the reader to be quick, small enough for many in memory."""


@dataclass(frozen=True)
class Part:
    """A file of a table, looked at but not read."""

    file: DataFile
    columns: tuple[str, ...]
    has_rows: bool
    head_bytes: int = 0
    """How many bytes (without compression) come before the first record of a CSV file."""
    head_lines: int = 0
    """How many lines those are."""

    def records(self) -> Any:
        """The file's bytes after its header, as an Arrow stream."""
        stream = self.file.open_plain()
        if self.file.compression is None:
            stream.seek(self.head_bytes)
        else:
            stream.read(self.head_bytes)
        return stream


@dataclass(frozen=True)
class Block:
    """Some whole records of a table; small, and can be sent to another process of this machine to be read there."""

    file: DataFile
    columns: tuple[str, ...]
    offset: int = 0
    """Where the block starts in the file, in bytes."""
    length: int = 0
    """How many bytes it has; for progress also of blocks that hold their bytes."""
    first_line: int | None = None
    """The line that it starts at, counted from 1; where it is not known, it is counted if it has to be told."""
    data: bytes | None = None
    """The bytes themselves where they cannot be read again at a cost: compressed and remote files."""
    row_group: int | None = None
    """Which row group of a Parquet file it is."""

    def read(self) -> bytes:
        """The bytes of the block."""
        if self.data is not None:
            return self.data
        with reading(self.file), self.file.open_bytes() as stream:
            stream.seek(self.offset)
            return stream.read(self.length)


def blocks_of(part: Part, size: int, cutter: RecordCutter | None) -> Iterator[Block]:
    """The records of a text file in pieces of about ``size`` bytes; without a cutter every line is a record."""
    if part.file.path is not None and part.file.compression is None:
        # Only the places are noted: whoever reads a block, in whichever process, takes its bytes from the file.
        start = 0
        with reading(part.file), open(part.file.path, "rb", buffering=0) as stream:  # noqa: PTH123 - unbuffered
            stream.seek(part.head_bytes)
            for end in record_ends(stream, size, cutter):
                yield Block(part.file, part.columns, offset=part.head_bytes + start, length=end - start)
                start = end
        return
    offset, line = part.head_bytes, part.head_lines + 1
    with reading(part.file), part.records() as stream:
        for data in whole_records(stream, size, cutter):
            yield Block(part.file, part.columns, offset=offset, length=len(data), first_line=line, data=data)
            offset += len(data)
            line += data.count(b"\n")


def first_line(block: Block) -> int:
    """The line of its file that a block starts at, counted from 1."""
    if block.first_line is not None:
        return block.first_line
    lines, left = 1, block.offset
    with block.file.open_bytes() as stream:
        while left and (chunk := stream.read(min(left, 1 << 20))):
            lines += chunk.count(b"\n")
            left -= len(chunk)
    return lines


@contextlib.contextmanager
def reading(file: DataFile) -> Iterator[None]:
    """Turns what the operating system or a decompressor says into a sentence with the file's name."""
    try:
        yield
    except FileNotFoundError as error:
        raise DataNotFoundError(f"no file {file.name!r}") from error
    except PermissionError as error:
        raise DataError(f"cannot read {file.name!r}, permission denied") from error
    except OSError as error:
        if file.compression and error.errno is None:
            raise MalformedDataError(f"{file.name} is not whole, or not {file.compression}") from error
        raise DataError(f"cannot read {file.name!r}, {error.strerror or error}") from error


def in_order(work: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """The results of ``work`` in the order of ``items``, of which only a few are under way at any time."""
    pending: list[Future[Result]] = []
    with ThreadPoolExecutor(workers, thread_name_prefix="read") as pool:
        try:
            for item in items:
                pending.append(pool.submit(work, item))
                if len(pending) > workers:
                    yield pending.pop(0).result()
            while pending:
                yield pending.pop(0).result()
        finally:
            for future in pending:
                future.cancel()
