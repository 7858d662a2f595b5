"""Start many processes of one server, which is imported once: a program of its own.

Most of what a process of ESG costs is importing it, and the cases about lifespan, signals and
exit want a process each. This program imports what it is told, and then forks for each request
that comes over its socket; the child runs `python -m esg` with its arguments, as if it had
been started by itself. It is run by the interpreter of the target, and says over the socket
when a child has ended. It ends, and its children with it, when the socket is closed.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import os
import runpy
import select
import signal
import socket
import sys

LONGEST_MESSAGE = 131_072


class ForkServer:
    """Fork for each request, and reap.

    Args:
        sock: a connected SOCK_SEQPACKET socket. A request is the literal `(key, argv,
            environment)` with one descriptor, which becomes standard output and error. Answers
            are `(key, "started", pid)` and `(key, "ended", exit code or minus the signal)`.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._keys: dict[int, int] = {}
        self._woken, self._wake = socket.socketpair()
        for end in (self._woken, self._wake):
            end.setblocking(False)

    def serve(self) -> bool:
        """Serve until the socket is closed, then return False; return True in each child."""
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        while True:
            ready, _, _ = select.select([self._sock, self._woken], [], [])
            if self._woken in ready:
                self._reap()
            if self._sock in ready:
                data, descriptors, _, _ = socket.recv_fds(self._sock, LONGEST_MESSAGE, 1)
                if not data:
                    self._end_children()
                    return False
                if self._fork(data, descriptors[0]):
                    return True

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(4096)
        while self._keys:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            self._say(self._keys.pop(pid), "ended", os.waitstatus_to_exitcode(status))

    def _say(self, *answer: int | str) -> None:
        self._sock.send(repr(answer).encode())

    def _fork(self, data: bytes, output: int) -> bool:
        key, argv, environment = ast.literal_eval(data.decode())
        pid = os.fork()
        if pid == 0:
            self._become(argv, environment, output)
            return True
        os.close(output)
        self._keys[pid] = key
        self._say(key, "started", pid)
        return False

    def _become(self, argv: list[str], environment: dict[str, str], output: int) -> None:
        """Leave nothing of the fork server in the child."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for sock in (self._sock, self._woken, self._wake):
            sock.close()
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(output)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = argv

    def _end_children(self) -> None:
        for pid in self._keys:
            os.kill(pid, signal.SIGKILL)


def main() -> None:
    """Import the modules named on the command line, then serve the socket given by number."""
    number, *modules = sys.argv[1:]
    for name in modules:
        importlib.import_module(name)
    if ForkServer(socket.socket(fileno=int(number))).serve():
        runpy.run_module("esg", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
