"""Signals that were sent and are not delivered yet."""

from __future__ import annotations

from collections.abc import Iterator

from emu.machine.linux.signal_frame import SignalInfo

FIRST_REAL_TIME = 32
MAX_QUEUED = 1024
"""Real-time signals of one number that wait for a thread or a process at most."""


class PendingSignals:
    """Of one thread, or of a process. An ordinary signal is pending once, real-time ones queue."""

    def __init__(self) -> None:
        self._queues: dict[int, list[SignalInfo]] = {}

    def __iter__(self) -> Iterator[int]:
        """The numbers of those there are."""
        return iter(self._queues)

    def __len__(self) -> int:
        return len(self._queues)

    def add(self, info: SignalInfo) -> bool:
        """Send one; whether there is room for it, or it is pending anyway."""
        queue = self._queues.setdefault(info.number, [])
        if queue and info.number < FIRST_REAL_TIME:
            return True
        if len(queue) >= MAX_QUEUED:
            return False
        queue.append(info)
        return True

    def take(self, number: int) -> SignalInfo:
        """The oldest of a number that is pending, no longer so."""
        queue = self._queues[number]
        info = queue.pop(0)
        if not queue:
            del self._queues[number]
        return info

    def discard(self, number: int) -> None:
        """None of this number is pending any more."""
        self._queues.pop(number, None)

    def of_timer(self, number: int, code: int, timer: int) -> SignalInfo | None:
        """The one that a timer sent."""
        return next(
            (
                info
                for info in self._queues.get(number, ())
                if info.code == code and info.sender == timer
            ),
            None,
        )

    def replace(self, old: SignalInfo, new: SignalInfo) -> None:
        """Tell something else with a signal that is pending."""
        queue = self._queues[old.number]
        queue[queue.index(old)] = new
