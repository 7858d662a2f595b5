"""Clients whose server name is no ASCII."""

from __future__ import annotations

import gc
import ssl
import sys

import pytest

from esg.tls.server_tls import ServerTLS
from esg.tls.unreadable_names import report_no_unreadable_names
from tests.certificates import Authority, Pair
from tests.tls.handshake import config_of, hello


def test_a_handshake_with_such_a_name_fails_and_nothing_is_reported(
    pair: Pair, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", reports.append)
    named = f"*.example.org={pair.certfile},{pair.keyfile}"
    end, incoming, _ = ServerTLS(config_of(pair, ssl_sni=[named])).wrap()
    incoming.write(hello("abc.example.org").replace(b"abc", b"\xff\xfe\xfd"))
    with pytest.raises(ssl.SSLError):
        end.do_handshake()
    assert reports == []


def test_everything_else_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    reports: list[object] = []

    def hook(report: sys.UnraisableHookArgs) -> None:
        reports.append(report.exc_type)

    class Broken:
        def __init__(self, data: bytes) -> None:
            self.data = data

        def __del__(self) -> None:
            self.data.decode("ascii")

    monkeypatch.setattr(sys, "unraisablehook", hook)
    report_no_unreadable_names()
    report_no_unreadable_names()
    Broken(b"\xff")
    gc.collect()  # for PyPy's sake
    assert reports == [UnicodeDecodeError]
