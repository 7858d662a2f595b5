"""Which cases another server is not judged by, because they are about what it does not offer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.conformance.model import Case
from tests.conformance.targets import Target

if TYPE_CHECKING:
    from tests.conformance.runner import CaseRun

# Of a server: to call the application before the content is whole.
STREAMING = "content in parts"
OLD_VERSION_CASE = "asgi_scope/http-1.0"


def not_offered(target: Target, case: Case) -> str | None:
    """Return why a case need not be put to a server at all, None if it must be."""
    if target.offers_websocket or not _is_websocket(case):
        return None
    return "the server does not offer WebSocket"


def inapplicable(run: CaseRun) -> str | None:
    """Return why a server other than ESG is not judged by this run, None if it is."""
    if run.process.target.exact:
        return None
    if run.case.group == "lifespan" and not run.process.lifespan.calls:
        return "the server does not run the application's lifespan"
    if _refuses_old_version(run):
        return "the server refuses HTTP/1.0"
    return f"the server does not offer {run.case.needs}" if _lacks_needed(run) else None


def _is_websocket(case: Case) -> bool:
    """Tell whether a case is about WebSocket, be it about a handshake that is refused."""
    upgraded = any(response.status == 101 for response in case.responses)
    return upgraded or case.group.startswith("websocket_")


def _lacks_needed(run: CaseRun) -> bool:
    """Tell whether the server does not offer what the case needs."""
    needs, client = run.case.needs, run.clients.get("a")
    if needs is None or client is None:
        return False
    if needs == "state":
        return not any("state" in call.scope for call in run.process.lifespan.calls)
    calls = run.seen.calls.get("a", [])
    if needs == STREAMING:
        return not calls
    if needs == "permessage-deflate":
        reader = client.parser.frames
        return reader is not None and reader.deflate is None
    return any(needs not in (call.scope.get("extensions") or {}) for call in calls)


def _refuses_old_version(run: CaseRun) -> bool:
    """Tell whether the server takes no HTTP/1.0 at all: one case is the place to say it."""
    case, client = run.case, run.clients.get("a")
    welcome = case.calls or any(response.status < 400 for response in case.responses)
    if case.id == OLD_VERSION_CASE or not welcome or not client or run.seen.calls.get("a"):
        return False
    refused = [response.status for response in client.parser.responses[:1]]
    return b" HTTP/1.0\r\n" in client.sent and refused in ([400], [426], [505])
