"""One run: threads of all processes take turns until the first process has ended."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from emu.machine.interrupt import InterruptWatch
from emu.machine.linux.system import System
from emu.machine.linux.thread import Thread
from emu.machine.outcome import Outcome, OutcomeKind

if TYPE_CHECKING:
    from emu.machine.linux.machine import Machine

INTERRUPTED = Outcome(OutcomeKind.INTERRUPTED, message="interrupted")


class Run:
    """The loop around the processors, its limit and its end."""

    def __init__(self, first: Machine, system: System, limit: int | None) -> None:
        self._first = first
        self._system = system
        self._left = limit
        self._limit = limit
        self._running: Machine | None = None
        self.outcome: Outcome | None = None
        self.failure: BaseException | None = None

    def to_its_end(self) -> Outcome:
        """Raises what a callback raised."""
        watch = InterruptWatch(self._interrupted, self.wake, self._in_kernel)
        try:
            with self._carried_exceptions(), watch:
                self._loop()
        except KeyboardInterrupt:
            self._interrupted()
        finally:
            for kernel in self._system.processes.values():
                kernel.machine.rest()
            self._first.rest()
        if isinstance(self.failure, KeyboardInterrupt):
            return INTERRUPTED
        if self.failure is not None:
            raise self.failure
        assert self.outcome is not None, "a run has an end"
        return self.outcome

    def finish(self, outcome: Outcome) -> None:
        """End the run; the first outcome counts."""
        if self.outcome is None:
            self.outcome = outcome
        self.wake()

    def wake(self) -> None:
        """Stop the processor that is executing; safe from any thread."""
        process = self._running
        if process is not None:
            process.wake()

    def _loop(self) -> None:
        while self.outcome is None and self.failure is None:
            if self._left is not None and self._left <= 0:
                message = f"stopped after {self._limit} instructions"
                self.finish(Outcome(OutcomeKind.LIMIT, message=message))
                return
            thread = self._system.choose()
            if thread is None:
                if self._system.stuck:
                    self.finish(self._first.outcome or _deadlock(self._system))
                continue
            process = thread.kernel.machine
            limits = [
                limit
                for limit in (self._left, self._system.limit(thread), process.before_signal)
                if limit is not None
            ]
            timed = self._system.timed
            self._running = process
            try:
                executed = process.advance(thread, min(limits, default=None))
            finally:
                self._running = None
            if timed:
                # Otherwise the number depends on whether somebody counts.
                self._system.executed(thread, executed)
            if self._left is not None:
                self._left -= executed
            self._look_at(process)

    def _look_at(self, process: Machine) -> None:
        """A process that could not be emulated ends the run, and so does the last one."""
        outcome = process.outcome
        if outcome is None:
            return
        if outcome.kind is OutcomeKind.UNSUPPORTED:
            if process is not self._first:
                message = f"process {process.pid}: {outcome.message}"
                outcome = Outcome(OutcomeKind.UNSUPPORTED, message=message)
            self.finish(outcome)
        elif not self._system.schedule.threads:
            assert self._first.outcome is not None, "it has no thread"
            self.finish(self._first.outcome)

    def _in_kernel(self) -> bool:
        return self._running is not None and self._running.in_kernel

    def _interrupted(self) -> None:
        self.finish(INTERRUPTED)

    @contextmanager
    def _carried_exceptions(self) -> Iterator[None]:
        """What a callback raises would only be printed by ctypes; keep it and stop instead."""
        previous = sys.unraisablehook

        def carry(unraisable: Any) -> None:
            if unraisable.exc_value is None or "ctypes callback" not in str(unraisable.err_msg):
                previous(unraisable)
                return
            if self.failure is None:
                self.failure = unraisable.exc_value
            self.wake()

        sys.unraisablehook = carry
        try:
            yield
        finally:
            sys.unraisablehook = previous


def _deadlock(system: System) -> Outcome:
    waits = [_waiting(thread) for thread in system.schedule.threads]
    if len(waits) == 1:
        message = f"deadlock in {waits[0].replace(' for', ': the only thread waits for', 1)}"
    else:
        message = f"deadlock: {len(waits)} threads wait, {'; '.join(waits[:4])}"
    return Outcome(OutcomeKind.UNSUPPORTED, message=message)


def _waiting(thread: Thread) -> str:
    assert thread.wait is not None, "it waits"
    return f"{thread.kernel.name_of_call(thread.call[0])} for {thread.wait.what}"
