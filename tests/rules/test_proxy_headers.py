"""What trusted proxies say: X-Forwarded-*, RFC 7239, and what a scope makes of it."""

from __future__ import annotations

import time
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rules.twins import rule

proxy_headers = rule("proxy_headers")

Field = tuple[bytes, bytes]
PEER = ("10.0.0.1", 50000)
CLIENT = ("203.0.113.5", 0)
ALL = ("for", "proto", "host", "port", "prefix")


class Trusting:
    """Trust what begins with 10. or fd00."""

    def covers(self, host: str) -> bool:
        """Tell whether a host is trusted."""
        return host.startswith(("10.", "fd00:"))


class TrustingAll:
    """Trust everyone."""

    def covers(self, host: str) -> bool:
        """Trust it."""
        return True


def amended(
    module: ModuleType,
    *fields: Field,
    believes: tuple[str, ...] = ALL,
    trusted: object = None,
    **changes: Any,
) -> dict[str, Any]:
    """Return what is new in the scope of a request with these fields."""
    headers = [(b"host", b"inner:8000"), *fields]
    before = {
        "type": "http",
        "scheme": "http",
        "client": PEER,
        "server": ("10.0.0.9", 8000),
        "path": "/x",
        "root_path": "",
        "headers": headers,
        **changes,
    }
    scope = before.copy()
    module.ProxyHeaders(trusted or Trusting(), ", ".join(believes)).amend(scope)
    assert before["headers"] == changes.get("headers", [(b"host", b"inner:8000"), *fields])
    return {key: value for key, value in scope.items() if value != before[key]}


def forwarded_for(*lines: bytes) -> list[Field]:
    return [(b"x-forwarded-for", line) for line in lines]


@pytest.mark.parametrize(
    ("lines", "client"),
    [
        pytest.param([b"203.0.113.5"], CLIENT, id="one hop"),
        pytest.param([b"6.6.6.6, 203.0.113.5"], CLIENT, id="the right-most untrusted one"),
        pytest.param([b"6.6.6.6, 203.0.113.5, 10.1.1.1,10.2.2.2"], CLIENT, id="behind proxies"),
        pytest.param([b"6.6.6.6", b"203.0.113.5", b"10.1.1.1"], CLIENT, id="in several lines"),
        pytest.param([b"10.3.3.3, 10.2.2.2"], ("10.3.3.3", 0), id="all trusted: the left-most"),
        pytest.param([b"203.0.113.5:4711"], ("203.0.113.5", 4711), id="with a port"),
        pytest.param([b"[2001:db8::1]:4711"], ("2001:db8::1", 4711), id="IPv6 with a port"),
        pytest.param([b"[2001:DB8::1]"], ("2001:db8::1", 0), id="IPv6 in brackets"),
        pytest.param([b"2001:db8:0::1"], ("2001:db8::1", 0), id="IPv6 by itself"),
        pytest.param([b"::ffff:203.0.113.5"], CLIENT, id="IPv4 in IPv6"),
        pytest.param([b" \t203.0.113.5\t ,"], CLIENT, id="whitespace and empty members"),
        pytest.param([b"", b"203.0.113.5", b""], CLIENT, id="empty lines"),
        pytest.param([b'garbage " ;;, 203.0.113.5'], CLIENT, id="a client's garbage is not read"),
        pytest.param([b"203.0.113.5, unknown, 10.1.1.1"], ("10.1.1.1", 0), id="unknown ends it"),
        pytest.param([b"203.0.113.5, unknown"], None, id="unknown to the nearest: the peer"),
        pytest.param([b"_hidden"], None, id="RFC 7239 6.3: hidden"),
        pytest.param([b"203.0.113.5:_hidden"], CLIENT, id="RFC 7239 6.3: a hidden port"),
        pytest.param([b"203.0.113.5:65536"], None, id="no such port"),
        pytest.param([b"203.0.113.5:"], None, id="an empty port"),
        pytest.param([b"203.0.113.256"], None, id="no IPv4 address"),
        pytest.param([b"203.0.113.05"], None, id="nor one with zeros in front"),
        pytest.param([b"[2001:db8:::1]"], None, id="no IPv6 address"),
        pytest.param([b"[203.0.113.5]"], None, id="IPv4 is not put into brackets"),
        pytest.param([b"fe80::1%eth0"], None, id="a zone is another machine's"),
        pytest.param([b"[2001:db8::1"], None, id="an open bracket"),
        pytest.param([b"203.0.113.5 10.0.0.2"], None, id="a space is no comma"),
        pytest.param([b"example.org"], None, id="a name"),
        pytest.param([b""], None, id="nothing"),
    ],
)
def test_client(proxy_headers: ModuleType, lines: list[bytes], client: object) -> None:
    found = amended(proxy_headers, *forwarded_for(*lines))
    assert found == ({} if client is None else {"client": client})


@pytest.mark.parametrize(
    ("scope_type", "lines", "scheme"),
    [
        pytest.param("http", [b"https"], "https", id="https"),
        pytest.param("http", [b"HTTPS"], "https", id="case does not matter"),
        pytest.param("http", [b"wss"], "https", id="some name the WebSocket's scheme"),
        pytest.param("websocket", [b"https"], "wss", id="wss"),
        pytest.param("websocket", [b"wss"], "wss", id="wss itself"),
        pytest.param("http", [b"https, http"], None, id="the last: what the proxy itself says"),
        pytest.param("http", [b"https", b"http"], None, id="of the last line"),
        pytest.param("http", [b"http", b"https"], "https", id="whatever a client has sent before"),
        pytest.param("http", [b"ftp"], None, id="another"),
        pytest.param("http", [b"https\xe9"], None, id="no token"),
        pytest.param("http", [b""], None, id="nothing"),
    ],
)
def test_scheme(
    proxy_headers: ModuleType, scope_type: str, lines: list[bytes], scheme: str | None
) -> None:
    fields = [(b"x-forwarded-proto", line) for line in lines]
    own = "http" if scope_type == "http" else "ws"
    found = amended(proxy_headers, *fields, type=scope_type, scheme=own)
    assert found == ({} if scheme is None else {"scheme": scheme})


def test_scheme_may_be_less_than_our_own(proxy_headers: ModuleType) -> None:
    """A proxy may speak TLS to us and not to its client."""
    field = (b"x-forwarded-proto", b"http")
    assert amended(proxy_headers, field, scheme="https") == {"scheme": "http"}


@pytest.mark.parametrize(
    ("host", "port", "server", "shown"),
    [
        pytest.param(b"example.org", None, ("example.org", 80), b"example.org", id="a name"),
        pytest.param(
            b"example.org:8443", None, ("example.org", 8443), b"example.org:8443", id="with a port"
        ),
        pytest.param(b"a, example.org", None, ("example.org", 80), b"example.org", id="the last"),
        pytest.param(
            b"[2001:db8::1]:81", None, ("2001:db8::1", 81), b"[2001:db8::1]:81", id="IPv6"
        ),
        pytest.param(b"example.org", b"81", ("example.org", 81), b"example.org:81", id="both"),
        pytest.param(
            b"example.org:9", b"81", ("example.org", 81), b"example.org:81", id="the field"
        ),
        pytest.param(
            b"example.org:9", b"80", ("example.org", 80), b"example.org", id="the usual port"
        ),
        pytest.param(None, b"81", ("inner", 81), b"inner:81", id="the port of Host"),
        pytest.param(None, b"80", ("inner", 80), b"inner", id="the usual port of Host"),
    ],
)
def test_host(
    proxy_headers: ModuleType,
    host: bytes | None,
    port: bytes | None,
    server: tuple[str, int],
    shown: bytes,
) -> None:
    said = [(b"x-forwarded-host", host), (b"x-forwarded-port", port)]
    fields = [(name, value) for name, value in said if value is not None]
    found = amended(proxy_headers, *fields)
    assert found == {"server": server, "headers": [(b"host", shown), *fields]}


@pytest.mark.parametrize(
    ("host", "port"),
    [
        (b"exa mple.org", b"81"),
        (b"user@example.org", b""),
        (b"example.org/x", b""),
        (b"[::1", b""),
        (b"[1:2]", b""),
        (b"example.org:0", b""),
        (b"example.org:65536", b""),
        (b"example.org:", b""),
        (b"example.org", b"x"),
        (b"example.org", b"0"),
        (b"example.org", b"+81"),
        (b"example.org", b"000081"),
        (b"", b""),
    ],
)
def test_host_that_is_none(proxy_headers: ModuleType, host: bytes, port: bytes) -> None:
    fields = ((b"x-forwarded-host", host), (b"x-forwarded-port", port))
    assert amended(proxy_headers, *fields) == {}


def test_host_where_the_request_has_none(proxy_headers: ModuleType) -> None:
    fields = [(b"x-forwarded-host", b"example.org")]
    found = amended(proxy_headers, *fields, headers=fields)
    assert found["headers"] == [(b"host", b"example.org"), *fields]
    fields = [(b"x-forwarded-port", b"81")]
    assert amended(proxy_headers, *fields, headers=fields) == {}


def test_port_of_the_scheme(proxy_headers: ModuleType) -> None:
    fields = ((b"x-forwarded-proto", b"https"), (b"x-forwarded-host", b"example.org"))
    assert amended(proxy_headers, *fields)["server"] == ("example.org", 443)
    found = amended(proxy_headers, *fields, type="websocket", scheme="ws")
    assert found["server"] == ("example.org", 443)


@pytest.mark.parametrize(
    ("prefix", "root_path", "path"),
    [
        pytest.param(b"/api", "/api", "/api/x", id="put in front"),
        pytest.param(b"/api/", "/api", "/api/x", id="without the slash at its end"),
        pytest.param(b"/a/b.c~d", "/a/b.c~d", "/a/b.c~d/x", id="several segments"),
    ],
)
def test_prefix(proxy_headers: ModuleType, prefix: bytes, root_path: str, path: str) -> None:
    found = amended(proxy_headers, (b"x-forwarded-prefix", prefix))
    assert found == {"root_path": root_path, "path": path}


@pytest.mark.parametrize(
    "prefix",
    [
        b"",
        b"/",
        b"api",
        b"//evil",
        b"/a//b",
        b"/..",
        b"/a/../b",
        b"/.",
        b"/a b",
        b"/%2Fevil",
        b"/a,/b",
    ],
)
def test_prefix_that_is_none(proxy_headers: ModuleType, prefix: bytes) -> None:
    assert amended(proxy_headers, (b"x-forwarded-prefix", prefix)) == {}


@pytest.mark.parametrize(
    ("own", "path", "expected"),
    [
        ("", "/api/x", "/api/x"),
        ("", "/api", "/api"),
        ("", "/apix", "/api/apix"),
        ("", "*", "*"),
        ("/own", "/own/x", "/api/own/x"),
    ],
)
def test_prefix_and_root_path(
    proxy_headers: ModuleType, own: str, path: str, expected: str
) -> None:
    field = (b"x-forwarded-prefix", b"/api")
    found = amended(proxy_headers, field, root_path=own, path=path)
    assert found["root_path"] == "/api" + own
    assert found.get("path", path) == expected


def test_last_prefix_counts(proxy_headers: ModuleType) -> None:
    fields = ((b"x-forwarded-prefix", b"/a"), (b"x-forwarded-prefix", b"/b"))
    assert amended(proxy_headers, *fields)["root_path"] == "/b"


SAID = (
    (b"x-forwarded-for", b"203.0.113.5"),
    (b"x-forwarded-proto", b"https"),
    (b"x-forwarded-host", b"example.org"),
    (b"x-forwarded-port", b"8443"),
    (b"x-forwarded-prefix", b"/api"),
    (b"forwarded", b"for=198.51.100.7;proto=https;host=other.example"),
)


@pytest.mark.parametrize(
    ("believes", "changed"),
    [
        ((), set()),
        (("for",), {"client"}),
        (("proto",), {"scheme"}),
        (("for", "proto"), {"client", "scheme"}),
        (("host",), {"server", "headers"}),
        (("port",), {"server", "headers"}),
        (("prefix",), {"root_path", "path"}),
        (("forwarded",), {"client", "scheme", "server", "headers"}),
    ],
)
def test_only_what_is_asked_for_is_believed(
    proxy_headers: ModuleType, believes: tuple[str, ...], changed: set[str]
) -> None:
    assert set(amended(proxy_headers, *SAID, believes=believes)) == changed


def test_families_do_not_mix(proxy_headers: ModuleType) -> None:
    assert amended(proxy_headers, *SAID)["client"] == CLIENT
    found = amended(proxy_headers, *SAID, believes=("forwarded",))
    assert found["client"] == ("198.51.100.7", 0)


@pytest.mark.parametrize("fields", ["For", "for proto", "forwarded,for", "forwarded,prefix", "x"])
def test_fields_that_are_none(proxy_headers: ModuleType, fields: str) -> None:
    with pytest.raises(ValueError, match="must be forwarded alone, or some of for"):
        proxy_headers.ProxyHeaders(Trusting(), fields)


def test_underscore_is_no_dash(proxy_headers: ModuleType) -> None:
    fields = [(name.replace(b"-", b"_"), value) for name, value in SAID[:5]]
    assert amended(proxy_headers, *fields) == {}


def test_tells_whether_there_was_a_field(proxy_headers: ModuleType) -> None:
    headers = proxy_headers.ProxyHeaders(Trusting(), "for")
    assert not headers.amend({"headers": [(b"host", b"a"), (b"forwarded", b"for=1.1.1.1")]})
    assert headers.amend({"headers": [(b"x-forwarded-for", b"?")]})


@pytest.mark.parametrize(
    ("lines", "client"),
    [
        pytest.param([b"for=203.0.113.5"], CLIENT, id="a token"),
        pytest.param([b"For=203.0.113.5"], CLIENT, id="names in any case"),
        pytest.param([b'for="203.0.113.5:4711"'], ("203.0.113.5", 4711), id="quoted"),
        pytest.param([b"for=203.0.113.5:4711"], ("203.0.113.5", 4711), id="clear without quotes"),
        pytest.param([b'for="[2001:db8::1]:4711"'], ("2001:db8::1", 4711), id="IPv6"),
        pytest.param([b'for="\\[2001:db8::1\\]"'], ("2001:db8::1", 0), id="quoted pairs"),
        pytest.param([b"for=6.6.6.6, for=203.0.113.5, for=10.1.1.1"], CLIENT, id="elements"),
        pytest.param([b"for=6.6.6.6, for=203.0.113.5", b"for=10.1.1.1"], CLIENT, id="lines"),
        pytest.param([b'by=10.0.0.2;for=203.0.113.5;ext="a,b;c"'], CLIENT, id="other pairs"),
        pytest.param([b";for=203.0.113.5 ; ;by=_x;"], CLIENT, id="empty pairs, and whitespace"),
        pytest.param([b",, for=203.0.113.5 ,\t,"], CLIENT, id="empty elements"),
        pytest.param([b"for=10.3.3.3, for=10.2.2.2"], ("10.3.3.3", 0), id="all trusted"),
        pytest.param([b"for=6.6.6.6, for=unknown, for=10.1.1.1"], ("10.1.1.1", 0), id="unknown"),
        pytest.param([b"for=_hidden"], None, id="hidden"),
        pytest.param([b"for="], None, id="no value"),
        pytest.param([b"for"], None, id="no pair"),
        pytest.param([b"for=203.0.113.5;for=203.0.113.6"], None, id="twice (section 4)"),
        pytest.param([b"for = 203.0.113.5"], None, id="whitespace around the sign"),
        pytest.param([b'for="203.0.113.5'], None, id="an open quote"),
        pytest.param([b'for="203.0.113.5"x'], None, id="something behind a quote"),
        pytest.param([b'for=203.0.113.5;x="\\"'], None, id="a quote that does not close"),
        pytest.param([b'for=", for=203.0.113.5'], CLIENT, id="a client's quote swallows nothing"),
        pytest.param([b'for="x, for="203.0.113.5"'], CLIENT, id="nor pairs with a proxy's"),
        pytest.param([b'for="', b'for="203.0.113.5"'], CLIENT, id="nor does it in another line"),
        pytest.param([b"\\, for=203.0.113.5"], CLIENT, id="nor does its backslash"),
    ],
)
def test_forwarded_for(proxy_headers: ModuleType, lines: list[bytes], client: object) -> None:
    fields = [(b"forwarded", line) for line in lines]
    found = amended(proxy_headers, *fields, believes=("forwarded",))
    assert found == ({} if client is None else {"client": client})


def test_element_of_the_client_is_taken_whole(proxy_headers: ModuleType) -> None:
    said = (
        b'for=6.6.6.6;proto=http;host=evil, for=203.0.113.5;proto=https;host="example.org:8443"'
        b", for=10.1.1.1;proto=http;host=inner"
    )
    field = (b"forwarded", said)
    assert amended(proxy_headers, field, believes=("forwarded",)) == {
        "client": CLIENT,
        "scheme": "https",
        "server": ("example.org", 8443),
        "headers": [(b"host", b"example.org:8443"), field],
    }


def test_element_need_not_name_the_client(proxy_headers: ModuleType) -> None:
    field = (b"forwarded", b"for=6.6.6.6;proto=http, proto=https")
    assert amended(proxy_headers, field, believes=("forwarded",)) == {"scheme": "https"}


@pytest.mark.parametrize("name", [b"x-forwarded-for", b"forwarded"])
def test_walk_is_bounded(proxy_headers: ModuleType, name: bytes) -> None:
    """Also where everyone is trusted, and so a client could send thousands of hops."""
    hops = [b"10.0.%d.%d" % (i // 250, i % 250) for i in range(5000)]
    marked = [b"for=" + hop for hop in hops] if name == b"forwarded" else hops
    believes = ("forwarded",) if name == b"forwarded" else ALL
    found = amended(
        proxy_headers, (name, b",".join(marked)), believes=believes, trusted=TrustingAll()
    )
    assert found["client"] == (hops[-proxy_headers.MOST_HOPS].decode(), 0)


@pytest.mark.parametrize(
    "value", [b"," * 65000, b'"' * 65000, b'for="' * 13000, b"for=a;" * 10000, b'",' * 32000]
)
def test_nothing_costs_more_than_its_size(proxy_headers: ModuleType, value: bytes) -> None:
    """What is quadratic in 64 KiB takes minutes."""
    began = time.process_time()
    for believes in (ALL, ("forwarded",)):
        for name in (b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-prefix", b"forwarded"):
            amended(proxy_headers, (name, value), believes=believes)
    assert time.process_time() - began < 10


NODES = st.sampled_from(
    (
        *(b"10.1.1.1", b"10.2.2.2:80", b"fd00::1", b"[fd00::2]:1", b"203.0.113.5", b"2001:db8::1"),
        *(b"unknown", b"_x", b"", b"\xff", b'"', b"1.2.3.4.5", b"10.1.1.1 "),
    )
)
LINES = st.lists(st.lists(NODES, max_size=5).map(b", ".join) | st.binary(max_size=40), max_size=4)


@given(lines=LINES)
def test_client_is_a_hop_or_the_peer(proxy_headers: ModuleType, lines: list[bytes]) -> None:
    found = amended(proxy_headers, *forwarded_for(*lines))
    assert set(found) <= {"client"}
    if "client" in found:
        host, port = found["client"]
        said = b",".join(lines).lower()
        assert host.encode() in said
        assert port == 0 or str(port).encode() in said


@given(forged=LINES)
def test_what_a_client_sends_changes_nothing(
    proxy_headers: ModuleType, forged: list[bytes]
) -> None:
    """Before the hop of an untrusted client may stand whatever it likes."""
    expected = amended(proxy_headers, *forwarded_for(b"203.0.113.5", b"10.1.1.1"))
    assert expected == {"client": CLIENT}
    assert amended(proxy_headers, *forwarded_for(*forged, b"203.0.113.5", b"10.1.1.1")) == expected
    joined = b", ".join([*forged, b"203.0.113.5", b"10.1.1.1"])
    assert amended(proxy_headers, *forwarded_for(joined)) == expected


QUOTED = st.binary(max_size=40) | st.sampled_from(
    [b'for="', b'for="a\\', b"for=1.1.1.1;host=x", b'"', b'x="', b'for="[::1]"', b";;,", b"\\"]
)


@given(forged=st.lists(QUOTED, max_size=4), joined=st.booleans())
def test_nothing_before_an_element_changes_it(
    proxy_headers: ModuleType, forged: list[bytes], joined: bool
) -> None:
    own = b'for="203.0.113.5:4711";proto=https;host="example.org:81"'
    lines = [b", ".join([*forged, own])] if joined else [*forged, own]
    found = amended(
        proxy_headers, *((b"forwarded", line) for line in lines), believes=("forwarded",)
    )
    assert found["client"] == ("203.0.113.5", 4711)
    assert found["scheme"] == "https"
    assert found["server"] == ("example.org", 81)


NAMES = st.sampled_from([name for name, _ in SAID] + [b"host", b"x"])


@given(
    fields=st.lists(st.tuples(NAMES, st.binary(max_size=30) | QUOTED), max_size=6),
    believes=st.sets(st.sampled_from(ALL)) | st.just({"forwarded"}),
    websocket=st.booleans(),
)
def test_never_fails(
    proxy_headers: ModuleType, fields: list[Field], believes: set[str], websocket: bool
) -> None:
    found = amended(
        proxy_headers,
        *fields,
        believes=tuple(believes),
        type="websocket" if websocket else "http",
        scheme="ws" if websocket else "http",
    )
    assert found.get("scheme") in (None, *(("wss",) if websocket else ("https",)))
    assert found.get("path", "/x").endswith("/x")
    assert not found.get("root_path", "/").startswith("//")
