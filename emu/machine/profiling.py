"""SIGPROF at chosen instructions, as a profiler's timer would send it, only exactly."""

from __future__ import annotations

from random import Random

from emu.machine.linux import Signal, Thread
from emu.machine.linux.signal_delivery import SI_KERNEL
from emu.machine.linux.signal_frame import SIG_DFL, SIG_IGN, SignalInfo


class ProfilingSignals:
    """When the next one is due; moments are numbers of executed instructions.

    Without a seed they are `every`, 2 * `every` and so on; with one, the distances are drawn from
    1 to 2 * `every` - 1. None instead of `every`: never.
    """

    def __init__(self, every: int | None, seed: int | None) -> None:
        self._every = every
        self._seed = seed
        self._random = None if seed is None else Random(seed)  # noqa: S311 -- equal runs are the purpose
        self.sent = 0
        self.ignored = 0
        """Those that were due while the program had no handler."""
        self._next = 0
        self._plan()

    def fork(self) -> ProfilingSignals:
        """A child's, which count from its first instruction."""
        return ProfilingSignals(self._every, self._seed)

    def before(self, instructions: int) -> int | None:
        """How many instructions come before the next signal."""
        return None if self._every is None else max(1, self._next - instructions)

    def send(self, thread: Thread, instructions: int) -> None:
        """Send the signal to a thread if its moment has come, and plan the next."""
        if self._every is None or instructions < self._next:
            return
        action = thread.kernel.actions.get(Signal.SIGPROF)
        if action is not None and action.handler not in (SIG_DFL, SIG_IGN):
            self.sent += 1
            thread.pending.add(SignalInfo(Signal.SIGPROF, SI_KERNEL))
        else:
            self.ignored += 1
        self._plan()

    def _plan(self) -> None:
        if self._every is not None:
            step = self._every
            if self._random is not None:
                step = self._random.randint(1, 2 * step - 1)
            self._next += step
