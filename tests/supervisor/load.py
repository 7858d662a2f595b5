"""Clients that ask again and again, over kept and over new connections, and note what fails."""

from __future__ import annotations

import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from tests.client import Address, Connection

KEPT = 6
NEW = 2
BOUND = 30.0  # seconds for whatever is waited for


class Load:
    """Ask until told to stop.

    Attributes:
        answers: how many came from each process.
        failures: what went wrong.
        clients: how many there are.
    """

    def __init__(self, address: Address, target: str, tls: ssl.SSLContext | None) -> None:
        self.address = address
        self._tls = tls
        self._target = target
        self._over = threading.Event()
        self._news = threading.Condition()
        self.answers: Counter[int] = Counter()
        self.failures: list[str] = []
        clients = self.loops()
        self.clients = len(clients)
        self._threads = [threading.Thread(target=client, daemon=True) for client in clients]

    def loops(self) -> list[Callable[[], None]]:
        """Return what each client does."""
        return [self._keep] * KEPT + [self._renew] * NEW

    def connect(self) -> Connection:
        """Connect."""
        return Connection(self.address, tls=self._tls)

    def goes_on(self) -> bool:
        """Tell whether nobody has said to stop."""
        return not self._over.is_set()

    def think(self) -> None:
        """Be idle for a moment: an idle connection is what may be closed."""
        time.sleep(0.004)

    def start(self) -> None:
        """Start all clients."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop all clients."""
        self._over.set()
        for thread in self._threads:
            thread.join(BOUND)

    def wait_for_others_than(self, numbers: set[int], count: int = 1) -> set[int]:
        """Wait until so many other processes have answered; return their numbers."""
        return self._wait_until(lambda: set(self.answers) - numbers, count)

    def wait_for_answers(self, more: int) -> None:
        """Wait for so many more answers."""
        before = self.answers.total()
        with self._news:
            assert self._news.wait_for(lambda: self.answers.total() >= before + more, BOUND)

    def _wait_until(self, seen, count: int) -> set[int]:  # type: ignore[no-untyped-def]
        with self._news:
            assert self._news.wait_for(lambda: len(seen()) >= count, BOUND), dict(self.answers)
            found: set[int] = seen()
            return found

    def _keep(self) -> None:
        while self.goes_on():
            with self.noting_failures(), self.connect() as client:
                while self.goes_on() and self._ask(client) != "close":
                    self.think()

    def _renew(self) -> None:
        while self.goes_on():
            with self.noting_failures(), self.connect() as client:
                self._ask(client)
            self.think()

    def _ask(self, client: Connection) -> str | None:
        answer = client.get(self._target)
        assert answer.status == 200, answer.status
        with self._news:
            self.answers[int(answer.body)] += 1
            self._news.notify_all()
        return answer.field("connection")

    @contextmanager
    def noting_failures(self) -> Iterator[None]:
        """Note what goes wrong in the block, and go on behind it."""
        try:
            yield
        except Exception as error:
            self.failures.append(repr(error))


@contextmanager
def under_load(
    address: Address, target: str = "/", tls: ssl.SSLContext | None = None
) -> Iterator[Load]:
    """Have clients ask while the block runs."""
    with running(Load(address, target, tls)) as load:
        yield load


_AnyLoad = TypeVar("_AnyLoad", bound=Load)


@contextmanager
def running(load: _AnyLoad) -> Iterator[_AnyLoad]:
    """Have the clients of a load ask while the block runs."""
    load.start()
    try:
        yield load
    finally:
        load.stop()
