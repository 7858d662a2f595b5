"""What a conformance case is: data, and nothing about how it is run.

A case names the clause it checks, what the client does step by step, what the application
does (a script), and what must come of it: the responses on the wire, the fate of the
connection, and the calls that the application must have seen.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

Script = tuple[Any, ...]


class Level(enum.Enum):
    """How binding the clause is (RFC 2119); CHOICE is ESG's own decision."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    CHOICE = "CHOICE"


class Fate(enum.Enum):
    """What becomes of a connection after the last expected response."""

    KEPT = "kept open and usable"
    CLOSED = "closed by the server"
    RESET = "aborted by the server (reset)"
    REFUSED = "closed by the server, if it is ESG"
    GONE = "closed or aborted by the server"
    OPEN = "left open"
    ANY = "not checked"

    def on(self, exact: bool) -> Fate:
        """Return what it means on a target: ESG if `exact`."""
        if exact:
            return Fate.CLOSED if self is Fate.REFUSED else self
        if self is Fate.REFUSED:
            return Fate.ANY
        # How it is closed is not specified.
        return Fate.GONE if self in (Fate.CLOSED, Fate.RESET) else self


# Steps. `on` names the connection; the connection "a" is opened before the first step.


@dataclass(frozen=True)
class Step:
    """One thing the client does or waits for."""

    on: str = field(default="a", kw_only=True)


@dataclass(frozen=True)
class Connect(Step):
    """Open one more connection."""


@dataclass(frozen=True)
class ConnectRefused(Step):
    """Try to connect; the attempt must be refused."""


@dataclass(frozen=True)
class Churn(Step):
    """Open `count` connections, send `data` on each and reset it; no descriptor may stay open."""

    count: int
    data: bytes


@dataclass(frozen=True)
class Send(Step):
    """Send one segment; in the split run, one byte per segment unless `atomic`."""

    data: bytes
    atomic: bool = False


@dataclass(frozen=True)
class Fill(Step):
    """Send `data` until the server stops reading; more than `at_most` bytes is a failure.

    It is sent `times` times: the cases of all runs are in memory at once.
    """

    data: bytes
    at_most: int
    times: int = 1


@dataclass(frozen=True)
class SendRest(Step):
    """Send what `Fill` could not."""


@dataclass(frozen=True)
class AwaitResponse(Step):
    """Wait until `count` final responses in all are complete."""

    count: int = 1


@dataclass(frozen=True)
class AwaitInterim(Step):
    """Wait for an interim (1xx) response."""

    status: int


@dataclass(frozen=True)
class AwaitBytes(Step):
    """Wait until the bytes received contain `data`."""

    data: bytes


@dataclass(frozen=True)
class AwaitFrame(Step):
    """Wait for `count` messages or control frames of a kind: see `Frame`."""

    kind: str
    count: int = 1


@dataclass(frozen=True)
class AnswerPing(Step):
    """Wait for `count` pings and answer the last."""

    count: int = 1


@dataclass(frozen=True)
class MarkMemory(Step):
    """Note how much memory the server's process has resident, and forget its peak."""


@dataclass(frozen=True)
class CheckMemory(Step):
    """Check that since `MarkMemory` it never had more than `growth` bytes beyond that."""

    growth: int


@dataclass(frozen=True)
class AwaitSilence(Step):
    """Check that nothing arrives for `seconds`."""

    seconds: float = 0.2


@dataclass(frozen=True)
class HalfClose(Step):
    """Send FIN and go on reading."""


@dataclass(frozen=True)
class Reset(Step):
    """Abort the connection with RST."""


@dataclass(frozen=True)
class Close(Step):
    """Close the connection."""


@dataclass(frozen=True)
class AwaitClose(Step):
    """Wait until the server has closed the connection; optionally no sooner than."""

    not_before: float = 0.0


@dataclass(frozen=True)
class StopReading(Step):
    """Leave what the server sends in the kernel's buffers."""


@dataclass(frozen=True)
class ResumeReading(Step):
    """Read again."""


@dataclass(frozen=True)
class AwaitQuiet(Step):
    """Wait until the application has done nothing for `seconds`, after at most `sends` sends."""

    seconds: float
    sends: int


@dataclass(frozen=True)
class AwaitGate(Step):
    """Wait until the application stands at the gate."""

    name: str


@dataclass(frozen=True)
class Open(Step):
    """Open a gate of the application."""

    name: str


@dataclass(frozen=True)
class AwaitTrace(Step):
    """Wait until the trace of the connection's calls holds `count` records of this kind.

    `kind` is "receive", "send", "mark", "caught" or "end"; `detail` the message type or mark.
    """

    kind: str
    detail: str | None = None
    count: int = 1


@dataclass(frozen=True)
class AwaitLog(Step):
    """Wait until the server's log matches a regular expression."""

    pattern: str


@dataclass(frozen=True)
class Signal(Step):
    """Send a signal to the server's process."""

    name: str


@dataclass(frozen=True)
class AwaitExit(Step):
    """Wait until the server has exited with `code`, None for any, within `within` seconds."""

    code: int | None
    within: float = 9.0


# What must be on the wire.

HeaderConstraint = str | re.Pattern[str] | None


@dataclass(frozen=True)
class Response:
    """One final response, and the interim ones before it.

    `fields` maps a lower-case name to its exact value, a pattern, or None for "absent".
    `ours` are fields as ESG alone promises them.
    `in_order` are field lines that must appear in this order. `by_server` marks an answer that
    the server makes by itself: its exact form is ESG's choice and checked on ESG only.
    `interim` is None when the interim responses are not checked; `links` are the values of Link in
    them. `trailers` are the fields behind chunked content.
    """

    status: int
    fields: Mapping[str, HeaderConstraint] = field(default_factory=dict)
    body: bytes | None = None
    body_size: int | None = None
    method: str = "GET"
    complete: bool = True
    interim: tuple[int, ...] | None = ()
    links: tuple[str, ...] = ()
    trailers: tuple[tuple[bytes, bytes], ...] = ()
    in_order: tuple[tuple[bytes, bytes], ...] = ()
    by_server: bool = False
    alternatives: tuple[int, ...] = ()
    raw_contains: tuple[bytes, ...] = ()
    raw_lacks: tuple[bytes, ...] = ()
    ours: Mapping[str, HeaderConstraint] = field(default_factory=dict)
    on: str = "a"


@dataclass(frozen=True)
class Frame:
    """One message, its fragments joined and inflated, or one control frame from the server.

    `kind` is "text", "binary", "ping", "pong" or "close". Pings that no case expects are
    ignored; frames of different kinds may come in any order, but the close frame is the last.
    `code` is a close frame's, 1005 for an empty one, and `reason` is not checked when None.
    What is `by_server` may be missing elsewhere, and have one of the `alternatives` as its code.
    """

    kind: str
    data: bytes | None = None
    size: int | None = None
    compressed: bool | None = None
    code: int = 1005
    reason: str | None = None
    by_server: bool = False
    alternatives: tuple[int, ...] = ()
    on: str = "a"


# What the application must have seen.


@dataclass(frozen=True)
class Seen:
    """One entry of a trace: kind, message type or mark, and what must hold for it.

    Kinds: "receive", "send", "refused" (send() raised; `error` is in the exception's
    family), "mark", "end" (`detail` is "returned" or a class in the exception's family).
    `has` are entries of a websocket message; `ours` those that only ESG promises.
    """

    kind: str
    detail: str
    body: bytes | None = None
    more: bool | None = None
    error: str | None = None
    has: Mapping[str, Any] = field(default_factory=dict)
    ours: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """One call of the application.

    `scope` holds the fields that must be equal, `ours` those that only ESG promises; `offers` the
    extensions that it must have, `offers_not` those that it must not; `trace` the whole
    normalised trace (adjacent http.request events are one) if given; `order` entries that it
    holds in this order; `body` the request body that was received in all.
    """

    scope: Mapping[str, Any] = field(default_factory=dict)
    ours: Mapping[str, Any] = field(default_factory=dict)
    offers: tuple[str, ...] = ()
    offers_not: tuple[str, ...] = ()
    body: bytes | None = None
    body_size: int | None = None
    trace: tuple[Seen, ...] | None = None
    order: tuple[Seen, ...] = ()
    holds: tuple[Seen, ...] = ()
    lacks: tuple[Seen, ...] = ()
    on: str = "a"


@dataclass(frozen=True)
class Case:
    """One conformance case.

    `number` is that of the demand it refines, which several may share. `options` are server
    options: cases with the same options share one process, unless `own_process`. `application` is
    what the server is told to serve. `without_tls` is what is about connections without TLS, `over_tls`
    what is about those with it. `alone` keeps other cases of the process out meanwhile; so does
    `client_is_told`: the scope's client is not the one that connects, by which a call is known
    for its case's. `frames` is what the server sends after a 101, None where that is not
    checked. `needs` names an extension of the protocol or of ASGI without which another server
    is not judged. `calls` is None when the application's side is not checked.
    `or_else` is what the clause leaves to other servers: one that meets any of it has passed.
    `splittable` is False where single bytes make no sense (large bodies, signals).
    """

    id: str
    number: int
    level: Level
    clause: str
    says: str
    steps: tuple[Step, ...]
    app: tuple[Script, ...] = ()
    responses: tuple[Response, ...] = ()
    frames: tuple[Frame, ...] | None = ()
    needs: str | None = None
    fate: Fate = Fate.CLOSED
    calls: tuple[Call, ...] | None = None
    options: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    application: str = "tests.conformance.scripted:app"
    own_process: bool = False
    alone: bool = False
    client_is_told: bool = False
    splittable: bool = True
    listens: bool = True
    lifespan: Script | None = None
    lifespan_call: Call | None = None
    lifespan_runs: int = 1
    log_has: tuple[str, ...] = ()
    log_lacks: tuple[str, ...] = ()
    without_tls: bool = False
    over_tls: bool = False
    esg_only: bool = False
    or_else: tuple[Case, ...] = ()

    @property
    def group(self) -> str:
        """The file or folder that it is in."""
        return self.id.partition("/")[0]

    @property
    def open_to_all(self) -> bool:
        """Whether it can be put to other servers: ESG's options exist on ESG alone."""
        return not (self.options or self.esg_only or self.environment)

    def named(self, group: str) -> Case:
        """Return the case with its group in front of its id."""
        return replace(self, id=f"{group}/{self.id}")
