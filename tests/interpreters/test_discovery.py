"""Which interpreters are found, and in which order."""

import os
import sys
from pathlib import Path

import pytest

from tests.interpreters import discovery


def script(path: Path, body: str) -> Path:
    """Write an executable shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def claim(path: Path, implementation: str, version: str) -> Path:
    """Write an executable that answers a probe as that interpreter would."""
    return script(path, f"""echo '["{implementation}", {version}, "{path}"]'""")


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a machine whose PATH is one empty folder and which has no pyenv."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    return tmp_path


def test_path_comes_first_and_pyenv_newest_first(tmp_path: Path) -> None:
    for version in ("3.9.18", "3.12.1", "3.12.10", "pypy3.11-7.3"):
        (tmp_path / "versions" / version / "bin").mkdir(parents=True)
    path = os.pathsep.join(["/usr/bin", str(tmp_path / "shims"), "", "/bin"])
    folders = discovery.search_folders(path, tmp_path)
    assert folders[:2] == [Path("/usr/bin"), Path("/bin")]
    names = [folder.parent.name for folder in folders[2:]]
    assert names == ["pypy3.11-7.3", "3.12.10", "3.12.1", "3.9.18"]


def test_probe_tells_the_running_interpreter() -> None:
    found = discovery.probe(Path(sys.executable))
    assert found is not None
    assert (found.implementation, found.version) == (
        sys.implementation.name,
        sys.version_info[:3],
    )


def test_probe_refuses_what_is_no_interpreter(tmp_path: Path) -> None:
    assert discovery.probe(tmp_path / "absent") is None
    assert discovery.probe(script(tmp_path / "fails", "exit 127")) is None
    assert discovery.probe(script(tmp_path / "babbles", "echo no json")) is None
    assert discovery.probe(script(tmp_path / "short", "echo '[1]'")) is None


def test_shim_that_does_not_run_is_passed_over(bare_machine: Path) -> None:
    script(bare_machine / "bin" / "python3.13", "exit 127")
    real = claim(bare_machine / "pyenv/versions/3.13.0/bin/python3.13", "cpython", "[3, 13, 0]")
    assert discovery.find_cpython(13) == discovery.Interpreter("cpython", (3, 13, 0), real)


def test_name_must_match_what_it_is(bare_machine: Path) -> None:
    claim(bare_machine / "bin" / "python3.13", "cpython", "[3, 12, 1]")
    claim(bare_machine / "bin" / "pypy3", "pypy", "[3, 10, 14]")
    assert discovery.find_cpython(13) is None
    assert discovery.find_pypy() is None


def test_one_of_each_and_pypy_always(bare_machine: Path) -> None:
    for folder in ("a", "pyenv/versions/3.12.1/bin", "pyenv/versions/3.12.3/bin"):
        claim(bare_machine / folder / "python3.12", "cpython", "[3, 12, 3]")
    found = discovery.find_interpreters()
    running = discovery.Interpreter.running()
    assert found[0] == running
    assert found[0].is_running
    names = [interpreter.name for interpreter in found]
    assert sorted(names) == sorted({running.name, "cpython3.12", "pypy3.11"})
    if running.name != "pypy3.11":
        assert found[-1].executable is None


def test_installed_pypy_is_preferred(bare_machine: Path) -> None:
    installed = claim(bare_machine / "bin" / "pypy3", "pypy", "[3, 11, 13]")
    assert discovery.find_pypy() == discovery.Interpreter("pypy", (3, 11, 13), installed)
