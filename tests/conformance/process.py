"""A server process under test: start, address, log, exit."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.conformance.behaviours import LIFESPAN
from tests.conformance.client import Address, Changes, Timeout
from tests.conformance.forking import Forked, Forking
from tests.conformance.model import Case
from tests.conformance.scripted.channel import ADDRESS_VARIABLE
from tests.conformance.side_channel import LIFESPAN_KEY, Seat, SideChannel
from tests.conformance.targets import PREFIX, REPOSITORY, Target
from tests.ports import free_port

DEATH_BOUND = 2.0
SUSPICION_BOUND = 0.5
START_BOUND = 30.0
STOP_BOUND = 20.0
LISTENING = re.compile(r"listening on (?:https?://(?:\[([^\]]+)\]|([^:/\s]+)):(\d+)|unix:(\S+))")


class ServerProcess:
    """One process of one target with one set of options."""

    def __init__(
        self, target: Target, channel: SideChannel, token: str, forking: Forking | None = None
    ) -> None:
        self.target = target
        self.token = token
        self.log: list[str] = []
        self.address: Address = ""
        self.ended: float | None = None
        self.changes = Changes()
        self.watchers: set[Changes] = set()
        self.lifespan = Seat((LIFESPAN,), self._notify)
        self._channel = channel
        self._forking = forking
        self._process: asyncio.subprocess.Process | Forked | None = None
        self._followers: list[asyncio.Task[None]] = []
        self._folder = tempfile.TemporaryDirectory(prefix="conformance-")

    def _notify(self) -> None:
        self.changes.notify()
        for watcher in self.watchers:
            watcher.notify()

    @property
    def exit_code(self) -> int | None:
        """The exit code, None while the process runs."""
        return self._process.returncode if self._process else None

    @property
    def log_text(self) -> str:
        """The whole log, standard error and standard output together."""
        return self.log_since(0)

    def log_since(self, line: int) -> str:
        """Return the log from a line on."""
        return "".join(self.log[line:])

    async def launch(self, case: Case) -> None:
        """Start the process as the case wants it, without waiting for it to listen."""
        if case.lifespan is not None:
            self.lifespan.scripts = (case.lifespan,)
        self._channel.keep_seat(self.token, LIFESPAN_KEY, self.lifespan)
        port = 0 if self.target.exact else free_port()
        options = tuple(self._placed(word) for word in case.options)
        output, written = os.pipe()
        try:
            self._process = await self._run(
                self.target.argv(options, case.application, port), case.environment, written
            )
        finally:
            os.close(written)
        self._followers = [
            asyncio.create_task(self._read_log(output)),
            asyncio.create_task(self._await_exit()),
        ]
        if not self.target.exact:
            self.address = ("127.0.0.1", port)

    async def _run(
        self, argv: list[str], extra: Mapping[str, str], output: int
    ) -> asyncio.subprocess.Process | Forked:
        environment = self._environment(extra)
        # What a case sets in the environment may matter to what is imported.
        if self._forking is not None and not extra:
            return await self._forking.start(["esg", *argv[len(PREFIX) :]], environment, output)
        return await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=REPOSITORY,
            env=environment,
            start_new_session=True,
        )

    def _placed(self, word: str) -> str:
        """Fill a place in an option: {folder} is a new one, {free_port} a port known beforehand."""
        if word == "{free_port}":
            self.address = ("127.0.0.1", free_port())
            return str(self.address[1])
        return word.replace("{folder}", self._folder.name)

    def _environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        channel = {ADDRESS_VARIABLE: self._channel.address(self.token)}
        return {**base_environment(), **channel, **extra}

    async def _read_log(self, output: int) -> None:
        stream = asyncio.StreamReader()
        with os.fdopen(output, "rb") as pipe:
            await asyncio.get_running_loop().connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(stream), pipe
            )
            await self._note_lines(stream)

    async def _note_lines(self, stream: asyncio.StreamReader) -> None:
        while line := await stream.readline():
            self.log.append(line.decode("utf-8", "backslashreplace"))
            self._notify()

    async def _await_exit(self) -> None:
        assert self._process
        await self._process.wait()
        self.ended = asyncio.get_running_loop().time()
        self._notify()

    async def listening(self) -> bool:
        """Wait until the server listens; return False when it has exited instead."""
        if not self.target.exact:
            return await self._answers_connect()
        await self.changes.until(
            lambda: LISTENING.search(self.log_text) or self.exit_code is not None,
            START_BOUND,
            "the server to listen or to exit",
        )
        match = LISTENING.search(self.log_text)
        if not match:
            return False
        self.address = match[4] or (match[1] or match[2], int(match[3]))
        return True

    async def _answers_connect(self) -> bool:
        deadline = asyncio.get_running_loop().time() + START_BOUND
        while self.exit_code is None:
            if await self._accepts():
                return True
            if asyncio.get_running_loop().time() > deadline:
                raise Timeout("the server does not accept connections")
            await self.changes.once_more(0.05)
        return False

    async def notice_death(self, suspected: bool) -> bool:
        """Tell whether the server accepts connections no more; then wait for its exit.

        It may not come: what does not accept may be one of several processes.

        Args:
            suspected: it may be ending, its listening socket the last: it has left somebody
                waiting, or the case is one of those that may have ended another process.
        """
        refused = not await self._accepts()
        if bound := DEATH_BOUND if refused else SUSPICION_BOUND if suspected else 0.0:
            with contextlib.suppress(Timeout):
                await self.exited(bound)
        return refused or self.exit_code is not None

    def was_ending(self, moment: float) -> bool:
        """Tell whether it has ended soon after a moment of the event loop's clock, or before."""
        return self.ended is not None and moment > self.ended - DEATH_BOUND

    async def _accepts(self) -> bool:
        """Tell whether the server accepts a connection."""
        try:
            _, writer = await asyncio.open_connection(*self.address)
        except OSError:  # Reset, if it ends while it is being asked.
            return False
        writer.close()
        return True

    def open_descriptors(self) -> int:
        """Return how many file descriptors the process has open (Linux)."""
        assert self._process
        return len(list(Path(f"/proc/{self._process.pid}/fd").iterdir()))

    def memory_at_rest(self) -> int:
        """Return the resident memory in bytes, and let the kernel forget its peak (Linux)."""
        assert self._process
        Path(f"/proc/{self._process.pid}/clear_refs").write_text("5")
        return self._memory("VmRSS")

    def memory_peak(self) -> int:
        """Return the most resident memory in bytes since `memory_at_rest` (Linux)."""
        return self._memory("VmHWM")

    def _memory(self, name: str) -> int:
        assert self._process
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        match = re.search(rf"^{name}:\s+(\d+) kB$", status, re.MULTILINE)
        assert match
        return int(match[1]) * 1024

    def signal(self, name: str) -> None:
        """Send a signal by name, such as "TERM"."""
        if self._process and self.exit_code is None:
            with contextlib.suppress(ProcessLookupError):  # It has just ended.
                os.kill(self._process.pid, getattr(signal, f"SIG{name}"))

    async def exited(self, within: float) -> int:
        """Wait until the process has exited; return its code."""
        await self.changes.until(
            lambda: self.exit_code is not None, within, "the server process to exit"
        )
        assert self.exit_code is not None
        await asyncio.wait(self._followers, timeout=2)
        return self.exit_code

    async def stop(self) -> None:
        """Stop the process, by force if it does not stop by itself."""
        if self._process is None:
            self._folder.cleanup()
            return
        self.signal("TERM")
        try:
            await self.exited(min(STOP_BOUND, self.target.patience))
        except Timeout:
            self.signal("KILL")
            await self.exited(STOP_BOUND)
        finally:
            self._end_workers()
            self._channel.clear_seats(self.token)
            self._folder.cleanup()

    def _end_workers(self) -> None:
        """End what other servers' processes have started and left behind."""
        if self._process is not None and not self.target.exact:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)


def base_environment() -> dict[str, str]:
    """Return this process's environment, as every server gets it."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return {**kept, "PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": "1"}
