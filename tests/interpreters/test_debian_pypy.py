"""How PyPy is got from Debian's packages, and that what was got is PyPy 3.11."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.interpreters import debian_pypy, find_interpreters, prepare_or_skip


@pytest.mark.parametrize(
    ("uris", "expected"),
    [
        (
            ["http://a.example/debian-security/", "http://a.example/debian/"],
            "http://a.example/debian/",
        ),
        (["https://b.example/mirror/debian"], "https://b.example/mirror/debian"),
        (["http://c.example/ubuntu/", "http://c.example/debian-security"], None),
        ([], None),
    ],
)
def test_mirror_is_debian_s_main_archive(uris: list[str], expected: str | None) -> None:
    assert debian_pypy.mirror(uris) == expected


def test_apt_keeps_to_a_database_of_its_own(tmp_path: Path) -> None:
    lines = debian_pypy.apt_configuration(tmp_path).splitlines()
    assert f'Dir::State "{tmp_path}";' in lines
    assert f'Dir::State::status "{tmp_path}/status";' in lines
    assert f'Dir::Etc::sourcelist "{tmp_path}/sources.list";' in lines
    assert all(line.endswith(";") for line in lines)


def test_obstacle_names_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "no apt-get" in str(debian_pypy.obstacle())
    monkeypatch.setattr("sys.platform", "darwin")
    assert "darwin" in str(debian_pypy.obstacle())


def test_pypy_runs_with_sockets_tls_and_signals() -> None:
    """The parts of PyPy that rest on unpacked libraries work, and a signal reaches it."""
    [pypy] = [found for found in find_interpreters() if found.name == "pypy3.11"]
    command = prepare_or_skip(pypy)
    script = (
        "import signal, socket, sqlite3, ssl, sys, zlib, anyio, h11, trio\n"
        "socket.getaddrinfo('localhost', 80)\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
        "print(sys.implementation.name, sys.version_info[:2], flush=True)\n"
        "signal.pause()\n"
    )
    with subprocess.Popen(
        [command.python, "-c", script], env=command.environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "pypy (3, 11)\n"
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(timeout=30) == 7
