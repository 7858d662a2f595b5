"""A head: one verdict, by either twin, however it is cut; and what is made of a lawful one."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

from esg.errors import RequestRejected
from esg.rules.request_head import HeadLimits, judge
from tests.differential.reading import BOUNDS, REQUEST_HEAD, verdict
from tests.fuzzing.fast import fast
from tests.fuzzing.given import Given
from tests.rules.heads import contents, limits
from tests.rules.twins import find_twins

SCOPE = find_twins("scope")
HANDSHAKE = find_twins("websocket_handshake")
request_parser = fast("request_parser")
_BEFORE = (b"GET /before?x HTTP/1.1\r\nHost: a\r\nX-One: 1\r\n\r\n",)
_FIELD_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+")
_FIELD_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_ROOT_PATHS = ("", "/a", "/%41")


def check(given: Given) -> None:
    """Judge a head by all ways there are."""
    whole = verdict(REQUEST_HEAD["interpreted"], [given.stream])
    for rule in REQUEST_HEAD.values():
        assert verdict(rule, [given.stream]) == whole
        assert verdict(rule, given.pieces) == whole
    _check_spans(given, whole)
    (status, _), rest = whole
    if status == 0:
        head = judge(given.stream[: len(given.stream) - len(rest)], HeadLimits(*BOUNDS))
        _check_head(head)
        root_path = given.one_of(_ROOT_PATHS)
        paths = {rule.decode_path(head.raw_path, root_path) for rule in SCOPE.values()}
        assert len(paths) == 1
        _check_handshakes(head, bool(given.number(2)))


def _check_spans(given: Given, whole: Any) -> None:
    """Read it as the fast driver does, which asks the rule where its shortcut does not hold."""
    rule = REQUEST_HEAD["compiled"]
    for before in ((), _BEFORE):
        found = request_parser.read_head(given.stream, limits(rule, *BOUNDS), before)
        if found is not None:
            head, taken = found
            assert whole == ((0, contents(head)), given.stream[taken:])


def _check_head(head: Any) -> None:
    """See that nothing reaches an application that its scope may not have."""
    assert head.http_version in ("1.0", "1.1")
    assert head.content_length >= -1
    assert head.raw_path.isascii()
    assert not {*head.raw_path, *head.query} & {*b"\0\r\n #"}
    names = [name for name, _ in head.headers]
    assert names.count(b"host") <= 1
    assert names.count(b"content-length") <= 1
    assert not ({b"content-length", b"transfer-encoding"} <= {*names})
    for name, value in head.headers:
        assert _FIELD_NAME.fullmatch(name)
        assert _FIELD_VALUE.fullmatch(value)
        assert value == value.strip(b" \t")


def _check_handshakes(head: Any, compresses: bool) -> None:
    found = [_handshake(rule, head, compresses) for rule in HANDSHAKE.values()]
    assert all(one == found[0] for one in found)


def _handshake(rule: ModuleType, head: Any, compresses: bool) -> tuple[Any, ...]:
    if not rule.is_opening(head):
        return ()
    try:
        opening = rule.judge(head, compresses)
    except RequestRejected as rejected:
        return (rejected.status, rejected.reason)
    chosen = opening.subprotocols[-1] if opening.subprotocols else None
    fields = opening.accept_fields(chosen, [])
    for _, value in fields:
        assert _FIELD_VALUE.fullmatch(value)
    return (opening.subprotocols, opening.deflate, fields)
