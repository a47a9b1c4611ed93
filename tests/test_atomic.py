"""Files and folders appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from small_disk import mounted_disk, read_only_disk

from recipe_kit.atomic import atomic_file, atomic_folder
from recipe_kit.errors import OutputError


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    place = tmp_path / "new" / "scores.csv"
    with atomic_file(place) as temporary:
        temporary.write_text("a")
        assert not place.exists()
        assert temporary.parent == place.parent
        assert temporary.name.startswith(".")
    assert place.read_text() == "a"
    assert _names(place.parent) == ["scores.csv"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_file_is_untouched_and_nothing_is_left_when_the_block_fails(
    tmp_path: Path, error: type[BaseException]
) -> None:
    place = tmp_path / "scores.csv"
    place.write_text("old")

    def fail() -> None:
        with atomic_file(place) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        fail()
    assert place.read_text() == "old"
    assert _names(tmp_path) == ["scores.csv"]


def test_two_writers_of_one_file_do_not_meet(tmp_path: Path) -> None:
    place = tmp_path / "scores.csv"
    with atomic_file(place) as one, atomic_file(place) as two:
        assert one != two
        one.write_text("one")
        two.write_text("two")
    assert place.read_text() == "one"


def test_a_link_stays_a_link_and_its_target_is_written(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to("real.csv")
    with atomic_file(tmp_path / "link.csv") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text() == "new"


def test_a_folder_in_place_of_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "scores").mkdir()
    with pytest.raises(OutputError) as caught, atomic_file(tmp_path / "scores"):
        pass
    assert str(caught.value) == f"cannot write '{tmp_path / 'scores'}', it is a folder: give the name of a file"


def test_a_device_is_never_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputError, match="it is not a regular file"), atomic_file(tmp_path / "pipe"):
        pass
    assert (tmp_path / "pipe").is_fifo()


def test_a_file_on_the_way_to_the_place_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    sentence = "a part of its path is a file, not a folder"
    with pytest.raises(OutputError, match=sentence), atomic_file(tmp_path / "file" / "new" / "scores.csv"):
        pass


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    with mounted_disk(tmp_path / "disk") as disk:
        with pytest.raises(OutputError) as caught, atomic_file(disk / "scores.csv") as temporary:
            temporary.write_bytes(b"x" * 1_000_000)
        assert _names(disk) == []
    expected = f"cannot write '{disk / 'scores.csv'}', the disk is full: free some space or choose another place"
    assert str(caught.value) == expected


def test_a_read_only_place_is_one_sentence(tmp_path: Path) -> None:
    sentence = "the file system is read-only: choose a folder that you may write to"
    with (
        read_only_disk(tmp_path / "disk") as disk,
        pytest.raises(OutputError, match=sentence),
        atomic_file(disk / "new" / "deep" / "scores.csv") as temporary,
    ):
        temporary.write_bytes(b"x")


def test_an_error_about_another_file_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_file(tmp_path / "scores.csv"):
        Path("/does/not/exist").read_text()
    with pytest.raises(IsADirectoryError), atomic_folder(tmp_path / "model"):
        Path("/usr").read_text()


def test_a_folder_appears_when_the_block_ends_and_replaces_the_old_one(tmp_path: Path) -> None:
    place = tmp_path / "model"
    for text in ("one", "two"):
        with atomic_folder(place) as temporary:
            (temporary / "deep").mkdir()
            (temporary / "deep" / f"{text}.txt").write_text(text)
    assert [file.name for file in (place / "deep").iterdir()] == ["two.txt"]
    assert _names(tmp_path) == ["model"]


def test_a_folder_is_untouched_and_nothing_is_left_when_the_block_fails(tmp_path: Path) -> None:
    place = tmp_path / "model"
    place.mkdir()
    (place / "old").write_text("old")

    def interrupt() -> None:
        with atomic_folder(place) as temporary:
            (temporary / "half").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert _names(place) == ["old"]
    assert _names(tmp_path) == ["model"]


def test_a_file_in_place_of_a_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("")
    with (
        pytest.raises(OutputError, match="a part of its path is a file, not a folder"),
        atomic_folder(tmp_path / "model"),
    ):
        pass
