"""TLS of real servers, on every row: their options, certificates that change, who is let in."""

from __future__ import annotations

import json
import signal
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.certificates import Authority, Pair, encrypted
from tests.client import Connection
from tests.conftest import Serve
from tests.rows import Row
from tests.server import ServerProcess, run_esg
from tests.tls.handshake import hello
from tests.websocket_client import WebSocket

APP = "tests.apps.tls_scope:app"
SWAPS = 20


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def pair(authority: Authority) -> Pair:
    return authority.issue("server")


@pytest.fixture(scope="module")
def named(authority: Authority) -> Pair:
    return authority.issue("named", "*.example.org")


@pytest.fixture(scope="module")
def server(
    row: Row, serve_module: Serve, authority: Authority, pair: Pair, named: Pair
) -> ServerProcess:
    """Return a server of each row that takes certificates of clients and has two of its own."""
    return serve_module(
        *pair.options,
        *("--ssl-ca-certs", str(authority.file), "--ssl-cert-reqs", "optional"),
        *("--ssl-sni", f"*.example.org={named.certfile},{named.keyfile}"),
        app=APP,
        row=row,
    )


def said(connection: Connection) -> dict[str, Any]:
    """Return what the scope of a request says of TLS."""
    shown: dict[str, Any] = json.loads(connection.get("/").body)
    return shown


def test_https_is_listening(server: ServerProcess) -> None:
    assert server.url.startswith("https://")


def test_scope(server: ServerProcess, authority: Authority, pair: Pair) -> None:
    with server.connect(tls=authority.client()) as client:
        found = said(client)
        assert found["scheme"] == "https"
        assert found["tls"].pop("cipher_suite") in {0x1301, 0x1302, 0x1303}
        assert found["tls"] == {
            "server_cert": pair.leaf,
            "client_cert_chain": [],
            "client_cert_name": None,
            "client_cert_error": None,
            "tls_version": 0x0304,
        }
        again = said(client)["tls"]
        assert again.pop("cipher_suite")
        assert again == found["tls"]


def test_scope_of_a_client_with_a_certificate(server: ServerProcess, authority: Authority) -> None:
    mine = authority.issue(
        "client", "me@example.org", issuer=authority.ca.create_child_ca(), common_name="Ä, me"
    )
    with server.connect(tls=authority.client(mine)) as client:
        found = said(client)["tls"]
    assert found["client_cert_chain"][0] == mine.leaf
    assert "".join(found["client_cert_chain"]) == mine.certfile.read_text()
    assert found["client_cert_name"].startswith(r"CN=Ä\, me,")


def test_scope_of_a_websocket(server: ServerProcess, authority: Authority, pair: Pair) -> None:
    with WebSocket(server.address, tls=authority.client()) as client:
        client.open("/")
        found = json.loads(client.next_text())
        assert found["scheme"] == "wss"
        assert found["tls"]["server_cert"] == pair.leaf
        assert found["tls"]["tls_version"] == 0x0304


def test_tls_1_2_in_the_scope(server: ServerProcess, authority: Authority) -> None:
    context = authority.client()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    with server.connect(tls=context) as client:
        found = said(client)["tls"]
    assert (found["tls_version"], found["cipher_suite"]) == (0x0303, 0xC02B)


def test_the_name_that_a_client_asks_for_chooses_the_certificate(
    server: ServerProcess, authority: Authority, pair: Pair, named: Pair
) -> None:
    for name, expected in (
        ("localhost", pair),
        ("a.example.org", named),
        ("B.EXAMPLE.org", named),
    ):
        with server.connect(tls=authority.client(), server_name=name) as client:
            assert client.certificate == expected.leaf
            assert said(client)["tls"]["server_cert"] == expected.leaf
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        server.connect(tls=authority.client(), server_name="example.org")


def test_a_name_that_is_no_ascii(server: ServerProcess, authority: Authority) -> None:
    """The server's end looks for tracebacks in what it has written."""
    with server.connect() as client:
        client.send(hello("abc.example.org").replace(b"abc", b"\xff\xfe\xfd"))
        assert client.read_to_end()[:1] == b"\x15"  # an alert
    with server.connect(tls=authority.client()) as client:
        assert client.get("/").status == 200


def test_a_certificate_that_nobody_vouches_for_is_refused(
    server: ServerProcess, authority: Authority, tmp_path: Path
) -> None:
    context = authority.client(Authority(tmp_path).issue("client", "me@example.org"))
    with pytest.raises((ssl.SSLError, ConnectionError)), server.connect(tls=context) as client:
        client.get("/")
    with server.connect(tls=authority.client()) as client:
        assert client.get("/").status == 200


def test_a_client_may_have_to_show_a_certificate(
    row: Row, serve: Serve, authority: Authority, pair: Pair
) -> None:
    server = serve(
        *pair.options,
        *("--ssl-ca-certs", str(authority.file), "--ssl-cert-reqs", "required"),
        app=APP,
        row=row,
    )
    with (
        pytest.raises((ssl.SSLError, ConnectionError)),
        server.connect(tls=authority.client()) as client,
    ):
        client.get("/")
    mine = authority.issue("client", "me@example.org")
    with server.connect(tls=authority.client(mine)) as client:
        assert said(client)["tls"]["client_cert_chain"]


class Load(threading.Thread):
    """Ask for something over one connection after the other, two requests on each.

    Args:
        server: whom to ask.
        context: of the clients.
    """

    def __init__(self, server: ServerProcess, context: ssl.SSLContext) -> None:
        super().__init__(daemon=True)
        self._server = server
        self._context = context
        self._enough = threading.Event()
        self._progress = threading.Condition()
        self.failures: list[Exception] = []
        self.seen: list[str] = []

    def run(self) -> None:
        """Ask until it is enough."""
        while not self._enough.is_set():
            try:
                with self._server.connect(tls=self._context) as client:
                    shown = {client.certificate}
                    shown |= {said(client)["tls"]["server_cert"] for _ in range(2)}
                    (certificate,) = shown
            except Exception as failure:
                self.failures.append(failure)
                certificate = ""
            with self._progress:
                self.seen.append(certificate)
                self._progress.notify_all()

    def wait_for(self, certificate: str) -> None:
        """Wait until a client has seen a certificate."""
        with self._progress:
            assert self._progress.wait_for(lambda: certificate in self.seen, 60)

    def stop(self) -> None:
        """Ask no more."""
        self._enough.set()
        self.join(60)


@pytest.fixture
def own_authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def load(row: Row, serve: Serve, own_authority: Authority) -> Iterator[tuple[Load, ServerProcess]]:
    """Return what asks a server whose certificate is "server" of `own_authority`."""
    pair = own_authority.issue("server")
    patient = ("--timeout-keep-alive", "600", "--timeout-headers", "600")
    server = serve(*pair.options, *patient, "--no-access-log", app=APP, row=row)
    asking = Load(server, own_authority.client())
    asking.start()
    yield asking, server
    asking.stop()


def test_certificates_change_under_load(
    load: tuple[Load, ServerProcess], own_authority: Authority
) -> None:
    """Not all of those in between are seen, the last one is; and nobody is turned away."""
    asking, server = load
    with server.connect(tls=own_authority.client()) as kept:
        first = said(kept)["tls"]["server_cert"]
        made = [own_authority.issue("server").leaf for _ in range(SWAPS)]
        asking.wait_for(made[-1])
        assert said(kept)["tls"]["server_cert"] == first
    asking.stop()
    assert asking.failures == []
    assert server.stop() == 0
    assert server.stderr.matching("INFO: +Certificates reloaded")


def test_certificates_change_at_once_when_asked(
    load: tuple[Load, ServerProcess], own_authority: Authority
) -> None:
    asking, server = load
    for count in range(1, SWAPS + 1):
        made = own_authority.issue("server")
        server.send_signal(signal.SIGHUP)
        server.stderr.wait_for("Certificates reloaded", count)
        asking.wait_for(made.leaf)
    asking.stop()
    assert asking.failures == []


def test_bad_certificates_leave_the_old_ones(
    load: tuple[Load, ServerProcess], own_authority: Authority
) -> None:
    asking, server = load
    keyfile = own_authority.folder / "server.key"
    keyfile.write_text("nonsense")
    server.send_signal(signal.SIGHUP)
    reason = "there is no private key in PEM in it"
    server.stderr.wait_for(f"ERROR: .* those of before stay: .*{keyfile}: {reason}$")
    with server.connect(tls=own_authority.client()) as client:
        assert client.get("/").status == 200
    made = own_authority.issue("server")
    asking.wait_for(made.leaf)
    asking.stop()
    assert asking.failures == []


def test_faults_are_found_before_serving(pair: Pair, tmp_path: Path) -> None:
    wrong = (
        "--ssl-ciphers",
        "NONSENSE",
        "--ssl-sni",
        f"example.org={tmp_path}/none,{pair.keyfile}",
    )
    expected = [
        "esg: ssl_ciphers (--ssl-ciphers) NONSENSE: OpenSSL has no such cipher suite of TLS 1.2",
        f"esg: ssl_sni (--ssl-sni) example.org: {tmp_path}/none: No such file or directory",
    ]
    for check in ((), ("--check-config",)):
        ended = run_esg(*pair.options, *wrong, *check, APP)
        assert ended.returncode == 3
        assert ended.stderr.splitlines() == expected


def test_contradictions_are_usage(pair: Pair) -> None:
    ended = run_esg("--ssl-keyfile", "a", "--ssl-cert-reqs", "2", APP)
    assert ended.returncode == 2
    lines = ended.stderr.splitlines()
    assert lines[0] == "esg: ssl_keyfile (--ssl-keyfile) needs ssl_certfile (--ssl-certfile)"
    assert lines[1].startswith("esg: ssl_cert_reqs (--ssl-cert-reqs) needs ssl_certfile")
    assert len(lines) == 2


def test_nobody_is_asked_for_a_password(pair: Pair) -> None:
    """OpenSSL would ask at the terminal."""
    ended = run_esg(*encrypted(pair).options, APP)
    assert ended.returncode == 3
    (line,) = ended.stderr.splitlines()
    assert line.endswith("it is encrypted: set ssl_keyfile_password (--ssl-keyfile-password)")
