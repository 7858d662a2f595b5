"""Projects of the plugin's users, and runs of their tests by a pytest of their own."""

from __future__ import annotations

import pytest

# Nothing else that is installed here is to play a part, unless a test says so.
PLAIN = ("-p", "no:cacheprovider", "-p", "no:asyncio")
# On a busy machine.
BOUND = 240.0  # seconds

APP = """
async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": scope["path"].encode()})
"""


def run(project: pytest.Pytester, *options: str) -> pytest.RunResult:
    """Run a project's tests."""
    return project.runpytest_subprocess(*PLAIN, *options, timeout=BOUND)
