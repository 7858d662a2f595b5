"""A served site: its process, a client of it, and what it tells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx

from tests.ecosystem.frameworks import Framework
from tests.ecosystem.targets import Target
from tests.server import LINE_BOUND, ServerProcess
from tests.websocket_client import WebSocket


class Site:
    """One framework's site on one server.

    Args:
        framework: which one.
        target: the server.
        python: the interpreter that has the frameworks.
        file: what /file sends.
        large: what is uploaded.
    """

    def __init__(
        self, framework: Framework, target: Target, python: Path, file: Path, large: Path
    ) -> None:
        self.framework = framework
        self.target = target
        self.file = file
        self.large = large
        options = target.wsgi if framework.wsgi else ()
        self.server = ServerProcess(
            [*target.options, *options, framework.app],
            env={"ECOSYSTEM_FILE": str(file), "ECOSYSTEM_LOOP": target.loop},
            command=(str(python), "-m"),
        )
        self.client = httpx.Client(timeout=LINE_BOUND)
        self.stopped = False

    def wait_started(self) -> None:
        """Wait until the server listens."""
        self.server.wait_started(self.target.listening)
        self.client.base_url = httpx.URL(self.server.url)

    def end(self) -> None:
        """End the server if it still runs, and look at what it wrote."""
        self.client.close()
        if self.target.row is None or self.framework.forgets_errors:
            self.server.kill()
        else:
            self.server.end()

    @property
    def mark(self) -> int:
        """How many lines the site has told: what `wait_told` is to leave out."""
        return len(self.server.stdout())

    def wait_told(self, what: str, since: int = 0) -> None:
        """Wait until the site tells something."""
        self.server.stdout.wait_for(rf"^# {what}$", within=self.target.bound, since=since)

    def open_gate(self) -> None:
        """Let one coroutine of the site past its gate."""
        assert self.client.post("/open").status_code == 200

    def socket(self) -> WebSocket:
        """Connect a client for a WebSocket."""
        return WebSocket(self.server.address)

    def stop(self) -> int:
        """Stop the server; return its exit code."""
        self.stopped = True
        return self.server.stop()


def decoded(answer: httpx.Response) -> Any:
    """Return an answer's JSON, which has to be a success."""
    assert answer.status_code == 200, answer.text[:2000]
    return json.loads(answer.content)
