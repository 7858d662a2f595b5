"""A real `esg` process under test: its address, its output by line, its end."""

from __future__ import annotations

import os
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, cast

from tests.client import Address, Connection

REPOSITORY = Path(__file__).resolve().parent.parent
# Seconds; what takes longer is taken for a hang. Generous: the machine may be busy.
START_BOUND = 90.0
LINE_BOUND = 60.0
EXIT_BOUND = 60.0

LISTENING = r"listening on ((?P<scheme>https?)://(?P<host>\[[^]]+\]|[^:]+):(?P<port>\d+)|unix:(?P<path>\S+))"
# What no server may ever write, whatever its application and its clients do.
FORBIDDEN = re.compile(r"Internal error|Exception ignored|ResourceWarning|was never|Fatal Python")
ESG = (sys.executable, "-W", "error", "-m", "esg")


class Lines:
    """The lines of a stream, gathered as they come."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._lines: list[str] = []
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._gather, daemon=True)
        self._thread.start()

    def _gather(self) -> None:
        with self._stream:
            for line in self._stream:
                with self._changed:
                    self._lines.append(line.decode("utf-8", "backslashreplace").rstrip("\n"))
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def __call__(self) -> list[str]:
        """Return the lines so far."""
        with self._changed:
            return list(self._lines)

    @property
    def text(self) -> str:
        """All lines so far as one string."""
        return "\n".join(self())

    def matching(self, pattern: str) -> list[str]:
        """Return the lines so far that a pattern is found in."""
        return [line for line in self() if re.search(pattern, line)]

    def wait_for(
        self, pattern: str, count: int = 1, within: float = LINE_BOUND, since: int = 0
    ) -> re.Match[str]:
        """Wait until `count` lines match, the first `since` left out; return the last one's match.

        Raises:
            AssertionError: they do not come in time, or the stream has ended without them.
        """
        deadline = time.monotonic() + within
        seen = since
        found: list[re.Match[str]] = []
        with self._changed:
            while len(found) < count:
                new = self._lines[seen:]
                seen += len(new)
                found += [m for m in (re.search(pattern, line) for line in new) if m]
                if len(found) >= count:
                    break
                left = deadline - time.monotonic()
                if (self._ended and seen == len(self._lines)) or left <= 0:
                    shown = "\n".join(self._lines[-40:])
                    raise AssertionError(f"no line {pattern!r} ({count}) in:\n{shown}")
                self._changed.wait(left)
        return found[count - 1]

    def finish(self) -> None:
        """Wait until the stream has ended."""
        self._thread.join(LINE_BOUND)


class ServerProcess:
    """Run `esg` with options and wait until it listens.

    Args:
        arguments: of the command `esg`.
        env: variables besides this process's own.
        cwd: where it runs.
        pass_fds: descriptors that it inherits.
        command: what to run instead of `python -m esg`.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        env: Mapping[str, str] | None = None,
        cwd: Path = REPOSITORY,
        pass_fds: Sequence[int] = (),
        command: Sequence[str] = ESG,
    ) -> None:
        self._process = subprocess.Popen(
            [*command, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(env),
            cwd=cwd,
            pass_fds=pass_fds,
        )
        streams = (self._process.stdin, self._process.stdout, self._process.stderr)
        self._stdin, stdout, stderr = cast("tuple[IO[bytes], IO[bytes], IO[bytes]]", streams)
        self.stdout = Lines(stdout)
        self.stderr = Lines(stderr)
        self.address: Address = ""
        self._scheme = "http"
        self.pid = self._process.pid

    def wait_started(self, line: str = LISTENING) -> None:
        """Wait until the server says where it listens, in a line of LISTENING's groups."""
        found = self.stderr.wait_for(line, within=START_BOUND)
        if found["path"]:
            self.address = found["path"]
        else:
            self.address = (found["host"].strip("[]"), int(found["port"]))
            self._scheme = found["scheme"]

    @property
    def url(self) -> str:
        """The server's URL, without a slash at its end."""
        assert not isinstance(self.address, str)
        host, port = self.address
        return f"{self._scheme}://{f'[{host}]' if ':' in host else host}:{port}"

    @property
    def port(self) -> int:
        """The server's TCP port."""
        assert not isinstance(self.address, str)
        return self.address[1]

    def connect(
        self,
        receive_buffer: int | None = None,
        tls: ssl.SSLContext | None = None,
        server_name: str = "localhost",
    ) -> Connection:
        """Open a connection to the server, secured where there is something to secure it by."""
        return Connection(self.address, receive_buffer, tls, server_name)

    def open_gate(self) -> None:
        """Let one coroutine of the application past `gate()`; see tests/apps/stage.py."""
        self._stdin.write(b".")
        self._stdin.flush()

    def send_signal(self, number: int) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def wait_exit(self, within: float = EXIT_BOUND) -> int:
        """Wait until the process has ended by itself; return its exit code."""
        code = self._process.wait(within)
        self.stdout.finish()
        self.stderr.finish()
        return code

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask the process to stop; return its exit code."""
        self.send_signal(number)
        return self.wait_exit()

    def end(self) -> None:
        """End the process if it still runs, and look at what it wrote.

        Raises:
            AssertionError: it did not stop when asked, or wrote what no server may write.
        """
        try:
            if self._process.poll() is None:
                self.stop()
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it does not stop:\n{self.stderr.text}") from None
        finally:
            self.kill()
        assert not FORBIDDEN.search(self.stderr.text), self.stderr.text

    def kill(self) -> None:
        """End the process at once, if it still runs; what it wrote is not looked at."""
        self._process.kill()
        self._process.wait()
        self._stdin.close()

    def memory(self, field: str = "VmRSS") -> int:
        """Return a figure of the process's memory in bytes; VmHWM is the peak of VmRSS."""
        status = Path(f"/proc/{self.pid}/status").read_text("ascii")
        found = re.search(rf"{field}:\s+(\d+) kB", status)
        assert found
        return int(found[1]) * 1024

    def descriptors(self) -> int:
        """Return the number of descriptors that the process has open."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a server under test: nothing of ours changes its looks."""
    own = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "PYTHONPATH")}
    return {**own, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(REPOSITORY), **(extra or {})}


def run_esg(
    *arguments: str,
    env: Mapping[str, str] | None = None,
    cwd: Path = REPOSITORY,
    pass_fds: Sequence[int] = (),
) -> subprocess.CompletedProcess[str]:
    """Run `esg` to its end; for what must not start to serve."""
    return subprocess.run(
        [*ESG, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment(env),
        cwd=cwd,
        pass_fds=pass_fds,
        timeout=START_BOUND,
    )
