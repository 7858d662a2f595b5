"""The process of one worker, as its supervisor sees it: a fresh interpreter, and a channel to it.

Not a fork: nothing of the supervisor's memory and threads comes along, and the supervisor itself
never holds the application.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from esg.logs import logger
from esg.supervisor.control import GROUP_SIGNALS, Lines, Told, line

_READ_SIZE = 65536
_MODULE = "esg.supervisor"


class WorkerProcess:
    """Start a worker.

    Args:
        settings: what it is told first, but for the descriptors of `passed`.
        passed: descriptors that it inherits under their numbers.

    Attributes:
        pid: its number.
        channel: readable when it has said something.
        failure: what it said if it cannot start.
        exit_code: of that failure.
    """

    def __init__(self, settings: Told, passed: Sequence[int]) -> None:
        self.channel, theirs = socket.socketpair()
        with theirs, _blocked(GROUP_SIGNALS):
            self._process = subprocess.Popen(  # noqa: S603 - ourselves
                [*_interpreter(), "-m", _MODULE, str(theirs.fileno())],
                pass_fds=[theirs.fileno(), *passed],
            )
        self.pid = self._process.pid
        self.failure = ""
        self.exit_code = 0
        self._lines = Lines()
        self._tell(**settings)
        self.channel.setblocking(False)

    def retire(self) -> None:
        """Tell the worker to stop because others go on."""
        self._tell(retire=True)

    def stop(self) -> None:
        """Have the worker stop; a start-up it breaks off."""
        self._tell(stop=True)
        self.send_signal(signal.SIGTERM)

    def force(self) -> None:
        """Tell the worker, which is stopping, not to wait for requests in flight."""
        self._tell(force=True)

    def send_signal(self, number: int) -> None:
        """Send a signal, if the process still runs."""
        self._process.send_signal(number)

    def messages(self) -> Iterator[Told]:
        """Yield what the worker has said since."""
        while data := self._received():
            for message in self._lines.feed(data):
                if "failed" in message:
                    self.failure = str(message["failed"])
                    self.exit_code = int(message["code"])
                yield message

    def returncode(self) -> int | None:
        """Return the exit code, minus the signal that ended it, None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """End the process, and let go of it."""
        self._process.kill()
        self._process.wait()
        self.close()

    def close(self) -> None:
        """Let go of a process that has ended."""
        self.channel.close()

    def ending(self) -> str:
        """Say how the process has ended."""
        code = self._process.returncode
        if code >= 0:
            return f"exit code {code}"
        try:
            return f"killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"killed by signal {-code}"

    def _received(self) -> bytes:
        try:
            return self.channel.recv(_READ_SIZE)
        except (BlockingIOError, ConnectionError):
            return b""

    def _tell(self, **said: Any) -> None:
        try:
            self.channel.sendall(line(**said))
        except OSError as error:  # its end shows elsewhere
            logger.debug("Cannot tell worker %d: %s", self.pid, error)


@contextmanager
def _blocked(numbers: Sequence[int]) -> Iterator[None]:
    """Keep signals back, also from the processes that are started meanwhile."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _interpreter() -> list[str]:
    """Return the command of an interpreter with our options, that finds what we find."""
    command = [sys.executable, *_own_flags()]
    # `python -m` puts the current directory in front of everything, `esg` does not.
    if sys.path and sys.path[0] not in ("", str(Path.cwd())) and "-P" not in command:
        command.append("-P")
    return command


def _own_flags() -> list[str]:
    # As multiprocessing does; there is no public way to them.
    module: Any = subprocess
    flags: list[str] = module._args_from_interpreter_flags()  # noqa: SLF001
    return flags


def resident_size(pid: int) -> int:
    """Return the resident memory of a process in bytes, 0 if it is gone.

    Raises:
        FileNotFoundError: this system does not tell.
    """
    try:
        pages = Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]
    except FileNotFoundError:
        if Path("/proc/self/statm").exists():
            return 0
        raise
    except (OSError, IndexError):  # it is just going
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
