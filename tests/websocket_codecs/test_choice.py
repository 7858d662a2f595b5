"""The choice of codec by name."""

from __future__ import annotations

import importlib.util
from importlib.machinery import ModuleSpec

import pytest

from esg.errors import StartupError
from esg.websocket_codecs.choice import resolve
from esg.websocket_codecs.websockets_codec import WebsocketsCodec
from esg.websocket_codecs.wsproto_codec import WsprotoCodec


def test_by_name() -> None:
    assert resolve("wsproto") is WsprotoCodec
    assert resolve("websockets") is WebsocketsCodec
    assert resolve("auto") is None
    assert resolve("none") is None


def test_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = importlib.util.find_spec

    def find(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name == "websockets" else find_spec(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", find)
    with pytest.raises(StartupError, match=r"pip install 'esg\[websockets\]'"):
        resolve("websockets")
