"""`make fuzz` says what is missing, and the inputs it works with come and go as they should."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from build_accel import fuzz
from tests.fuzzing import corpus
from tests.fuzzing.given import written
from tests.fuzzing.seeds import seeds
from tests.server import REPOSITORY


def test_missing_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(fuzz.Missing, match="apt-get install clang"):
        fuzz._clang()


def test_compiler_that_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "gcc")
    with pytest.raises(fuzz.Missing, match="needs clang"):
        fuzz._clang()


def test_missing_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(fuzz.Missing, match="atheris"):
        fuzz._runtime()


def test_inputs_are_kept_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(corpus, "FOLDER", tmp_path)
    seed = seeds("frames")[0]
    long, short = written(b"\x81\xff" * 20), written(b"\r\n\xff")
    corpus.add("frames", [long, short, seed, short])
    corpus.add("frames", [long])
    assert corpus.found("frames") == [short, long]
    assert corpus.inputs("frames") == [*seeds("frames"), short, long]
    folder = tmp_path / "written"
    folder.mkdir()
    corpus.write("frames", folder)
    assert sorted(p.read_bytes() for p in folder.iterdir()) == sorted(corpus.inputs("frames"))


def test_input_is_put_again(tmp_path: Path) -> None:
    pytest.importorskip("esg.accel.websocket_codec")
    file = tmp_path / "found"
    file.write_bytes(written(b"\x88\x80\0\0\0\0"))
    command = [sys.executable, "-m", "tests.fuzzing", "again", "frames", str(file)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "nothing is wrong\n"), done.stderr
