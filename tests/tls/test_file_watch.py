"""Whether files are read again when, and only when, they have changed and come to rest."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from esg.tls.file_watch import FileWatch


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "cert", tmp_path / "key"]
    for path in paths:
        path.write_text("old")
    return paths


def watch(files: list[Path]) -> FileWatch:
    return FileWatch(map(str, files))


def looks(watched: FileWatch, times: int = 4) -> list[bool]:
    return [watched.has_changes() for _ in range(times)]


def test_nothing_happens(files: list[Path]) -> None:
    assert looks(watch(files)) == [False] * 4


def test_a_change_counts_once_and_only_after_a_look_without_another(files: list[Path]) -> None:
    watched = watch(files)
    files[0].write_text("newer")
    assert not watched.has_changes()
    files[1].write_text("newer")
    assert looks(watched) == [False, True, False, False]


def test_the_same_size_and_the_same_time_in_another_file(files: list[Path], tmp_path: Path) -> None:
    watched = watch(files)
    stat = files[0].stat()
    other = tmp_path / "other"
    other.write_text("new")
    os.utime(other, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    other.replace(files[0])
    assert looks(watched, 2) == [False, True]


def test_a_symbolic_link_is_followed(tmp_path: Path) -> None:
    """Kubernetes points ..data to another folder, and changes no file and no link that we know."""
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "tls.crt").write_text("same")
    data, link = tmp_path / "..data", tmp_path / "tls.crt"
    data.symlink_to("first")
    link.symlink_to("..data/tls.crt")
    watched = watch([link])
    (tmp_path / "..new").symlink_to("second")
    (tmp_path / "..new").replace(data)
    assert looks(watched) == [False, True, False, False]


def test_a_file_that_goes_and_comes_back(files: list[Path]) -> None:
    watched = watch(files)
    files[0].unlink()
    assert looks(watched) == [False, True, False, False]
    files[0].write_text("new")
    assert looks(watched) == [False, True, False, False]


def test_what_has_been_read_counts_no_more(files: list[Path]) -> None:
    watched = watch(files)
    files[0].write_text("newer")
    watched.count_as_read()
    assert looks(watched) == [False] * 4
