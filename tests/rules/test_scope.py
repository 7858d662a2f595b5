"""The scope of a request: ASGI HTTP 2.5, "HTTP Connection Scope"."""

from __future__ import annotations

from types import ModuleType
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rules.grammar import origin_forms
from tests.rules.twins import rule

scope = rule("scope")
EARLY_HINT = "http.response.early_hint"
FILES = {"http.response.pathsend", "http.response.zerocopysend"}


def make(scope: ModuleType, **changes: Any) -> dict[str, Any]:
    """Build a scope from harmless values."""
    values: dict[str, Any] = {
        "method": "GET",
        "http_version": "1.1",
        "raw_path": b"/",
        "query": b"",
        "headers": [(b"host", b"a")],
        "scheme": "http",
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
        "root_path": "",
        "state": {},
        "extensions": {},
        "takes_trailers": False,
    }
    result: dict[str, Any] = scope.http_scope(**(values | changes))
    return result


@pytest.mark.parametrize(
    ("raw_path", "path"),
    [
        pytest.param(b"/", "/", id="root"),
        pytest.param(b"/a%20b%2Fc%C3%A9", "/a b/cé", id="ASGI path: percent-decoded UTF-8"),
        pytest.param(b"/%ff", "/\ufffd", id="ASGI path: no UTF-8 becomes U+FFFD"),
        pytest.param(b"/%C3", "/\ufffd", id="ASGI path: UTF-8 cut short becomes U+FFFD"),
        pytest.param(b"/%ED%A0%80", "/\ufffd\ufffd\ufffd", id="RFC 3629: no surrogates"),
        pytest.param(b"/%zz%4", "/%zz%4", id="RFC 3986 2.1: a bad escape stays"),
        pytest.param(b"/%2541", "/%41", id="RFC 3986 2.4: decoded once"),
        pytest.param(b"/a+b", "/a+b", id="RFC 3986: a plus is no space"),
        pytest.param(b"/a/../b//c;d", "/a/../b//c;d", id="segments are the application's matter"),
        pytest.param(b"*", "*", id="RFC 9112 3.2.4: asterisk-form"),
        pytest.param(b"/%00", "/\x00", id="an encoded NUL is a character"),
    ],
)
def test_path_is_decoded(scope: ModuleType, raw_path: bytes, path: str) -> None:
    assert scope.decode_path(raw_path, "") == path


@pytest.mark.parametrize(
    ("raw_path", "path"),
    [
        pytest.param(b"/api/x", "/api/x", id="below root_path: as received"),
        pytest.param(b"/api", "/api", id="root_path itself"),
        pytest.param(b"/api/", "/api/", id="root_path with a slash"),
        pytest.param(b"/apix", "/api/apix", id="only whole segments count"),
        pytest.param(b"/x", "/api/x", id="elsewhere: prefixed once"),
        pytest.param(b"/", "/api/", id="the root: prefixed once"),
        pytest.param(b"/x/api/y", "/api/x/api/y", id="not at the start: prefixed"),
        pytest.param(b"/%61pi/x", "/api/x", id="compared after decoding"),
        pytest.param(b"/API/x", "/api/API/x", id="paths are case-sensitive"),
        pytest.param(b"*", "*", id="asterisk-form is no path"),
    ],
)
def test_path_begins_with_root_path(scope: ModuleType, raw_path: bytes, path: str) -> None:
    assert scope.decode_path(raw_path, "/api") == path


@given(text=st.text())
def test_path_round_trips(scope: ModuleType, text: str) -> None:
    raw = b"/" + quote_from_bytes(text.encode("utf-8", "replace")).encode("ascii")
    assert scope.decode_path(raw, "") == "/" + text.encode("utf-8", "replace").decode()


@given(raw_path=origin_forms)
def test_path_agrees_with_urllib(scope: ModuleType, raw_path: bytes) -> None:
    assert scope.decode_path(raw_path, "") == unquote_to_bytes(raw_path).decode("utf-8", "replace")


@given(raw_path=origin_forms)
def test_root_path_is_put_in_front_at_most_once(scope: ModuleType, raw_path: bytes) -> None:
    below = scope.decode_path(raw_path, "/api")
    assert scope.decode_path(b"/api" + raw_path, "/api") == "/api" + scope.decode_path(raw_path, "")
    assert below == "/api" or below.startswith("/api/")


def test_scope_has_what_asgi_names(scope: ModuleType) -> None:
    headers = [(b"host", b"a"), (b"a", b"1"), (b"x", b"z"), (b"a", b"2")]
    found = make(
        scope,
        method="POST",
        http_version="1.0",
        raw_path=b"/a%20b",
        query=b"x=%20y",
        headers=headers,
        scheme="https",
        root_path="/api",
        state={"n": 0},
        extensions={"tls": {"server_cert": None}},
    )
    assert found == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": "1.0",
        "method": "POST",
        "scheme": "https",
        "path": "/api/a b",
        "raw_path": b"/a%20b",
        "query_string": b"x=%20y",
        "root_path": "/api",
        "headers": headers,
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
        "state": {"n": 0},
        "extensions": {"tls": {"server_cert": None}, **{name: {} for name in FILES}},
    }


def test_unix_socket_has_a_path_and_no_client(scope: ModuleType) -> None:
    found = make(scope, client=None, server=("/run/esg.sock", None))
    assert found["client"] is None
    assert list(found["server"]) == ["/run/esg.sock", None]


def test_scopes_of_two_requests_share_nothing_mutable(scope: ModuleType) -> None:
    extensions: dict[str, dict[str, Any]] = {"tls": {}}
    first = make(scope, extensions=extensions)
    first["asgi"]["version"] = "0"
    first["extensions"]["tls"]["x"] = 1
    first["extensions"]["y"] = {}
    second = make(scope, extensions=extensions)
    assert second["asgi"] == {"version": "3.0", "spec_version": "2.5"}
    assert second["extensions"]["tls"] == {}
    assert "y" not in second["extensions"]


def test_state_is_copied_one_level_deep(scope: ModuleType) -> None:
    state: dict[str, Any] = {"n": 0, "l": []}
    first = make(scope, state=state)["state"]
    first["n"] = 1
    first["l"].append("grown")
    assert make(scope, state=state)["state"] == {"n": 0, "l": ["grown"]}


def test_websocket(scope: ModuleType) -> None:
    """ASGI WebSocket 2.5, "WebSocket Connection Scope"."""
    state: dict[str, Any] = {"shared": []}
    offered = ["a", "b"]
    server = {"esg.server": {"version": "1"}}
    made = scope.websocket_scope(
        http_version="1.1",
        raw_path=b"/chat%20room",
        query=b"q",
        headers=[(b"host", b"a")],
        subprotocols=offered,
        scheme="ws",
        client=("127.0.0.1", 50000),
        server=("127.0.0.1", 8000),
        root_path="/api",
        state=state,
        extensions=server,
    )
    assert made == {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": "1.1",
        "scheme": "ws",
        "path": "/api/chat room",
        "raw_path": b"/chat%20room",
        "query_string": b"q",
        "root_path": "/api",
        "headers": [(b"host", b"a")],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
        "subprotocols": ["a", "b"],
        "state": state,
        "extensions": {"websocket.http.response": {}, "esg.server": {"version": "1"}},
    }
    assert made["state"] is not state
    assert made["state"]["shared"] is state["shared"]
    assert made["subprotocols"] is not offered
    assert made["extensions"]["esg.server"] is not server["esg.server"]


@pytest.mark.parametrize(
    ("changes", "offered"),
    [
        ({}, {EARLY_HINT}),
        ({"takes_trailers": True}, {EARLY_HINT, "http.response.trailers"}),
        ({"http_version": "1.0"}, set()),
    ],
)
def test_extensions_are_offered_where_they_work(
    scope: ModuleType, changes: dict[str, Any], offered: set[str]
) -> None:
    made = make(scope, extensions={"esg.server": {"a": 1}}, **changes)
    assert set(made["extensions"]) == offered | FILES | {"esg.server"}
