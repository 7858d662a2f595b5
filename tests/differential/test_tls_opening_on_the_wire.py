"""TLS that is opened wrongly, on real connections: every row says the same, and goes on serving."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.certificates import HOST, Authority
from tests.client import Connection
from tests.conftest import Serve
from tests.differential.edges import mutated
from tests.differential.rounds import examples
from tests.rows import ROWS
from tests.rules.grammar import cut
from tests.server import ServerProcess
from tests.tls.handshake import kinds_of_records
from tests.tls.hellos import TLS_1_2, TLS_1_3

PROXY = b"PROXY TCP4 192.0.2.9 192.0.2.2 9 443\r\n"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
HELLOS = {ssl.TLSVersion.TLSv1_2: TLS_1_2, ssl.TLSVersion.TLSv1_3: TLS_1_3}
PROXIED = ("pure-asyncio", "fast-uvloop")
# What a client has sent before the input: nothing, its hello, a handshake.
NOTHING, HELLO, HANDSHAKE = range(3)


@dataclass(frozen=True)
class Opening:
    """How a client begins.

    Args:
        data: what it sends without encrypting it.
        places: where that is cut into segments.
        behind: what it has sent before: NOTHING, HELLO or HANDSHAKE.
        version: of TLS, at most.
    """

    data: bytes
    places: tuple[int, ...]
    behind: int
    version: ssl.TLSVersion


def _records(kind: int, version: int, content: bytes, size: int) -> bytes:
    return bytes((kind, 3, version)) + size.to_bytes(2, "big") + content


_RECORDS = st.one_of(
    st.builds(
        lambda kind, version, content: _records(kind, version, content, len(content)),
        st.one_of(st.integers(20, 24), st.integers(0, 255)),
        st.integers(0, 4),
        st.one_of(st.binary(max_size=40), st.sampled_from([b"\1", b"\2\0", b"\1\0", b"\1\x5a"])),
    ),
    st.builds(_records, st.integers(20, 23), st.just(3), st.binary(), st.integers(0, 65535)),
)
_STREAMS = st.one_of(
    mutated(st.sampled_from([*HELLOS.values()])),
    st.lists(_RECORDS, min_size=1, max_size=4).map(b"".join),
    st.sampled_from(
        [GET, GET[:7], PROXY, PROXY + GET, b"\x80\x2e\x01" + bytes(45), b"", b"\n" + GET]
    ),
    st.binary(min_size=1, max_size=60),
)


@st.composite
def openings(draw: st.DrawFn) -> Opening:
    """Draw one."""
    data = draw(_STREAMS)
    places = draw(st.lists(st.integers(0, len(data)), max_size=3))
    behind = draw(st.sampled_from((NOTHING, NOTHING, HELLO, HANDSHAKE)))
    return Opening(data, tuple(sorted(places)), behind, draw(st.sampled_from(list(HELLOS))))


def _handshake(client: Connection, context: ssl.SSLContext) -> ssl.SSLObject:
    """Complete one, and read nothing behind it."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    wrapped = context.wrap_bio(incoming, outgoing, server_hostname=HOST)
    while True:
        complete = False
        with suppress(ssl.SSLWantReadError):
            wrapped.do_handshake()
            complete = True
        client.send(outgoing.read())
        if complete:
            return wrapped
        incoming.write(client.read_some())


class Servers:
    """One of each row, and some behind a proxy.

    Args:
        authority: issues their certificate.
        serve: starts them.
    """

    def __init__(self, authority: Authority, serve: Serve) -> None:
        options = (*authority.issue("server").options, "--no-date-header", "--no-access-log")
        rows = [row for row in ROWS if row.missing is None]
        self._running = {(row.id, b""): serve(*options, row=row) for row in rows}
        for row in rows:
            if row.id in PROXIED:
                self._running[row.id, PROXY] = serve("--proxy-protocol", *options, row=row)
        self._authority = authority

    def answers(self, opening: Opening) -> dict[tuple[str, bytes], str]:
        """Return what each has to say to a client."""
        context = self._authority.client()
        context.maximum_version = opening.version
        return {
            row: self._answer(server, row[1], context, opening)
            for row, server in self._running.items()
        }

    def check_all_serve(self) -> None:
        """See that an honest client is served."""
        for (_, header), server in self._running.items():
            with server.connect() as client:
                client.send(header)
                wrapped = _handshake(client, self._authority.client())
                assert not wrapped.pending()
            assert not server.stderr.matching("Traceback|Internal error")

    def _answer(
        self, server: ServerProcess, header: bytes, context: ssl.SSLContext, opening: Opening
    ) -> str:
        answer = b""
        with server.connect() as client:
            with suppress(OSError):  # a server may have reset it
                client.send(header)
                self._begin(client, context, opening)
                for piece in cut(opening.data, list(opening.places)):
                    client.send(piece)
                client.finish_writing()
            with suppress(ConnectionResetError):
                while some := client.read_some():
                    answer += some
        return kinds_of_records(answer)

    def _begin(self, client: Connection, context: ssl.SSLContext, opening: Opening) -> None:
        if opening.behind == HANDSHAKE:
            _handshake(client, context)
        elif opening.behind == HELLO:
            client.send(HELLOS[opening.version])


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory, serve_module: Serve) -> Iterator[Servers]:
    """Return them; at the end they must serve as before."""
    running = Servers(Authority(tmp_path_factory.mktemp("authority")), serve_module)
    yield running
    running.check_all_serve()


@given(openings())
@examples(80)
def test_rows_answer_alike(servers: Servers, opening: Opening) -> None:
    answers = servers.answers(opening)
    assert len({*answers.values()}) == 1, answers
