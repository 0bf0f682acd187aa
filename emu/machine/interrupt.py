"""Ctrl-C during a run, also while no Python code is executing."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType


class InterruptWatch:
    """While entered, SIGINT calls `stop` soon and does not raise, unless `blocking()` says so.

    Python runs its signal handlers between bytecodes of the main thread, but an emulation without
    hooks executes none for a long time. The C-level handler writes to a pipe; a thread that waits
    for it calls `wake`, which must be safe from any thread, and the main thread gets to run.
    Outside the main thread nothing is watched.
    """

    def __init__(
        self, stop: Callable[[], None], wake: Callable[[], None], blocking: Callable[[], bool]
    ) -> None:
        self._stop = stop
        self._wake = wake
        self._blocking = blocking
        self._thread: threading.Thread | None = None

    def __enter__(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
            # Somebody else's handler knows better what an interrupt means here.
            return
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._old_handler = signal.signal(signal.SIGINT, self._interrupted)
        self._old_descriptor = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        self._thread = threading.Thread(target=self._wait, name="interrupt watch", daemon=True)
        self._thread.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._thread is None:
            return
        signal.set_wakeup_fd(self._old_descriptor)
        signal.signal(signal.SIGINT, self._old_handler)
        os.write(self._writer, b"\0")
        self._thread.join()
        self._thread = None
        os.close(self._reader)
        os.close(self._writer)

    def _wait(self) -> None:
        while (number := os.read(self._reader, 1)) != b"\0":
            if number == bytes([signal.SIGINT]):
                self._wake()

    def _interrupted(self, _number: int, _frame: FrameType | None) -> None:
        self._stop()
        if self._blocking():
            raise KeyboardInterrupt
