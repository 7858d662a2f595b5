"""What is asked of each client, and how it is divided."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """Requests in rounds; between two rounds, every kept connection outlasts its time.

    Args:
        url: of the server.
        requests: for each round.
        pauses: seconds between the rounds.
    """

    url: str
    requests: int
    pauses: tuple[float, ...] = ()

    @property
    def total(self) -> int:
        """All requests."""
        return self.requests * (len(self.pauses) + 1)

    def wait(self, pause: float) -> None:
        """Sit between two rounds; there is nothing to wait for but time."""
        threading.Event().wait(pause)

    def rounds(self) -> Iterator[int]:
        """Yield the number of requests of each round."""
        yield self.requests
        for pause in self.pauses:
            self.wait(pause)
            yield self.requests


def in_threads(load: Load, ask: Callable[[int], bool], threads: int = 4) -> int:
    """Call from several threads at once, round by round.

    Args:
        load: what to do.
        ask: makes the request of a number; tells whether its answer was right.
        threads: how many.

    Returns:
        The number of right answers; whatever a client raises is raised.
    """
    right = 0
    for requests in load.rounds():
        results: list[bool] = []
        errors: list[BaseException] = []

        def work(
            first: int,
            requests: int = requests,
            results: list[bool] = results,
            errors: list[BaseException] = errors,
        ) -> None:
            try:
                results.extend(ask(number) for number in range(first, requests, threads))
            except BaseException as error:
                errors.append(error)

        workers = [threading.Thread(target=work, args=(first,)) for first in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        if errors:
            raise errors[0]
        right += sum(results)
    return right


def content_of(number: int) -> bytes | None:
    """Return what to send with the request of a number: every tenth has content, to be echoed."""
    return b"%d " % number * 100 if number % 10 == 0 else None


def is_right(number: int, status: int, body: bytes) -> bool:
    """Tell whether an answer is that of the request of a number."""
    return status == 200 and body == (content_of(number) or b"hello")
