"""Timeouts as data: which timer runs for a connection, and which one has run out.

Time arrives as an argument, in seconds of any monotonic clock, so that a test of a timeout does
not sleep. A driver asks `expired` in one sweep over its connections; no timer is ever scheduled
for a single request.

Obeys RFC 9112 section 9.5 and RFC 9110 section 15.5.9 (408).
"""

from __future__ import annotations

from typing import Final

NONE: Final = 0
IDLE: Final = 1  # between two requests: closed without a word
HEAD: Final = 2  # from the first byte of a head, or from the connection's start, to its end
BODY: Final = 3  # while the server waits for content that the application asked for
WRITE: Final = 4  # while bytes wait for the client to read
LINGER: Final = 5  # after the last answer, while what still comes is thrown away
# of a WebSocket; see `websocket_session`, which has the same numbers
ACCEPT: Final = 6  # for the application's answer to the opening handshake
PING: Final = 7  # until the client is asked whether it is there
PONG: Final = 8  # for anything that shows that it is
CLOSE: Final = 9  # for the client's close frame
ANSWER: Final = 10  # for the application's answers to messages before the client's close frame

LINGER_TIMEOUT: Final = 2.0
# What a client that was just busy may still have sent, not knowing that the server stops.
DRAIN_TIMEOUT: Final = 1.0
ANSWER_TIMEOUT: Final = 1.0
# A sweep this often keeps every timeout within a second of its value; shorter timeouts are swept
# more often.
LONGEST_SWEEP: Final = 1.0
SHORTEST_SWEEP: Final = 0.05

_NEVER: Final = float("inf")


class Timeouts:
    """Hold the configured timeouts, in seconds; 0 switches one off."""

    __slots__ = (
        "accept",
        "body",
        "close",
        "drain",
        "head",
        "idle",
        "ping",
        "pong",
        "sweep_interval",
        "write",
    )

    def __init__(
        self,
        head: float,
        idle: float,
        body: float,
        write: float,
        *,
        accept: float = 0,
        ping: float = 0,
        pong: float = 0,
        close: float = 0,
        drain: float = DRAIN_TIMEOUT,
    ) -> None:
        self.head = head
        self.idle = idle
        self.body = body
        self.write = write
        self.accept = accept
        self.ping = ping
        self.pong = pong
        self.close = close
        self.drain = drain
        every = (head, idle, body, write, accept, ping, pong, close)
        shortest = min([t for t in every if t], default=_NEVER)
        self.sweep_interval = LONGEST_SWEEP
        self.sweep_for(shortest)

    def sweep_for(self, seconds: float) -> None:
        """Have the sweep come often enough for a timeout; 0 for none."""
        if seconds:
            self.sweep_interval = max(SHORTEST_SWEEP, min(self.sweep_interval, seconds / 4))


class Deadlines:
    """Follow the timers of one connection: one for reading and one for writing.

    They differ because a response may be stalled while the application waits for content. PONG
    alone restarts with WRITE: a ping waits its turn behind whatever a slow client is still to take.
    """

    __slots__ = (
        "_ping_waits",
        "_reading",
        "_reading_ends",
        "_reading_since",
        "_timeouts",
        "_untaken",
        "_writing_ends",
    )

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._reading = NONE
        self._reading_since = _NEVER
        self._reading_ends = _NEVER
        self._writing_ends = _NEVER
        self._untaken = 0  # bytes, as far as they have been looked at
        self._ping_waits = False  # the client may still have to take what stands before the ping

    def arm(self, timer: int, now: float) -> None:
        """Start a timer; all but WRITE replace each other."""
        seconds = self._seconds(timer)
        ends = now + seconds if seconds else _NEVER
        if timer == WRITE:
            self._writing_ends = ends
            self._untaken = 0
            if self._ping_waits:
                self.arm(PONG, now)
        else:
            self._reading = timer
            self._reading_since = now
            self._reading_ends = ends
            self._ping_waits = timer == PONG
            if self._ping_waits:
                self._untaken = 0

    def drain(self, now: float) -> bool:
        """Give a connection that waits for a request little time; tell whether that is over.

        To be asked when the server stops. A client that has just been answered, or has just
        connected, may have sent its next request already: closing on it would lose that
        (RFC 9112 section 9.5).
        """
        self._reading_ends = min(self._reading_ends, self._reading_since + self._timeouts.drain)
        return now >= self._reading_ends

    def _seconds(self, timer: int) -> float:
        timeouts = self._timeouts
        if timer == IDLE:
            return timeouts.idle
        if timer == HEAD:
            return timeouts.head
        if timer == BODY:
            return timeouts.body
        if timer == WRITE:
            return timeouts.write
        return LINGER_TIMEOUT if timer == LINGER else self._websocket_seconds(timer)

    def _websocket_seconds(self, timer: int) -> float:
        timeouts = self._timeouts
        if timer == ACCEPT:
            return timeouts.accept
        if timer == PING:
            return timeouts.ping
        if timer == PONG:
            return timeouts.pong
        return timeouts.close if timer == CLOSE else ANSWER_TIMEOUT

    def stop_reading(self) -> None:
        """Stop whichever reading timer runs."""
        self._reading = NONE
        self._reading_ends = _NEVER
        self._ping_waits = False

    def stop_writing(self) -> None:
        """Stop the WRITE timer."""
        self._writing_ends = _NEVER

    def watches_client(self) -> bool:
        """Tell whether a timer restarts as the client takes bytes: see `untaken`."""
        return self._writing_ends < _NEVER or self._ping_waits

    def untaken(self, size: int, now: float) -> None:
        """Restart the WRITE timer if the client has taken something since the last look.

        The kernel says that there is room only once a good part of its buffer is free, which a
        slow reader may not reach in time. Likewise PONG, until the client has taken all: so
        long, the ping may be behind what it has not taken.

        Args:
            size: bytes that are still to reach the client, those in the kernel included.
            now: the time.
        """
        if not size:
            self._ping_waits = False
        if size < self._untaken:
            if self._ping_waits:
                self.arm(PONG, now)
            if self._writing_ends < _NEVER:
                self.arm(WRITE, now)
        self._untaken = size

    def next(self) -> float:
        """Return when the first timer runs out, infinity if none runs."""
        return min(self._reading_ends, self._writing_ends)

    def expired(self, now: float) -> int:
        """Return the timer that has run out, NONE if none has."""
        if now >= self._writing_ends:
            return WRITE
        return self._reading if now >= self._reading_ends else NONE
