"""The service manager's end of systemd's notification socket."""

from __future__ import annotations

import queue
import socket
import threading
import time

from tests.server import LINE_BOUND

# What a datagram of nothing says to our own thread.
_OVER = b""


class NotifySocket:
    """Gather what a server tells, as fast as it comes: the kernel keeps ten messages at most.

    Args:
        address: a path, or an abstract name behind "@".

    Attributes:
        variable: the environment of a server that is to tell this one.
    """

    def __init__(self, address: str) -> None:
        self.variable = {"NOTIFY_SOCKET": address}
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self._address)
        self._told: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._gather, daemon=True)
        self._thread.start()

    def _gather(self) -> None:
        while (message := self._socket.recv(4096)) != _OVER:
            self._told.put(message)

    def next(self, within: float = LINE_BOUND) -> dict[str, str]:
        """Return the next message's fields.

        Raises:
            TimeoutError: there is none within so many seconds.
        """
        fields = self.next_bytes(within).decode().splitlines()
        return dict(field.split("=", 1) for field in fields)

    def next_bytes(self, within: float = LINE_BOUND) -> bytes:
        """Return the next message.

        Raises:
            TimeoutError: there is none within so many seconds.
        """
        try:
            return self._told.get(timeout=within)
        except queue.Empty:
            raise TimeoutError("the service manager is told nothing") from None

    def next_but_pings(self, within: float = LINE_BOUND) -> dict[str, str]:
        """Return the next message that is not the watchdog's.

        Raises:
            TimeoutError: there is none within so many seconds.
        """
        deadline = time.monotonic() + within
        while (message := self.next(max(0.0, deadline - time.monotonic()))) == {"WATCHDOG": "1"}:
            pass
        return message

    def pings(self, count: int, within: float = LINE_BOUND) -> None:
        """See that the next messages are the watchdog's.

        Args:
            count: of the messages.
            within: seconds from each to the next.

        Raises:
            TimeoutError: they do not come.
        """
        for _ in range(count):
            assert self.next(within) == {"WATCHDOG": "1"}

    def drain(self) -> list[dict[str, str]]:
        """Return what has come and nobody has looked at."""
        found = []
        while not self._told.empty():
            found.append(self.next())
        return found

    def close(self) -> None:
        """Let go of the socket, once what has been sent is gathered."""
        if self._thread.is_alive():
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own:
                own.sendto(_OVER, self._address)
            self._thread.join(LINE_BOUND)
        self._socket.close()
