"""That changes are told of, by the system and by looking."""

from __future__ import annotations

import importlib.util
import logging
import threading
from pathlib import Path

import pytest

from esg.supervisor.watched_files import WatchedFiles
from esg.supervisor.watcher import watching

BOUND = 30.0
find_spec = importlib.util.find_spec


@pytest.fixture(params=["events", "polling"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "polling":
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name: None if name == "watchfiles" else True
        )
    elif find_spec("watchfiles") is None:
        pytest.skip("watchfiles is not installed")
    return str(request.param)


def test_changes(tmp_path: Path, way: str, caplog: pytest.LogCaptureFixture) -> None:
    """Of files that count: written, put in another's place, removed."""
    file = tmp_path / "app.py"
    file.write_text("a = 1\n", "utf-8")
    files = WatchedFiles([str(tmp_path)], ["*.py"], [])
    told = threading.Semaphore(0)
    with caplog.at_level(logging.INFO, "esg"), watching(files, 0.05, told.release):
        # Until the thread has begun to look, a change may go unseen: it is made again.
        for attempt in range(600):
            file.write_text(f"a = {attempt}\n", "utf-8")
            if told.acquire(timeout=0.5):
                break
        (tmp_path / "ignored.txt").touch()
        (tmp_path / "temporary").write_text("a = 3\n", "utf-8")
        (tmp_path / "temporary").rename(file)
        assert told.acquire(timeout=BOUND)
        file.unlink()
        assert told.acquire(timeout=BOUND)
    assert ("polling" in caplog.text) == (way == "polling")
    assert f"Changed: {file}; starting again" in caplog.messages
    assert "ignored" not in caplog.text
