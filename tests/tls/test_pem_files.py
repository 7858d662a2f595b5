"""What is said of files that are not what they should be."""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from trustme import KeyType

from esg.tls.pem_files import PEMFile, leaf_certificate, load_authorities, load_pair
from tests.certificates import PASSWORD, Authority, Pair, encrypted

Change = Callable[[Pair], None]


def faults(pair: Pair, password: str | None = None) -> list[str]:
    """Return what is wrong with a pair, without the names of the settings and the folder."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certfile, keyfile = PEMFile("cert", str(pair.certfile)), PEMFile("key", str(pair.keyfile))
    folder = f"{pair.certfile.parent}/"
    return [line.replace(folder, "") for line in load_pair(context, certfile, keyfile, password)]


def damage(path: Path) -> None:
    """Change a few octets in the middle."""
    lines = path.read_text().splitlines(keepends=True)
    lines[2] = "AAAA" + lines[2][4:]
    path.write_text("".join(lines))


@pytest.fixture
def pair(own_authority: Authority) -> Pair:
    return own_authority.issue("a")


def test_a_good_pair(pair: Pair) -> None:
    assert faults(pair) == []
    assert leaf_certificate(str(pair.certfile)) == pair.leaf


def test_both_in_one_file_with_remarks_in_between(pair: Pair) -> None:
    both = "Grüße\n".join(path.read_text() for path in (pair.keyfile, pair.certfile))
    pair.certfile.write_text(both, "utf-8")
    assert faults(Pair(pair.certfile, pair.certfile)) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda p: p.certfile.unlink(), ["cert a.crt: No such file or directory"]),
        (lambda p: p.keyfile.unlink(), ["key a.key: No such file or directory"]),
        (
            lambda p: p.certfile.write_bytes(b"\xff"),
            ["cert a.crt: there is no certificate in PEM in it"],
        ),
        (lambda p: p.keyfile.write_bytes(b""), ["key a.key: there is no private key in PEM in it"]),
        (lambda p: damage(p.certfile), ["cert a.crt: a certificate in it is damaged"]),
        (lambda p: damage(p.keyfile), ["key a.key: the private key in it is damaged"]),
    ],
)
def test_faults(change: Change, expected: list[str], pair: Pair) -> None:
    change(pair)
    assert faults(pair) == expected


def test_everything_is_said_at_once(pair: Pair) -> None:
    pair.certfile.unlink()
    pair.keyfile.unlink()
    pair.keyfile.mkdir()
    assert faults(pair) == [
        "cert a.crt: No such file or directory",
        "key a.key: Is a directory",
    ]


def test_one_file_is_named_once(pair: Pair) -> None:
    missing = PEMFile("cert", str(pair.certfile) + "x")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    assert len(load_pair(context, missing, missing, None)) == 1


@pytest.mark.parametrize("key_type", list(KeyType))
def test_the_key_of_another(key_type: KeyType, pair: Pair, own_authority: Authority) -> None:
    other = own_authority.issue("b", key_type=key_type)
    expected = ["key b.key: it is not the key of the certificate in a.crt"]
    assert faults(Pair(pair.certfile, other.keyfile)) == expected


def test_an_encrypted_key(pair: Pair) -> None:
    locked = encrypted(pair)
    assert faults(locked, PASSWORD) == []
    name = "ssl_keyfile_password (--ssl-keyfile-password)"
    assert faults(locked) == [f"key a.encrypted: it is encrypted: set {name}"]
    assert faults(locked, "wrong") == [f"key a.encrypted: {name} does not open it"]


@pytest.mark.parametrize(
    ("dates", "said"),
    [
        (("1999", "2001"), "a.crt: the certificate has expired, on 2001-01-01"),
        (("2998", "2999"), "a.crt: the certificate is not good before 2998-01-01 00:00:00+00:00"),
    ],
)
def test_a_certificate_out_of_date_is_a_warning(
    dates: tuple[str, str], said: str, own_authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    """A clock may be wrong, a client may not care."""
    not_before, not_after = (dt.datetime(int(year), 1, 1, tzinfo=dt.UTC) for year in dates)
    assert faults(own_authority.issue("a", not_before=not_before, not_after=not_after)) == []
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.message.endswith(said)


def test_what_openssl_refuses(pair: Pair, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=5")  # a level that no curve of 256 bits reaches
    files = (PEMFile("", str(pair.certfile)), PEMFile("", str(pair.keyfile)))
    (fault,) = load_pair(context, *files, None)
    assert fault.endswith("a.crt: OpenSSL refuses it: ee key too small")


def test_authorities(own_authority: Authority, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    assert load_authorities(context, PEMFile("ca", str(own_authority.file))) == []
    assert context.cert_store_stats()["x509_ca"] == 1
    assert not context.verify_flags & ssl.VERIFY_CRL_CHECK_LEAF
    damage(own_authority.file)
    for path, reason in (
        (own_authority.file, "a certificate in it is damaged"),
        (tmp_path, "Is a directory"),
        (Path(__file__), "there is no certificate in PEM in it"),
    ):
        assert load_authorities(context, PEMFile("ca", str(path))) == [f"ca {path}: {reason}"]
