"""Honest clients of every kind: requests, uploads and WebSockets; each answer is looked at."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.client import Address
from tests.conformance.websocket_frames import CLOSE, PING, PONG, TEXT
from tests.supervisor.load import Load
from tests.websocket_client import OPENING, WebSocket

LARGEST = 300_000
# What a server closes with that stops, and answers to an opening handshake.
RESTART = 1012
UNAVAILABLE = 503


class MixedLoad(Load):
    """Ask, upload and chat until told to stop; the application is `tests.apps.soaked`.

    Attributes:
        uploads: how many were answered.
        texts: how many came back.
    """

    def __init__(self, address: Address) -> None:
        self.uploads = 0
        self.texts = 0
        super().__init__(address, "/", None)

    def loops(self) -> list[Callable[[], None]]:
        """Return what each client does."""
        return [*super().loops(), self._upload, self._chat, self._chat]

    @property
    def wrong(self) -> list[str]:
        """What was answered, but not as it should have been."""
        return [failure for failure in self.failures if failure.startswith("AssertionError")]

    def _upload(self) -> None:
        chance = random.Random(1)
        while self.goes_on():
            with self.noting_failures(), self.connect() as client:
                while self.goes_on():
                    size = chance.randrange(LARGEST)
                    client.request("/count", "POST", content=bytes(size))
                    answer = client.response()
                    assert (answer.status, answer.body) == (200, b"%d" % size)
                    self.uploads += 1
                    if answer.field("connection") == "close":
                        break
                    self.think()

    def _chat(self) -> None:
        while self.goes_on():
            with self.noting_failures(), WebSocket(self.address) as client:
                client.request("/echo", fields=OPENING)
                if (status := client.response().status) == UNAVAILABLE:
                    continue  # it stops: there will be another process
                assert status == 101, status
                while self.goes_on() and self._say(client):
                    self.texts += 1
                    self.think()

    def _say(self, client: WebSocket) -> bool:
        """Say something and hear it; tell whether the server goes on."""
        text = f"text {self.texts}" * (1 + self.texts % 100)
        client.send_text(text)
        while True:
            try:
                found = client.next_frame()
            except AssertionError as error:  # an end without a frame: the process was killed
                raise ConnectionError(str(error)) from error
            if found.opcode == CLOSE:
                assert int.from_bytes(found.payload[:2], "big") == RESTART, found
                return False
            if found.opcode == PING:
                client.send_frame(PONG, found.payload)
                continue
            assert (found.opcode, found.payload.decode()) == (TEXT, text), found
            return True
