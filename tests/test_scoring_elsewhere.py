"""Errors that come from another process of a run, as text."""

from __future__ import annotations

import base64
import pickle

import pytest

from recipe_kit.errors import MalformedDataError
from recipe_kit.scoring.elsewhere import ToldError, told_in


class _Trap:
    def __reduce__(self) -> tuple[object, ...]:
        return (pytest.fail, ("what a table says was executed",))


def test_an_error_is_found_in_a_longer_text() -> None:
    error = MalformedDataError("line 3 has 2 fields", hint="3 are expected")

    told = told_in(f"Job aborted: {ToldError(error, 'a1')} (executor 2)", "a1")

    assert told is not None
    assert (type(told[0]), str(told[0])) == (MalformedDataError, str(error))


def test_what_does_not_know_the_name_of_the_run_is_not_unpickled() -> None:
    trap = base64.b64encode(pickle.dumps(_Trap())).decode()

    assert told_in(f"cannot cast 'recipe-kit-told:{trap}:' to a number", "a1") is None
    assert told_in(f"cannot cast 'recipe-kit-told:other:{trap}:' to a number", "a1") is None
