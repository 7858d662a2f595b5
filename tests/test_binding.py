"""From settings to sockets: bound, not yet listening, released at the end."""

from __future__ import annotations

import errno
import os
import socket
import stat
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from esg import binding
from esg.config import Config
from esg.errors import StartupError
from tests.server import ESG


@contextmanager
def bound(**settings: Any) -> Iterator[list[socket.socket]]:
    config = Config("example:app", **settings)
    listeners = binding.bind(config)
    try:
        yield listeners
    finally:
        binding.release(listeners)


def accepts(listener: socket.socket) -> bool:
    with socket.socket(listener.family) as client:
        return client.connect_ex(listener.getsockname()) == 0


def test_nobody_connects_before_listen() -> None:
    with bound(port=0) as listeners:
        assert not accepts(listeners[0])
        binding.listen(listeners, 5)
        assert accepts(listeners[0])


def test_listeners_do_not_block() -> None:
    with bound(port=0) as listeners:
        assert not listeners[0].getblocking()


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_ipv6_is_bound_alone(host: str) -> None:
    with bound(host=host, port=0) as (listener,):
        assert listener.family == socket.AF_INET6
        assert listener.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
        port = listener.getsockname()[1]
        assert binding.address_of(listener) == f"http://[::1]:{port}"


def test_a_name_gets_one_port_for_all_its_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    def two_addresses(host: str, port: int, **_: object) -> list[Any]:
        kind = (socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [
            (socket.AF_INET, *kind, ("127.0.0.1", port)),
            (socket.AF_INET6, *kind, ("::1", port, 0, 0)),
            (socket.AF_INET, *kind, ("127.0.0.1", port)),  # resolvers repeat themselves
        ]

    monkeypatch.setattr(socket, "getaddrinfo", two_addresses)
    with bound(host="both.test", port=0) as listeners:
        assert [listener.family for listener in listeners] == [socket.AF_INET, socket.AF_INET6]
        assert len({listener.getsockname()[1] for listener in listeners}) == 1


def test_a_failure_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first address is free, the second is taken: the first is given back."""
    with socket.socket() as taken, socket.socket() as free:
        taken.bind(("127.0.0.3", 0))
        taken.listen()
        port = taken.getsockname()[1]
        kind = (socket.AF_INET, socket.SOCK_STREAM, 0, "")
        found = [(*kind, (host, port)) for host in ("127.0.0.2", "127.0.0.3")]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        with pytest.raises(StartupError, match=r"^cannot bind name:\d+: Address already in use$"):
            binding.bind(Config("example:app", host="name", port=port))
        free.bind(("127.0.0.2", port))


def test_an_address_that_the_machine_lacks_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a name has another one; alone, it is an error that names it."""
    kind = (socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
    # 192.0.2.0/24 is for documentation (RFC 5737): no machine has it.
    found: list[Any] = [(socket.AF_INET, *kind, ("192.0.2.1", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(StartupError, match=r"^cannot bind half\.test:0: "):
        binding.bind(Config("example:app", host="half.test", port=0))
    found.append((socket.AF_INET, *kind, ("127.0.0.1", 0)))
    with bound(host="half.test", port=0) as (listener,):
        assert listener.getsockname()[0] == "127.0.0.1"


def test_a_family_that_the_system_lacks_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    class Socket(socket.socket):
        def __init__(self, family: int = -1, *details: Any, **more: Any) -> None:
            if family == socket.AF_INET6:
                raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
            super().__init__(family, *details, **more)

    kind = (socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
    found = [
        (socket.AF_INET6, *kind, ("::1", 0, 0, 0)),
        (socket.AF_INET, *kind, ("127.0.0.1", 0)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr(socket, "socket", Socket)
    with bound(host="both.test", port=0) as (listener,):
        assert listener.family == socket.AF_INET


def test_names_that_cannot_be_resolved() -> None:
    for host in ("host.invalid", "a" * 70 + ".test"):
        with pytest.raises(StartupError, match="^cannot bind " + host.replace(".", r"\.")):
            binding.bind(Config("example:app", host=host))


def test_unix_socket_and_its_file(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with bound(uds=str(path)) as (listener,):
        assert stat.S_ISSOCK(path.stat().st_mode)
        assert binding.address_of(listener) == f"unix:{path}"
        binding.listen([listener], 5)
        assert accepts(listener)
    assert not path.exists()


def test_release_comes_after_the_driver_closed_them(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with bound(uds=str(path)) as (listener,):
        listener.close()
    assert not path.exists()


def test_release_does_not_miss_a_file_that_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with bound(uds=str(path)):
        path.unlink()
    assert not path.exists()


THIEF = """
import os
import socket

async def app(scope, receive, send):
    await receive()
    own = f"socket of {os.getpid()}"
    with socket.socket(socket.AF_UNIX) as thief:
        thief.bind(own)
    os.replace(own, "socket")
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})
"""


@pytest.mark.parametrize("workers", ["1", "2"])
def test_unix_socket_that_is_taken_during_start_up(tmp_path: Path, workers: str) -> None:
    """Until it listens, it looks dead to another server; to serve nobody would be worse."""
    (tmp_path / "thief.py").write_text(THIEF)
    command = [*ESG, "--uds", "socket", "--workers", workers, "--app-dir", ".", "thief:app"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60, check=False)
    assert ended.returncode == 3
    assert b"esg: cannot bind unix:socket: another server has taken the place" in ended.stderr
    assert (tmp_path / "socket").exists()


def test_inherited_listener(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as outer:
        outer.bind(str(tmp_path / "socket"))
        config = Config("example:app", fd=os.dup(outer.fileno()))
        listeners = binding.bind(config)
        binding.listen(listeners, 5)
        assert accepts(listeners[0])
        binding.release(listeners)
        assert (tmp_path / "socket").exists()


def test_inherited_descriptor_must_be_a_stream_socket() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        number = os.dup(datagrams.fileno())
        with pytest.raises(StartupError, match=rf"^cannot serve descriptor {number}: not a stream"):
            binding.bind(Config("example:app", fd=number))


def test_inherited_descriptor_beyond_all_numbers() -> None:
    with pytest.raises(StartupError, match=r"^cannot serve descriptor 9{30}: "):
        binding.bind(Config("example:app", bind=("fd://" + "9" * 30,)))


def test_listen_reports_a_rival() -> None:
    """Two sockets may be bound to one port by SO_REUSEADDR; only one can listen."""
    with bound(port=0) as listeners, closing(socket.socket()) as rival:
        rival.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        rival.bind(listeners[0].getsockname())
        rival.listen()
        with pytest.raises(StartupError, match=r"Address already in use$"):
            binding.listen(listeners, 5)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (("127.0.0.1", 80), ("127.0.0.1", 80)),
        (("::1", 80, 0, 0), ("::1", 80)),
        ("/run/socket", ("/run/socket", None)),
        (b"\0abstract", ("\0abstract", None)),
        ("", None),
        (b"", None),
        (None, None),
    ],
)
def test_endpoint(name: object, shown: object) -> None:
    assert binding.endpoint(name) == shown
    assert binding.peer(name) == (shown if isinstance(name, tuple) else None)


def shown(listeners: list[socket.socket]) -> list[str]:
    return [binding.address_of(listener) for listener in listeners]


def test_several_addresses(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    with bound(bind=["127.0.0.1:0", f"unix:{path}", "127.0.0.2:0"]) as listeners:
        port = listeners[0].getsockname()[1]
        assert shown(listeners) == [
            f"http://127.0.0.1:{port}",
            f"unix:{path}",
            f"http://127.0.0.2:{port}",
        ]
    assert not Path(path).exists()


def test_every_address() -> None:
    with bound(bind=[":0"]) as listeners:
        assert {listener.getsockname()[0] for listener in listeners} <= {"0.0.0.0", "::"}
        assert len({listener.getsockname()[1] for listener in listeners}) == 1


def test_a_free_port_that_one_address_has_not_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first free port of 127.0.0.1 is made to be taken at 127.0.0.2."""
    with socket.socket() as taken:
        original = binding._open_tcp

        def open_tcp(family: int, address: tuple[Any, ...], reuse_port: bool) -> socket.socket:
            listener = original(family, address, reuse_port)
            if address[0] == "127.0.0.1" and not taken.getsockname()[1]:
                taken.bind(("127.0.0.2", listener.getsockname()[1]))
                taken.listen()
            return listener

        monkeypatch.setattr(binding, "_open_tcp", open_tcp)
        with bound(bind=["127.0.0.1:0", "127.0.0.2:0"]) as listeners:
            ports = {listener.getsockname()[1] for listener in listeners}
            assert len(ports) == 1
            assert taken.getsockname()[1] not in ports


def test_one_failure_gives_every_address_back(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartupError, match=f"cannot bind 127.0.0.1:{port}"):
            binding.bind(Config("a:b", bind=(f"unix:{path}", f"127.0.0.1:{port}")))
    assert not path.exists()


def test_permissions(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with bound(uds=str(path), uds_permissions="606"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o606


def test_two_servers_share_a_port() -> None:
    with bound(port=0, reuse_port=True) as (first,):
        port = first.getsockname()[1]
        with bound(port=port, reuse_port=True) as (second,):
            assert second.getsockname() == first.getsockname()


@pytest.mark.parametrize(("name", "numbers"), [("", [3, 4, 5]), ("web", [3, 5]), ("metrics", [4])])
def test_sockets_of_systemd(name: str, numbers: list[int]) -> None:
    environment = {
        "LISTEN_PID": str(os.getpid()),
        "LISTEN_FDS": "3",
        "LISTEN_FDNAMES": "web:metrics:web",
    }
    assert binding.systemd_descriptors(name, environment) == numbers


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("", {"LISTEN_PID": "1"}),
        ("", {"LISTEN_FDS": "0"}),
        ("", {"LISTEN_FDS": "x"}),
        ("", {"LISTEN_FDS": "9" * 30}),
        ("other", {}),
        ("web", {"LISTEN_FDNAMES": ""}),
    ],
)
def test_no_sockets_of_systemd(name: str, changes: dict[str, str]) -> None:
    environment = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "LISTEN_FDNAMES": "web"}
    with pytest.raises(StartupError, match="cannot bind systemd: no socket"):
        binding.systemd_descriptors(name, environment | changes)
