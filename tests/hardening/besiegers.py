"""Hostile clients of every kind, at random, beside whoever else is served."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from tests.client import Address
from tests.hardening.abuse import KINDS, Abuse, get, read_to_end, reset

THREADS = 5
AT_ONCE = 10
# Of a server under siege: who waits for the end of its patience must not wait for long.
OPTIONS = (
    *("--timeout-headers", "2", "--timeout-body", "2", "--timeout-write", "5"),
    *("--ws-ping-interval", "2", "--ws-ping-timeout", "2", "--limit-connections", "1000"),
)
# Seconds between what one thread does and its next.
PAUSE = 0.05


def sip(client: socket.socket) -> None:
    """Read a little at a time, then leave in the midst."""
    for _ in range(20):
        if not client.recv(500):
            break
        time.sleep(0.02)  # its slowness is the point
    reset(client)


def drip(client: socket.socket) -> None:
    """Send a field byte by byte, until the server has had enough."""
    client.settimeout(0.05)
    with suppress(ConnectionError):
        for _ in range(200):
            client.sendall(b"n")
            with suppress(TimeoutError):
                client.recv(1000)
                break


def garbage(chance: random.Random) -> Abuse:
    """Return a client that sends no protocol at all."""
    return Abuse(chance.randbytes(chance.randrange(1, 5000)), end=reset)


_SLOW = {
    "a slow reader": Abuse(get("/pour"), b"HTTP/1.1 200", end=sip, at_once=3),
    "a head that drips": Abuse(b"GET / HTTP/1.1\r\n", end=drip, at_once=1),
    "a flood of requests, then a reset": Abuse(get("/") * 3000, end=reset, at_once=3),
    "a flood of requests, then half a close": Abuse(
        get("/") * 300, end=read_to_end, then=get("/", b"Connection: close\r\n"), at_once=3
    ),
}


class Besiegers:
    """Abuse a server in threads until told to stop.

    Attributes:
        done: how many clients of each kind have come and gone.
        failures: what a server must not do: keep a client waiting without an end.
    """

    def __init__(self, address: Address, seed: int) -> None:
        self._address = address
        self._over = threading.Event()
        self._kinds = {**KINDS, **_SLOW}
        self.done: Counter[str] = Counter()
        self.failures: list[str] = []
        self._threads = [
            threading.Thread(target=self._abuse, args=[random.Random(seed + number)], daemon=True)
            for number in range(THREADS)
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Leave; those that wait for a timeout of the server's still do."""
        self._over.set()
        for thread in self._threads:
            thread.join(120)

    def _abuse(self, chance: random.Random) -> None:
        while not self._over.wait(PAUSE):
            name = chance.choice([*self._kinds, "garbage"])
            abuse = garbage(chance) if name == "garbage" else self._kinds[name]
            count = min(abuse.at_once, AT_ONCE)
            try:
                replace(abuse, at_once=count).open_many(self._address, count)
            except ConnectionError:  # a process was killed, or stops
                continue
            except Exception as error:
                self.failures.append(f"{name}: {error!r}")
            self.done[name] += count


@contextmanager
def under_siege(address: Address, seed: int) -> Iterator[Besiegers]:
    """Have hostile clients come while the block runs."""
    besiegers = Besiegers(address, seed)
    besiegers.start()
    try:
        yield besiegers
    finally:
        besiegers.stop()
