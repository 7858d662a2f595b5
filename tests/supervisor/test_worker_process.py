"""A worker's process, as its supervisor sees it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from esg.supervisor import worker_process
from esg.supervisor.worker_process import WorkerProcess, resident_size


def started(monkeypatch: pytest.MonkeyPatch, program: str) -> WorkerProcess:
    """Start another program in a worker's place."""
    monkeypatch.setattr(worker_process, "_interpreter", lambda: [sys.executable, "-c", program])
    return WorkerProcess({"slot": 1}, [])


def ended(process: WorkerProcess) -> str:
    process._process.wait(60)
    process.close()
    return process.ending()


def test_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    process = started(
        monkeypatch,
        "import socket, sys\n"
        "channel = socket.socket(fileno=int(sys.argv[-1]))\n"
        "assert channel.recv(100) == b'{\"slot\": 1}\\n'\n"
        'channel.sendall(b\'{"serving": "x"}\\n{"failed": "why", "code": 2}\\n\')\n',
    )
    assert list(process.messages()) == []
    process._process.wait(60)
    assert list(process.messages()) == [{"serving": "x"}, {"failed": "why", "code": 2}]
    assert (process.failure, process.exit_code) == ("why", 2)
    assert ended(process) == "exit code 0"
    assert process.returncode() == 0


def test_signals_to_the_whole_group_wait_for_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    process = started(
        monkeypatch,
        "import signal, sys\n"
        "blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())\n"
        "sys.exit(blocked != {signal.SIGINT, signal.SIGHUP, signal.SIGQUIT})\n",
    )
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
    assert ended(process) == "exit code 0"


@pytest.mark.parametrize(("number", "said"), [(signal.SIGKILL, "SIGKILL"), (60, "signal 60")])
def test_how_it_ends(monkeypatch: pytest.MonkeyPatch, number: int, said: str) -> None:
    program = f"import os; os.kill(os.getpid(), {int(number)})"
    assert ended(started(monkeypatch, program)) == f"killed by {said}"


def test_a_process_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    process = started(monkeypatch, "import time; time.sleep(600)")
    process.kill()
    assert process.ending() == "killed by SIGKILL"


def test_who_has_gone_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    process = started(monkeypatch, "pass")
    assert process._process.wait(60) == 0
    assert select.select([process.channel], [], [], 60)[0]
    process.retire()
    process.force()
    process.send_signal(signal.SIGTERM)
    assert list(process.messages()) == []
    assert ended(process) == "exit code 0"


def test_the_path_is_the_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(Path.cwd()), "/elsewhere"])
    assert "-P" not in worker_process._interpreter()
    monkeypatch.setattr(sys, "path", ["/usr/bin", "/elsewhere"])
    assert "-P" in worker_process._interpreter()


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc")
def test_resident_size() -> None:
    assert 1_000_000 < resident_size(os.getpid()) < 10_000_000_000
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait(60)
    assert resident_size(gone.pid) == 0
