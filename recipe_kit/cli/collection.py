"""Garbage collection, put off until there is garbage.

Importing makes hundreds of thousands of objects that all stay. Looking through them for garbage again and again takes
about a tenth of the time of a small run, so a process of the command line starts without, and collects from the moment
on when a recipe begins to work.
"""

from __future__ import annotations

import gc


def put_off() -> None:
    """Collect nothing until `begin` is called."""
    gc.disable()


def begin() -> None:
    """Collect from now on, and never again look at what is there already; nothing happens where `begin` was called."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
