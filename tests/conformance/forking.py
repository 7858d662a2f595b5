"""The runner's end of a fork server: ask for processes, hear of their ends."""

from __future__ import annotations

import ast
import asyncio
import itertools
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.conformance.fork_server import LONGEST_MESSAGE
from tests.conformance.targets import REPOSITORY


@dataclass
class Forked:
    """One process that the fork server has started."""

    started: asyncio.Future[int]
    ended: asyncio.Future[int]

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.started.result()

    @property
    def returncode(self) -> int | None:
        """Its exit code, or minus the signal that ended it; None while it runs."""
        return self.ended.result() if self.ended.done() else None

    async def wait(self) -> int:
        """Wait for its end; return what `returncode` will be."""
        return await asyncio.shield(self.ended)


class Forking:
    """A running fork server."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._sock, self._other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._sock.setblocking(False)
        self._keys = itertools.count()
        self._children: dict[int, Forked] = {}
        self._server: asyncio.subprocess.Process | None = None

    async def open(
        self, python: str, modules: Sequence[str], environment: Mapping[str, str]
    ) -> None:
        """Start the fork server.

        Args:
            python: the interpreter that runs it.
            modules: what it imports before it forks.
            environment: its variables; a child has its own.
        """
        number = self._other.fileno()
        self._server = await asyncio.create_subprocess_exec(
            *(python, "-m", "tests.conformance.fork_server", str(number), *modules),
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=[number],
            cwd=REPOSITORY,
            env=environment,
        )
        self._other.close()
        self._loop.add_reader(self._sock.fileno(), self._hear)

    async def start(
        self, argv: Sequence[str], environment: Mapping[str, str], output: int
    ) -> Forked:
        """Have a process started and wait until it is.

        Args:
            argv: of the command `esg`, its name included.
            environment: its variables, all of them.
            output: the descriptor that becomes its standard output and error.
        """
        key = next(self._keys)
        child = Forked(self._loop.create_future(), self._loop.create_future())
        self._children[key] = child
        request = repr((key, list(argv), dict(environment))).encode()
        socket.send_fds(self._sock, [request], [output])
        await child.started
        return child

    def _hear(self) -> None:
        data = self._sock.recv(LONGEST_MESSAGE)
        if not data:
            self._lost()
            return
        key, what, value = ast.literal_eval(data.decode())
        if what == "started":
            self._children[key].started.set_result(value)
        else:
            self._children.pop(key).ended.set_result(value)

    def _lost(self) -> None:
        self._loop.remove_reader(self._sock.fileno())
        for child in self._children.values():
            for future in (child.started, child.ended):
                if not future.done():
                    future.set_exception(RuntimeError("the fork server has died"))

    async def close(self) -> None:
        """End the fork server, and what it has started."""
        assert self._server is not None
        self._loop.remove_reader(self._sock.fileno())
        self._sock.close()
        await self._server.wait()
