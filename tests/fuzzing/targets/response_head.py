"""What an application sends: both twins write the same, and one response that a client can read.

Whatever stands in its headers, trailers, links and content, nothing of it becomes another field,
another response, or the end of this one.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from esg.errors import MessageError
from tests.conformance.wire import Framing, ResponseParser
from tests.fuzzing.given import Given
from tests.rules.twins import find_twins

TWINS = find_twins("response_head")
METHODS = ("GET", "HEAD", "POST")
STATUSES = (200, 204, 304, 404, 599, 999, 101, 1000)
DEFAULTS: tuple[tuple[bytes | None, bool, tuple[tuple[bytes, bytes], ...]], ...] = (
    (b"esg", True, ()),
    (None, False, ((b"x-extra", b"1"), (b"Date", b"2"))),
)


class Message:
    """A response as a stream describes it: fields, then pieces of content, then trailers.

    Attributes:
        fields, trailers: lines, split at their first colon; a line without one is a name alone.
        links: the values of lines named `link`.
        content: pieces.
    """

    def __init__(self, stream: bytes) -> None:
        head, _, rest = stream.partition(b"\n\n")
        content, _, trailers = rest.rpartition(b"\n\n")
        self.fields = _fields(head)
        self.trailers = _fields(trailers)
        self.links = [value for name, value in self.fields if name == b"link"]
        self.content = content.split(b"\n")


def _fields(lines: bytes) -> list[tuple[bytes, bytes]]:
    pairs = (line.partition(b":") for line in lines.split(b"\n") if line)
    return [(name, value) for name, _, value in pairs]


def check(given: Given) -> None:
    """Write a response."""
    method, status = given.one_of(METHODS), given.one_of(STATUSES)
    version, alive = given.one_of(("1.1", "1.0")), bool(given.number(2))
    trailers, defaults = version == "1.1" and bool(given.number(2)), given.one_of(DEFAULTS)
    message = Message(given.stream)
    outcomes = [
        _written(rule, message, (method, status, version, alive, trailers), defaults)
        for rule in TWINS.values()
    ]
    assert all(outcome == outcomes[0] for outcome in outcomes)
    data, persists = outcomes[0]
    if data:
        _check_response(data, method, persists, message)


def _written(
    rule: ModuleType, message: Message, request: tuple[Any, ...], defaults: tuple[Any, ...]
) -> tuple[bytes, bool]:
    """Return the bytes of a response, b"" for one that is refused; and whether more may follow."""
    method, status, version, alive, trailers = request
    fields = rule.DefaultFields(*defaults)
    fields.set_time(10**9)
    response = rule.Http1Response(version, alive, fields, trailers)
    try:
        plan = rule.plan(method, status, message.fields)
    except MessageError:
        return b"", alive
    plan.trailers = trailers
    response.start(plan)
    out = [_or_nothing(response.early_hint, message.links), response.head()]
    for piece in message.content:
        out += response.frame(piece, False)
    out += response.frame(b"", not response.trailers_due)
    if response.trailers_due:
        out.append(_or_nothing(response.trailers, message.trailers, False))
        out.append(response.trailers((), True))
    return b"".join(out), response.keep_alive


def _or_nothing(write: Any, *arguments: Any) -> bytes:
    try:
        written: bytes = write(*arguments)
    except MessageError:
        return b""
    return written


def _check_response(data: bytes, method: str, persists: bool, message: Message) -> None:
    parser = ResponseParser([method])
    parser.feed(data)
    parser.feed_eof()
    assert parser.error is None, parser.error
    if parser.frames is not None:
        return
    (response,) = parser.responses
    has_content = method != "HEAD" and response.status not in (204, 304)
    if response.framing is Framing.LENGTH:  # the exchange's matter that it is kept to
        return
    assert response.complete
    assert not parser.leftover
    assert response.framing is not Framing.CLOSE or not persists
    assert response.body == (b"".join(message.content) if has_content else b"")
    given = {(name, value.strip(b" \t")) for name, value in message.fields}
    ours = (b"date", b"server", b"x-extra", b"transfer-encoding", b"connection")
    for name, value in response.fields:
        assert name.lower() in ours or (name, value) in given
    assert {*response.trailers} <= {(n, value.strip(b" \t")) for n, value in message.trailers}
