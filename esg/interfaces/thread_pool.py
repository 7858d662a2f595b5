"""A bounded number of threads for jobs that nobody can cancel.

anyio's worker threads are bounded only while the tasks that wait for them do wait: where such a
task is cancelled, its thread runs on uncounted. Here the bound is that of the threads themselves,
whatever becomes of the tasks.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable


class ThreadPool:
    """Run jobs in threads, in the order in which they come.

    Args:
        size: of them at most.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._jobs: deque[Callable[[], object]] = deque()
        self._changed = threading.Condition()
        self._threads = 0
        self._idle = 0
        self._closed = False

    def start(self, job: Callable[[], object]) -> None:
        """Have a job run as soon as there is a thread for it.

        Args:
            job: must not raise.

        Raises:
            RuntimeError: there is no thread for it, and the system gives none.
        """
        with self._changed:
            self._jobs.append(job)
            if self._idle >= len(self._jobs):
                self._changed.notify()
            elif self._threads < self._size:
                self._add_thread()

    def _add_thread(self) -> None:
        try:
            threading.Thread(target=self._work, name="esg wsgi").start()
        except RuntimeError:  # the system has no more: those that run will do
            if not self._threads:
                self._jobs.pop()
                raise
        else:
            self._threads += 1

    def close(self) -> None:
        """End the threads, each when it has done its job; others are not begun."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            job()
            del job  # or it would keep its request alive while this thread waits

    def _next(self) -> Callable[[], object] | None:
        with self._changed:
            self._idle += 1
            while not self._jobs and not self._closed:
                self._changed.wait()
            self._idle -= 1
            return None if self._closed else self._jobs.popleft()
