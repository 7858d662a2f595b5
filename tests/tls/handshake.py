"""Handshakes in memory."""

from __future__ import annotations

import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

from esg.config import Config
from esg.tls.server_tls import ServerTLS
from tests.certificates import HOST, Pair


def config_of(pair: Pair | None, **settings: Any) -> Config:
    """Return a configuration with a certificate; paths may be given as such."""
    if pair is not None:
        settings = {"ssl_certfile": pair.certfile, "ssl_keyfile": pair.keyfile} | settings
    given: dict[str, Any] = {n: str(v) if isinstance(v, Path) else v for n, v in settings.items()}
    return Config("example:app", **given)


def shake_hands(
    tls: ServerTLS,
    client: ssl.SSLContext,
    name: str | None = HOST,
    session: ssl.SSLSession | None = None,
) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """Return the two ends of a connection, the server's first, after their handshake.

    Raises:
        ssl.SSLError: one of them refuses.
    """
    server_end, to_server, from_server = tls.wrap()
    to_client, from_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client_end = client.wrap_bio(to_client, from_client, server_hostname=name, session=session)
    ends = (client_end, server_end)
    waiting = True
    while waiting or from_client.pending or from_server.pending:
        to_server.write(from_client.read())
        to_client.write(from_server.read())
        complete = [_goes_on(end) for end in ends]
        waiting = not all(complete)
    to_client.write(from_server.read())
    _read_tickets(client_end)
    return server_end, client_end


def hello(name: str) -> bytes:
    """Return the first that a client sends which asks for a name."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname=name).do_handshake()
    return outgoing.read()


def kinds_of_records(written: bytes) -> str:
    """Say what a server has written, but for what is random in it.

    Args:
        written: records of TLS, or an answer in plain HTTP, which is returned as it is.

    Raises:
        AssertionError: it is neither, or ends within a record.
    """
    if not written.startswith((b"\x14", b"\x15", b"\x16", b"\x17")):
        assert not written or written.startswith(b"HTTP/1.1 400 ")
        return written.decode("ascii")
    kinds = []
    while written:
        size = int.from_bytes(written[3:5], "big")
        record, written = written[: 5 + size], written[5 + size :]
        assert len(record) == 5 + size, "part of a record"
        # Two bytes are an alert that is not encrypted, or random in nothing.
        kinds.append(f"{record[0]} {record[5:].hex()}" if size == 2 else str(record[0]))
    return ", ".join(kinds)


def _read_tickets(client_end: ssl.SSLObject) -> None:
    """Take the session tickets, which come behind the handshake of TLS 1.3."""
    with suppress(ssl.SSLWantReadError):
        client_end.read(1)


def _goes_on(end: ssl.SSLObject) -> bool:
    """Continue a handshake; tell whether it is complete at this end."""
    try:
        end.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True
