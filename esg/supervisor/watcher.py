"""Watch files in a thread: by watchfiles where it is installed, else by looking again and again."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from esg.logs import logger
from esg.supervisor.watched_files import WatchedFiles

Changed = Callable[[], None]
# For the thread to end; nothing depends on it.
_ENDS_WITHIN = 5.0  # seconds


@contextmanager
def watching(files: WatchedFiles, delay: float, changed: Changed) -> Iterator[None]:
    """Watch files while the block runs.

    Args:
        files: those that count.
        delay: seconds between two looks at them.
        changed: called, in the watching thread, after changes; what changes within one delay is
            told at once.
    """
    stop = threading.Event()
    by_events = importlib.util.find_spec("watchfiles") is not None
    watch = _watch if by_events else _poll
    where = ", ".join(map(str, files.directories))
    logger.info("Watching %s%s", where, "" if by_events else " (by polling: no watchfiles)")
    arguments = (files, delay, _telling(changed), stop)
    thread = threading.Thread(target=watch, args=arguments, name="esg reload", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(_ENDS_WITHIN)


def _telling(changed: Changed) -> Callable[[Iterable[Path]], None]:
    def tell(paths: Iterable[Path]) -> None:
        names = sorted(str(path) for path in paths)
        shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
        logger.info("Changed: %s; starting again", shown)
        changed()

    return tell


def _poll(
    files: WatchedFiles,
    delay: float,
    tell: Callable[[Iterable[Path]], None],
    stop: threading.Event,
) -> None:
    before = files.stamps()
    while not stop.wait(delay):
        after = files.stamps()
        if different := {path for path, _ in before.items() ^ after.items()}:
            tell(different)
        before = after


def _watch(
    files: WatchedFiles,
    delay: float,
    tell: Callable[[Iterable[Path]], None],
    stop: threading.Event,
) -> None:
    import watchfiles  # noqa: PLC0415 - an extra

    for changes in watchfiles.watch(
        *files.directories,
        watch_filter=lambda _change, path: files.covers(Path(path)),
        debounce=max(1, int(delay * 1000)),
        step=max(1, int(delay * 200)),
        stop_event=stop,
        raise_interrupt=False,
    ):
        tell({Path(path) for _, path in changes})
