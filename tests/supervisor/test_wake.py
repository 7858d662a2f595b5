"""What wakes the supervisor."""

from __future__ import annotations

import os
import select
import signal
import threading

from esg.supervisor.wake import FILES_CHANGED, Wake


def test_signals_and_files() -> None:
    wake = Wake()
    before = signal.getsignal(signal.SIGUSR2)
    with wake.on_signals([signal.SIGUSR2]):
        assert wake.happened() == []
        os.kill(os.getpid(), signal.SIGUSR2)
        assert select.select([wake.receiver], [], [], 10)[0]
        wake.files_changed()
        assert wake.happened() == [signal.SIGUSR2, FILES_CHANGED]
    assert signal.getsignal(signal.SIGUSR2) is before
    wake.close()
    wake.files_changed()  # over, and no error


def test_in_another_thread_no_signals_are_taken() -> None:
    wake = Wake()
    entered = []

    def enter() -> None:
        with wake.on_signals([signal.SIGUSR2]):
            entered.append(signal.getsignal(signal.SIGUSR2))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert entered == [signal.getsignal(signal.SIGUSR2)]
    wake.close()
