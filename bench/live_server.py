"""Start a server of the table on a free place, and stop it again."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from environment import BENCH, Environment
from servers import TLS, UNIX, Server

START_TIMEOUT = 60.0
STOP_TIMEOUT = 10.0
POLL_INTERVAL = 0.005
CLIENT_TIMEOUT = 10.0


class ServerError(Exception):
    """A server did not start, or did not answer as it should; the text says what happened."""


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextlib.contextmanager
def pinned(core: int) -> Iterator[None]:
    """Run the body on one core; processes started in it stay there."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


@dataclass(frozen=True)
class Place:
    """Where a server listens: a port of 127.0.0.1, or a UNIX socket, with or without TLS."""

    port: int
    socket_path: Path
    mode: str

    @property
    def target(self) -> str:
        """Return the place as the load programs read it."""
        return str(self.socket_path) if self.mode == UNIX else str(self.port)

    def connect(self) -> socket.socket:
        """Connect to it; over TLS, without a look at the certificate."""
        if self.mode == UNIX:
            local = socket.socket(socket.AF_UNIX)
            local.settimeout(CLIENT_TIMEOUT)
            try:
                local.connect(str(self.socket_path))
            except OSError:
                local.close()
                raise
            return local
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=CLIENT_TIMEOUT)
        if self.mode != TLS:
            return plain
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(plain)

    def is_listened_to(self) -> bool:
        """Tell whether it accepts connections."""
        family = socket.AF_UNIX if self.mode == UNIX else socket.AF_INET
        with socket.socket(family) as client:
            client.settimeout(1)
            address = str(self.socket_path) if self.mode == UNIX else ("127.0.0.1", self.port)
            return client.connect_ex(address) == 0


@contextlib.contextmanager
def running(
    server: Server, app: str, mode: str, environment: Environment, core: int
) -> Iterator[tuple[int, Place]]:
    """Run a server in a session of its own on one core while the body runs.

    Args:
        server: The row of the table.
        app: Name of the application in apps.py, or a `module:attribute`.
        mode: Which of its options it is given.
        environment: What the fields of its command are filled in from.
        core: Number of the core it is pinned to.

    Yields:
        Its process id and its place, once it accepts connections.

    Raises:
        ServerError: It ended, or accepted no connection within START_TIMEOUT.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryFile("a+", errors="replace") as output,
    ):
        place = Place(free_port(), Path(folder, "socket"), mode)
        command = server.argv(
            mode,
            python=environment.python,
            bin=environment.scripts,
            build=environment.programs,
            certificate=environment.certificate,
            key=environment.key,
            app=app if ":" in app else f"apps:{app}",
            port=place.port,
            socket=place.socket_path,
        )
        process = _start(command, environment.variables(server), core, output)
        try:
            _wait_until_listening(process, place, output)
            yield process.pid, place
        finally:
            _stop(process)


def _start(
    command: Sequence[str], variables: Mapping[str, str], core: int, output: IO[str]
) -> subprocess.Popen[bytes]:
    """Start the process of a server with its output in a file.

    Raises:
        ServerError: There is no such program.
    """
    with pinned(core):
        try:
            return subprocess.Popen(
                command,
                cwd=BENCH,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise ServerError(f"{Path(command[0]).name} is not there") from error


def _wait_until_listening(process: subprocess.Popen[bytes], place: Place, output: IO[str]) -> None:
    """Return when the place accepts a connection; peers have no other sign in common.

    Raises:
        ServerError: The process ended first, or START_TIMEOUT passed.
    """
    deadline = time.monotonic() + START_TIMEOUT
    while not place.is_listened_to():
        if process.poll() is not None:
            raise ServerError(f"did not start (exit {process.returncode}): {_last_line(output)}")
        if time.monotonic() > deadline:
            raise ServerError(f"did not listen within {START_TIMEOUT:g} s: {_last_line(output)}")
        time.sleep(POLL_INTERVAL)


def _last_line(output: IO[str]) -> str:
    """Return the last line with something in it that a server wrote."""
    output.seek(0)
    lines = [line.strip() for line in output.read().splitlines() if line.strip()]
    return lines[-1].replace(f"{BENCH}/", "") if lines else "it wrote nothing"


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a server and whatever of its session is left, by SIGKILL if it takes too long."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
