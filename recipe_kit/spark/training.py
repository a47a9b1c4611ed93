"""The training run behind the class-data archive: `python -m recipe_kit.spark.training` builds it, once.

It does a little of everything that recipes do, so that Java loads, and then keeps, the classes of all of it.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from recipe_kit.errors import RecipeKitError
from recipe_kit.spark import archive as archives
from recipe_kit.spark.java import find_java, pyspark_version
from recipe_kit.spark.sessions import close_session, open_session
from recipe_kit.spark.settings import TUNING_VARIABLE, SparkOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from pyspark.sql import SparkSession


def build_archive(log: Callable[[str], None] = lambda line: None) -> Path | None:
    """The class-data archive for the Java and the pyspark of this environment, built if there is none.

    None where another process is building it just now, or where this Java cannot write one.

    Raises:
        MissingExtraError, SparkUnavailableError: Spark itself cannot start here.
        OSError: the cache cannot be written.
    """
    spark_version = pyspark_version()
    place = archives.archive_place(find_java(spark_version), spark_version)
    with archives.exclusive(place) as alone:
        if place.is_whole():
            return place.archive
        if not alone:
            log("another process is building the class-data archive")
            return None
        for leftover in place.folder.glob("*.unfinished"):
            leftover.unlink(missing_ok=True)
        unfinished = place.folder / f"{os.getpid()}.unfinished"
        start = time.monotonic()
        try:
            said = _run(unfinished)
        finally:
            built = unfinished.exists()
            if not built:
                place.failure.write_text(f"Java wrote no archive to {unfinished}\n")
        if not built:
            log(f"this Java wrote no class-data archive {said}".rstrip())
            return None
        archives.install(place, unfinished)
        size = place.archive.stat().st_size / 1e6
        log(f"class-data archive of {size:.0f} MB built in {time.monotonic() - start:.0f} s: {place.archive}")
        return place.archive


def _run(target: Path) -> str:
    quietly = f"-XX:ArchiveClassesAtExit={target}"
    flags = f'"{quietly}"' if " " in quietly else quietly
    session = open_session(
        SparkOptions("local[*]", {"spark.driver.extraJavaOptions": flags}), app_name="class-data archive"
    )
    try:
        with tempfile.TemporaryDirectory(prefix="recipe-kit-archive-") as folder:
            _do_what_recipes_do(session, Path(folder))
    finally:
        close_session()
    return ""


def _do_what_recipes_do(session: SparkSession, folder: Path) -> None:
    from pyspark.ml import Pipeline, PipelineModel
    from pyspark.ml.classification import LogisticRegression
    from pyspark.ml.evaluation import BinaryClassificationEvaluator
    from pyspark.ml.feature import HashingTF, Tokenizer
    from pyspark.sql import functions as F

    source = folder / "rows.csv"
    lines = [f'{row},"word {row % 7}, and {row % 3}",{row / 7},{row % 2},{row % 2 == 0}' for row in range(500)]
    source.write_text("\n".join(["id,text,value,label,flag", *lines]) + "\n")
    session.range(10).count()
    columns = "id bigint, text string, value double, label bigint, flag boolean"
    table = session.read.csv(
        source.as_uri(), schema=columns, header=True, mode="FAILFAST", multiLine=True, escape='"', enforceSchema=True
    )
    session.read.csv(source.as_uri(), header=True, inferSchema=True).groupBy("label").agg(F.avg("value")).collect()
    table.groupBy("label").agg(F.avg("value"), F.count("*"), F.max("text")).orderBy("label").collect()
    table.join(table.groupBy("label").agg(F.sum("value").alias("total")), "label").filter("flag").toPandas()
    table.select(F.upper("text"), F.lit(1)).distinct().limit(5).collect()
    table.createOrReplaceTempView("rows")
    session.sql("select label, count(*) n from rows group by label having n > 1 order by n").collect()
    session.createDataFrame([(1, "a"), (2, None)], "k bigint, v string").cache().count()
    table.mapInPandas(_unchanged, table.schema).write.parquet(str(folder / "rows.parquet"))
    session.read.parquet(str(folder / "rows.parquet")).coalesce(1).write.csv(str(folder / "again.csv"), header=True)
    training, held_out = table.randomSplit([0.8, 0.2], seed=1)
    words = Tokenizer(inputCol="text", outputCol="words")
    hashed = HashingTF(inputCol="words", outputCol="features", numFeatures=64)
    model = Pipeline(stages=[words, hashed, LogisticRegression(maxIter=5)]).fit(training)
    BinaryClassificationEvaluator().evaluate(model.transform(held_out))
    model.write().overwrite().save(str(folder / "model"))
    PipelineModel.load(str(folder / "model")).transform(held_out).select("prediction").toPandas()


def _unchanged(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    yield from batches


def main() -> int:
    """Build the archive and say so; what the background run and a Dockerfile call."""
    os.environ[TUNING_VARIABLE] = "no-build"
    try:
        archive = build_archive(print)
    except (RecipeKitError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0 if archive is not None else 1


if __name__ == "__main__":
    sys.exit(main())
