"""A client opens TLS: what it sends in the clear, within its handshake, or behind it.

Whole or cut, the same comes of it, by either twin. What has not been encrypted reaches no application;
what has been is answered as if there were no TLS.
"""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from esg.asgi import Receive, Scope, Send
from esg.errors import RequestRejected, TLSHandshakeFailed
from esg.tls.server_tls import ServerTLS
from tests.certificates import HOST, Authority
from tests.fuzzing.fast_connection import Call, FastConnection, FastServer
from tests.fuzzing.given import Given
from tests.fuzzing.scripted import ScriptedTransport
from tests.fuzzing.targets.connection_faults import IMPATIENT
from tests.fuzzing.targets.http_connection import BEHAVIOURS, Behaviour, told
from tests.rules.twins import find_twins
from tests.tls.handshake import config_of, kinds_of_records

TWINS = find_twins("tls_session")
PROXY = b"PROXY TCP4 192.0.2.9 192.0.2.2 9 443\r\n"
Event = Callable[[FastServer, ScriptedTransport], object]


def _material() -> tuple[ServerTLS, list[ssl.SSLContext]]:
    """Return a server's TLS, and clients' of each version."""
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(Path(folder))
        clients = [authority.client(), authority.client()]
        clients[1].maximum_version = ssl.TLSVersion.TLSv1_2
        return ServerTLS(config_of(authority.issue("server"))), clients


SERVER_TLS, CONTEXTS = _material()


@cache
def _server(tls: bool, proxied: bool) -> FastServer:
    settings = {"proxy_protocol": True, "forwarded_allow_ips": "*"} if proxied else {}
    return FastServer(SERVER_TLS if tls else None, ws="none", **settings, **IMPATIENT)


def _fin(host: FastServer, transport: ScriptedTransport) -> None:
    transport.receive_eof()


def _reset(host: FastServer, transport: ScriptedTransport) -> None:
    transport.lose()


def _expire(host: FastServer, transport: ScriptedTransport) -> None:
    host.sweep()


def _stop(host: FastServer, transport: ScriptedTransport) -> None:
    _server.cache_clear()  # it serves nobody any more
    host.stop()


EVENTS: tuple[Event, ...] = (_fin, _reset, _expire, _stop)


class Client:
    """One that can speak TLS.

    Args:
        context: of its TLS.
        transport: of its connection.
        run: has the server do what is to be done.

    Attributes:
        answers: what came encrypted.
        is_closed: a closure alert ended it.
    """

    def __init__(
        self, context: ssl.SSLContext, transport: ScriptedTransport, run: Callable[[], None]
    ) -> None:
        self._transport = transport
        self._run = run
        self._read = 0
        self.answers = bytearray()
        self.is_closed = False
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=HOST)

    def bring(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._transport.receive(data)
        self._run()
        self._incoming.write(self._transport.written[self._read :])
        self._read = len(self._transport.written)

    def say_hello(self) -> None:
        """Send the beginning of a handshake."""
        with suppress(ssl.SSLWantReadError):
            self._tls.do_handshake()
        self.bring(self._outgoing.read())

    def shake_hands(self) -> None:
        """Send what completes it."""
        with suppress(ssl.SSLWantReadError):  # TLS 1.2 takes one round trip more
            self._tls.do_handshake()
        self.bring(self._outgoing.read())
        self._tls.do_handshake()

    def send(self, data: bytes) -> None:
        """Send bytes, encrypted."""
        if data:
            self._tls.write(data)
            self._bring_made()

    def finish(self) -> None:
        """Send a closure alert."""
        with suppress(ssl.SSLWantReadError):  # the server's own comes later
            self._tls.unwrap()
        self._bring_made()

    def _bring_made(self) -> None:
        self.bring(self._outgoing.read())
        with suppress(ssl.SSLWantReadError):
            while data := self._some():
                self.answers += data
            self.is_closed = True

    def _some(self) -> bytes:
        """Return what comes next, b"" for a closure alert."""
        try:
            return self._tls.read(65_536)
        except ssl.SSLZeroReturnError:  # so it is said to those who have sent their own
            return b""


@dataclass(frozen=True)
class Opening:
    """How a connection begins.

    Args:
        proxied: with a PROXY header.
        context: of the client.
        begin: what the client does before it sends the input.
    """

    proxied: bool
    context: ssl.SSLContext
    begin: Callable[[Client], None]

    @contextmanager
    def played(self, connection: FastConnection, host: FastServer) -> Iterator[Client]:
        """Begin; see at the end that nothing is left."""
        with connection.playing() as transport:
            client = Client(self.context, transport, host.loop.run)
            if self.proxied:
                client.bring(PROXY)
            self.begin(client)
            yield client


def _nothing(_client: Client) -> None: ...


def _handshake(client: Client) -> None:
    client.say_hello()
    client.shake_hands()


def check(given: Given) -> None:
    """Open a connection twice: whole, and cut."""
    begin = given.one_of((None, _nothing, Client.say_hello, _handshake))
    opening = Opening(given.one_of((False, True)), given.one_of(CONTEXTS), begin or _handshake)
    if begin is None:
        behaviour = given.one_of(BEHAVIOURS)
        due = _plain(given.stream, behaviour)
        assert _encrypted(opening, [given.stream], behaviour) == due
        assert _encrypted(opening, given.pieces, behaviour) == due
        return
    event = given.one_of(EVENTS)
    whole = _clear(opening, [given.stream], event)
    assert _clear(opening, given.pieces, event) == whole
    if begin is _nothing:
        verdict = _verdict(TWINS["interpreted"], [given.stream])
        for rule in TWINS.values():
            assert _verdict(rule, given.pieces) == verdict
        assert (verdict == "plain") == whole[0].startswith("HTTP/1.1 400")


def _encrypted(opening: Opening, pieces: list[bytes], behaviour: Behaviour) -> Any:
    """Return what was answered, how it ended, and what the application has seen."""
    host = _server(True, opening.proxied)
    connection = FastConnection(host, _app(behaviour))
    with opening.played(connection, host) as client:
        for piece in pieces:
            client.send(piece)
        client.finish()
        _leave(host, connection.transport)
    assert client.is_closed == (connection.transport.end == "FIN")
    return bytes(client.answers), connection.transport.end, _seen(connection)


def _plain(stream: bytes, behaviour: Behaviour) -> Any:
    """Return the same without TLS."""
    host = _server(False, False)
    connection = FastConnection(host, _app(behaviour))
    with connection.playing() as transport:
        transport.receive(stream)
        host.loop.run()
        _leave(host, transport)
    return bytes(transport.written), transport.end, _seen(connection)


def _leave(host: FastServer, transport: ScriptedTransport) -> None:
    transport.receive_eof()
    host.loop.run()
    if not transport.is_closing():  # it lingers, or waits for no one
        transport.lose()


def _app(behaviour: Behaviour) -> Callable[..., Any]:
    async def app(seen: Call, scope: Scope, receive: Receive, send: Send) -> None:
        await behaviour(receive, send)

    return app


def _seen(connection: FastConnection) -> list[Any]:
    # Who its peers are, TLS and a proxy say.
    kept = ("method", "raw_path", "query_string", "headers", "http_version")
    return [([call.scope[k] for k in kept], told(call)) for call in connection.calls]


def _clear(opening: Opening, pieces: list[bytes], event: Event) -> Any:
    """Return what the server wrote, by its kind, and how it ended."""
    host = _server(True, opening.proxied)
    connection = FastConnection(host, _app(BEHAVIOURS[0]))
    with opening.played(connection, host) as client:
        for piece in pieces:
            client.bring(piece)
        transport = connection.transport
        event(host, transport)
        host.loop.run()
        ended = transport.end
        transport.lose()
        host.loop.run()
        host.end()
    assert not connection.calls
    return kinds_of_records(bytes(transport.written)), ended


def _verdict(rule: ModuleType, pieces: list[bytes]) -> str:
    """Return what a session makes of what a client sends at its beginning."""
    session = rule.TLSSession(*SERVER_TLS.wrap())
    try:
        for piece in pieces:
            if piece:
                session.receive(piece)
            assert session.read_into(bytearray(rule.RECORD_SIZE)) == rule.NOTHING
    except RequestRejected:
        return "plain"
    except TLSHandshakeFailed as error:
        return f"failed: {error}"
    except OSError as error:
        return type(error).__name__
    assert session.state == rule.HANDSHAKE
    return "waits"
