"""The results as JSON, for machines; docs/running-conformance.md documents every field."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.conformance.client import Client
from tests.conformance.report import command
from tests.conformance.suite import Outcome
from tests.conformance.trace import shown

SCHEMA = 1
LONGEST_TRANSCRIPT = 4000


def document(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """Return the whole document."""
    return {"schema": SCHEMA, "runs": [run(outcome) for outcome in outcomes]}


def run(outcome: Outcome) -> dict[str, Any]:
    """Return one run; what was seen is told only where it was not as expected."""
    seen, case = outcome.seen, outcome.seen.case
    told: dict[str, Any] = {
        "target": seen.target,
        "case": case.id,
        "group": case.group,
        "mode": seen.mode,
        "level": case.level.value,
        "number": case.number,
        "clause": case.clause,
        "says": case.says,
        "open_to_all": case.open_to_all,
        "result": outcome.result.value,
    }
    if seen.inapplicable:
        told["because"] = seen.inapplicable
    if outcome.problems:
        told |= {
            "problems": outcome.problems,
            "connections": [_connection(name, client) for name, client in seen.clients.items()],
            "calls": [
                {"on": name, "scope": repr(call.scope), "trace": shown(call)}
                for name, calls in seen.calls.items()
                for call in calls
            ],
            "reproduce": command(seen),
        }
    return told


def _connection(name: str, client: Client) -> dict[str, Any]:
    return {
        "name": name,
        "sent": _octets(client.sent),
        "received": _octets(client.parser.raw),
        "ended": client.ends.words,
    }


def _octets(data: bytes | bytearray) -> dict[str, Any]:
    """Return octets as characters of the same number, long ones cut, beside their true count."""
    return {"size": len(data), "latin1": bytes(data[:LONGEST_TRANSCRIPT]).decode("latin-1")}


def write(path: Path, outcomes: Iterable[Outcome]) -> None:
    """Write the document to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document(outcomes), indent=1) + "\n", "utf-8")
