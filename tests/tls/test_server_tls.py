"""Certificates that change while a server runs."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable

import anyio
import pytest

from esg.errors import CertificateError
from esg.tls import server_tls
from esg.tls.server_tls import ServerTLS
from tests.certificates import Authority, Pair
from tests.tls.handshake import config_of, shake_hands

BOUND = 60.0  # seconds


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(server_tls, "_LOOK_INTERVAL", 0.01)
    caplog.set_level(logging.INFO, "esg")


async def until(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    with anyio.fail_after(BOUND):
        while True:
            if condition():
                return
            await anyio.sleep(0.005)


def shown_by(tls: ServerTLS, authority: Authority) -> str:
    """Return the certificate that a new client sees."""
    _, client_end = shake_hands(tls, authority.client())
    return ssl.DER_cert_to_PEM_cert(client_end.getpeercert(binary_form=True) or b"")


def test_a_bad_certificate_is_no_start(pair: Pair) -> None:
    with pytest.raises(CertificateError, match="nowhere: No such file"):
        ServerTLS(config_of(pair, ssl_certfile="nowhere"))


@pytest.mark.anyio
async def test_certificates_are_loaded_again_once_they_have_changed(
    own_authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    first = own_authority.issue("server")
    before = first.leaf
    tls = ServerTLS(config_of(first))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tls.keep_current)
        assert shown_by(tls, own_authority) == before
        connection, _ = shake_hands(tls, own_authority.client())
        after = own_authority.issue("server").leaf
        await until(lambda: "Certificates reloaded" in caplog.text)
        assert shown_by(tls, own_authority) == after
        assert tls.extension(connection)["server_cert"] == before
        tasks.cancel_scope.cancel()


@pytest.mark.anyio
async def test_half_a_pair_is_said_once_and_the_old_one_stays(
    own_authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    first = own_authority.issue("server")
    before = first.leaf
    tls = ServerTLS(config_of(first))
    other = own_authority.issue("other")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tls.keep_current)
        other.certfile.replace(first.certfile)
        await until(lambda: "those of before stay" in caplog.text)
        await anyio.sleep(0.2)  # for many more looks
        (record,) = caplog.records
        assert record.levelname == "ERROR"
        assert f"{first.keyfile}: it is not the key of" in record.message
        assert shown_by(tls, own_authority) == before
        other.keyfile.replace(first.keyfile)
        await until(lambda: "Certificates reloaded" in caplog.text)
        assert shown_by(tls, own_authority) == first.leaf != before
        tasks.cancel_scope.cancel()


@pytest.mark.anyio
async def test_authorities_and_server_names_change_with_them(
    own_authority: Authority, authority: Authority
) -> None:
    server = own_authority.issue("server")
    named = own_authority.issue("named", "a.example.org")
    before = named.leaf
    tls = ServerTLS(
        config_of(
            server,
            ssl_cert_reqs="required",
            ssl_ca_certs=own_authority.file,
            ssl_sni=[f"a.example.org={named.certfile},{named.keyfile}"],
        )
    )
    mine = authority.issue("client", "me@example.org")
    client = own_authority.client(mine)
    with pytest.raises(ssl.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        shake_hands(tls, client)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tls.keep_current)
        authority.ca.cert_pem.write_to_path(own_authority.file)
        after = own_authority.issue("named", "a.example.org").leaf
        context = tls.context
        await until(lambda: tls.context is not context)
        # Writing may have been seen in two steps.
        await until(lambda: _server_cert(tls, client) == after != before)
        tasks.cancel_scope.cancel()


def _server_cert(tls: ServerTLS, client: ssl.SSLContext) -> object:
    end, _ = shake_hands(tls, client, "a.example.org")
    return tls.extension(end)["server_cert"]


@pytest.mark.anyio
async def test_a_session_does_not_outlive_the_authority(
    own_authority: Authority, authority: Authority
) -> None:
    """A ticket would bring a client in whose authority has been taken away."""
    server = own_authority.issue("server")
    authorities = own_authority.folder / "authorities.pem"
    authority.ca.cert_pem.write_to_path(authorities)
    tls = ServerTLS(config_of(server, ssl_cert_reqs="required", ssl_ca_certs=authorities))
    client = own_authority.client(authority.issue("client", "me@example.org"))
    _, before = shake_hands(tls, client)
    assert shake_hands(tls, client, session=before.session)[1].session_reused
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tls.keep_current)
        context = tls.context
        own_authority.ca.cert_pem.write_to_path(authorities)
        await until(lambda: tls.context is not context)
        with pytest.raises(ssl.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
            shake_hands(tls, client, session=before.session)
        tasks.cancel_scope.cancel()


@pytest.mark.anyio
async def test_they_are_loaded_when_somebody_asks(
    pair: Pair, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_tls, "_LOOK_INTERVAL", 3600.0)
    made: list[str] = []

    def factory(config: object, default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
        made.append("one")
        return default()

    tls = ServerTLS(config_of(pair, ssl_context_factory=factory))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tls.keep_current)
        for count in (2, 3):
            tls.reload_soon()
            await until(lambda wanted=count: len(made) == wanted)  # type: ignore[misc]
        await until(lambda: len(caplog.records) == 2)
        assert tls.context.verify_mode == ssl.CERT_NONE
        tasks.cancel_scope.cancel()


@pytest.mark.anyio
async def test_no_fault_of_ours_ends_the_server(
    pair: Pair, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = ServerTLS(config_of(pair))
    context = tls.context

    def fails(config: object) -> ssl.SSLContext:
        raise RuntimeError("what nobody has thought of")

    monkeypatch.setattr(server_tls, "server_context", fails)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tls.keep_current)
        tls.reload_soon()
        await until(lambda: "what nobody has thought of" in caplog.text)
        assert tls.context is context
        monkeypatch.undo()
        tls.reload_soon()
        await until(lambda: tls.context is not context)
        tasks.cancel_scope.cancel()
