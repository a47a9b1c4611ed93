"""Properties that are computed once."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

_Value = TypeVar("_Value")


class Once(Generic[_Value]):
    """A property that is computed once; an error is kept as well, because training again would only take time."""

    def __init__(self, compute: Callable[[Any], _Value]) -> None:
        self._compute = compute
        functools.update_wrapper(self, compute)  # type: ignore[arg-type]

    @overload
    def __get__(self, owner: None, kind: type) -> Once[_Value]: ...
    @overload
    def __get__(self, owner: object, kind: type) -> _Value: ...
    def __get__(self, owner: object | None, kind: type) -> _Value | Once[_Value]:
        if owner is None:
            return self
        kept: dict[str, tuple[Any, BaseException | None]] = owner.__dict__.setdefault("_kept", {})
        name = self._compute.__name__
        if name not in kept:
            try:
                # All tests share it, so whether warnings are errors in the first one must not decide what it is.
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    kept[name] = (self._compute(owner), None)
            except Exception as error:
                kept[name] = (None, error)
        value, failure = kept[name]
        if failure is not None:
            raise failure
        return value  # type: ignore[no-any-return]
