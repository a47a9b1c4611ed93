"""What reading a table is made of: its files with their columns, and blocks of them that are read on their own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

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
