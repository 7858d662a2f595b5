"""One connection of the fast driver, played without a kernel: what goes in, and what comes of it."""

from __future__ import annotations

import contextvars
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from esg import Config
from esg.asgi import Message, Receive, Scope, Send
from esg.logs import access_logger, logger
from esg.service import Service
from esg.tls.server_tls import ServerTLS
from tests.differential.http_streams import BODY_LIMIT, FIELDS_LIMIT, HEAD_LIMIT, TARGET_LIMIT
from tests.fuzzing.fast import fast
from tests.fuzzing.scripted import ScriptedLoop, ScriptedTransport

http_protocol = fast("http_protocol")
proxy_header = fast("proxy_header")
server = fast("server")
serving = fast("serving")
tls_transport = fast("tls_transport")

MESSAGE_LIMIT = 1000
App = Callable[[Scope, Receive, Send], Awaitable[object]]


class _Faults(logging.Handler):
    """Keep what the driver says of itself; its applications may raise as they like."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record."""
        if record.msg.startswith("Internal error"):
            self.found.append(logging.Formatter().format(record))


@dataclass
class Call:
    """What one call of the application has seen.

    Attributes:
        scope: without what is the same for all.
        events: messages of receive(), content joined; and what send() has raised.
    """

    scope: dict[str, Any]
    events: list[Any] = field(default_factory=list)

    def received(self, event: Message) -> None:
        """Take a message."""
        last = self.events[-1] if self.events else None
        if event["type"] == "http.request":
            if isinstance(last, list):
                last[0] += event["body"]
                last[1] = event["more_body"]
            else:
                self.events.append([event["body"], event["more_body"]])
        else:
            self.events.append(event)


class FastServer:
    """What connections of one configuration share; it serves one at a time.

    Args:
        tls: what secures its connections, if they are.
        settings: of the configuration.
    """

    def __init__(self, tls: ServerTLS | None = None, **settings: Any) -> None:
        self.loop = ScriptedLoop()  # type: ignore[abstract] # nobody calls the others
        self.app: App = _unset
        self._config = _config(**settings)
        self._tls = tls
        with self.loop.running():
            self.serving = serving.Serving(_service(self._call, self._config, tls), self.loop)

    async def _call(self, scope: Scope, receive: Receive, send: Send) -> object:
        return await self.app(scope, receive, send)

    def protocol(self) -> Any:
        """Make the protocol of one connection."""
        http = http_protocol.HttpProtocol(self.serving)
        carried = http if self._tls is None else tls_transport.TLSProtocol(self.serving, http)
        if not self._config.proxy_protocol:
            return carried
        return proxy_header.ProxyHeaderProtocol(self.serving, carried, http)

    def sweep(self) -> None:
        """Do what the server does each second."""
        server._sweep(self.serving)

    def stop(self) -> None:
        """Stop gracefully; it serves nobody afterwards."""
        self.serving.stop()
        server._stop_idle(self.serving)

    def end(self) -> None:
        """End at once: cancel what runs, drop what is open."""
        for task in tuple(self.serving.tasks):
            task.cancel()
        server._drop_all(self.serving)
        self.loop.run()

    @property
    def is_empty(self) -> bool:
        """Tell whether it has forgotten all connections and applications."""
        return not self.serving.connections and not self.serving.tasks


class FastConnection:
    """Play one connection.

    Args:
        host: the server.
        app: is given each call's record, then what every application is.

    Attributes:
        calls: of the application, in order.
    """

    def __init__(self, host: FastServer, app: Callable[..., Awaitable[object]]) -> None:
        self._host = host
        self._app = app
        self._faults = _Faults()
        self.calls: list[Call] = []
        self.transport = ScriptedTransport(host.loop)

    async def _call(self, scope: Scope, receive: Receive, send: Send) -> object:
        seen = Call({k: v for k, v in scope.items() if k not in ("extensions", "state")})
        self.calls.append(seen)

        async def receiving() -> Message:
            event = await receive()
            seen.received(event)
            return event

        async def sending(message: Message) -> None:
            try:
                await send(message)
            except Exception as error:
                seen.events.append(type(error).__name__)
                raise

        return await self._app(seen, scope, receiving, sending)

    @contextmanager
    def playing(self) -> Iterator[ScriptedTransport]:
        """Connect, and see at the end that nothing is left."""
        host = self._host
        host.app = self._call
        with host.loop.running(), _heard_by(self._faults):
            self.transport.connect(host.protocol())
            host.loop.run()
            yield self.transport
            self.transport.take()
            host.loop.run()
            assert not self._faults.found, "".join(self._faults.found)
            assert not host.loop.faults, host.loop.faults
            assert host.is_empty, "a connection or an application is left"


async def _unset(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise AssertionError("no connection is played")


@cache
def _config(**settings: Any) -> Config:
    return Config(
        _unset,
        limit_head_size=HEAD_LIMIT,
        limit_fields=FIELDS_LIMIT,
        limit_target_size=TARGET_LIMIT,
        limit_body_size=BODY_LIMIT,
        ws_max_size=MESSAGE_LIMIT,
        date_header=False,
        **settings,
    )


def _service(app: App, config: Config, tls: ServerTLS | None) -> Service:
    return Service(
        app=app,
        config=config,
        listeners=[],
        state={},
        context=contextvars.copy_context(),
        server_info={},
        on_serving=lambda: None,
        tls=tls,
    )


@contextmanager
def _heard_by(faults: _Faults) -> Iterator[None]:
    """Show the driver's own log to nobody else; make no access lines."""
    before = logger.propagate, access_logger.level
    logger.addHandler(faults)
    logger.propagate = False
    access_logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.removeHandler(faults)
        logger.propagate = before[0]
        access_logger.setLevel(before[1])
