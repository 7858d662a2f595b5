"""Compare what was observed with what the case expects."""

from __future__ import annotations

import email.utils
import re
from collections.abc import Iterator
from typing import Any

from tests.conformance.client import Client
from tests.conformance.model import Call, Case, Fate, HeaderConstraint, Response, Seen
from tests.conformance.runner import Observation
from tests.conformance.scope_form import SECURED, scope_violations
from tests.conformance.side_channel import CallTrace
from tests.conformance.trace import Observed, matches, normalise, request_body
from tests.conformance.websocket_opening import opening_violations, split_opening
from tests.conformance.websocket_verdict import frame_problems, message_violations
from tests.conformance.wire import WireResponse

DATE = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")


def violations(seen: Observation, exact: bool) -> list[str]:
    """Return every way in which the observation departs from the case.

    Args:
        seen: the observation.
        exact: hold the server to ESG's own decisions, too.
    """
    case = seen.case
    found = list(seen.problems)
    for name, client in seen.clients.items():
        expected = [r for r in case.responses if r.on == name]
        found += _responses(client, expected, exact)
        found += _opening(client)
        if client.parser.frames and case.frames is not None:
            found += frame_problems(client, [f for f in case.frames if f.on == name], exact)
    if "a" in seen.clients:
        found += _fate(case, seen.clients["a"], seen.usable.get("a"), exact)
    if case.calls is not None:
        found += _calls(case, seen, exact)
    if case.lifespan_call is not None or case.lifespan_runs != 1:
        found += _lifespan(case, seen.lifespan, exact)
    return found + list(_formal(seen, exact))


def unsound(seen: Observation) -> list[str]:
    """Return what no choice allows: octets that are no response, a broken scope, no server."""
    found = ["the server process has died"] if seen.died else []
    for client in seen.clients.values():
        parser = client.parser
        found += [parser.error] if parser.error else []
        for response in parser.responses:
            found += _sound(response)
        found += _opening(client)
        unlawful = {octets for wanted in seen.case.responses for octets in wanted.raw_lacks}
        found += [f"{octets!r} was sent" for octets in unlawful if octets in parser.raw]
    return found + list(_formal(seen, exact=False))


def _formal(seen: Observation, exact: bool) -> Iterator[str]:
    """Check the form of scopes and messages.

    A server that gets the form of a scope wrong does so in every request: only the cases about the
    scope are the place to say it.
    """
    about_scopes = exact or seen.case.group in ("asgi_scope", "websocket_handshake")
    for calls in seen.calls.values():
        for call in calls:
            if about_scopes:
                yield from scope_violations(call.scope, seen.secure)
            yield from message_violations(call)


def _opening(client: Client) -> Iterator[str]:
    """Check what no 101 may do."""
    if client.parser.frames:
        opening, _ = split_opening(bytes(client.sent))
        yield from opening_violations(opening, client.parser.responses[-1])


def _responses(client: Client, expected: list[Response], exact: bool) -> Iterator[str]:
    parser = client.parser
    if parser.error:
        yield f"the server's octets are no HTTP response: {parser.error}"
    if parser.leftover and not (parser.frames and client.ends.by_client):
        yield f"octets that belong to no response: {parser.leftover[:200]!r}"
    if len(parser.responses) != len(expected):
        statuses = [response.status for response in parser.responses]
        yield f"{len(parser.responses)} response(s) {statuses}, expected {len(expected)}"
    for number, (response, wanted) in enumerate(zip(parser.responses, expected, strict=False), 1):
        for problem in _response(response, wanted, exact):
            yield f"response {number}: {problem}"


def _response(response: WireResponse, wanted: Response, exact: bool) -> Iterator[str]:
    allowed = (wanted.status,) if exact else (wanted.status, *wanted.alternatives)
    if response.status not in allowed:
        yield f"status {response.status}, expected {' or '.join(map(str, allowed))}"
    if response.complete != wanted.complete:
        yield f"{'complete' if response.complete else 'incomplete'}, the opposite was expected"
    if wanted.interim is not None and tuple(response.interim) != wanted.interim:
        yield f"interim responses {response.interim}, expected {list(wanted.interim)}"
    if wanted.links and tuple(response.links) != wanted.links:
        yield f"links {response.links} in interim responses, expected {list(wanted.links)}"
    trailers = tuple((name.lower(), value) for name, value in response.trailers)
    if trailers != wanted.trailers:
        yield f"trailers {trailers}, expected {wanted.trailers}"
    yield from _sound(response)
    if exact or not wanted.by_server:
        yield from _content(response, wanted)
        for name, constraint in wanted.fields.items():
            yield from _field(name, response.values(name), constraint)
        yield from _order(response, wanted)
    if exact:
        yield from _defaults(response, wanted)


def _content(response: WireResponse, wanted: Response) -> Iterator[str]:
    if wanted.by_server:
        yield from _own_content(response, wanted)
    if wanted.body is not None and bytes(response.body) != wanted.body:
        yield f"body {bytes(response.body)[:300]!r}, expected {wanted.body[:300]!r}"
    if wanted.body_size is not None and len(response.body) != wanted.body_size:
        yield f"body of {len(response.body)} bytes, expected {wanted.body_size}"
    for needle in wanted.raw_contains:
        if needle not in response.head + response.body:
            yield f"{needle!r} is missing"
    for needle in wanted.raw_lacks:
        if needle in response.head + response.body:
            yield f"{needle!r} must not be there"


def _sound(response: WireResponse) -> Iterator[str]:
    """Check what no response may do (RFC 9112 section 6, RFC 9110 section 8.6)."""
    if response.values("content-length") and response.values("transfer-encoding"):
        yield "both Content-Length and Transfer-Encoding"
    if response.status == 204 and response.values("content-length"):
        yield "Content-Length in a 204"
    if response.status in (204, 304) and response.values("transfer-encoding"):
        yield f"Transfer-Encoding in a {response.status}"


def _field(name: str, values: list[str], constraint: HeaderConstraint) -> Iterator[str]:
    if constraint is None:
        if values:
            yield f"field {name} {values}, expected none"
    elif len(values) != 1:
        yield f"field {name} {values}, expected exactly one"
    elif isinstance(constraint, str):
        if values[0] != constraint:
            yield f"field {name}: {values[0]!r}, expected {constraint!r}"
    elif not constraint.fullmatch(values[0]):
        yield f"field {name}: {values[0]!r}, expected to match {constraint.pattern!r}"


def _own_content(response: WireResponse, wanted: Response) -> Iterator[str]:
    """Check the content of an answer that the server makes: the reason phrase alone."""
    expected = b"" if wanted.method == "HEAD" else response.reason
    if bytes(response.body) != expected:
        yield f"body {bytes(response.body)!r}, expected the reason phrase {expected!r}"
    if response.values("content-length") != [str(len(response.reason))]:
        yield f"content-length {response.values('content-length')} for {response.reason!r}"


def _order(response: WireResponse, wanted: Response) -> Iterator[str]:
    names = {name.lower() for name, _ in wanted.in_order}
    lines = [(k.lower(), v) for k, v in response.fields if k.lower() in names]
    if wanted.in_order and lines != [(k.lower(), v) for k, v in wanted.in_order]:
        yield f"field lines {lines}, expected {list(wanted.in_order)}"


def _defaults(response: WireResponse, wanted: Response) -> Iterator[str]:
    if "date" not in wanted.fields:
        yield from _field("date", response.values("date"), DATE)
        for value in response.values("date"):
            if email.utils.parsedate_to_datetime(value) is None:
                yield f"date {value!r} is no date"
    if "server" not in wanted.fields:
        yield from _field("server", response.values("server"), "esg")


def _fate(case: Case, client: Client, usable: bool | None, exact: bool) -> Iterator[str]:
    ends, fate = client.ends, case.fate.on(exact)
    # Any server may end a connection at any time (RFC 9112 section 9.5), but not misread it.
    may_close = not exact and case.group != "persistence" and ends.eof and usable is None
    wrong = {
        Fate.KEPT: usable is not True and not may_close,
        Fate.CLOSED: not ends.eof,
        Fate.RESET: not ends.reset,
        Fate.GONE: not (ends.eof or ends.reset),
        Fate.OPEN: ends.eof or ends.reset,
        Fate.ANY: False,
    }
    if wrong[fate]:
        yield f"end of the connection by the server: {ends.words}; expected: {fate.value}"


def _calls(case: Case, seen: Observation, exact: bool) -> Iterator[str]:
    assert case.calls is not None
    if not exact and not case.calls:
        return  # What was refused on the wire may have been begun: that is the server's affair.
    for name in seen.clients:
        wanted = [call for call in case.calls if call.on == name]
        calls = seen.calls.get(name, [])
        if len(calls) != len(wanted):
            yield f"the application was called {len(calls)} time(s), expected {len(wanted)}"
        for number, (call, expected) in enumerate(zip(calls, wanted, strict=False), 1):
            for problem in _call(call, expected, exact, seen.secure):
                yield f"call {number}: {problem}"


def _call(call: CallTrace, wanted: Call, exact: bool, secure: bool = False) -> Iterator[str]:
    for name, plain in wanted.scope.items():
        value = SECURED.get(plain, plain) if name == "scheme" and secure else plain
        got = call.scope.get(name, "<absent>")
        if _plain(got) != _plain(value):
            yield f"scope[{name!r}] is {got!r}, expected {value!r}"
    offered = call.scope.get("extensions") or {}
    yield from (f"{name} is not offered" for name in wanted.offers if name not in offered)
    yield from (f"{name} is offered" for name in wanted.offers_not if name in offered)
    trace = normalise(call)
    data, size = request_body(trace)
    if wanted.body is not None and data != wanted.body:
        yield f"the application received the body {data[:300]!r}, expected {wanted.body[:300]!r}"
    if wanted.body_size is not None and size != wanted.body_size:
        yield f"the application received {size} bytes, expected {wanted.body_size}"
    if wanted.trace is not None:
        yield from _trace(trace, wanted.trace, exact)
    yield from _ordered(trace, wanted.order, exact)
    for entry in wanted.holds:
        if not exact and entry.error == "OSError" and not _tells_of_disconnects(call.scope):
            continue
        if not any(matches(observed, entry, exact) for observed in trace):
            yield f"the trace lacks: {describe(entry)}"
    for entry in wanted.lacks:
        if any(matches(observed, entry, exact) for observed in trace):
            yield f"the trace must not have: {describe(entry)}"


def _tells_of_disconnects(scope: dict[str, Any]) -> bool:
    """Tell whether send() must raise an OSError once the client has gone: from version 2.4 on."""
    version = str((scope.get("asgi") or {}).get("spec_version", "2.0"))
    return tuple(int(part) for part in version.split(".") if part.isdigit()) >= (2, 4)


def _trace(trace: list[Observed], wanted: tuple[Seen, ...], exact: bool) -> Iterator[str]:
    for index in range(max(len(trace), len(wanted))):
        got = str(trace[index]) if index < len(trace) else "nothing"
        want = describe(wanted[index]) if index < len(wanted) else "nothing"
        both = index < len(trace) and index < len(wanted)
        if not both or not matches(trace[index], wanted[index], exact):
            yield f"trace entry {index + 1} is: {got}; expected: {want}"
            return


def _ordered(trace: list[Observed], wanted: tuple[Seen, ...], exact: bool) -> Iterator[str]:
    """Check that the entries are in the trace, one after the other."""
    rest = iter(trace)
    for entry in wanted:
        if not any(matches(observed, entry, exact) for observed in rest):
            yield f"the trace lacks, in its place: {describe(entry)}"
            return


def describe(entry: Seen) -> str:
    """Put an expected trace entry in words."""
    words = [entry.kind, entry.detail]
    words += [f"body={entry.body!r}"] if entry.body is not None else []
    words += [f"more_body={entry.more}"] if entry.more is not None else []
    words += [f"raised {entry.error}"] if entry.error else []
    words += [f"{key}={value!r}" for key, value in {**entry.has, **entry.ours}.items()]
    return " ".join(words)


def _plain(value: Any) -> Any:
    """Make lists and tuples comparable."""
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _lifespan(case: Case, calls: list[CallTrace], exact: bool) -> Iterator[str]:
    if len(calls) != case.lifespan_runs:
        yield f"the lifespan was run {len(calls)} time(s), expected {case.lifespan_runs}"
    if case.lifespan_call is None:
        return
    for call in calls[:1]:
        for problem in _call(call, case.lifespan_call, exact):
            yield f"lifespan: {problem}"
