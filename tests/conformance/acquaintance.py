"""What another server offers at all: asked once, before its cases."""

from __future__ import annotations

from dataclasses import replace

from tests.conformance.behaviours import HELLO, HELLO_BODY
from tests.conformance.model import AwaitResponse, Case, Fate, Level, Response, Send
from tests.conformance.process import ServerProcess
from tests.conformance.receive_queue import ReceiveQueue
from tests.conformance.runner import CaseRun, Observation
from tests.conformance.side_channel import SideChannel
from tests.conformance.targets import WHOLE, Target

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
OPENING = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


def _question(name: str, fields: bytes = b"", client_is_told: bool = False) -> Case:
    return Case(
        id=f"acquaintance/{name}",
        number=0,
        level=Level.CHOICE,
        clause="none",
        says="what the server offers",
        steps=(Send(REQUEST + fields + b"\r\n"), AwaitResponse()),
        app=(HELLO,),
        responses=(Response(200),),
        fate=Fate.ANY,
        client_is_told=client_is_told,
    )


PLAIN = _question("plain")
UPGRADE = _question("upgrade", OPENING, client_is_told=True)


async def acquainted(process: ServerProcess, channel: SideChannel, queue: ReceiveQueue) -> Target:
    """Return the process's target with what its server has shown of itself.

    What it does not answer at all is left to the cases.
    """

    async def asked(case: Case) -> Observation:
        return await CaseRun(case, process, channel, queue, WHOLE).run()

    target = process.target
    # Who finds no script of his own says hello, too.
    plain = await asked(PLAIN)
    answered = any(HELLO_BODY in response.body for response in plain.clients["a"].parser.responses)
    if answered and not plain.calls["a"]:
        target = replace(target, names_clients=False)
    calls = (await asked(UPGRADE)).calls["a"]
    if any(call.scope.get("type") == "http" for call in calls):
        target = replace(target, offers_websocket=False)
    return target
