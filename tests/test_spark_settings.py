"""Which settings and Java flags a session gets, and which code is shipped."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from recipe_kit.spark import SparkOptions, resolve_master
from recipe_kit.spark.archive import ArchivePlace, cache_folder, exclusive, install, usable_archive, wants_building
from recipe_kit.spark.settings import (
    SMALL_BYTES,
    is_small,
    java_flags,
    memory_bytes,
    session_settings,
    without_secrets,
)
from recipe_kit.spark.shipping import digest_of_source, pack_kit, pack_source

FOLDER = Path("/tmp/somewhere")


def _settings(master: str = "local[*]", *, tuned: bool = True, small: bool = True, **own: str) -> dict[str, str]:
    options = SparkOptions(master, {name.replace("_", "."): value for name, value in own.items()})
    where = resolve_master(master, {}, {})
    return session_settings(options, where, app_name="test", folder=FOLDER, tuned=tuned, small=small)


def test_the_users_own_settings_win() -> None:
    assert _settings(spark_ui_enabled="true")["spark.ui.enabled"] == "true"


def test_a_local_session_stays_on_this_machine_and_leaves_nothing_in_the_current_folder() -> None:
    settings = _settings(tuned=False)
    assert settings["spark.driver.bindAddress"] == settings["spark.driver.host"] == "127.0.0.1"
    assert settings["spark.sql.warehouse.dir"].startswith(FOLDER.as_uri())
    assert settings["spark.local.dir"] == str(FOLDER)


def test_a_cluster_gets_none_of_the_local_settings() -> None:
    settings = _settings("spark://host:7077")
    assert set(settings) == {
        "spark.app.name",
        "spark.master",
        "spark.ui.showConsoleProgress",
        "spark.sql.execution.arrow.pyspark.enabled",
    }


def test_small_local_work_gets_one_shuffle_partition_and_big_work_some_per_core() -> None:
    assert _settings()["spark.sql.shuffle.partitions"] == "1"
    assert _settings("local[3]", small=False)["spark.sql.shuffle.partitions"] == "6"
    assert "spark.sql.shuffle.partitions" not in _settings(tuned=False)


@pytest.mark.parametrize(
    ("settings", "expected_bytes", "small"),
    [
        ({}, None, True),
        ({}, SMALL_BYTES, True),
        ({}, SMALL_BYTES + 1, False),
        ({"spark.driver.memory": "2g"}, None, True),
        ({"spark.driver.memory": "3000m"}, None, False),
    ],
)
def test_work_is_small_unless_much_data_or_memory_is_expected(
    settings: dict[str, str], expected_bytes: int | None, small: bool
) -> None:
    assert is_small(SparkOptions(settings=settings), expected_bytes) is small


def test_memory_sizes_are_read_as_spark_reads_them() -> None:
    assert [memory_bytes(text) for text in ("512", "1g", "2GB", "nonsense")] == [512 << 20, 1 << 30, 2 << 30, None]


def test_small_work_gets_the_quick_compiler_the_serial_collector_and_the_archive() -> None:
    flags = java_flags("", folder=FOLDER, tuned=True, small=True, archive=Path("/a b/classes.jsa"))
    assert "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC" in flags
    assert '"-XX:SharedArchiveFile=/a b/classes.jsa"' in flags


def test_big_work_keeps_javas_compiler_and_collector_but_starts_from_the_archive() -> None:
    flags = java_flags("", folder=FOLDER, tuned=True, small=False, archive=Path("/classes.jsa"))
    assert "Tiered" not in flags
    assert "SerialGC" not in flags
    assert "-XX:SharedArchiveFile=/classes.jsa" in flags


def test_a_users_own_flags_replace_those_that_they_contradict() -> None:
    own = "-XX:+UseG1GC -XX:-TieredCompilation -Xshare:off"
    flags = java_flags(own, folder=FOLDER, tuned=True, small=True, archive=Path("/classes.jsa"))
    assert flags.endswith(own)
    assert not any(ours in flags for ours in ("SerialGC", "TieredStopAtLevel", "SharedArchiveFile"))


@pytest.mark.parametrize("value", ["off", "OFF", "0", "no"])
def test_one_variable_turns_all_tuning_off(value: str) -> None:
    assert not SparkOptions().is_tuned({"RECIPE_KIT_SPARK_TUNING": value})
    assert SparkOptions().is_tuned({"RECIPE_KIT_SPARK_TUNING": "no-build"})
    assert not SparkOptions(tuned=False).is_tuned({})


def test_secrets_stay_off_the_command_line() -> None:
    settings = {"spark.hadoop.fs.s3a.secret.key": "x", "spark.ssl.keyPassword": "x", "spark.master": "local"}
    assert without_secrets(settings) == {"spark.master": "local"}


# -- the archive in the cache ---------------------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path: Path) -> ArchivePlace:
    return ArchivePlace(tmp_path / "cache" / "spark" / "key")


def _install(place: ArchivePlace, content: bytes = b"classes" * 100_000) -> None:
    with exclusive(place) as alone:
        assert alone
        built = place.folder / "built"
        built.write_bytes(content)
        install(place, built)


def test_the_cache_is_where_the_platform_keeps_caches() -> None:
    assert cache_folder({"XDG_CACHE_HOME": "/c", "HOME": "/h"}) == Path("/c/recipe-kit")
    assert cache_folder({"HOME": "/h"}, "linux") == Path("/h/.cache/recipe-kit")
    assert cache_folder({"HOME": "/h"}, "darwin") == Path("/h/Library/Caches/recipe-kit")


def test_an_archive_is_built_once(place: ArchivePlace) -> None:
    assert wants_building(place, {})
    _install(place)
    assert not wants_building(place, {})
    assert usable_archive(place, pytest.fail) == place.archive


@pytest.mark.parametrize("damage", [lambda content: content[:-1], lambda content: b"x" + content[1:]])
def test_a_damaged_archive_is_done_without_and_said_so_once(place: ArchivePlace, damage: object) -> None:
    _install(place)
    assert callable(damage)
    place.archive.write_bytes(damage(place.archive.read_bytes()))
    said: list[str] = []
    assert usable_archive(place, said.append) is None
    assert usable_archive(place, said.append) is None
    assert said == ["the class-data archive in the cache is damaged: Spark starts without it"]
    assert wants_building(place, {})


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_read_only_cache_is_no_reason_to_fail(place: ArchivePlace) -> None:
    place.folder.mkdir(parents=True)
    place.folder.chmod(0o500)
    try:
        assert not wants_building(place, {})
    finally:
        place.folder.chmod(0o700)


def test_a_failure_to_build_is_remembered_for_a_week(place: ArchivePlace) -> None:
    place.folder.mkdir(parents=True)
    place.failure.write_text("no")
    assert not wants_building(place, {})
    os.utime(place.failure, (0, 0))
    assert wants_building(place, {})


@pytest.mark.parametrize("environment", [{"CI": "true"}, {"RECIPE_KIT_SPARK_TUNING": "no-build"}])
def test_nothing_is_built_on_ci_or_where_that_is_not_wanted(place: ArchivePlace, environment: dict[str, str]) -> None:
    assert not wants_building(place, environment)


def test_only_one_process_builds_at_a_time(place: ArchivePlace) -> None:
    with exclusive(place) as first, exclusive(place) as second:
        assert (first, second) == (True, False)
    with exclusive(place) as later:
        assert later


def test_the_archives_that_nobody_uses_are_tidied_up(place: ArchivePlace) -> None:
    for age, name in enumerate(["newest", "newer", "older", "oldest"]):
        other = ArchivePlace(place.folder.parent / name)
        _install(other)
        os.utime(other.seal, (1e9 - age, 1e9 - age))
    _install(place)
    assert {folder.name for folder in place.folder.parent.iterdir()} == {"key", "newest", "newer"}


# -- shipping -------------------------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for name, text in {
        "package/__init__.py": "",
        "package/deep/module.py": "x = 1",
        "package/words.txt": "a b",
        "package/tests/test_module.py": "",
        "package/__pycache__/module.pyc": "",
        "module.py": "y = 2",
        "test_module.py": "",
        "setup.py": "",
        "conftest.py": "",
        "tests/test_more.py": "",
        "data/prepare.py": "",
        "data/rows.csv": "",
        ".hidden/module.py": "",
        "environment/pyvenv.cfg": "",
        "environment/lib/module.py": "",
        "venv/lib/module.py": "",
        "build/lib/package/__init__.py": "",
        "notes/readme.txt": "",
        "package.egg-info/top.py": "",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_packages_and_modules_are_shipped_without_tests_environments_data_and_builds(
    project: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(pack_source(project, tmp_path)) as archive:
        assert archive.namelist() == [
            "module.py",
            "package/__init__.py",
            "package/deep/module.py",
            "package/words.txt",
        ]


def test_the_same_code_gives_the_same_archive_and_other_code_another_name(project: Path, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one = pack_source(project, tmp_path / "one")
    os.utime(project / "module.py", (0, 0))
    two = pack_source(project, tmp_path / "two")
    assert (one.name, one.read_bytes()) == (two.name, two.read_bytes())
    before = digest_of_source(project)
    (project / "data" / "rows.csv").write_text("more")
    assert digest_of_source(project) == before
    (project / "module.py").write_text("y = 3")
    assert digest_of_source(project) != before


def test_the_kit_itself_can_be_shipped(tmp_path: Path) -> None:
    with zipfile.ZipFile(pack_kit(tmp_path)) as archive:
        names = archive.namelist()
    assert {"recipe_kit/__init__.py", "recipe_kit/spark/tables.py", "recipe_kit/data/__init__.py"} <= set(names)
    assert not [name for name in names if "templates" in name or name.endswith(".pyc")]
