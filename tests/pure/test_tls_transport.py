"""The byte stream over TLS: what waits for the kernel, what is read ahead, and how it ends."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from esg.errors import RequestRejected
from esg.pure.tls_transport import TLSTransport
from esg.rules.tls_session import TLSSession
from tests.certificates import HOST, Authority

pytestmark = pytest.mark.anyio
BOUND = 60.0


@dataclass
class Ends:
    """The server's end of a connection, and the client's."""

    transport: TLSTransport
    client: ssl.SSLSocket

    async def read(self) -> bytes:
        """Read at the server's end what comes next."""
        with anyio.fail_after(BOUND):
            while (data := self.transport.read_nowait()) is None:
                await self.transport.wait_readable()
        return data


def _connect(folder: Path) -> tuple[TLSTransport, socket.socket, ssl.SSLContext]:
    authority = Authority(folder)
    pair = authority.issue("server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certfile, pair.keyfile)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    wrapped = context.wrap_bio(incoming, outgoing, server_side=True)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()
    client.settimeout(BOUND)
    return (
        TLSTransport(accepted, TLSSession(wrapped, incoming, outgoing)),
        client,
        authority.client(),
    )


@pytest.fixture
async def ends(anyio_backend: object, tmp_path: Path) -> AsyncIterator[Ends]:
    transport, client, context = _connect(tmp_path)
    assert (transport.scheme, transport.opening) == ("https", True)

    async def shake() -> None:
        with anyio.fail_after(BOUND):
            while transport.opening:
                assert transport.read_nowait() is None
                if transport.opening:
                    await transport.wait_readable()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(shake)
        wrapped = await anyio.to_thread.run_sync(
            lambda: context.wrap_socket(client, server_hostname=HOST, suppress_ragged_eofs=False)
        )
    with wrapped:
        yield Ends(transport, wrapped)
    transport.close()


async def test_bytes_go_both_ways(ends: Ends) -> None:
    ends.client.sendall(b"question")
    assert await ends.read() == b"question"
    assert ends.transport.write_nowait(b"answer") is None
    assert ends.client.recv(100) == b"answer"
    assert ends.transport.ssl_object.version() == ends.client.version()


async def test_what_the_kernel_does_not_take_is_left(ends: Ends) -> None:
    transport = ends.transport
    data = bytes(range(256)) * 4096 * 16
    rest = transport.write_nowait(data)
    assert rest is not None
    assert len(rest) < len(data)
    taken = bytearray()

    def take() -> None:
        while len(taken) < len(data):
            taken.extend(ends.client.recv(65536))

    with anyio.fail_after(BOUND):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.to_thread.run_sync, take)
            while rest is not None:
                await transport.wait_writable()
                rest = transport.write_nowait(rest)
    assert taken == data


async def test_a_rest_of_ciphertext_alone_is_empty_but_left(ends: Ends) -> None:
    """Else a writer would believe that the kernel has everything."""
    transport = ends.transport
    while (rest := transport.write_nowait(bytes(16384))) is None:
        pass
    assert len(rest) == 0 or transport.write_nowait(rest) is not None
    assert transport.write_nowait(b"") is not None


async def test_the_end_is_seen_ahead_and_read_once_more(ends: Ends) -> None:
    transport = ends.transport
    assert not transport.at_eof()
    ends.client.sendall(b"before")
    assert await ends.read() == b"before"
    ends.client.sendall(b"last")
    with anyio.fail_after(BOUND):
        await transport.wait_readable()
    assert not transport.at_eof()
    assert not transport.at_eof()
    with anyio.fail_after(BOUND):
        await transport.wait_readable()  # there is something: it was read ahead
    assert transport.read_nowait() == b"last"
    ends.client.settimeout(0.05)
    with pytest.raises(TimeoutError):
        ends.client.unwrap()  # its alert goes out; ours does not come
    with anyio.fail_after(BOUND):
        while not transport.at_eof():
            await transport.wait_readable()
    assert await ends.read() == b""
    assert transport.write_nowait(b"still answered") is None


async def test_a_reader_is_woken_by_what_was_read_ahead(ends: Ends) -> None:
    read = []

    async def wait() -> None:
        read.append(await ends.read())

    with anyio.fail_after(BOUND):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            ends.client.sendall(b"data")
            while not read and ends.transport._ahead is None:
                assert not ends.transport.at_eof()
    assert read == [b"data"]


async def test_our_end_of_writing_is_an_alert_and_a_fin(ends: Ends) -> None:
    assert ends.transport.write_nowait(b"bye") is None
    ends.transport.finish_writing()
    assert ends.client.recv(100) == b"bye"
    assert ends.client.recv(100) == b""
    ends.client.sendall(b"late")
    assert await ends.read() != b"late"  # ciphertext, to be thrown away
    ends.transport.close()
    ends.transport.close()


async def test_close_says_so(ends: Ends) -> None:
    ends.transport.close()
    assert ends.client.recv(100) == b""


async def test_abort_does_not_say_that_this_is_all(ends: Ends) -> None:
    assert ends.transport.write_nowait(b"part") is None
    assert ends.client.recv(100) == b"part"
    ends.transport.abort()
    with socket.socket(fileno=ends.client.detach()) as below:
        below.settimeout(BOUND)
        with pytest.raises(ConnectionResetError):
            below.recv(100)


async def test_a_client_without_closure_alert_is_lost(ends: Ends) -> None:
    with socket.socket(fileno=ends.client.detach()) as below:
        below.shutdown(socket.SHUT_WR)
        with anyio.fail_after(BOUND):
            await ends.transport.wait_readable()
        assert ends.transport.at_eof()
        with pytest.raises(ConnectionAbortedError, match="closure alert"):
            ends.transport.read_nowait()


async def test_nothing_is_read_behind_what_breaks_tls(ends: Ends) -> None:
    """Whoever can write into the connection could else go on in plaintext."""
    raised = []

    async def wait() -> None:
        with pytest.raises(ssl.SSLError) as caught:
            await ends.read()
        raised.append(caught.value)

    with socket.socket(fileno=ends.client.detach()) as below:
        with anyio.fail_after(BOUND):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(wait)
                await anyio.wait_all_tasks_blocked()
                below.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
                while not raised and not ends.transport.at_eof():
                    pass
        below.sendall(b"plaintext")
        for _ in range(2):
            with pytest.raises(ssl.SSLError):
                await ends.read()


async def test_answers_of_tls_that_nobody_reads_are_bounded(ends: Ends) -> None:
    transport = ends.transport
    while transport.write_nowait(bytes(65536)) is None:
        pass
    for _ in range(5):
        transport._session.write(bytes(65536))
    with pytest.raises(ConnectionAbortedError, match="does not read"):
        transport.write_nowait(b"")


async def test_plain_http_is_rejected(anyio_backend: object, tmp_path: Path) -> None:
    transport, client, _ = _connect(tmp_path)
    with client:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with anyio.fail_after(BOUND):
            await transport.wait_readable()
        with pytest.raises(RequestRejected):
            transport.read_nowait()
        assert transport.write_nowait(b"HTTP/1.1 400 Bad Request\r\n\r\n") is None
        transport.finish_writing()
        assert client.recv(100).startswith(b"HTTP/1.1 400")
    transport.close()
