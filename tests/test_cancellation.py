"""A cancellation from outside, and what looks like one."""

# ruff: noqa: ASYNC100 - the scopes are the subject, nothing is to be cut short in them

from __future__ import annotations

import asyncio

import anyio
import pytest

from esg.cancellation import forget_own_cancellation, is_cancelled

pytestmark = pytest.mark.anyio


async def test_not_in_peace() -> None:
    assert not is_cancelled()


async def test_in_a_cancelled_scope() -> None:
    with anyio.CancelScope() as scope:
        scope.cancel()
        assert is_cancelled()
    assert not is_cancelled()


async def test_in_a_scope_whose_parent_is_cancelled() -> None:
    with anyio.CancelScope() as outer, anyio.CancelScope():
        outer.cancel()
        assert is_cancelled()


async def test_not_behind_a_shield() -> None:
    with anyio.CancelScope() as outer, anyio.CancelScope(shield=True):
        outer.cancel()
        assert not is_cancelled()


async def test_in_the_task_that_a_group_cancels() -> None:
    seen: list[bool] = []

    async def wait() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            seen.append(is_cancelled())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    assert seen == [True]


async def test_not_where_a_task_cancels_itself(anyio_backend_name: str) -> None:
    if anyio_backend_name == "trio":
        pytest.skip("a trio task cannot cancel itself but by a scope of its own")

    async def cancel_itself() -> bool:
        task = asyncio.current_task()
        assert task
        task.cancel()
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            return is_cancelled()
        raise AssertionError("not cancelled")

    assert not await asyncio.create_task(cancel_itself())


async def test_forgotten_where_a_task_cancels_itself(anyio_backend_name: str) -> None:
    """A task that ends as cancelled would have its group cancel all others."""
    if anyio_backend_name == "trio":
        pytest.skip("a trio task cannot cancel itself but by a scope of its own")

    async def cancel_itself() -> None:
        task = asyncio.current_task()
        assert task
        task.cancel()
        await forget_own_cancellation()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(cancel_itself)
        await anyio.wait_all_tasks_blocked()
        assert not is_cancelled()


async def test_cancellation_from_outside_is_not_forgotten() -> None:
    with anyio.CancelScope() as scope:
        scope.cancel()
        await forget_own_cancellation()
        assert is_cancelled()
        await anyio.sleep_forever()
    assert scope.cancelled_caught
