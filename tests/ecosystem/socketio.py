"""The contract in Socket.IO, version 5 of its protocol, over long polling and over WebSocket.

https://github.com/socketio/socket.io-protocol and https://github.com/socketio/engine.io-protocol
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from tests.ecosystem.site import Site, decoded
from tests.ecosystem.sites.stage import MISTAKE
from tests.websocket_client import WebSocket

PATH = "/socket.io/?EIO=4&transport="
# Engine.IO ends a packet of several with it.
SEPARATOR = "\x1e"

# The first packet after an upgrade: it ends the last poll.
NOOP = "6"


class Polling:
    """A client that asks for its packets."""

    def __init__(self, site: Site) -> None:
        self.client: httpx.Client = site.client
        opening = self.client.get(f"{PATH}polling").text
        assert opening[0] == "0"
        self.target = f"{PATH}polling&sid={json.loads(opening[1:])['sid']}"
        self.waiting: list[str] = []
        self.send("40")
        assert self.next().startswith("40")

    def send(self, packet: str) -> None:
        """Send a packet."""
        assert self.client.post(self.target, content=packet).text.upper() == "OK"

    def next(self) -> str:
        """Wait for the next packet."""
        if not self.waiting:
            self.waiting = self.client.get(self.target).text.split(SEPARATOR)
        return self.waiting.pop(0)


@contextmanager
def connected(site: Site) -> Iterator[WebSocket]:
    """Connect over WebSocket, from the beginning."""
    with site.socket() as client:
        client.open(f"{PATH}websocket")
        assert client.next_text().startswith("0{")
        client.send_text("40")
        assert client.next_text().startswith("40")
        yield client


def answered(client: WebSocket, *event: Any) -> Any:
    """Send an event; return what its handler has returned."""
    client.send_text(f"421{json.dumps(event)}")
    packet = client.next_text()
    if packet == NOOP:
        packet = client.next_text()
    assert packet.startswith("431"), packet[:200]
    return json.loads(packet[3:])


def content(site: Site) -> None:
    client = Polling(site)
    sent = {"text": "é" * 50_000, "list": [1, 2.5, None]}
    client.send(f"421{json.dumps(['echo', sent])}")
    packet = client.next()
    assert packet.startswith("431")
    assert json.loads(packet[3:]) == [sent]


def streamed_response(site: Site) -> None:
    """A poll waits until there is something to give."""
    client = Polling(site)
    client.send('42["later"]')
    with site.server.connect() as waiting:
        waiting.request(client.target)
        assert decoded(site.client.post("/json", json="meanwhile")) == "meanwhile"
        assert not waiting.is_readable()
        site.open_gate()
        assert waiting.response().text == '42["worked"]'


def background(site: Site) -> None:
    with connected(site) as client:
        client.send_text('42["later"]')
        assert answered(client, "echo", 1) == [1]
        site.open_gate()
        assert client.next_text() == '42["worked"]'


def websocket(site: Site) -> None:
    with connected(site) as client:
        assert answered(client, "echo", "é" * 70_000) == ["é" * 70_000]
    upgraded(site)
    with site.socket() as client:
        client.open(f"{PATH}websocket")
        client.next_text()
        client.send_text('40{"token":"wrong"}')
        assert client.next_text().startswith("44")


def upgraded(site: Site) -> None:
    """Begin by polling and go on over WebSocket, as its clients do."""
    polling = Polling(site)
    with site.socket() as client:
        client.open(polling.target.replace("polling", "websocket"))
        client.send_text("2probe")
        assert client.next_text() == "3probe"
        client.send_text("5")
        assert answered(client, "echo", "over") == ["over"]


def exception(site: Site) -> None:
    with connected(site) as client:
        client.send_text('42["fail"]')
        site.server.stderr.wait_for(rf"ValueError: {MISTAKE}", within=site.target.bound)
        assert answered(client, "echo", 1) == [1]


def disconnect_of_websocket(site: Site) -> None:
    since = site.mark
    with connected(site):
        pass
    site.wait_told("left: .*", since)


def shutdown(site: Site) -> None:
    since = site.mark
    polling = Polling(site)
    with connected(site) as client, site.server.connect() as waiting:
        waiting.request(polling.target)
        assert site.stop() == site.target.exit_code
        assert client.next_close()[0] == 1012
    site.wait_told("left: .*", since)
    site.wait_told("shutdown", since)


CHECKS: Mapping[str, Callable[[Site], None]] = {
    "JSON": content,
    "streamed response": streamed_response,
    "background task": background,
    "WebSocket": websocket,
    "exception": exception,
    "client leaves a WebSocket": disconnect_of_websocket,
    "shutdown with a stream open": shutdown,
}
