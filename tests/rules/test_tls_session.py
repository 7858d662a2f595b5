"""TLS of one connection: handshake, records, closure alerts, and clients that speak no TLS."""

from __future__ import annotations

import ssl
import tempfile
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from esg.errors import RequestRejected, TLSHandshakeFailed
from tests.certificates import HOST, Authority
from tests.rules.twins import rule

tls_session = rule("tls_session")

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return those of a client and of a server that it trusts."""
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(Path(folder))
        pair = authority.issue("server")
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(pair.certfile, pair.keyfile)
        return authority.client(), server


class Client:
    """The other end of a session, without a network between."""

    def __init__(self, tls_session: ModuleType, version: ssl.TLSVersion | None = None) -> None:
        context, server = contexts()
        if version is not None:
            server.maximum_version = version
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        wrapped = server.wrap_bio(incoming, outgoing, server_side=True)
        self.session = tls_session.TLSSession(wrapped, incoming, outgoing)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=HOST)

    def shake(self) -> None:
        """Go through the handshake."""
        done = False
        while not done:
            with suppress(ssl.SSLWantReadError):
                self.tls.do_handshake()
                done = True
            if flight := self.outgoing.read():
                self.session.receive(flight)
                assert self.read() == []
            self.take()

    def take(self) -> int:
        """Take what the session has for the client; return how much that is."""
        made = self.session.data_to_send()
        if made:
            self.incoming.write(made)
        return len(made)

    def send(self, data: bytes) -> None:
        """Encrypt, and hand over to the session."""
        view = memoryview(data)
        while view:
            view = view[self.tls.write(view) :]
        self.session.receive(self.outgoing.read())

    def read(self) -> list[bytes]:
        """Return what the session has decrypted, a piece for each read; b"" for the end."""
        pieces = []
        while (count := self.session.read_into(buffer := bytearray(16384))) > 0:
            pieces.append(bytes(buffer[:count]))
        return [*pieces, b""] if count == 0 else pieces


@pytest.fixture(params=VERSIONS, ids=lambda version: version.name)
def client(tls_session: ModuleType, request: pytest.FixtureRequest) -> Client:
    """Return a client whose handshake is over."""
    shaken = Client(tls_session, request.param)
    assert shaken.session.state == tls_session.HANDSHAKE
    shaken.shake()
    assert shaken.session.state == tls_session.OPEN
    return shaken


def test_plaintext_goes_both_ways(client: Client) -> None:
    client.send(b"ping")
    assert client.read() == [b"ping"]
    client.session.write(b"pong")
    client.take()
    assert client.tls.read(100) == b"pong"


def test_large_data_is_several_records(client: Client) -> None:
    data = bytes(range(256)) * 256
    client.send(data)
    assert client.session.has_more()
    pieces = client.read()
    assert not client.session.has_more()
    assert len(pieces) == 4
    assert b"".join(pieces) == data
    client.session.write(memoryview(data))
    assert client.take() > len(data)
    assert b"".join(client.tls.read(16384) for _ in range(4)) == data


def test_nothing_is_written_for_nothing(client: Client) -> None:
    client.session.write(b"")
    assert client.session.data_to_send() == b""


def test_a_record_that_comes_byte_by_byte(client: Client, tls_session: ModuleType) -> None:
    client.tls.write(b"slowly")
    ciphertext = client.outgoing.read()
    for index in range(len(ciphertext) - 1):
        client.session.receive(ciphertext[index : index + 1])
        assert client.session.read_into(bytearray(16384)) == tls_session.NOTHING
    client.session.receive(ciphertext[-1:])
    assert client.read() == [b"slowly"]


def test_a_closure_alert_ends_input_and_no_more(client: Client, tls_session: ModuleType) -> None:
    client.tls.write(b"last")
    with suppress(ssl.SSLError):
        client.tls.unwrap()
    client.session.receive(client.outgoing.read())
    assert client.read() == [b"last", b""]
    client.session.receive(b"")  # the FIN behind it changes nothing
    assert client.session.read_into(bytearray(16384)) == tls_session.END
    client.session.write(b"answer")
    client.take()
    assert client.tls.read(100) == b"answer"


def test_a_fin_without_closure_alert_is_a_loss(client: Client, tls_session: ModuleType) -> None:
    client.session.receive(b"")
    with pytest.raises(ConnectionAbortedError, match="without a closure alert"):
        client.read()
    assert client.session.state == tls_session.OVER
    with pytest.raises(OSError, match="not spoken"):
        client.session.write(b"never in the clear")
    assert b"clear" not in client.session.data_to_send()


def test_a_broken_record_is_a_loss(client: Client, tls_session: ModuleType) -> None:
    client.tls.write(b"hello")
    ciphertext = bytearray(client.outgoing.read())
    ciphertext[-1] ^= 1
    client.session.receive(ciphertext)
    with pytest.raises(ssl.SSLError, match=r"(?i)mac|record layer"):
        client.read()
    assert client.session.state == tls_session.OVER
    assert client.session.data_to_send(), "an alert"


def test_our_end_is_a_closure_alert(client: Client, tls_session: ModuleType) -> None:
    client.session.write(b"bye")
    client.session.finish()
    client.session.finish()
    assert client.session.state == tls_session.OVER
    client.take()
    assert [client.tls.read(100), client.tls.read(100)] == [b"bye", b""]
    with pytest.raises(OSError, match="not spoken"):
        client.session.write(b"never in the clear")


def test_our_end_behind_the_clients(client: Client) -> None:
    with suppress(ssl.SSLError):
        client.tls.unwrap()
    client.session.receive(client.outgoing.read())
    assert client.read() == [b""]
    client.session.finish()
    client.take()
    with pytest.raises(ssl.SSLZeroReturnError):
        client.tls.read(100)


@pytest.mark.parametrize("first", [b"GET / HTTP/1.1\r\n", b"p", b"SSH-2.0"])
def test_plain_http_is_rejected_in_plain_text(tls_session: ModuleType, first: bytes) -> None:
    session = Client(tls_session).session
    with pytest.raises(RequestRejected, match="plain HTTP") as caught:
        session.receive(first)
    assert caught.value.status == 400
    assert session.state == tls_session.PLAIN
    session.write(b"HTTP/1.1 400 Bad Request")
    assert session.data_to_send() == b"HTTP/1.1 400 Bad Request"
    session.finish()
    assert session.data_to_send() == b""


def test_letters_later_in_the_handshake_are_none(tls_session: ModuleType) -> None:
    session = Client(tls_session).session
    session.receive(b"\x16")
    session.receive(b"GET / HTTP/1.1\r\n")
    with pytest.raises(TLSHandshakeFailed, match="wrong version number"):
        session.read_into(bytearray(16384))


def test_a_handshake_that_cannot_succeed(tls_session: ModuleType) -> None:
    client = Client(tls_session)
    session = client.session
    with suppress(ssl.SSLWantReadError):
        client.tls.do_handshake()
    session.receive(client.outgoing.read())
    assert session.read_into(bytearray(16384)) == tls_session.NOTHING
    session.receive(b"\x15\x03\x03\x00\x02\x02\x30")  # fatal: unknown_ca
    with pytest.raises(TLSHandshakeFailed, match="alert unknown ca"):
        session.read_into(bytearray(16384))
    assert session.state == tls_session.OVER
    session.finish()


def test_a_client_that_leaves_the_handshake(tls_session: ModuleType) -> None:
    session = Client(tls_session).session
    session.receive(b"\x16\x03\x01")
    assert session.read_into(bytearray(16384)) == tls_session.NOTHING
    session.receive(b"")
    with pytest.raises(ConnectionAbortedError):
        session.read_into(bytearray(16384))


def test_nothing_is_written_before_the_handshake_is_over(tls_session: ModuleType) -> None:
    session = Client(tls_session).session
    with pytest.raises(OSError, match="not spoken"):
        session.write(b"too early")
    session.finish()
    assert session.data_to_send() == b""


class Refusing:
    """An SSL object whose handshake fails with an error."""

    def __init__(self, error: OSError) -> None:
        self.error = error

    def do_handshake(self) -> None:
        raise self.error


def error(reason: str | None, verdict: str | None = None) -> Any:
    made: Any = ssl.SSLError(1, "[SSL] words (_ssl.c:1)")
    made.reason = reason
    if verdict:
        made.verify_message = verdict
    return made


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (error("NO_SHARED_CIPHER"), "no shared cipher"),
        (error("CERTIFICATE_VERIFY_FAILED", "self-signed"), "certificate verify failed: self-sig"),
        (error(None), r"\[ssl\] words"),
    ],
)
def test_the_reason_is_said_in_openssls_words(
    tls_session: ModuleType, failure: OSError, said: str
) -> None:
    bio = ssl.MemoryBIO()
    session = tls_session.TLSSession(Refusing(failure), bio, ssl.MemoryBIO())
    with pytest.raises(TLSHandshakeFailed, match=said):
        session.read_into(bytearray(16384))
