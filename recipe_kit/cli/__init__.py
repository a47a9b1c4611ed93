"""The command line, `recipe-kit`: commands that parse, call and print."""

from __future__ import annotations

from collections.abc import Sequence

from recipe_kit.cli import collection


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments` (by default the process's own) name and return the exit code.

    0: done. 1: the recipe failed. 2: the user's input was wrong. 130: interrupted.
    """
    if arguments is None:  # the process is ours
        collection.put_off()
    from recipe_kit.cli.app import run

    return run(arguments)
