"""Which peers are trusted to speak for others."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rules.twins import rule

trusted_proxies = rule("trusted_proxies")

SERVER = ("127.0.0.1", 8000)
SOCKET = ("/run/esg.sock", None)


@pytest.mark.parametrize(
    ("allowed", "host", "covered"),
    [
        pytest.param(["127.0.0.1"], "127.0.0.1", True, id="an address"),
        pytest.param(["127.0.0.1"], "127.0.0.2", False, id="another address"),
        pytest.param(["10.1.1.1", "10.1.1.2"], "10.1.1.2", True, id="one of several"),
        pytest.param(["10.0.0.0/8"], "10.255.0.1", True, id="in a network"),
        pytest.param(["10.0.0.0/8"], "11.0.0.1", False, id="outside of a network"),
        pytest.param(["2001:db8::/32"], "2001:db8:1::1", True, id="in an IPv6 network"),
        pytest.param(["2001:db8::/32"], "10.0.0.1", False, id="IPv4 is in no IPv6 network"),
        pytest.param(["0.0.0.0/0"], "2001:db8::1", False, id="IPv6 is in no IPv4 network"),
        pytest.param(["2001:DB8:0::1"], "2001:db8::1", True, id="however it is written"),
        pytest.param(["127.0.0.1"], "::ffff:127.0.0.1", True, id="a dual-stack socket's form"),
        pytest.param(["::ffff:127.0.0.1"], "127.0.0.1", True, id="or in the list"),
        pytest.param(["10.0.0.0/8"], "::ffff:10.0.0.1", True, id="in a network, too"),
        pytest.param(["fe80::1"], "fe80::1%eth0", True, id="the zone is this machine's"),
        pytest.param(["10.0.0.0/8"], "unix", False, id="a word is no address"),
        pytest.param(["unix"], "unix", False, id="not even that one"),
        pytest.param(["::1"], "a:b", False, id="nor what looks a little like one"),
        pytest.param(["*"], "203.0.113.1", True, id="everyone"),
        pytest.param([], "127.0.0.1", False, id="nobody"),
    ],
)
def test_address(trusted_proxies: ModuleType, allowed: list[str], host: str, covered: bool) -> None:
    trusted = trusted_proxies.TrustedProxies(",".join(allowed))
    assert trusted.covers(host) is covered
    assert trusted.trusts_peer((host, 50000), SERVER) is covered


@pytest.mark.parametrize(
    ("allowed", "trusts"),
    [
        (["unix"], True),
        (["/run/esg.sock"], True),
        (["unix:/run/esg.sock"], True),
        (["/run/other.sock"], False),
        (["127.0.0.1"], False),
        (["*"], True),
    ],
)
def test_peer_of_a_unix_socket(
    trusted_proxies: ModuleType, allowed: list[str], trusts: bool
) -> None:
    trusted = trusted_proxies.TrustedProxies(",".join(allowed))
    assert trusted.trusts_peer(None, SOCKET) is trusts


def test_peer_of_a_socket_without_a_name(trusted_proxies: ModuleType) -> None:
    assert trusted_proxies.TrustedProxies("unix").trusts_peer(None, None)
    assert not trusted_proxies.TrustedProxies("/run/esg.sock").trusts_peer(None, None)


def test_tcp_peer_without_an_address_is_none_of_a_unix_socket(
    trusted_proxies: ModuleType,
) -> None:
    """It is gone already: what it has sent may still be read."""
    assert not trusted_proxies.TrustedProxies("unix").trusts_peer(None, SERVER)
    assert trusted_proxies.TrustedProxies("*").trusts_peer(None, SERVER)


def test_tcp_peer_is_none_of_a_unix_socket(trusted_proxies: ModuleType) -> None:
    trusted = trusted_proxies.TrustedProxies("unix, /run/esg.sock,")
    assert not trusted.trusts_peer(("127.0.0.1", 50000), SERVER)


@pytest.mark.parametrize(
    "word",
    ["localhost", "127.0.0.1:80", "10.0.0.1/8", "10.0.0.0/33", "[::1]", "01.2.3.4", "a/8"],
)
def test_word_that_is_none(trusted_proxies: ModuleType, word: str) -> None:
    with pytest.raises(ValueError, match="must be addresses, networks"):
        trusted_proxies.TrustedProxies(word)


@given(address=st.ip_addresses(), networks=st.lists(st.ip_addresses(), max_size=3))
def test_agrees_with_ipaddress(
    trusted_proxies: ModuleType, address: object, networks: list[object]
) -> None:
    allowed = [str(ip_network(f"{network}/4", strict=False)) for network in networks]
    plain = ip_address(str(address))
    mapped = getattr(plain, "ipv4_mapped", None)
    expected = any((mapped or plain) in ip_network(network) for network in allowed)
    assert trusted_proxies.TrustedProxies(",".join(allowed)).covers(str(address)) is expected


@given(text=st.text())
def test_never_fails_on_what_is_no_address(trusted_proxies: ModuleType, text: str) -> None:
    trusted = trusted_proxies.TrustedProxies("10.0.0.0/8,::1")
    assert trusted.covers(text) in (True, False)
