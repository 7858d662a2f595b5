"""The byte stream: what is done at once, what waits, and how waiting ends."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator

import anyio
import pytest

from esg.pure.transport import SocketTransport

pytestmark = pytest.mark.anyio
BOUND = 60.0


@pytest.fixture
async def ends(anyio_backend: object) -> AsyncIterator[tuple[SocketTransport, socket.socket]]:
    """Return the server's end of a connection, and the client's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()
    transport = SocketTransport(accepted)
    with client:
        client.settimeout(BOUND)
        yield transport, client
    transport.close()


Ends = tuple[SocketTransport, socket.socket]


async def test_knows_both_ends(ends: Ends) -> None:
    transport, client = ends
    assert transport.client == client.getsockname()
    assert transport.server == client.getpeername()


async def test_unix_ends_have_no_port(tmp_path: object) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        transport = SocketTransport(ours)
        assert transport.client is None
        assert transport.server is None
        transport.close()


async def test_reads_what_is_there(ends: Ends) -> None:
    transport, client = ends
    assert transport.read_nowait() is None
    client.sendall(b"data")
    with anyio.fail_after(BOUND):
        await transport.wait_readable()
    assert transport.read_nowait() == b"data"
    client.shutdown(socket.SHUT_WR)
    with anyio.fail_after(BOUND):
        await transport.wait_readable()
    assert transport.read_nowait() == b""


async def test_a_reset_is_an_error(ends: Ends) -> None:
    transport, client = ends
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()
    with anyio.fail_after(BOUND):
        await transport.wait_readable()
    with pytest.raises(ConnectionResetError):
        transport.read_nowait()


async def test_wake_ends_a_wait_for_reading(ends: Ends) -> None:
    transport, _ = ends
    woken = anyio.Event()

    async def wait() -> None:
        await transport.wait_readable()
        woken.set()

    with anyio.fail_after(BOUND):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            assert not woken.is_set()
            transport.wake()
            await woken.wait()


async def test_close_ends_a_wait(ends: Ends) -> None:
    transport, _ = ends
    with anyio.fail_after(BOUND):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(transport.wait_readable)
            await anyio.wait_all_tasks_blocked()
            transport.close()


async def test_close_delivers_what_was_written(ends: Ends) -> None:
    transport, client = ends
    assert transport.write_nowait(b"last words") is None
    transport.close()
    transport.close()
    assert client.recv(100) == b"last words"
    assert client.recv(100) == b""


async def test_abort_resets(ends: Ends) -> None:
    transport, client = ends
    transport.abort()
    with pytest.raises(ConnectionResetError):
        client.recv(100)


async def test_at_eof_looks_without_reading(ends: Ends) -> None:
    transport, client = ends
    assert not transport.at_eof()
    client.sendall(b"x")
    with anyio.fail_after(BOUND):
        await transport.wait_readable()
    assert not transport.at_eof()
    assert transport.read_nowait() == b"x"
    client.shutdown(socket.SHUT_WR)
    with anyio.fail_after(BOUND):
        await transport.wait_readable()
    assert transport.at_eof()


async def test_finish_writing_goes_on_reading(ends: Ends) -> None:
    transport, client = ends
    transport.finish_writing()
    assert client.recv(100) == b""
    client.sendall(b"still")
    with anyio.fail_after(BOUND):
        await transport.wait_readable()
    assert transport.read_nowait() == b"still"


async def test_ends_that_are_gone_are_no_error(ends: Ends) -> None:
    transport, client = ends
    transport.abort()
    transport.finish_writing()
    transport.wake()
    assert transport.at_eof()
    assert client.fileno() >= 0
