"""Hold an application, and the server that calls it, to the letter of the ASGI specification.

In the spirit of `wsgiref.validate`. Forms are in `scope_forms` and `message_forms`, orders in
`http_order`, `websocket_order` and `lifespan_order`; here they meet `receive()` and `send()`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Protocol

from esg.asgi import ASGIApp, Message, Receive, Scope, Send
from esg.testing.http_order import HttpOrder
from esg.testing.lifespan_order import LifespanOrder
from esg.testing.message_forms import RECEIVED, SENT, MessageForm, check_message, own_iterables
from esg.testing.running_calls import describe
from esg.testing.scope_forms import check_scope, check_type, extensions_of, spec_version_of
from esg.testing.violation import ASGI, HTTP, ASGIViolation, Culprit, Forbidden, report
from esg.testing.websocket_order import WebSocketOrder

_APPLICATIONS: Final = f'{ASGI}, "Applications"'


class Order(Protocol):
    """Follow the messages of one call."""

    @property
    def is_complete(self) -> bool:
        """Tell whether the application has nothing more to send."""
        ...

    def sent(self, message_type: str, message: Mapping[str, Any], /) -> None:
        """Follow a message of the application."""

    def received(
        self, message_type: str, message: Mapping[str, Any], was_complete: bool, /
    ) -> None:
        """Follow a message of the server."""

    def client_left(self) -> None:
        """Take note that nobody reads any more."""

    def returned(self) -> None:
        """Check that an application that returns has done its part."""


_ORDERS: Final[Mapping[object, Callable[[Scope], Order]]] = {
    "http": HttpOrder,
    "websocket": WebSocketOrder,
    "lifespan": LifespanOrder,
}


def validate(app: ASGIApp, *, strict: bool = False, server: bool = True) -> ValidatedApp:
    """Wrap an application so that whatever ASGI forbids raises ASGIViolation, with the clause.

    What the application does wrong is raised out of its `send()` and `receive()`, or after it has
    returned; from then on the call is over for it. What the server does wrong, in its scopes and
    in the messages that it delivers, is raised out of the call or of `receive()`.

    Args:
        app: the application.
        strict: forbid what the specification advises against or leaves undefined, too: to change
            the scope itself instead of a copy; two calls of `receive()` at once, and two of
            `send()` but for WebSocket messages.
        server: hold the server to the specification, too. Test clients that call applications
            without a server take liberties with it.
    """
    return ValidatedApp(app, strict=strict, server=server)


class ValidatedApp:
    """Be an application that is held to the specification; see `validate`.

    Attributes:
        app: the application inside.
        violations: what has been raised so far, also where something swallowed it.
    """

    def __init__(self, app: ASGIApp, *, strict: bool, server: bool) -> None:
        self.app = app
        self.strict = strict
        self.checks_server = server
        self.violations: list[ASGIViolation] = []
        self._scopes: list[Scope] = []
        self._lifespans: list[LifespanOrder] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> object:
        """Call the application inside, as ASGI has it.

        Raises:
            ASGIViolation: one of the two broke the specification.
        """
        order_of = _ORDERS.get(scope.get("type")) if isinstance(scope, dict) else None
        if order_of is None:
            with self.blaming("server", "made "):
                check_type(scope)
            return await self.app(scope, receive, send)
        where = describe(scope)
        with self.blaming("server", "made ", where):
            check_scope(scope)
        with self.blaming("server", "", where):
            self._check_begin(scope)
        call = _Call(self, scope, receive, send, order=order_of(scope), where=where)
        with self._running(scope, call.order):
            return await call.run()

    @contextmanager
    def _running(self, scope: Scope, order: Order) -> Iterator[None]:
        lifespans = [order] if isinstance(order, LifespanOrder) else []
        self._scopes.append(scope)
        self._lifespans += lifespans
        try:
            yield
        finally:
            self._scopes = [kept for kept in self._scopes if kept is not scope]
            self._lifespans = [kept for kept in self._lifespans if kept not in lifespans]

    @contextmanager
    def blaming(self, culprit: Culprit, verb: str = "", where: str = "") -> Iterator[None]:
        """Turn what is forbidden into a violation by whoever did it."""
        try:
            yield
        except Forbidden as found:
            if culprit == "server" and not self.checks_server:
                return
            violation = ASGIViolation(culprit, verb + found.what, found.clause, where)
            self.violations.append(violation)
            report(violation)
            raise violation from None

    def _check_begin(self, scope: Scope) -> None:
        if any(known is scope for known in self._scopes):
            raise Forbidden(
                "called the application twice with one scope", f'{HTTP}, "HTTP Connection Scope"'
            )
        # Of several servers that serve one application nobody knows whose request this is.
        if scope["type"] in ("http", "websocket") and len(self._lifespans) == 1:
            self._lifespans[0].request_begins(scope.get("state"))


class _Call:
    """Be between the server and the application for the time of one call."""

    def __init__(
        self,
        owner: ValidatedApp,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        order: Order,
        where: str,
    ) -> None:
        self.order = order
        self._owner = owner
        self._scope = scope
        self._receive = receive
        self._send = send
        self._where = where
        self._violation: ASGIViolation | None = None
        self._returned = False
        self._receiving = 0
        self._sending: list[str] = []

    @contextmanager
    def _blaming(self, culprit: Culprit, verb: str = "") -> Iterator[None]:
        """Turn what is forbidden into a violation, which is the end of this call."""
        try:
            with self._owner.blaming(culprit, verb, self._where):
                yield
        except ASGIViolation as violation:
            self._violation = self._violation or violation
            raise

    async def run(self) -> object:
        """Call the application and judge its end."""
        before = dict(self._scope), list(self._scope.get("headers", ()))
        try:
            result = await self._owner.app(self._scope, self.receive, self.send)
        finally:
            self._returned = True
        if self._violation is not None:
            raise self._violation  # the application has swallowed it
        with self._blaming("application"):
            self.order.returned()
            if self._owner.strict:
                _check_unchanged(self._scope, *before)
        return result

    def _check_usable(self, function: str) -> None:
        if self._violation is not None:
            raise self._violation
        if self._returned:
            raise Forbidden(f"called {function}() after it had returned", _APPLICATIONS)

    async def receive(self) -> Message:
        """Receive a message, as the application's `receive`."""
        with self._blaming("application"):
            self._check_usable("receive")
            if self._owner.strict and self._receiving:
                raise Forbidden(
                    "called receive() while another receive() waited: either may get the message",
                    _APPLICATIONS,
                )
        was_complete = self.order.is_complete
        self._receiving += 1
        try:
            message = await self._receive()
        finally:
            self._receiving -= 1
        message_type = ""
        with self._blaming("server", "delivered "):
            message_type = self._check_form(message, RECEIVED)
        if message_type in RECEIVED:
            with self._blaming("server"):
                self.order.received(message_type, message, was_complete)
        return message

    async def send(self, message: Message, /) -> None:
        """Send a message, as the application's `send`."""
        message = own_iterables(message)
        with self._blaming("application"):
            self._check_usable("send")
        with self._blaming("application", "sent "):
            message_type = self._check_form(message, SENT)
        with self._blaming("application"):
            if self._owner.strict:
                self._check_alone(message_type)
            if message_type in SENT:
                self.order.sent(message_type, message)
        self._sending.append(message_type)
        try:
            await self._send(message)
        except OSError:
            self.order.client_left()
            raise
        finally:
            self._sending.remove(message_type)

    def _check_form(self, message: Message, known: Mapping[str, MessageForm]) -> str:
        offered, version = extensions_of(self._scope), spec_version_of(self._scope)
        return check_message(message, known, offered, version)

    def _check_alone(self, message_type: str) -> None:
        """Forbid sends at the same time, but for WebSocket messages, which stand for themselves."""
        if message_type in ("websocket.send", "websocket.close"):
            waiting = [other for other in self._sending if other != "websocket.send"]
        else:
            waiting = self._sending
        if waiting:
            raise Forbidden(
                f"sent {message_type} while the send() of {waiting[0]} waits: their order is lost",
                _APPLICATIONS,
            )


def _check_unchanged(scope: Scope, before: Scope, headers: list[Any]) -> None:
    """Check that the application changed no scope that is not its own.

    The state is for it to change.
    """
    names = {**before, **scope}
    absent = object()
    changed = [n for n in names if scope.get(n, absent) is not before.get(n, absent)]
    if list(scope.get("headers", ())) != headers:
        changed.append("headers")
    if changed:
        raise Forbidden(
            f"changed {', '.join(sorted(map(repr, changed)))} of its scope, not of a copy",
            f'{ASGI}, "Middleware"',
        )
