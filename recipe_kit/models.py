"""Trained models on disk: a folder with a manifest and the model's files, of which the manifest has the digests.

**Loading a model runs code.** Unpickling, which is what joblib does, executes whatever the file says. So a model is
loaded only if its manifest is one that the kit wrote, every file is exactly the one that the manifest lists, and
nothing else is in the folder; and only from a folder that the user pointed at. That protects from accidents and from a
file that was changed afterwards. It does not protect from a model that somebody prepared to do harm, manifest and all:
load models of people whom you would let run a program on your machine.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import math
import pickle
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from recipe_kit.atomic import atomic_folder
from recipe_kit.data.schema import Schema
from recipe_kit.errors import ModelAlteredError, ModelError, ModelMismatchError, ModelNotFoundError, RecipeKitError

if TYPE_CHECKING:
    from recipe_kit.parameters import Parameter

MANIFEST_FILE = "manifest.json"
FILES_FOLDER = "files"
"""Where, below a model's folder, the files are that the recipe wrote."""
FORMAT = "recipe-kit model"
FORMAT_VERSION = 1

# What macOS leaves in every folder that somebody has looked at.
_OF_THE_SYSTEM = (".DS_Store",)

_FORM_FILE = "form.json"
_JOBLIB_FILE = "model.joblib"
_SPARK_FOLDER = "spark"


@dataclass(frozen=True)
class FileDigest:
    """What a file of a model must be."""

    sha256: str
    size: int


@dataclass(frozen=True)
class ModelDescription:
    """What is known about a model when it is saved."""

    recipe: str
    entry: str
    """Where the recipe's class is, ``package.module:Class``."""
    recipe_version: str | None = None
    parameters: tuple[Parameter, ...] = ()
    """The parameters of the training as on the wire; secrets among them are left out of the manifest."""
    training_data: str | None = None
    """The location of the training data, as it was given."""
    fingerprint: str | None = None
    """Of the training data; see :func:`recipe_kit.data.fingerprint`."""
    training_rows: int | None = None
    training_schema: Schema | None = None
    seed: int = 0
    metrics: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of Python, the kit and the libraries that were in use."""


@dataclass(frozen=True)
class Manifest:
    """What a model is, where it comes from, and the digests of its files."""

    id: str
    created: datetime
    recipe: str
    entry: str
    recipe_version: str | None
    parameters: tuple[Mapping[str, Any], ...]
    """As on the wire: ``key`` and ``value``, without secrets."""
    training_data: str | None
    fingerprint: str | None
    training_rows: int | None
    training_schema: Schema | None
    seed: int
    metrics: Mapping[str, float]
    versions: Mapping[str, str]
    files: Mapping[str, FileDigest]
    """By path below the files' folder."""

    def trained_on(self, fingerprint: str | None, location: str | None) -> bool:
        """Whether the data with that fingerprint, at that location, are the ones that the model was trained on.

        Data that the kit cannot read, in a database say, have no fingerprint: the same location then means the same.
        """
        if fingerprint is None and self.fingerprint is None:
            return location == self.training_data
        return fingerprint == self.fingerprint

    def to_json(self) -> dict[str, Any]:
        """The manifest as it is written."""
        return {
            "format": FORMAT,
            "formatVersion": FORMAT_VERSION,
            "id": self.id,
            "created": self.created.isoformat(),
            "recipe": self.recipe,
            "entry": self.entry,
            "recipeVersion": self.recipe_version,
            "parameters": [dict(parameter) for parameter in self.parameters],
            "trainingData": self.training_data,
            "fingerprint": self.fingerprint,
            "trainingRows": self.training_rows,
            "trainingSchema": None if self.training_schema is None else self.training_schema.to_json(),
            "seed": self.seed,
            # JSON knows no infinity and no NaN; as text they are read back by float().
            "metrics": {name: value if math.isfinite(value) else str(value) for name, value in self.metrics.items()},
            "versions": dict(self.versions),
            "files": {path: {"sha256": file.sha256, "size": file.size} for path, file in self.files.items()},
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Manifest:
        """The manifest that :meth:`to_json` gave; raises ``KeyError``, ``TypeError`` or ``ValueError`` for another."""
        schema = document["trainingSchema"]
        created = datetime.fromisoformat(document["created"])
        if created.tzinfo is None:
            raise ValueError("a time without a zone")
        return cls(
            id=str(document["id"]),
            created=created,
            recipe=str(document["recipe"]),
            entry=str(document["entry"]),
            recipe_version=document["recipeVersion"],
            parameters=tuple(dict(parameter) for parameter in document["parameters"]),
            training_data=document["trainingData"],
            fingerprint=document["fingerprint"],
            training_rows=document["trainingRows"],
            training_schema=None if schema is None else Schema.from_json(schema),
            seed=int(document["seed"]),
            metrics={str(name): float(value) for name, value in dict(document["metrics"]).items()},
            versions={str(name): str(version) for name, version in dict(document["versions"]).items()},
            files={
                _safe(path): FileDigest(str(digest["sha256"]), int(digest["size"]))
                for path, digest in dict(document["files"]).items()
            },
        )


@dataclass(frozen=True)
class StoredModel:
    """A model on disk."""

    folder: Path
    manifest: Manifest

    @property
    def folder_of_files(self) -> Path:
        """The folder that the recipe's ``save_model`` filled and its ``load_model`` is given."""
        return self.folder / FILES_FOLDER


def save(
    folder: Path,
    *,
    write: Callable[[Path], None],
    description: ModelDescription,
    id: str | None = None,
    created: datetime | None = None,
) -> StoredModel:
    """The model that ``write`` put into the empty folder it was given, stored whole in ``folder`` with its manifest.

    A model that was in ``folder`` before is replaced; if anything goes wrong it is untouched and nothing is left.
    Raises :class:`ModelError` if ``write`` wrote no file or a link, :class:`OutputError` if the folder is not writable.
    """
    with atomic_folder(folder) as temporary:
        files = temporary / FILES_FOLDER
        files.mkdir()
        write(files)
        digests = {path: _digest(file) for path, file in _files_in(files)}
        if not digests:
            raise ModelError("no file was written for the model", hint="does the recipe's 'save_model' write any?")
        manifest = Manifest(
            id=id or str(uuid.uuid4()),
            created=created or datetime.now(UTC),
            recipe=description.recipe,
            entry=description.entry,
            recipe_version=description.recipe_version,
            parameters=_without_secrets(description.parameters),
            training_data=description.training_data,
            fingerprint=description.fingerprint,
            training_rows=description.training_rows,
            training_schema=description.training_schema,
            seed=description.seed,
            metrics=description.metrics,
            versions=description.versions,
            files=digests,
        )
        text = json.dumps(manifest.to_json(), indent=2, ensure_ascii=False)
        (temporary / MANIFEST_FILE).write_text(text + "\n", encoding="utf-8")
    return StoredModel(folder, manifest)


def open_model(folder: Path, *, recipe: str | None = None) -> StoredModel:
    """The model in ``folder``, every file of which has been checked against the manifest.

    Raises :class:`ModelNotFoundError`, :class:`ModelAlteredError` if a file is changed, missing or too many, or
    :class:`ModelMismatchError` if another recipe than ``recipe`` made it, or a format that this version cannot read.
    """
    manifest = _read_manifest(folder)
    if recipe is not None and manifest.recipe != recipe:
        raise ModelMismatchError(
            f"the model in {folder} was trained by recipe '{manifest.recipe}', not '{recipe}'",
            hint="name a model of this recipe, or train one",
        )
    for entry in sorted(folder.iterdir()):
        if entry.name not in (MANIFEST_FILE, FILES_FOLDER, *_OF_THE_SYSTEM):
            raise _altered(folder, f"{entry.name} is not in its manifest")
    if (folder / FILES_FOLDER).is_symlink():
        raise _altered(folder, f"{FILES_FOLDER} is a link")
    found = dict(_files_in(folder / FILES_FOLDER))
    for path in sorted(manifest.files.keys() | found.keys()):
        if path not in found:
            raise _altered(folder, f"{path} is missing")
        if path not in manifest.files:
            raise _altered(folder, f"{path} is not in its manifest")
        # The size first: it costs nothing, and a file that is still growing need not be read.
        expected = manifest.files[path]
        if found[path].stat().st_size != expected.size or _digest(found[path]) != expected:
            raise _altered(folder, f"{path} is not the file that was saved")
    return StoredModel(folder, manifest)


def list_models(
    work_folder: Path, *, on_damaged: Callable[[Path, ModelError], None] = lambda folder, error: None
) -> list[StoredModel]:
    """The models of all runs in ``work_folder`` (``RUN/model/``), newest first, from their manifests alone.

    Their files are not checked before :func:`open_model`. ``on_damaged`` is called for a model whose manifest cannot be
    read, which is then left out.
    """
    stored = []
    for file in work_folder.glob(f"*/model/{MANIFEST_FILE}"):
        try:
            stored.append(StoredModel(file.parent, _read_manifest(file.parent)))
        except ModelError as error:
            on_damaged(file.parent, error)
    return sorted(stored, key=lambda model: (model.manifest.created, model.folder.parent.name), reverse=True)


def find_model(work_folder: Path, recipe: str) -> StoredModel | None:
    """The newest model of ``recipe`` in ``work_folder``, unchecked; none if it has none."""
    return next((model for model in list_models(work_folder) if model.manifest.recipe == recipe), None)


def default_save(model: Any, folder: Path) -> None:
    """Writes ``model`` into ``folder``: a Spark ML model in Spark's own format, anything else with joblib.

    Raises :class:`ModelError` for what cannot be pickled, with its type.
    """
    if _is_spark(type(model)) and (hasattr(model, "write") or hasattr(model, "saveToLocal")):
        _save_spark(model, folder)
        return
    import joblib

    try:
        joblib.dump(model, folder / _JOBLIB_FILE)
    except (pickle.PicklingError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(
            f"a model of type {_name_of(type(model))} cannot be pickled, {error}",
            hint="leave out what it cannot keep (locks, open files, lambdas), or write 'save_model' and 'load_model'",
        ) from error
    _write_form(folder, "joblib", type(model))


def default_load(folder: Path) -> Any:
    """What :func:`default_save` wrote into ``folder``.

    This runs code, so it is only for the files of a model that :func:`open_model` has opened.
    """
    form = _read_form(folder)
    if form["form"] in ("spark", "spark-local"):
        return _load_spark(folder, form["class"], local=form["form"] == "spark-local")
    import joblib

    try:
        return joblib.load(folder / _JOBLIB_FILE)
    except (ImportError, AttributeError) as error:
        raise ModelError(
            f"the model, a {form['class']}, cannot be loaded here, {error}",
            hint="the code and the libraries that it was trained with must be importable",
        ) from error


def _is_spark(kind: type) -> bool:
    """By the classes that it inherits from, so that nothing of Spark is imported for any other model."""
    return any(base.__module__.startswith("pyspark.ml") for base in kind.__mro__)


def _save_spark(model: Any, folder: Path) -> None:
    place = folder / _SPARK_FOLDER
    if not hasattr(model, "write"):  # pyspark.ml.connect, whose models live in this process
        model.saveToLocal(str(place))
        _write_form(folder, "spark-local", type(model))
        return
    model.write().save(_for_spark(place))
    if not any((place / "metadata").glob("part-*")):
        raise ModelError(
            f"Spark did not write the model into {folder}",
            hint="its executors run elsewhere and write to their own disks: use a work folder that they share",
        )
    _write_form(folder, "spark", type(model))


def _load_spark(folder: Path, class_name: str, *, local: bool) -> Any:
    module, _, name = class_name.rpartition(".")
    try:
        kind = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ModelError(
            f"the model, a {class_name}, cannot be loaded here, {error}",
            hint="the code and the libraries that it was trained with must be importable",
        ) from error
    if local:
        return kind.loadFromLocal(str(folder / _SPARK_FOLDER))
    return kind.load(_for_spark(folder / _SPARK_FOLDER))


def _for_spark(path: Path) -> str:
    """A URI as Hadoop understands it, which is without escapes; a bare path would be one of the cluster's own store."""
    return f"file://{path.resolve()}"


def _write_form(folder: Path, form: str, kind: type) -> None:
    text = json.dumps({"form": form, "class": _name_of(kind)})
    (folder / _FORM_FILE).write_text(text + "\n", encoding="utf-8")


def _read_form(folder: Path) -> dict[str, str]:
    try:
        document = json.loads((folder / _FORM_FILE).read_text(encoding="utf-8"))
        form = {"form": str(document["form"]), "class": str(document["class"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"the model in {folder} was not saved the kit's own way",
            hint="a recipe with its own 'save_model' needs its own 'load_model'",
        ) from error
    return form


def _name_of(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _without_secrets(parameters: Iterable[Parameter]) -> tuple[Mapping[str, Any], ...]:
    return tuple({"key": each.key, "value": each.value} for each in parameters if not each.secret)


def _read_manifest(folder: Path) -> Manifest:
    file = folder / MANIFEST_FILE
    if not folder.is_dir():
        raise ModelNotFoundError(f"no model is in {folder}, there is no such folder")
    if file.is_symlink():
        raise _altered(folder, f"{MANIFEST_FILE} is a link")
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelNotFoundError(
            f"no model is in {folder}, it has no {MANIFEST_FILE}",
            hint="name the folder of a model, or of the run that trained it",
        ) from None
    except ValueError as error:
        raise _altered(folder, f"{MANIFEST_FILE} is not JSON") from error
    except OSError as error:
        raise ModelError(f"cannot read {file}, {error.strerror}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ModelMismatchError(f"{file} was not written by recipe-kit", hint="name a model that recipe-kit trained")
    if document.get("formatVersion") != FORMAT_VERSION:
        raise ModelMismatchError(
            f"the model in {folder} has format version {document.get('formatVersion')}, this recipe-kit reads version "
            f"{FORMAT_VERSION}",
            hint="update recipe-kit, or train the model again",
        )
    try:
        return Manifest.from_json(document)
    except (KeyError, TypeError, ValueError, RecipeKitError) as error:
        raise _altered(folder, f"{MANIFEST_FILE} is not as it was written ({type(error).__name__}: {error})") from error


def _altered(folder: Path, what: str) -> ModelAlteredError:
    return ModelAlteredError(f"the model in {folder} was altered, {what}", hint="train it again, or restore its files")


def _safe(path: str) -> str:
    """The path of a manifest, if it stays inside the model's folder."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or str(pure) != path or not pure.parts:
        raise ValueError(f"the path {path!r}")
    return path


def _files_in(folder: Path) -> Iterator[tuple[str, Path]]:
    """All files below a folder with their relative paths, sorted; raises :class:`ModelAlteredError` for a link."""
    for file in sorted(folder.rglob("*")):
        if file.name in _OF_THE_SYSTEM:
            continue
        if file.is_symlink() or not (file.is_file() or file.is_dir()):
            raise ModelAlteredError(
                f"{file.relative_to(folder)} of the model in {folder.parent} is a link or a device",
                hint="a model is made of plain files",
            )
        if file.is_file():
            yield file.relative_to(folder).as_posix(), file


def _digest(file: Path) -> FileDigest:
    with file.open("rb") as stream:
        return FileDigest(hashlib.file_digest(stream, "sha256").hexdigest(), file.stat().st_size)
