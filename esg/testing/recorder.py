"""Record every ASGI message that passes between a server and an application."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from esg.asgi import ASGIApp, Message, Receive, Scope, Send
from esg.testing.message_forms import own_iterables
from esg.testing.running_calls import describe
from esg.testing.trace import Trace


def record(app: ASGIApp, *, mask: Iterable[str] = ()) -> RecordedApp:
    """Wrap an application so that its calls leave traces.

    Args:
        app: the application.
        mask: regular expressions of what differs from run to run, besides ports and dates: it
            counts as equal when traces are compared.
    """
    return RecordedApp(app, tuple(mask))


class RecordedApp:
    """Be an application whose calls leave traces; see `record`.

    Attributes:
        app: the application inside.
        traces: one for each call, in the order in which they began.
    """

    def __init__(self, app: ASGIApp, mask: tuple[str, ...]) -> None:
        self.app = app
        self.traces: list[Trace] = []
        self._mask = mask
        self._changed = threading.Condition()

    def wait_for(self, name: str, count: int = 1, timeout: float = 10.0) -> Trace:
        """Wait until calls have ended: a client may have its response before the call ends.

        Args:
            name: of the calls, such as "GET /".
            count: how many must have ended.
            timeout: seconds to wait at most.

        Returns:
            the last of them.

        Raises:
            AssertionError: they have not ended in time.
        """

        def ended() -> list[Trace]:
            return [trace for trace in self.traces if trace.name == name and trace.end]

        with self._changed:
            if not self._changed.wait_for(lambda: len(ended()) >= count, timeout):
                seen = ", ".join(t.name if t.end else f"{t.name} (running)" for t in self.traces)
                raise AssertionError(
                    f"{count} calls {name!r} have not ended in {timeout:g} s; there were: {seen}"
                )
            return ended()[count - 1]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> object:
        """Call the application inside, as ASGI has it."""
        # Applications add to their scope.
        trace = Trace(describe(scope), dict(scope), self._mask)
        self.traces.append(trace)

        async def recorded_receive() -> Message:
            message = await receive()
            trace.received.append(message)
            return message

        async def recorded_send(message: Message) -> None:
            message = own_iterables(message)
            try:
                await send(message)
            except Exception as error:
                trace.refused.append((message, error))
                raise
            trace.sent.append(message)

        end = "cancelled"
        try:
            result = await self.app(scope, recorded_receive, recorded_send)
            end = "returned"
        except Exception as error:
            end = f"raised {type(error).__name__}: {error}"
            raise
        finally:
            with self._changed:
                trace.end = end
                self._changed.notify_all()
        return result
