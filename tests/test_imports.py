"""Nothing is imported before it is needed, and imports go one way."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import recipe_kit

REPOSITORY = Path(__file__).resolve().parent.parent

SERVERS = {"fastapi", "flask", "sqlalchemy", "starlette", "uvicorn"}
HTTP_CLIENTS = {"aiohttp", "httpx", "requests", "urllib3"}
PACKAGERS = {"docker", "uv"}
TEMPLATES = {"cookiecutter", "jinja2"}
TESTS = {"hypothesis", "pytest", "_pytest"}
COMMAND_LINE = {"click", "rich", "typer"}
TABLES = {"fsspec", "joblib", "numpy", "pandas", "pyarrow", "sklearn"}
SPARK = {"py4j", "pyspark"}


def _loaded_by(statement: str) -> set[str]:
    """The top-level modules that a fresh Python has loaded after the statement."""
    script = f"import sys\n{statement}\nimport json\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in json.loads(done.stdout)}


@pytest.fixture(scope="module")
def loaded_by_nothing() -> set[str]:
    """What `site` loads on its own, through .pth files of other packages."""
    return _loaded_by("pass")


def test_the_package_itself_loads_nothing_but_itself(loaded_by_nothing: set[str]) -> None:
    third_party = _loaded_by("import recipe_kit") - loaded_by_nothing - set(sys.stdlib_module_names)
    assert third_party == {"recipe_kit"}


def test_the_containers_door_loads_no_server_http_docker_template_test_or_command_line_code(
    loaded_by_nothing: set[str],
) -> None:
    loaded = _loaded_by("import recipe_kit.entrypoint") - loaded_by_nothing
    assert not loaded & (SERVERS | HTTP_CLIENTS | PACKAGERS | TEMPLATES | TESTS | COMMAND_LINE)


def test_the_containers_door_loads_tables_and_spark_only_when_a_task_needs_them(loaded_by_nothing: set[str]) -> None:
    loaded = _loaded_by("import recipe_kit.entrypoint") - loaded_by_nothing
    assert not loaded & (TABLES | SPARK)


def test_the_command_line_loads_no_tables_spark_server_or_test_code(loaded_by_nothing: set[str]) -> None:
    loaded = _loaded_by("import recipe_kit.cli") - loaded_by_nothing
    assert not loaded & (SERVERS | HTTP_CLIENTS | PACKAGERS | TEMPLATES | TESTS | TABLES | SPARK)


def test_the_pytest_plugin_loads_no_tables_or_spark_for_a_test_run_that_does_not_use_it() -> None:
    before = _loaded_by("import pytest")
    after = _loaded_by("import pytest, recipe_kit.testing.plugin")
    assert not (after - before) & (TABLES | SPARK | TEMPLATES | COMMAND_LINE | {"pydantic"})


def test_the_import_contract_holds() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_public_names_are_these() -> None:
    assert sorted(recipe_kit.__all__) == [
        "Context",
        "Field",
        "Parameters",
        "Recipe",
        "RecipeKitError",
        "ScoreParameters",
        "TrainParameters",
        "__version__",
    ]


@pytest.mark.parametrize("name", recipe_kit.__all__)
def test_a_public_name_is_the_object_of_its_home(name: str) -> None:
    value = getattr(recipe_kit, name)
    assert name in dir(recipe_kit)
    if name != "__version__":
        module = sys.modules[recipe_kit._HOMES[name]]
        assert value is getattr(module, name)


def test_type_checkers_see_the_same_public_names(tmp_path: Path) -> None:
    user = tmp_path / "user.py"
    names = ", ".join(name for name in recipe_kit.__all__ if name != "__version__")
    user.write_text(
        f"from recipe_kit import {names}\n\n"
        "class Mine(TrainParameters):\n    size: int = Field(1, ge=0)\n\n"
        "def use(mine: Mine, recipe: Recipe) -> None:\n"
        "    reveal_type(mine.size)\n    reveal_type(mine.training_data_location)\n    reveal_type(recipe.context)\n"
    )
    command: list[str | Path] = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path / "cache", user]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    revealed = [line.split('"')[1].rpartition(".")[2] for line in done.stdout.splitlines() if "Revealed" in line]
    assert revealed == ["int", "str", "Context"]


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'recipe_kit' has no attribute 'Recip'"):
        recipe_kit.Recip  # noqa: B018
