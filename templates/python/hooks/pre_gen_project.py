"""Refuses, before anything is written, answers that would give a project that cannot work."""

from __future__ import annotations

import json
import keyword
import sys

ANSWERS = json.loads(r"""{{ cookiecutter | tojson }}""")

# Folders of the project itself, and what the project imports: a package of that name would hide it.
TAKEN = {"data", "mypy", "numpy", "pandas", "pyspark", "pytest", "recipe_kit", "ruff", "scripts", "sklearn", "tests"}
# What the recipe's module imports, which its class would hide.
TAKEN_CLASSES = {
    "Any",
    "BinaryClassificationEvaluator",
    "DataFrame",
    "HashingTF",
    "HashingVectorizer",
    "LogisticRegression",
    "ModelParameters",
    "MulticlassClassificationEvaluator",
    "Pipeline",
    "PipelineModel",
    "Recipe",
    "RegexTokenizer",
    "ScoreParameters",
    "StandardScaler",
}


def refusal(answers: dict[str, str]) -> str | None:
    """Return why no project can be made of `answers`, or `None` where one can."""
    for question in ("name", "package", "description", "author"):
        if not answers[question].isprintable():
            return f"the {question} has a line break or another control character: leave it out"
    return _refused_name(answers["name"], answers["__slug"], answers["__class"]) or _refused_package(answers["package"])


def _refused_name(name: str, slug: str, class_name: str) -> str | None:
    if not slug[:1].isalpha():
        return f"the name {name!r} does not begin with a letter: choose another, such as 'My Recipe'"
    if slug.replace("-", "_") in TAKEN:
        return f"the name {name!r} is already that of something that the project uses: choose another"
    if class_name in TAKEN_CLASSES or keyword.iskeyword(class_name):
        return f"the name {name!r} gives a class {class_name!r}, which Python or the recipe already uses: choose another"
    return None


def _refused_package(package: str) -> str | None:
    if not package.isidentifier():
        return f"the package name {package!r} is not a Python identifier: begin with a letter, then letters, digits, _"
    if keyword.iskeyword(package):
        return f"the package name {package!r} is a keyword of Python: choose another"
    if package in sys.stdlib_module_names:
        return f"the package name {package!r} is that of a module of Python itself: choose another"
    if package.casefold() in TAKEN:
        return f"the package name {package!r} would hide something that the project itself uses: choose another"
    return None


if sentence := refusal(ANSWERS):
    print(sentence, file=sys.stderr)
    sys.exit(1)
