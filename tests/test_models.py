"""A model is a folder that is whole, is what was saved, and says where it comes from; anything else is refused."""

from __future__ import annotations

import functools
import json
import math
import os
import shutil
import subprocess
import sys
import threading
import types
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from small_disk import mounted_disk

from recipe_kit import Field, TrainParameters, models
from recipe_kit.data import Schema
from recipe_kit.errors import (
    ModelAlteredError,
    ModelError,
    ModelMismatchError,
    ModelNotFoundError,
    OutputError,
)
from recipe_kit.parameters import to_wire

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class SomeParameters(TrainParameters):
    """Parameters with a secret."""

    rate: float = Field(0.5, description="A rate.")
    token: SecretStr = Field(SecretStr("hush"), description="A secret.")


DESCRIPTION = models.ModelDescription(
    recipe="sentiment",
    entry="sentiment.recipe:Sentiment",
    recipe_version="1.2.0",
    parameters=tuple(to_wire(SomeParameters(trainingDataLocation="data/a.csv"), reveal_secrets=True)),
    training_data="data/a.csv",
    fingerprint="sha256:abc",
    training_rows=10,
    training_schema=Schema({"text": "text", "label": "integer"}),
    seed=7,
    metrics={"accuracy": 0.75, "loss": math.inf},
    versions={"python": "3.11"},
)


def _write(folder: Path) -> None:
    (folder / "deep").mkdir()
    (folder / "deep" / "weights").write_bytes(b"1 2 3")
    (folder / "words.txt").write_text("good bad")


def _save(folder: Path, write: Callable[[Path], None] = _write, **changes: Any) -> models.StoredModel:
    return models.save(folder, write=write, description=DESCRIPTION, **changes)


@pytest.fixture
def stored(tmp_path: Path) -> models.StoredModel:
    return _save(tmp_path / "model")


# -- saving and opening ---------------------------------------------------------------------------------------------


def test_a_model_is_opened_as_it_was_saved(stored: models.StoredModel) -> None:
    opened = models.open_model(stored.folder, recipe="sentiment")
    assert opened == stored
    assert (opened.folder_of_files / "deep" / "weights").read_bytes() == b"1 2 3"
    assert list(opened.manifest.files) == ["deep/weights", "words.txt"]
    assert opened.manifest.training_schema == DESCRIPTION.training_schema
    assert opened.manifest.metrics == DESCRIPTION.metrics
    assert opened.manifest.recipe_version == "1.2.0"


def test_the_manifest_is_strict_json_that_anyone_can_read(stored: models.StoredModel) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    text = (stored.folder / models.MANIFEST_FILE).read_text()
    document = json.loads(text, parse_constant=refuse)
    assert document["format"] == "recipe-kit model"
    assert document["trainingSchema"] == {"text": "text", "label": "integer"}
    assert document["metrics"] == {"accuracy": 0.75, "loss": "inf"}
    assert set(document["files"]["words.txt"]) == {"sha256", "size"}


def test_secrets_are_left_out_of_the_manifest(stored: models.StoredModel) -> None:
    text = (stored.folder / models.MANIFEST_FILE).read_text()
    assert "hush" not in text
    assert "token" not in text
    assert {"key": "rate", "value": "0.5"} in [dict(each) for each in stored.manifest.parameters]


def test_a_model_knows_the_data_that_it_was_trained_on(stored: models.StoredModel) -> None:
    assert stored.manifest.trained_on("sha256:abc", "elsewhere.csv")
    assert not stored.manifest.trained_on("sha256:def", stored.manifest.training_data)
    assert not stored.manifest.trained_on(None, stored.manifest.training_data)


def test_a_model_takes_the_place_of_an_older_one(stored: models.StoredModel, tmp_path: Path) -> None:
    newer = _save(stored.folder, lambda folder: (folder / "new").write_text("new"))
    assert list(models.open_model(stored.folder).manifest.files) == ["new"]
    assert newer.manifest.id != stored.manifest.id
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_failure_leaves_the_older_model_and_nothing_else(stored: models.StoredModel, tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        _write(folder)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _save(stored.folder, fail)
    assert models.open_model(stored.folder) == stored
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    with mounted_disk(tmp_path / "disk") as disk:
        with pytest.raises(OutputError, match=r"cannot write '.*model', the disk is full: free some space"):
            _save(disk / "model", lambda folder: models.default_save(list(range(10**5)), folder))
        assert list(disk.iterdir()) == []


def test_a_model_without_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ModelError, match=r"no file was written for the model: does the recipe's 'save_model' write any\?"
    ):
        _save(tmp_path / "model", lambda folder: None)
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is a link or a device: a model is made of plain files"):
        _save(tmp_path / "model", lambda folder: (folder / "link").symlink_to("/etc/hostname"))


# -- what is refused ------------------------------------------------------------------------------------------------


def _edit(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        file = folder / models.MANIFEST_FILE
        document = json.loads(file.read_text())
        change(document)
        file.write_text(json.dumps(document))

    return edit


def _through_a_link(folder: Path) -> None:
    (folder / "files" / "words.txt").unlink()
    (folder.parent / "elsewhere").write_text("good bad")
    (folder / "files" / "words.txt").symlink_to(folder.parent / "elsewhere")


def _files_elsewhere(folder: Path) -> None:
    (folder / "files").rename(folder.parent / "elsewhere")
    (folder / "files").symlink_to(folder.parent / "elsewhere")


ALTERED: dict[str, tuple[Callable[[Path], object], str]] = {
    "changed": (lambda f: (f / "files/words.txt").write_text("good bed"), "words.txt is not the file that was saved"),
    "grown": (lambda f: (f / "files/words.txt").write_text("good bad "), "words.txt is not the file that was saved"),
    "missing": (lambda f: (f / "files/deep/weights").unlink(), "deep/weights is missing"),
    "no files at all": (lambda f: shutil.rmtree(f / "files"), "deep/weights is missing"),
    "extra": (lambda f: (f / "files/deep/.hidden").write_text(""), "deep/.hidden is not in its manifest"),
    "extra beside the manifest": (lambda f: (f / "load.py").write_text(""), "load.py is not in its manifest"),
    "a link": (_through_a_link, "words.txt of the model in {folder} is a link or a device"),
    "a link to the files": (_files_elsewhere, "files is a link"),
    "a pipe": (lambda f: os.mkfifo(f / "files/pipe"), "pipe of the model in {folder} is a link or a device"),
    "a path out of the folder": (
        _edit(lambda d: d["files"].update({"../../etc/passwd": {"sha256": "0", "size": 1}})),
        "manifest.json is not as it was written (ValueError: the path '../../etc/passwd')",
    ),
    "an absolute path": (
        _edit(lambda d: d["files"].update({"/etc/passwd": {"sha256": "0", "size": 1}})),
        "manifest.json is not as it was written (ValueError: the path '/etc/passwd')",
    ),
    "a manifest without files": (
        _edit(lambda d: d.pop("files")),
        "manifest.json is not as it was written (KeyError: 'files')",
    ),
    "a manifest of another shape": (_edit(lambda d: d.update(files=3)), "manifest.json is not as it was written"),
    "a manifest that is no JSON": (lambda f: (f / "manifest.json").write_text("{"), "manifest.json is not JSON"),
    "a manifest of bytes": (lambda f: (f / "manifest.json").write_bytes(b"\xff"), "manifest.json is not JSON"),
}


@pytest.mark.parametrize("case", ALTERED)
def test_an_altered_model_is_refused(stored: models.StoredModel, case: str) -> None:
    alter, sentence = ALTERED[case]
    alter(stored.folder)
    with pytest.raises(ModelAlteredError) as caught:
        models.open_model(stored.folder)
    assert sentence.format(folder=stored.folder) in str(caught.value)


def test_the_sentence_about_an_altered_model_says_what_to_do(stored: models.StoredModel) -> None:
    (stored.folder / "files" / "words.txt").unlink()
    with pytest.raises(ModelAlteredError) as caught:
        models.open_model(stored.folder)
    assert str(caught.value) == (
        f"the model in {stored.folder} was altered, words.txt is missing: train it again, or restore its files"
    )


def test_nothing_of_a_model_runs_before_its_files_are_checked(tmp_path: Path) -> None:
    class Harmful:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "harm"),)

    import joblib

    stored = _save(tmp_path / "model", lambda folder: models.default_save([1], folder))
    joblib.dump(Harmful(), stored.folder_of_files / "model.joblib")
    with pytest.raises(ModelAlteredError):
        models.open_model(stored.folder)
    assert not (tmp_path / "harm").exists()


def test_a_model_of_another_recipe_is_refused(stored: models.StoredModel) -> None:
    with pytest.raises(ModelMismatchError) as caught:
        models.open_model(stored.folder, recipe="prices")
    assert str(caught.value) == (
        f"the model in {stored.folder} was trained by recipe 'sentiment', not 'prices': "
        "name a model of this recipe, or train one"
    )


def test_a_manifest_of_somebody_else_is_refused(stored: models.StoredModel) -> None:
    (stored.folder / models.MANIFEST_FILE).write_text('{"name": "x"}')
    with pytest.raises(ModelMismatchError, match=r"manifest\.json was not written by recipe-kit: name a model that"):
        models.open_model(stored.folder)


def test_a_format_of_the_future_is_refused(stored: models.StoredModel) -> None:
    _edit(lambda document: document.update(formatVersion=2))(stored.folder)
    with pytest.raises(ModelMismatchError, match=r"has format version 2, this recipe-kit reads version 1: update"):
        models.open_model(stored.folder)


def test_a_model_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match=r"no model is in .*nowhere, there is no such folder"):
        models.open_model(tmp_path / "nowhere")
    with pytest.raises(ModelNotFoundError, match=r"it has no manifest\.json"):
        models.open_model(tmp_path)


# -- in the default form --------------------------------------------------------------------------------------------


def test_a_picklable_model_is_loaded_as_it_was(tmp_path: Path) -> None:
    models.default_save({"words": ["good", "bad"]}, tmp_path)
    assert models.default_load(tmp_path) == {"words": ["good", "bad"]}


def test_a_model_is_loaded_in_a_fresh_process(tmp_path: Path) -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    models.default_save(linear.LogisticRegression().fit([[0.0], [1.0]], [0, 1]), tmp_path)
    code = "import sys, pathlib, recipe_kit.models as m; print(m.default_load(pathlib.Path(sys.argv[1])))"
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout == "LogisticRegression()\n"


def test_a_model_that_cannot_be_pickled_is_one_sentence_with_its_type(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        models.default_save({"lock": threading.Lock()}, tmp_path)
    assert str(caught.value) == (
        "a model of type dict cannot be pickled, cannot pickle '_thread.lock' object: leave out what it cannot keep "
        "(locks, open files, lambdas), or write 'save_model' and 'load_model'"
    )
    with pytest.raises(ModelError, match="a model of type function cannot be pickled"):
        models.default_save(lambda data: data, tmp_path)


def test_a_model_whose_code_is_gone_is_one_sentence(tmp_path: Path) -> None:
    module = tmp_path / "gone_recipe.py"
    module.write_text("class Model: pass\n")
    place = tmp_path / "model"
    place.mkdir()
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import gone_recipe; from pathlib import Path; "
        f"from recipe_kit.models import default_save; default_save(gone_recipe.Model(), Path({str(place)!r}))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(ModelError, match=r"the model, a gone_recipe\.Model, cannot be loaded here, No module named"):
        models.default_load(place)


def test_a_model_that_was_not_saved_the_default_way_is_one_sentence(stored: models.StoredModel) -> None:
    with pytest.raises(ModelError, match="was not saved the kit's own way: a recipe with its own 'save_model' needs"):
        models.default_load(stored.folder_of_files)


class Diary:
    """A model that writes, and has nothing to do with Spark."""

    def write(self) -> None: ...


def test_a_model_with_a_method_called_write_is_not_taken_for_one_of_spark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__, types.ModuleType(__name__)))
    monkeypatch.setattr(sys.modules[__name__], "Diary", Diary, raising=False)
    models.default_save(Diary(), tmp_path)
    assert type(models.default_load(tmp_path)) is Diary


@pytest.mark.spark
def test_a_spark_model_is_kept_in_the_form_that_spark_gives_it(tmp_path: Path, spark: Any) -> None:
    from pyspark.ml import Pipeline
    from pyspark.ml.classification import LogisticRegression
    from pyspark.ml.feature import VectorAssembler

    frame = spark.createDataFrame([(0.0, 0.0), (1.0, 1.0), (2.0, 1.0)], ["x", "label"])
    stages = [VectorAssembler(inputCols=["x"], outputCol="features"), LogisticRegression()]
    pipeline = Pipeline(stages=stages).fit(frame)
    predictions = [row.prediction for row in pipeline.transform(frame).collect()]
    place = tmp_path / "my models" / "model"
    for model, data in ((pipeline, frame), (pipeline.stages[1], pipeline.stages[0].transform(frame))):
        _save(place, functools.partial(models.default_save, model))
        loaded = models.default_load(models.open_model(place).folder_of_files)
        assert type(loaded) is type(model)
        assert [row.prediction for row in loaded.transform(data).collect()] == predictions


def test_a_model_of_spark_connect_without_a_server_is_kept_in_its_own_form(tmp_path: Path) -> None:
    feature = pytest.importorskip("pyspark.ml.connect.feature")
    import pandas as pd

    model = feature.MaxAbsScaler(inputCol="x", outputCol="y").fit(pd.DataFrame({"x": [[1.0, 2.0], [3.0, 4.0]]}))
    models.default_save(model, tmp_path)
    assert type(models.default_load(tmp_path)) is type(model)


# -- in a work folder -----------------------------------------------------------------------------------------------


def test_the_models_of_a_work_folder_are_listed_newest_first(tmp_path: Path) -> None:
    ages = {"run-1": 3, "run-2": 1, "run-3": 2}
    for run, hours in ages.items():
        _save(tmp_path / run / "model", created=NOON - timedelta(hours=hours))
    (tmp_path / "run-without-model").mkdir()
    assert [stored.folder.parent.name for stored in models.list_models(tmp_path)] == ["run-2", "run-3", "run-1"]
    assert models.list_models(tmp_path / "nowhere") == []


def test_a_damaged_model_is_reported_and_left_out(tmp_path: Path) -> None:
    good = _save(tmp_path / "good" / "model")
    bad = _save(tmp_path / "bad" / "model")
    (bad.folder / models.MANIFEST_FILE).write_text("{")
    damaged: list[tuple[Path, str]] = []
    listed = models.list_models(tmp_path, on_damaged=lambda folder, error: damaged.append((folder, str(error))))
    assert listed == [good]
    assert [folder for folder, _ in damaged] == [bad.folder]
    assert "manifest.json is not JSON" in damaged[0][1]


def test_the_newest_model_of_a_recipe_is_found(tmp_path: Path) -> None:
    _save(tmp_path / "old" / "model", created=NOON)
    newest = _save(tmp_path / "new" / "model", created=NOON + timedelta(days=1))
    assert models.find_model(tmp_path, "sentiment") == newest
    assert models.find_model(tmp_path, "prices") is None
