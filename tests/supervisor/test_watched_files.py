"""Which files --reload looks at."""

from __future__ import annotations

from pathlib import Path

import pytest

from esg.supervisor.watched_files import WatchedFiles


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("app.py", True),
        ("package/deep/app.py", True),
        ("page.html", False),
        ("app.pyc", False),
        (".hidden.py", False),
        (".venv/lib/app.py", False),
        ("package/.git/app.py", False),
        ("~app.py", False),
        ("app.py~", False),
        (".app.py.swp", False),
    ],
)
def test_defaults(tmp_path: Path, path: str, counts: bool) -> None:
    files = WatchedFiles([str(tmp_path)], [], [])
    file = tmp_path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    assert files.covers(file) == counts
    assert (file in files.stamps()) == counts


@pytest.mark.parametrize(
    ("include", "exclude", "path", "counts"),
    [
        ("templates/*.html", "", "templates/page.html", True),
        ("templates/*.html", "", "page.html", False),
        ("*.py", "generated", "generated/app.py", False),
        ("*.py", "generated/", "generated/app.py", False),
        ("*.py", "a/generated", "generated/app.py", True),
        ("*.py", "a/b/*", "a/b/app.py", False),
        ("*.toml", "", "settings.toml", True),
        ("*.html", "", "app.py", True),
        ("*.html", "*.py", "app.py", False),
        ("*.html", "*.py", "page.html", True),
        ("*.html", "", ".#page.html", False),
        ("", "generated", ".hidden.py", False),
        (".env", "", ".env", True),
        (".env", "", ".hidden/.env", False),
        (".env", "", ".hidden.py", False),
        (".*", "", ".hidden.py", True),
    ],
)
def test_globs(tmp_path: Path, include: str, exclude: str, path: str, counts: bool) -> None:
    """They add to the defaults; one that is a default of the other kind takes that away."""
    files = WatchedFiles([str(tmp_path)], [include] * bool(include), [exclude] * bool(exclude))
    file = tmp_path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    assert files.covers(file) == counts
    assert (file in files.stamps()) == counts


def test_an_absolute_path_may_be_excluded(tmp_path: Path) -> None:
    files = WatchedFiles([str(tmp_path)], [], [f"{tmp_path}/built"])
    assert not files.covers(tmp_path / "built" / "app.py")
    assert files.covers(tmp_path / "app.py")


def test_a_directory_below_a_hidden_one_can_be_watched(tmp_path: Path) -> None:
    watched = tmp_path / ".hidden"
    watched.mkdir()
    assert WatchedFiles([str(watched)], [], []).covers(watched / "app.py")


def test_files_elsewhere_do_not_count(tmp_path: Path) -> None:
    assert not WatchedFiles([str(tmp_path / "a")], [], []).covers(tmp_path / "b.py")


def test_stamps_tell_of_another_file_in_the_same_place(tmp_path: Path) -> None:
    files = WatchedFiles([str(tmp_path)], [], [])
    (tmp_path / "app.py").write_text("a = 1\n", "utf-8")
    before = files.stamps()
    (tmp_path / "new").write_text("a = 2\n", "utf-8")
    (tmp_path / "new").rename(tmp_path / "app.py")
    assert files.stamps() != before


def test_what_is_not_there_has_no_files(tmp_path: Path) -> None:
    assert WatchedFiles([str(tmp_path / "gone")], [], []).stamps() == {}
    (tmp_path / "broken.py").symlink_to(tmp_path / "nowhere")
    assert WatchedFiles([str(tmp_path)], [], []).stamps() == {}
