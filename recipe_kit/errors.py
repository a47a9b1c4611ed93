"""Every error that the kit raises on purpose.

An error is one sentence (what, which, why) and, where there is something to do about it, a hint. Its text is
``sentence: hint``. What the caller does with it is decided by its class, never by its text.
"""

from __future__ import annotations

from typing import ClassVar


class RecipeKitError(Exception):
    """The root of all errors of the kit; ``str()`` of it is the sentence and, after a colon, the hint."""

    exit_code: ClassVar[int] = 2
    """What the command line exits with: 2 where the user's input was wrong, 1 where the recipe failed."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}: {self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword arguments are lost by the default; errors cross process borders in batch scoring.
        return (_restore, (type(self), self.message, self.hint, self.__dict__))


def _restore(
    error_class: type[RecipeKitError], message: str, hint: str | None, state: dict[str, object]
) -> RecipeKitError:
    error = error_class.__new__(error_class)
    RecipeKitError.__init__(error, message, hint=hint)
    error.__dict__.update(state)
    return error


# -- projects and recipes -------------------------------------------------------------------------------------------


class ProjectError(RecipeKitError):
    """A project's folder or its ``[tool.recipe-kit]`` table is not what it should be."""


class RecipeNotFoundError(ProjectError):
    """The project has no recipe of that name, or several and none was chosen."""


class RecipeImportError(RecipeKitError):
    """The author's module could not be imported; the cause is chained."""


class RecipeDefinitionError(RecipeKitError):
    """A recipe's class lacks a hook, or a hook has the wrong signature."""


class InstanceFileError(RecipeKitError):
    """An instance file is missing, is not JSON, or has the wrong shape."""


class ScaffoldError(RecipeKitError):
    """No project can be made from those answers, or not in that place."""


# -- parameters -----------------------------------------------------------------------------------------------------


class ParameterError(RecipeKitError):
    """A parameter is not right."""


class UnknownParameterError(ParameterError):
    """No parameter has that key."""


class InvalidParameterError(ParameterError):
    """A value does not fit its parameter."""


class MissingParameterError(ParameterError):
    """A parameter without a default was not given."""


class ParameterDefinitionError(ParameterError):
    """A parameter is declared with a type that has no wire form, or two share one key."""


# -- data -----------------------------------------------------------------------------------------------------------


class DataError(RecipeKitError):
    """A table could not be read."""


class DataNotFoundError(DataError):
    """Nothing is at that location."""


class EmptyDataError(DataError):
    """A table has no header or no rows."""


class MissingColumnError(DataError):
    """A table lacks a column that the recipe declares."""


class MalformedDataError(DataError):
    """A row or a value cannot be read: too many or too few fields, a value of another type."""


class EncodingError(DataError):
    """A text file is not UTF-8."""


class OutputError(RecipeKitError):
    """An output could not be written: no permission, no space, a folder in its place."""


# -- models ---------------------------------------------------------------------------------------------------------


class ModelError(RecipeKitError):
    """A trained model cannot be used."""


class ModelNotFoundError(ModelError):
    """No trained model is there."""


class ModelAlteredError(ModelError):
    """A file of a model is not the one that its manifest lists."""


class ModelMismatchError(ModelError):
    """A model was made by another recipe, or by a format that this version cannot read."""


# -- running --------------------------------------------------------------------------------------------------------


class TaskDocumentError(RecipeKitError):
    """A task document is not JSON, or not of a known version and shape."""


class WorkFolderBusyError(RecipeKitError):
    """Another run is using that folder."""


class RecipeFailedError(RecipeKitError):
    """The author's code raised; the cause is chained."""

    exit_code = 1


class TaskTimeoutError(RecipeKitError):
    """A task went over its time limit."""

    exit_code = 1


class CheckFailedError(RecipeKitError):
    """A recipe does not keep a part of the contract."""

    exit_code = 1


class IsolationError(RecipeKitError):
    """The recipe's own environment could not be built or started."""


class SparkUnavailableError(RecipeKitError):
    """Spark cannot start here: Java is missing or too old, or the cluster does not answer."""


class MissingExtraError(RecipeKitError):
    """A feature needs an optional package that is not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs packages that are not installed", hint=f"pip install 'recipe-kit[{extra}]'")
