"""What happens on the executors of a Spark cluster: the recipe is imported, the model restored, batches are scored."""

from __future__ import annotations

import io
import pickle
import tempfile
import uuid
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from recipe_kit.data import Block
from recipe_kit.scoring.batches import Belongings, Scorer, Settled, frame_of
from recipe_kit.scoring.elsewhere import ToldError
from recipe_kit.spark.tables import as_spark_has_it

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark import Broadcast
    from pyspark.sql import SparkSession

    from recipe_kit.models import StoredModel
    from recipe_kit.recipe import Recipe

PIECE_COLUMNS = "rows bigint, content binary"
"""What `score_blocks` gives, in Spark's DDL."""

_restored: dict[str, Scorer] = {}
"""In a Python process of an executor: the recipe with its model, by the run that it was restored for."""


@dataclass(frozen=True)
class ModelPlace:
    """Where an executor finds the model's files."""

    run: str
    """Different for each run, as parameters may differ and not only models."""
    folder: Path | None = None
    """The folder itself, where executors run on this machine."""
    broadcast: Broadcast[bytes] | None = None
    """An archive of the folder, handed round by Spark."""
    file: str | None = None
    """The name of an archive among the session's files, with Spark Connect."""

    def open(self) -> Path:
        """Return a folder with the model's files."""
        if self.folder is not None:
            return self.folder
        from pyspark import SparkFiles

        shared = Path(SparkFiles.getRootDirectory())
        archive = self.broadcast.value if self.broadcast is not None else (shared / str(self.file)).read_bytes()
        # Spark removes its folder when the executor ends; until then a model may go on reading its files.
        folder = Path(tempfile.mkdtemp(prefix="model-", dir=shared if shared.is_dir() else None))
        with zipfile.ZipFile(io.BytesIO(archive)) as packed:
            packed.extractall(folder)
        return folder


@dataclass(frozen=True)
class Job:
    """What an executor is told."""

    recipe_class: type[Recipe]
    belongings: Belongings
    model: ModelPlace
    settled: Settled
    delimiter: str | None
    """What separates the fields of the CSV file that scores are written to; `None` for other formats."""

    def scorer(self) -> Scorer:
        """Return the recipe with its model, restored once per Python process; another run's is let go."""
        if self.model.run not in _restored:
            _restored.clear()
            _restored[self.model.run] = self.belongings.scorer(self.recipe_class, self.model.open(), self.delimiter)
        return _restored[self.model.run]


def score_blocks(
    job: Job, blocks: Sequence[Block] | None, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Give the pieces of output that the blocks become; their only column has numbers within `blocks`, or blocks."""
    import pyarrow as pa

    with _telling(job.model.run):
        scorer = job.scorer()
        for batch in batches:
            for value in batch.column(0).to_pylist():
                block = blocks[value] if blocks is not None else pickle.loads(value)
                piece = scorer.score_block(block, job.settled)
                content = piece.content if isinstance(piece.content, bytes) else _as_bytes(piece.content)
                columns = [pa.array([piece.rows], pa.int64()), pa.array([content], pa.binary())]
                yield pa.record_batch(columns, ["rows", "content"])


def score_rows(job: Job, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Give the scores of rows that Spark has read."""
    import pyarrow as pa

    with _telling(job.model.run):
        scorer = job.scorer()
        for batch in batches:
            if batch.num_rows:
                frame = frame_of(pa.Table.from_batches([batch]), job.settled)
                yield from as_spark_has_it(scorer.table(scorer.scores(frame), job.settled)).to_batches()


@contextmanager
def _telling(run: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        # Only the text of an exception finds its way back to the driver.
        raise ToldError(error, run) from None


def _as_bytes(table: pa.Table) -> bytes:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


@contextmanager
def shipped(session: SparkSession, stored: StoredModel) -> Iterator[ModelPlace]:
    """Send the model's files to the executors, and give the place where they find them."""
    run = uuid.uuid4().hex
    if is_connect(session):
        name = f"recipe-kit-model-{run}.zip"
        with tempfile.TemporaryDirectory(prefix="recipe-kit-") as folder:
            (Path(folder) / name).write_bytes(_packed(stored.folder_of_files))
            session.addArtifacts(str(Path(folder) / name), file=True)
        yield ModelPlace(run, file=name)
    elif str(session.sparkContext.master).startswith("local"):
        yield ModelPlace(run, folder=stored.folder_of_files)
    else:
        broadcast = session.sparkContext.broadcast(_packed(stored.folder_of_files))
        try:
            yield ModelPlace(run, broadcast=broadcast)
        finally:
            broadcast.destroy()


def _packed(folder: Path) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder))
    return packed.getvalue()


def is_connect(session: SparkSession) -> bool:
    """Return whether a session is a client of Spark Connect."""
    return type(session).__module__.startswith("pyspark.sql.connect")
