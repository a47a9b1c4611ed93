"""What a type is to the wire: how its values are written and read, and what is said of those that do not fit.

A `WireType` works in two places. At the top of a parameter it writes and reads *text*, because a command line, an
environment variable and the API's own schema carry nothing else. Inside a list, a dict or a nested model, whose text
is JSON, it writes and reads *JSON values*. What it reads is a candidate: pydantic still checks bounds and runs the
author's validators on it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import date
from typing import Any

from recipe_kit.parameters.wire import WireScalar


class UnfitError(ValueError):
    """A value that a type cannot take; `path` says which part of it, `requirement` what that part must be.

    The value itself is not in here, because it may be secret.
    """

    def __init__(self, requirement: str, path: tuple[str, ...] = ()) -> None:
        super().__init__(requirement)
        self.requirement = requirement
        self.path = path

    def within(self, step: str) -> UnfitError:
        """Return the same error, seen from the list, dict or model around it."""
        return UnfitError(self.requirement, (step, *self.path))

    @property
    def sentence(self) -> str:
        """What is wrong, as in `item 2 must be a whole number`."""
        return f"{', '.join(self.path)} {self.requirement}" if self.path else self.requirement


@dataclass(frozen=True)
class Bounds:
    """What a parameter's declaration allows beyond its type; it is pydantic that checks it."""

    ge: Any = None
    gt: Any = None
    le: Any = None
    lt: Any = None
    multiple_of: Any = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    finite: bool = False

    def of_a_number(self) -> str:
        """Return the bounds as what follows `a whole number`."""
        if self.ge is not None and self.le is not None:
            phrases = [f"from {_plain(self.ge)} to {_plain(self.le)}"]
        else:
            phrases = [] if self.ge is None else [f"of at least {_plain(self.ge)}"]
            phrases += [] if self.le is None else [f"of at most {_plain(self.le)}"]
        phrases += [] if self.gt is None else [f"greater than {_plain(self.gt)}"]
        phrases += [] if self.lt is None else [f"less than {_plain(self.lt)}"]
        phrases += [] if self.multiple_of is None else [f"a multiple of {_plain(self.multiple_of)}"]
        return _joined(phrases)

    def of_a_date(self) -> str:
        """Return the bounds as what follows `a date`."""
        words = {"ge": "on or after", "gt": "after", "le": "on or before", "lt": "before"}
        return _joined([f"{words[n]} {_plain(getattr(self, n))}" for n in words if getattr(self, n) is not None])

    def of_a_length(self, unit: str) -> str:
        """Return the bounds as what follows `text` or `a list`; `unit` is what is counted."""
        if self.min_length is not None and self.min_length == self.max_length:
            return f" of exactly {_counted(self.min_length, unit)}"
        if self.min_length is not None and self.max_length is not None:
            return f" of {self.min_length} to {_counted(self.max_length, unit)}"
        if self.min_length is not None:
            return f" of at least {_counted(self.min_length, unit)}"
        return "" if self.max_length is None else f" of at most {_counted(self.max_length, unit)}"


class WireType(ABC):
    """How values of one type travel."""

    @property
    def secret(self) -> bool:
        """Whether values must be shown nowhere."""
        return False

    @property
    def listable(self) -> bool:
        """Whether values can stand in a list that is separated by commas."""
        return True

    @property
    @abstractmethod
    def name(self) -> str:
        """The type as an author writes it, such as `list[int]`."""

    @property
    @abstractmethod
    def allowed(self) -> str:
        """What values are allowed, as what follows `must be`."""

    @abstractmethod
    def write(self, value: Any) -> Any:
        """Return a typed value as a JSON value."""

    @abstractmethod
    def read(self, value: Any) -> Any:
        """Return the typed candidate that a JSON value stands for.

        Raises:
            UnfitError: It stands for none.
        """

    @abstractmethod
    def write_text(self, value: Any) -> str:
        """Return a typed value as text."""

    @abstractmethod
    def read_text(self, text: str) -> Any:
        """Return the typed candidate that text stands for.

        Raises:
            UnfitError: It stands for none.
        """

    def write_wire(self, value: Any) -> WireScalar:
        """Return a typed value as the value of a parameter on the wire."""
        return self.write_text(value)

    def read_wire(self, value: WireScalar) -> Any:
        """Return the typed candidate that the value of a parameter on the wire stands for.

        Raises:
            UnfitError: It stands for none.
        """
        return self.read_text(value) if isinstance(value, str) else self.read(value)

    def part(self, place: Any) -> tuple[str, WireType | None]:
        """Return what a part of a value is called, and its type; `place` is as pydantic's errors have it."""
        return "", None

    def unfit(self) -> UnfitError:
        """Return the error that says what is allowed."""
        return UnfitError(f"must be {self.allowed}")


def _plain(bound: Any) -> str:
    if isinstance(bound, date):
        return bound.isoformat()
    if isinstance(bound, float) and bound.is_integer() and abs(bound) < 1e15:
        return str(int(bound))
    return str(bound)


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def _joined(phrases: list[str]) -> str:
    return f" {' and '.join(phrases)}" if phrases else ""
