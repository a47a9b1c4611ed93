"""Reads the fenced blocks of a Markdown page and does what they say, so that no page can promise what does not work.

Blocks of a page share one working folder, and run in the order in which they stand:

- `python` blocks are executed, all in one namespace;
- `console` blocks hold commands (`$ command`, continued by `> ` lines) and, where it matters, what they print. Dots
  (`...`) stand for anything within a line, and alone on a line for any lines. `cd` lasts for the rest of the page. A
  command must succeed, or exit as the block says (```` ```console exit=2 ````);
- any block that names a file (```` ```toml file=pyproject.toml ````) is written there instead;
- `json` and `toml` blocks must parse;
- `no-run` after the language leaves a block out. tests/test_docs.py keeps the list of such pages short.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
import types
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,})(?P<info>[^`\n]*)$")
_COMMAND_SECONDS = 300


class SnippetError(AssertionError):
    """A block does not do what its page says; the text begins with the page and the line."""


@dataclass(frozen=True)
class Snippet:
    """A fenced block: `line` is that of its first line of text, counted from 1."""

    page: str
    line: int
    language: str
    options: tuple[str, ...]
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The block's text."""
        return "".join(f"{line}\n" for line in self.lines)

    @property
    def runs(self) -> bool:
        """Whether anything is done with the block."""
        return "no-run" not in self.options

    def option(self, name: str) -> str | None:
        """The value of `name=value` after the language."""
        return next((option.partition("=")[2] for option in self.options if option.startswith(f"{name}=")), None)

    def error(self, line: int, message: str) -> SnippetError:
        """An error about a line of the page."""
        return SnippetError(f"{self.page}:{line}: {message}")


def read_snippets(page: str, text: str) -> list[Snippet]:
    """The fenced blocks of a page, in order."""
    snippets: list[Snippet] = []
    lines = iter(enumerate(text.splitlines(), start=1))
    for number, line in lines:
        opening = _FENCE.match(line)
        if opening is None:
            continue
        language, *options = opening["info"].split() or [""]
        block: list[str] = []
        for _, inner in lines:
            if inner.strip() == opening["ticks"]:
                break
            block.append(inner.removeprefix(opening["indent"]))
        else:
            raise SnippetError(f"{page}:{number}: the block that begins here has no end")
        snippets.append(Snippet(page, number + 1, language, tuple(options), tuple(block)))
    return snippets


@dataclass(frozen=True)
class Command:
    """A command of a `console` block, and what its page says it prints (nothing: whatever it likes)."""

    line: int
    text: str
    output: tuple[str, ...]


def read_commands(snippet: Snippet) -> list[Command]:
    """The commands of a `console` block, in order."""
    commands: list[Command] = []
    for number, line in enumerate(snippet.lines, start=snippet.line):
        if line.startswith("$ "):
            commands.append(Command(number, line[2:], ()))
        elif not commands:
            raise snippet.error(number, "a console block begins with '$ ' and a command")
        elif line.startswith("> ") and not commands[-1].output:
            commands[-1] = Command(commands[-1].line, f"{commands[-1].text}\n{line[2:]}", ())
        else:
            commands[-1] = Command(commands[-1].line, commands[-1].text, (*commands[-1].output, line))
    return commands


def matches(expected: tuple[str, ...], printed: str) -> bool:
    """Whether a command printed what its page says; how many blanks stand in a row, and at the end, is all one."""
    patterns = [r"(?:.*\n)*?" if line == "..." else _pattern(line) for line in _tidied("\n".join(expected))]
    return re.fullmatch("".join(patterns), "".join(f"{line}\n" for line in _tidied(printed))) is not None


def _pattern(line: str) -> str:
    # Dots between two columns may stand for the blanks between them alone.
    pattern = re.escape(line).replace(re.escape(" ... "), " (?:.*? )?")
    return pattern.replace(re.escape("..."), ".*?") + r"\n"


def _tidied(text: str) -> list[str]:
    # The width of a table's columns depends on the figures in it, and those differ from run to run.
    return [re.sub(r"[ \t]+", " ", line).strip() for line in text.rstrip().splitlines()]


class Page:
    """The state that a page's blocks share: a working folder and a Python namespace."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.module = types.ModuleType(re.sub(r"\W", "_", name))

    def run(self, snippet: Snippet) -> None:
        """Do what a block says; `SnippetError` if that fails."""
        if not snippet.runs:
            return
        if file := snippet.option("file"):
            target = self.folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(snippet.text, encoding="utf-8")
        elif snippet.language == "python":
            self._execute(snippet)
        elif snippet.language == "console":
            commands = read_commands(snippet)
            for command in commands:
                last = command is commands[-1]
                self._command(snippet, command, exit_code=int(snippet.option("exit") or 0) if last else 0)
        elif snippet.language in {"json", "toml"}:
            try:
                (json if snippet.language == "json" else tomllib).loads(snippet.text)
            except ValueError as error:
                raise snippet.error(snippet.line, str(error)) from error

    def _execute(self, snippet: Snippet) -> None:
        # Line numbers of the page, so that a traceback points into it.
        source = "\n" * (snippet.line - 1) + snippet.text
        before = Path.cwd()
        # Known by name while it runs: pickle and pydantic look up the module of a class.
        sys.modules[self.module.__name__] = self.module
        os.chdir(self.folder)
        try:
            exec(compile(source, self.name, "exec", dont_inherit=True), self.module.__dict__)
        except Exception as error:
            line = snippet.line
            trace = error.__traceback__
            while trace is not None:
                if trace.tb_frame.f_code.co_filename == self.name:
                    line = trace.tb_lineno
                trace = trace.tb_next
            if isinstance(error, SyntaxError) and error.lineno:
                line = error.lineno
            raise snippet.error(line, f"{type(error).__name__}: {error}") from error
        finally:
            os.chdir(before)
            del sys.modules[self.module.__name__]

    def _command(self, snippet: Snippet, command: Command, *, exit_code: int) -> None:
        apart = {"VIRTUAL_ENV", "PYTHONPATH", "PYTHONWARNINGS", "FORCE_COLOR", "CI"}
        environment = {key: value for key, value in os.environ.items() if key not in apart and key[:7] != "PYTEST_"}
        environment |= {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "120"}
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
        read_end, write_end = os.pipe()
        script = f"{command.text}\nstatus=$?\npwd >&{write_end}\nexit $status"
        try:
            done = subprocess.run(
                ["bash", "-c", script],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=[write_end],
                text=True,
                encoding="utf-8",
                timeout=_COMMAND_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise snippet.error(command.line, f"`{command.text}` took more than {_COMMAND_SECONDS} s") from error
        finally:
            os.close(write_end)
            with os.fdopen(read_end, encoding="utf-8") as reader:
                now_in = reader.read().rstrip("\n")
        if done.returncode != exit_code:
            raise snippet.error(command.line, f"`{command.text}` exited with {done.returncode}:\n{done.stdout}")
        if any(command.output) and not matches(command.output, done.stdout):
            promised = "\n".join(command.output)
            raise snippet.error(
                command.line, f"`{command.text}` printed\n{done.stdout}\nwhere the page says\n{promised}"
            )
        if now_in:
            self.folder = Path(now_in)
