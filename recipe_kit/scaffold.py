"""New projects from the kit's templates, which are ordinary cookiecutter templates.

Cookiecutter asks the questions and fills in the files. The kit adds what its users would miss: a wrong answer is one
sentence, and a project is there whole or not at all. Templates are only ever read from this machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from recipe_kit.errors import MissingExtraError, ScaffoldError
from recipe_kit.nearest import nearest

Template = Literal["python", "pyspark"]


def create_project(template: Template, answers: Mapping[str, str], folder: Path, *, ask: bool) -> Path:
    """Return the folder of a new project, made below `folder` and named after the project.

    Args:
        template: `"python"` for pandas and scikit-learn, `"pyspark"` for Spark.
        answers: What is known already, by question (see `questions`); the template's defaults fill in the rest.
        folder: The folder that the project's own folder is made in; it is made too where it is missing.
        ask: Ask the questions on the terminal, with `answers` as what is proposed.

    Raises:
        ScaffoldError: There is no such template or question, an answer cannot be used, or the project's folder is
            there already. Nothing has been written then.
        MissingExtraError: cookiecutter is not installed.
    """
    source = template_folder(template)
    _require_known(answers, questions(template))
    try:
        from cookiecutter.exceptions import CookiecutterException
        from cookiecutter.generate import generate_context, generate_files
        from cookiecutter.prompt import prompt_for_config
    except ModuleNotFoundError as error:
        raise MissingExtraError("making a project from a template", "scaffold") from error

    context = generate_context(str(source / "cookiecutter.json"), extra_context=dict(answers))
    try:
        context["cookiecutter"] = prompt_for_config(context, no_input=not ask)
    except EOFError:
        raise ScaffoldError(
            "the questions cannot be asked, as the input has ended", hint="give the answers beforehand"
        ) from None
    project: Path = folder / context["cookiecutter"]["__folder"]
    if os.path.lexists(project):
        raise ScaffoldError(f"{project} exists already", hint="give the project another name, or remove that folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-project-", dir=folder) as workshop:
            _run_hook(source, "pre_gen_project", context, Path(workshop))
            made = Path(generate_files(source, context, workshop, accept_hooks=False))
            _run_hook(source, "post_gen_project", context, made)
            made.rename(project)
    except (OSError, CookiecutterException) as error:
        raise ScaffoldError(f"no project can be made in {folder} ({error})") from error
    return project


def questions(template: Template) -> dict[str, str | list[str]]:
    """Return the template's questions: each with its default (Jinja, as cookiecutter has it) or its choices."""
    document = json.loads((template_folder(template) / "cookiecutter.json").read_text(encoding="utf-8"))
    return {key: default for key, default in document.items() if not key.startswith("_")}


def template_folder(template: Template) -> Path:
    """Return where the template's `cookiecutter.json` is: in the installed package, or in a checkout beside it.

    Raises:
        ScaffoldError: There is no template of that name.
    """
    if template not in get_args(Template):
        raise ScaffoldError(f"there is no template '{template}'", hint=f"there are: {', '.join(get_args(Template))}")
    package = Path(__file__).parent
    installed, checkout = package / "templates" / template, package.parent / "templates" / template
    return installed if installed.is_dir() else checkout


def _require_known(answers: Mapping[str, str], known: Mapping[str, str | list[str]]) -> None:
    for key, answer in answers.items():
        if key not in known:
            near = nearest(key, known)
            hint = f"did you mean '{near}'?" if near else f"there are: {', '.join(known)}"
            raise ScaffoldError(f"the template asks no question '{key}'", hint=hint)
        choices = known[key]
        if isinstance(choices, list) and answer not in choices:
            raise ScaffoldError(f"'{answer}' is no choice for '{key}'", hint=f"there are: {', '.join(choices)}")


def _run_hook(source: Path, name: str, context: Mapping[str, Any], folder: Path) -> None:
    """Run one of the template's hooks in `folder`.

    Cookiecutter would run it too, but lets it print its refusal on the terminal and reports only that it failed.
    """
    from cookiecutter.utils import create_env_with_context

    script = (source / "hooks" / f"{name}.py").read_text(encoding="utf-8")
    program = create_env_with_context(dict(context)).from_string(script).render(**context)
    # By standard input, in UTF-8 whatever the locale says: an author's name may be long and in any alphabet.
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-"], input=program, cwd=folder, capture_output=True, encoding="utf-8"
    )
    if done.returncode != 0:
        sentence, _, hint = done.stderr.strip().rpartition("\n")[2].partition(": ")
        raise ScaffoldError(sentence or f"the template's hook {name} failed", hint=hint or None)
