"""What the servers are measured with: one table."""

from __future__ import annotations

from dataclasses import dataclass

import apps
from servers import FILES, HTTP, WEBSOCKET
from websocket_frames import BINARY, TEXT, Message


@dataclass(frozen=True)
class Scenario:
    """One kind of load and the answer that proves a server fit for it.

    Args:
        name: Word of the command line and of the result file.
        title: Heading of the report.
        app: Name of the application in apps.py.
        script: Name of the wrk script in load/, without its ending.
        answer: Body that a request must be answered with.
        request_body: Body of the request that checks the answer; with one, the method is POST.
        connections: Keep-alive connections that are open at once.
        for_fixed_answer: Whether a server that can only write one fixed answer takes part.
        pipelined: Requests that the script sends in one write.
    """

    name: str
    title: str
    app: str
    script: str
    answer: bytes
    request_body: bytes | None = None
    connections: int = 64
    for_fixed_answer: bool = False
    pipelined: int = 1
    protocol: str = HTTP
    idle: bool = False

    @property
    def times_latency(self) -> bool:
        """Tell whether wrk's latencies mean anything: it does not time pipelined requests."""
        return self.pipelined == 1

    @property
    def most_under_way(self) -> int:
        """Return the greatest number of requests that can be under way at once."""
        return self.connections * self.pipelined


SCENARIOS = (
    Scenario("hello", "hello, 13 bytes", "hello", "get", apps.HELLO, for_fixed_answer=True),
    Scenario(
        "headers",
        "hello with 10 browser headers",
        "hello",
        "browser_headers",
        apps.HELLO,
        for_fixed_answer=True,
    ),
    Scenario(
        "pipelined",
        "hello, 16 pipelined",
        "hello",
        "pipelined_16",
        apps.HELLO,
        for_fixed_answer=True,
        pipelined=16,
    ),
    Scenario("post1k", "POST 1 KiB, echoed", "echo", "post_1k", b"x" * 1024, b"x" * 1024),
    Scenario("post64k", "POST 64 KiB, echoed", "echo", "post_64k", b"x" * 65536, b"x" * 65536),
    Scenario("large", "1 MiB response", "large", "get", apps.LARGE),
    Scenario(
        "connections",
        "hello, 1000 connections",
        "hello",
        "get",
        apps.HELLO,
        connections=1000,
        for_fixed_answer=True,
    ),
    Scenario("stream", "100 chunks of 1 KiB", "stream", "get", apps.CHUNK * apps.CHUNK_COUNT),
)


FILE_SCENARIOS = tuple(
    Scenario(
        app.replace("_", "-"),
        f"a file of {size} MiB",
        app,
        "get",
        apps.LARGE * size,
        connections=64 if size == 1 else 1,
        protocol=FILES,
    )
    for app, size in apps.FILES.items()
)


@dataclass(frozen=True)
class WebSocketScenario:
    """Messages that are echoed over WebSockets, or WebSockets that only stay open.

    Args:
        name: Word of the command line and of the result file.
        title: Heading of the report.
        message: What every connection sends, again when it is back.
        connections: WebSockets that are open at once.
        idle: Whether nothing is sent, and memory is what is asked.
    """

    name: str
    title: str
    message: Message
    connections: int
    idle: bool = False
    app: str = "websocket_echo"
    protocol: str = WEBSOCKET
    for_fixed_answer: bool = False
    times_latency: bool = True

    @property
    def most_under_way(self) -> int:
        """Return the greatest number of messages that can be under way at once."""
        return 0 if self.idle else self.connections


def _echo(size: int, shown: str, connections: int, kind: str = "") -> WebSocketScenario:
    compressed = kind == "deflate"
    message = Message(size, BINARY if kind == "binary" else TEXT, compressed)
    words = {"": "text", "deflate": "text, compressed", "binary": "binary"}[kind]
    name = "-".join(filter(None, ("ws", shown.lower().replace(" ", ""), str(connections), kind)))
    return WebSocketScenario(name, f"echo {shown}, {words}", message, connections)


WEBSOCKET_SCENARIOS = (
    *(
        _echo(size, shown, connections, kind)
        for size, shown in ((32, "32 B"), (4096, "4 KiB"), (2**20, "1 MiB"))
        for connections in (1, 64)
        for kind in ("", "deflate")
    ),
    *(_echo(2**20, "1 MiB", connections, "binary") for connections in (1, 64)),
    WebSocketScenario("ws-idle", "idle WebSockets", Message(32), 1000, idle=True),
    WebSocketScenario(
        "ws-idle-deflate",
        "idle WebSockets, compression agreed on",
        Message(32, compressed=True),
        1000,
        idle=True,
    ),
)

AnyScenario = Scenario | WebSocketScenario
ALL_SCENARIOS: tuple[AnyScenario, ...] = (*SCENARIOS, *FILE_SCENARIOS, *WEBSOCKET_SCENARIOS)
