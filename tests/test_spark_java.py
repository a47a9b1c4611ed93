"""Java is judged before anything starts, and a master's address before Java does."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest

from recipe_kit.errors import MissingExtraError, SparkUnavailableError
from recipe_kit.spark import SparkOptions, open_session, resolve_master
from recipe_kit.spark.java import find_java
from recipe_kit.spark.masters import check_that_it_answers


def _fake_java(folder: Path, banner: str, *, status: int = 0) -> Path:
    command = folder / "bin" / "java"
    command.parent.mkdir(parents=True)
    command.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{banner}\nEND\nexit {status}\n")
    command.chmod(0o755)
    return command


def _on_path(command: Path) -> dict[str, str]:
    return {"PATH": f"{command.parent}{os.pathsep}/usr/bin{os.pathsep}/bin"}


@pytest.mark.parametrize(
    ("banner", "major"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('openjdk version "21-ea" 2023-09-19', 21),
        ('java version "1.8.0_392"', 8),
        ('Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "25" 2025-09-16 LTS', 25),
    ],
)
def test_the_version_is_read_from_whatever_java_says(tmp_path: Path, banner: str, major: int) -> None:
    command = _fake_java(tmp_path, banner)
    java = find_java("3.5.1", _on_path(command))
    assert (java.command, java.major) == (command, major)


def test_java_home_comes_before_the_path(tmp_path: Path) -> None:
    on_path = _fake_java(tmp_path / "one", 'openjdk version "17.0.1"')
    home = _fake_java(tmp_path / "two", 'openjdk version "21.0.2"')
    java = find_java("4.0.0", {**_on_path(on_path), "JAVA_HOME": str(tmp_path / "two")})
    assert java.command == home


def test_a_java_that_is_too_old_costs_one_sentence_that_says_how_to_get_another(tmp_path: Path) -> None:
    command = _fake_java(tmp_path, 'openjdk version "11.0.22" 2024-01-16')
    with pytest.raises(SparkUnavailableError) as caught:
        find_java("4.3.0", _on_path(command))
    assert str(caught.value) == (
        f"Spark 4.3.0 needs Java 17 or newer, and {command} is Java 11.0.22: install Java 17 (`apt install "
        "openjdk-17-jre-headless`, `brew install openjdk@17` or https://adoptium.net) and put it on PATH or name its "
        "folder in JAVA_HOME"
    )


def test_a_missing_java_costs_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(
        SparkUnavailableError, match=r"^Spark needs Java 17 or newer, and this machine has none: install"
    ):
        find_java("4.3.0", {"PATH": str(tmp_path)})


def test_a_java_home_without_java_is_named(tmp_path: Path) -> None:
    with pytest.raises(SparkUnavailableError, match="JAVA_HOME names a folder without bin/java: /nowhere: correct"):
        find_java("4.3.0", {"PATH": str(tmp_path), "JAVA_HOME": "/nowhere"})


def test_a_stub_that_only_says_where_to_download_java_is_no_java(tmp_path: Path) -> None:
    command = _fake_java(tmp_path, "The operation couldn't be completed. Unable to locate a Java Runtime.", status=1)
    with pytest.raises(SparkUnavailableError, match="does not say which Java it is"):
        find_java("4.3.0", _on_path(command))


def test_open_session_starts_nothing_without_a_suitable_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recipe_kit.spark.starting._session_of_others", lambda: None)
    monkeypatch.setattr("recipe_kit.spark.sessions._running", None)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SparkUnavailableError, match="this machine has none"):
        open_session(SparkOptions("local[1]"), app_name="test")


def test_without_pyspark_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import metadata

    def absent(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr("recipe_kit.spark.java.metadata.version", absent)
    monkeypatch.setattr("recipe_kit.spark.sessions._running", None)
    with pytest.raises(MissingExtraError, match=r"Spark needs packages .*: pip install 'recipe-kit\[spark\]'"):
        open_session(SparkOptions(), app_name="test")


def test_spark_connect_without_its_packages_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "grpc", None)
    monkeypatch.setattr("recipe_kit.spark.sessions._running", None)
    with pytest.raises(MissingExtraError, match=r"Spark Connect needs packages .*: pip install 'recipe-kit\[spark\]'"):
        open_session(SparkOptions("sc://127.0.0.1:1"), app_name="test")


# -- masters --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "settings", "environment", "expected"),
    [
        (None, {}, {}, ("local[*]", "local")),
        (None, {}, {"SPARK_REMOTE": "sc://host"}, ("sc://host", "connect")),
        (None, {"spark.master": "local[2]"}, {"SPARK_REMOTE": "sc://host"}, ("local[2]", "local")),
        ("yarn", {"spark.master": "local[2]"}, {}, ("yarn", "yarn")),
        ("spark://a:7077,b:7078", {}, {}, ("spark://a:7077,b:7078", "standalone")),
        ("k8s://https://host:6443", {}, {}, ("k8s://https://host:6443", "kubernetes")),
        ("local[4,2]", {}, {}, ("local[4,2]", "local")),
        ("local-cluster[2,1,512]", {}, {}, ("local-cluster[2,1,512]", "standalone")),
        (None, {}, {"PYSPARK_GATEWAY_PORT": "1234"}, ("", "submitted")),
    ],
)
def test_the_master_is_what_was_asked_for_then_the_setting_then_the_environment_then_this_machine(
    asked: str | None, settings: dict[str, str], environment: dict[str, str], expected: tuple[str, str]
) -> None:
    master = resolve_master(asked, settings, environment)
    assert (master.url, master.kind) == expected


@pytest.mark.parametrize(
    ("url", "addresses"),
    [
        ("spark://a,b:7078", (("a", 7077), ("b", 7078))),
        ("sc://host/;user_id=me", (("host", 15002),)),
        ("k8s://host", (("host", 443),)),
        ("k8s://http://host:8080/path", (("host", 8080),)),
        ("yarn", ()),
        ("local[2]", ()),
    ],
)
def test_the_addresses_that_must_answer_are_known(url: str, addresses: tuple[tuple[str, int], ...]) -> None:
    assert resolve_master(url, {}, {}).addresses == addresses


@pytest.mark.parametrize("url", ["mesos://host", "local[two]", "spark://", "sc://", "host:7077", "spark://:7077"])
def test_a_url_of_no_known_form_is_refused_with_the_known_ones(url: str) -> None:
    with pytest.raises(SparkUnavailableError, match=r"master.*: give local\[\*\], spark://HOST:PORT, yarn, k8s://"):
        resolve_master(url, {}, {})


@pytest.mark.parametrize("scheme", ["spark", "sc"])
def test_a_cluster_that_does_not_answer_costs_one_sentence_and_no_waiting(scheme: str) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    start = time.monotonic()
    with pytest.raises(SparkUnavailableError) as caught:
        check_that_it_answers(resolve_master(f"{scheme}://127.0.0.1:{port}", {}, {}), {})
    assert time.monotonic() - start < 5
    assert str(caught.value) == (
        f"the Spark master {scheme}://127.0.0.1:{port} does not answer (127.0.0.1:{port} refused the connection): "
        "check the address, and that this machine may reach it"
    )


def test_yarn_needs_hadoops_configuration() -> None:
    with pytest.raises(SparkUnavailableError, match="none is named: set HADOOP_CONF_DIR or YARN_CONF_DIR"):
        check_that_it_answers(resolve_master("yarn", {}, {}), {})
