"""The commands put together, and the one place where an error becomes a sentence and an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.core import TyperGroup

from recipe_kit import __version__
from recipe_kit.cli import check, doctor, models, new, params, tasks
from recipe_kit.cli.terminal import print_error
from recipe_kit.errors import RecipeKitError

NAME = "recipe-kit"
COMPLETION_VARIABLE = "_RECIPE_KIT_COMPLETE"
"""An environment variable that a shell sets to ask for completions."""

DEBUG_VARIABLE = "RECIPE_KIT_DEBUG"
"""An environment variable: set to anything but 0, every error shows its whole traceback."""

# Typer brings its own copy of click from 0.26 on; these are the classes that it raises, whichever they are.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]
_ClickError: type[Exception] = typer.BadParameter.__mro__[2]


class _InOrder(TyperGroup):
    """A group that lists its commands as one meets them, groups of commands among them."""

    def list_commands(self, ctx: object) -> list[str]:
        return list(_COMMANDS)


_COMMANDS = ("new", "run", "train", "evaluate", "score", "check", "params", "models", "doctor")

app = typer.Typer(
    name=NAME,
    cls=_InOrder,
    help="Write, run and test machine-learning recipes.",
    epilog="Start with `recipe-kit new`, then `recipe-kit run` in the new project's folder.",
    # Help in plain text: drawing it with rich would take longer than everything else together.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

new.add_to(app)
tasks.add_to(app)
check.add_to(app)
params.add_to(app)
models.add_to(app)
doctor.add_to(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"recipe-kit {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments` name, tell what went wrong on stderr, and return the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    command = typer.main.get_command(app)
    if COMPLETION_VARIABLE in os.environ:
        command.main(given, prog_name=NAME)  # the shell asks what a word may become; this does not come back
    try:
        # Not by the command's `main`: its exit code would not tell an interrupt from a task that was interrupted.
        with command.make_context(NAME, given) as context:
            code = command.invoke(context)
        sys.stdout.flush()
    except RecipeKitError as error:
        _show_traceback_if_asked()
        print_error(error.message, error.hint)
        return error.exit_code
    except typer.Exit as end:
        return end.exit_code
    except (typer.Abort, KeyboardInterrupt):
        print("interrupted", file=sys.stderr)
        return 130
    except _ClickError as error:
        print_error(*_sentence_of(error))
        return 2
    except BrokenPipeError:
        # Who read stdout has seen enough, as in `recipe-kit models | head -1`. Python's last flush would fail as well.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except Exception as error:
        shown = _show_traceback_if_asked("--full-traceback" in given)
        print_error(
            f"recipe-kit itself went wrong ({type(error).__name__}: {error})",
            "please report it" if shown else f"set {DEBUG_VARIABLE}=1 to see where, and please report it",
        )
        return 1
    return code if isinstance(code, int) else 0


def _show_traceback_if_asked(asked: bool = False) -> bool:
    asked = asked or os.environ.get(DEBUG_VARIABLE, "0") not in ("", "0")
    if asked:
        traceback.print_exc()
    return asked


def _sentence_of(error: BaseException) -> tuple[str, str | None]:
    """Return message and hint of an error in how the command was written."""
    message = " ".join(getattr(error, "format_message", lambda: str(error))().split()).rstrip(".")
    message = message[:1].lower() + message[1:]
    context = getattr(error, "ctx", None)
    if not isinstance(error, _UsageError) or context is None:
        return message, None
    return message, f"see `{context.command_path} --help`"
