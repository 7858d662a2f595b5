"""Tell a cancellation from outside from what an application does to itself."""

from __future__ import annotations

import sys
from contextlib import suppress

import anyio


def is_cancelled() -> bool:
    """Tell whether this task is being cancelled from outside, on any backend.

    An application may raise CancelledError or cancel its own task: that is its own affair, and
    must not be taken for the wish that the server ends.
    """
    return anyio.current_effective_deadline() == float("-inf")


async def forget_own_cancellation() -> None:
    """Let come to nothing what an application has done to the task that it ran in.

    To be awaited before such a task ends. One that was cancelled and has not waited since would end
    as cancelled, in asyncio, and the task group that it is in would then cancel all others.
    """
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return
    try:
        task = asyncio.current_task()
    except RuntimeError:  # trio's tasks have no such method
        return
    if task is not None and task.cancelling() and not is_cancelled():
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0)
