"""How a check says what it saw, and what counts as an error that names what is wrong."""

from __future__ import annotations

import re
import traceback
from pathlib import Path

from recipe_kit.errors import CheckFailedError, RecipeKitError

FEWEST_WORDS = 3
"""A message of fewer words is no sentence: it names a value, as a `KeyError` does, and not what is wrong with it."""

_NAMED = ("ValueError", "IllegalArgumentException")
_ERROR_LINE = re.compile(
    r"^(?:Caused by: )?(?:[\w$]+\.)*(?P<name>[A-Z][\w$]*(?:Error|Exception)): (?P<text>\S.*)$", re.M
)


class Finding(Exception):
    """What a check saw that breaks the contract; `remedy` where more can be said than the check's own advice."""

    def __init__(self, seen: str, *, remedy: str | None = None) -> None:
        super().__init__(seen)
        self.seen = seen
        self.remedy = remedy


class BrokenContractError(CheckFailedError):
    """A recipe fails a check; the text says which check, what was seen, why it matters and what to do."""

    def __init__(self, *, recipe: str, check: str, seen: str, why: str, remedy: str) -> None:
        super().__init__(f"recipe '{recipe}' fails check '{check}': {seen}", hint=remedy)
        self.why = why

    def __str__(self) -> str:
        return f"{self.message}\n  why it matters: {self.why}\n  what to do: {self.hint}"


class NotApplicableError(Exception):
    """A check has nothing to look at in this recipe, or not on this machine; the text says why."""


class NotReadyError(NotApplicableError):
    """A check needs what another check has found not to work; `cause_text` says what went wrong there."""

    def __init__(self, message: str, cause_text: str = "") -> None:
        super().__init__(message)
        self.cause_text = cause_text or message


def is_named_error(error: BaseException) -> bool:
    """Return whether `error` tells the user of a recipe what is wrong with the data.

    That is an error of the kit (any `RecipeKitError`), or a `ValueError` whose message has at least three words. Errors
    that only a programmer can read do not count: `KeyError`, `TypeError`, `AttributeError`, `IndexError` and the like,
    nor a `ValueError` that is one of these as well (numpy's `AxisError`) or is about the encoding of text.
    An error that comes back from Spark counts by the error at its root, where Spark's own refusals
    (`IllegalArgumentException`, and `SparkException` with a sentence of its own) count too.
    """
    if isinstance(error, RecipeKitError):
        return True
    if _is_of_spark(error):
        from recipe_kit.spark import in_one_sentence

        return in_one_sentence(error) is not None or _is_named_in_spark(str(error))
    unreadable = isinstance(error, LookupError | UnicodeError)
    return isinstance(error, ValueError) and not unreadable and _is_sentence(str(error))


def describe_error(error: BaseException, source_folder: Path | None) -> str:
    """Return class and message of `error`, and the last line of the author's own that it passed through.

    An error of the kit is a sentence already, which needs no class in front of it.
    """
    if isinstance(error, RecipeKitError):
        return f"{error}{author_line(error, source_folder)}"
    text = "".join(traceback.format_exception_only(error)).strip()
    if _is_of_spark(error) and (lines := list(_ERROR_LINE.finditer(text))):
        text = lines[-1].group()  # above it is how the error came through Spark
    first = next((line.strip() for line in text.splitlines() if line.strip()), type(error).__name__)
    return f"{_shortened(first)}{author_line(error, source_folder)}"


def author_line(error: BaseException, source_folder: Path | None) -> str:
    """Return ``" (recipe.py:12)"`` for the author's last own line, nothing where there is none."""
    if source_folder is None:
        return ""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename)
        if file.is_relative_to(source_folder) and "site-packages" not in file.parts:
            return f" ({file.name}:{frame.lineno})"
    return ""


def _is_of_spark(error: BaseException) -> bool:
    return type(error).__module__.partition(".")[0] in ("pyspark", "py4j")


def _is_named_in_spark(text: str) -> bool:
    # The class of the exception in Python is the same for many causes; the last line that names one is the root.
    lines = list(_ERROR_LINE.finditer(text))
    if not lines:
        return _is_sentence(text)
    root = lines[-1]
    spark_itself = root["name"].startswith("Spark") and "Job aborted" not in root["text"]
    return (root["name"].endswith(_NAMED) or spark_itself) and _is_sentence(root["text"])


def _is_sentence(text: str) -> bool:
    return len(text.split()) >= FEWEST_WORDS


def _shortened(line: str) -> str:
    return line if len(line) <= 300 else f"{line[:297]}..."
