"""The threads of a WSGI application: bounded, used again, ended."""

from __future__ import annotations

import threading

import pytest

from esg.interfaces.thread_pool import ThreadPool

BOUND = 60.0  # seconds, for whatever should take none


class Jobs:
    """Jobs that wait to be let go, and what is known of them."""

    def __init__(self) -> None:
        self.go_on = threading.Semaphore(0)
        self.begun = threading.Semaphore(0)
        self.ended = threading.Semaphore(0)
        self.threads: set[threading.Thread] = set()
        self.order: list[object] = []

    def job(self, name: object = None) -> None:
        self.order.append(name)
        self.threads.add(threading.current_thread())
        self.begun.release()
        assert self.go_on.acquire(timeout=BOUND)
        self.ended.release()


def wait(semaphore: threading.Semaphore, times: int = 1) -> None:
    for _ in range(times):
        assert semaphore.acquire(timeout=BOUND)


def join(threads: set[threading.Thread]) -> None:
    for thread in threads:
        thread.join(BOUND)
        assert not thread.is_alive()


def test_no_more_threads_than_allowed() -> None:
    pool, jobs = ThreadPool(2), Jobs()
    for number in range(5):
        pool.start(lambda number=number: jobs.job(number))  # type: ignore[misc]
    wait(jobs.begun, 2)
    assert not jobs.begun.acquire(blocking=False)
    jobs.go_on.release(5)
    wait(jobs.ended, 5)
    assert len(jobs.threads) == 2
    assert sorted(jobs.order[:2]) == [0, 1]  # type: ignore[type-var]
    assert sorted(jobs.order[2:]) == [2, 3, 4]  # type: ignore[type-var]
    pool.close()
    join(jobs.threads)


def test_a_thread_is_used_again() -> None:
    pool, jobs = ThreadPool(8), Jobs()
    for _ in range(3):
        jobs.go_on.release()
        pool.start(jobs.job)
        wait(jobs.ended)
        while pool._idle == 0:  # it has ended its job, and is about to wait for the next
            threading.Event().wait(0.001)
    assert len(jobs.threads) == 1
    pool.close()
    join(jobs.threads)


def test_jobs_that_come_at_once_share_no_idle_thread() -> None:
    pool, jobs = ThreadPool(8), Jobs()
    jobs.go_on.release()
    pool.start(jobs.job)
    wait(jobs.ended)
    wait(jobs.begun)
    for _ in range(3):
        pool.start(jobs.job)
    wait(jobs.begun, 3)  # side by side: none of them has been let go
    jobs.go_on.release(3)
    pool.close()
    join(jobs.threads)


def test_busy_threads_end_with_their_jobs() -> None:
    pool, jobs = ThreadPool(1), Jobs()
    pool.start(jobs.job)
    pool.start(jobs.job)
    wait(jobs.begun)
    pool.close()
    jobs.go_on.release()
    join(jobs.threads)
    assert len(jobs.order) == 1  # the other was not begun


def test_nothing_was_ever_done() -> None:
    ThreadPool(1).close()


def no_thread(_thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_a_thread_that_is_not_to_be_had_does_not_count() -> None:
    """Else the pool would shrink with each, and in the end run nothing."""
    pool, jobs = ThreadPool(1), Jobs()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(threading.Thread, "start", no_thread)
        with pytest.raises(RuntimeError, match="start new thread"):
            pool.start(lambda: jobs.job("refused"))
    pool.start(lambda: jobs.job("taken"))
    jobs.go_on.release(2)
    wait(jobs.ended)
    pool.close()
    join(jobs.threads)
    assert jobs.order == ["taken"]


def test_a_job_without_a_thread_of_its_own_waits_for_one() -> None:
    pool, jobs = ThreadPool(2), Jobs()
    pool.start(jobs.job)
    wait(jobs.begun)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(threading.Thread, "start", no_thread)
        pool.start(jobs.job)
    jobs.go_on.release(2)
    wait(jobs.ended, 2)
    assert len(jobs.threads) == 1
    pool.close()
    join(jobs.threads)
