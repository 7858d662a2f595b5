"""Compare what was observed with what the case expects."""

from __future__ import annotations

import email.utils
import re
from collections.abc import Iterable, Iterator
from typing import Any

from tests.conformance.client import Client
from tests.conformance.model import Call, Case, Fate, HeaderConstraint, Response, Seen
from tests.conformance.runner import Observation
from tests.conformance.scope_form import SECURED, scope_violations
from tests.conformance.side_channel import CallTrace
from tests.conformance.trace import Observed, matches, normalise, request_body
from tests.conformance.websocket_opening import opening_violations, split_opening
from tests.conformance.websocket_verdict import frame_problems, message_violations, unlawful_codes
from tests.conformance.wire import WireResponse

# What a scope may leave out (ASGI HTTP 2.5), and what that means; None where it means nothing.
OPTIONAL: dict[str, Any] = {
    "scheme": None,
    "raw_path": None,
    "root_path": "",
    "client": None,
    "server": None,
    "subprotocols": [],
}
OPTIONAL_IN_WEBSOCKETS: dict[str, Any] = {"http_version": "1.1", "query_string": b""}
FORM_CASES = ("asgi_scope/basics", "websocket_handshake/scope-plain")
DATE = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")


def violations(seen: Observation, exact: bool) -> list[str]:
    """Return every way in which the observation departs from the case.

    Args:
        seen: the observation.
        exact: hold the server to ESG's own decisions, too.
    """
    found = [*seen.problems, *_departures(seen, seen.case, exact)]
    instead = () if exact or seen.problems else seen.case.or_else
    if any(not _departures(seen, other, exact) for other in instead):
        return []
    return found


def _departures(seen: Observation, case: Case, exact: bool) -> list[str]:
    found: list[str] = []
    for name, client in seen.clients.items():
        expected = [r for r in case.responses if r.on == name]
        found += _responses(client, expected, exact)
        found += _opening(client)
        found += unlawful_codes(client)
        if client.parser.frames and case.frames is not None:
            found += frame_problems(client, [f for f in case.frames if f.on == name], exact)
    if "a" in seen.clients:
        found += _fate(case, seen.clients["a"], seen.usable.get("a"), exact)
    if case.calls is not None:
        found += _calls(case, seen, exact)
    about_lifespan = case.lifespan_call is not None or case.lifespan_runs != 1
    if about_lifespan and (exact or seen.lifespan):  # Others may do without.
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
        found += unlawful_codes(client)
        unlawful = {octets for wanted in seen.case.responses for octets in wanted.raw_lacks}
        found += [f"{octets!r} was sent" for octets in unlawful if octets in parser.raw]
    return found + list(_formal(seen, exact=False))


def _formal(seen: Observation, exact: bool) -> Iterator[str]:
    """Check the form of scopes and messages.

    A server that gets the form of a scope wrong does so in every request: one case of each kind is
    the place to say it.
    """
    about_scopes = exact or seen.case.id in FORM_CASES
    for calls in seen.calls.values():
        for call in calls:
            if about_scopes:
                yield from scope_violations(call.scope, seen.secure, exact)
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
        # A close on unread octets takes the end of an answer with it (RFC 9112 section 9.6).
        cut = client.ends.reset and wanted.by_server and not exact
        if response.complete != wanted.complete and not cut:
            state = "complete" if response.complete else "incomplete"
            yield f"response {number}: {state}, the opposite was expected"
        for problem in _response(response, wanted, exact):
            yield f"response {number}: {problem}"


def _response(response: WireResponse, wanted: Response, exact: bool) -> Iterator[str]:
    allowed = (wanted.status,) if exact else (wanted.status, *wanted.alternatives)
    if response.status not in allowed:
        yield f"status {response.status}, expected {' or '.join(map(str, allowed))}"
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
        yield from _order(response, wanted, exact)
    if exact:
        for name, constraint in wanted.ours.items():
            yield from _field(name, response.values(name), constraint)
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


def _order(response: WireResponse, wanted: Response, exact: bool) -> Iterator[str]:
    names = {name.lower() for name, _ in wanted.in_order}
    lines = [(k.lower(), v) for k, v in response.fields if k.lower() in names]
    expected = [(k.lower(), v) for k, v in wanted.in_order]
    if expected and _ordered_lines(lines, exact) != _ordered_lines(expected, exact):
        yield f"field lines {lines}, expected {list(wanted.in_order)}"


def _ordered_lines(lines: Any, exact: bool) -> list[Any]:
    """Put field lines of different names in an order that none has (RFC 9110 section 5.3)."""
    return _plain(lines) if exact else sorted(_plain(lines), key=lambda line: line[0].lower())


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
    yield from _scope(call.scope, wanted, exact, secure)
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
    told = exact or _tells_of_disconnects(call.scope)
    order = [entry for entry in wanted.order if told or entry.error != "OSError"]
    yield from _ordered(trace, order, exact)
    for entry in wanted.holds:
        if not told and entry.error == "OSError":
            continue
        if not any(matches(observed, entry, exact) for observed in trace):
            yield f"the trace lacks: {describe(entry)}"
    for entry in wanted.lacks:
        if any(matches(observed, entry, exact) for observed in trace):
            yield f"the trace must not have: {describe(entry)}"


def _scope(scope: dict[str, Any], wanted: Call, exact: bool, secure: bool) -> Iterator[str]:
    optional = OPTIONAL | (OPTIONAL_IN_WEBSOCKETS if scope.get("type") == "websocket" else {})
    for name, plain in {**wanted.scope, **(wanted.ours if exact else {})}.items():
        value = SECURED.get(plain, plain) if name == "scheme" and secure else plain
        got = scope.get(name, "<absent>")
        if not exact and scope.get(name) is None and name in optional:
            got = value if optional[name] is None else optional[name]
        if name == "headers" and not exact:
            same = _header_lines(got) == _header_lines(value)
        else:
            same = _plain(got) == _plain(value)
        if not same:
            yield f"scope[{name!r}] is {got!r}, expected {value!r}"


def _header_lines(headers: Any) -> list[Any]:
    """Return a scope's headers in a form that tells neither case nor the order of names."""
    lines = [[name.lower(), value] for name, value in headers]
    return _ordered_lines(lines, exact=False)


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


def _ordered(trace: list[Observed], wanted: Iterable[Seen], exact: bool) -> Iterator[str]:
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
