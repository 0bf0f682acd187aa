"""Descriptors that count: eventfd, and timerfd, whose counter is that of a timer's expiries."""

from __future__ import annotations

from struct import pack, unpack

from emu.machine.linux.descriptions import Description
from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.kernel import Handler, Kernel, signed_int
from emu.machine.linux.status import Status
from emu.machine.linux.system import System, Timer
from emu.machine.linux.time_calls import read_clock
from emu.machine.linux.timers import TIMER_ABSTIME, arm, left_of, read_setting, write_setting
from emu.machine.linux.wait import Wait, WouldWait

O_RDWR, O_NONBLOCK, O_CLOEXEC = 2, 0o4000, 0o2000000
EFD_SEMAPHORE = 1
TFD_TIMER_CANCEL_ON_SET = 2
_LARGEST = (1 << 64) - 2
_SIZE = 8
_CLOCKS = (0, 1, 7, 8, 9)


class Anonymous(Description):
    """A descriptor that no name leads to."""

    def __init__(self, kind: str, flags: int) -> None:
        super().__init__(f"anon_inode:[{kind}]", flags, Status(0o600, inode=1, device=0xE))

    def seek(self, _offset: int, _whence: int, /) -> int:
        return 0


class EventCounter(Anonymous):
    """An eventfd: writing adds to it; reading takes all of it, or one from a semaphore."""

    def __init__(self, count: int, flags: int, *, semaphore: bool) -> None:
        super().__init__("eventfd", O_RDWR | flags)
        self._count = count
        self._semaphore = semaphore
        self._writes = 0

    @property
    def read_ready(self) -> bool:
        return self._count > 0

    @property
    def write_ready(self) -> bool:
        return self._count < _LARGEST

    @property
    def arrivals(self) -> int:
        return self._writes

    def read(self, size: int, /) -> bytes:
        if size < _SIZE:
            raise SystemCallError(Errno.EINVAL)
        if not self._count:
            if self.flags & O_NONBLOCK:
                raise SystemCallError(Errno.EAGAIN)
            raise WouldWait(Wait("an eventfd", lambda: self.read_ready, restarts=True))
        taken = 1 if self._semaphore else self._count
        self._count -= taken
        return pack("<Q", taken)

    def write(self, data: bytes, /) -> int:
        if len(data) < _SIZE:
            raise SystemCallError(Errno.EINVAL)
        (added,) = unpack("<Q", data[:_SIZE])
        if added > _LARGEST:
            raise SystemCallError(Errno.EINVAL)
        if self._count + added > _LARGEST:
            if self.flags & O_NONBLOCK:
                raise SystemCallError(Errno.EAGAIN)
            room = _LARGEST - added
            raise WouldWait(Wait("an eventfd", lambda: self._count <= room, restarts=True))
        self._count += added
        self._writes += 1
        return _SIZE


class TimerDescriptor(Anonymous):
    """A timerfd: reading gives how often it has expired since the last time."""

    def __init__(self, kernel: Kernel, clock: int, flags: int) -> None:
        super().__init__("timerfd", flags)
        self.timer = Timer(kernel, self._expire, clock=clock)
        self._system: System = kernel.system
        self._expiries = 0
        self._firings = 0

    def _expire(self) -> None:
        # Who has not read the last one is not woken again.
        self._firings += not self._expiries
        self._expiries += self.timer.expiries

    def set_again(self) -> None:
        """What the old setting counted is gone."""
        self._expiries = 0

    @property
    def read_ready(self) -> bool:
        return self._expiries > 0

    @property
    def arrivals(self) -> int:
        return self._firings

    def read(self, size: int, /) -> bytes:
        if size < _SIZE:
            raise SystemCallError(Errno.EINVAL)
        if not self._expiries:
            if self.flags & O_NONBLOCK:
                raise SystemCallError(Errno.EAGAIN)
            raise WouldWait(Wait("a timerfd", lambda: self.read_ready, restarts=True))
        count, self._expiries = self._expiries, 0
        return pack("<Q", count)

    def close(self) -> None:
        if self.timer in self._system.timers:
            self._system.timers.remove(self.timer)


def eventfd2(kernel: Kernel, count: int, flags: int) -> int:
    if flags & ~(EFD_SEMAPHORE | O_NONBLOCK | O_CLOEXEC):
        raise SystemCallError(Errno.EINVAL)
    counter = EventCounter(
        count & 0xFFFF_FFFF, flags & O_NONBLOCK, semaphore=bool(flags & EFD_SEMAPHORE)
    )
    return kernel.descriptors.add(counter, close_on_exec=bool(flags & O_CLOEXEC))


def eventfd(kernel: Kernel, count: int) -> int:
    return eventfd2(kernel, count, 0)


def timerfd_create(kernel: Kernel, clock: int, flags: int) -> int:
    if clock not in _CLOCKS or flags & ~(O_NONBLOCK | O_CLOEXEC):
        raise SystemCallError(Errno.EINVAL)
    description = TimerDescriptor(kernel, clock, flags & O_NONBLOCK)
    return kernel.descriptors.add(description, close_on_exec=bool(flags & O_CLOEXEC))


def _timer(kernel: Kernel, fd: int) -> TimerDescriptor:
    description = kernel.descriptors[signed_int(fd)]
    if not isinstance(description, TimerDescriptor):
        raise SystemCallError(Errno.EINVAL)
    return description


def timerfd_settime(kernel: Kernel, fd: int, flags: int, new: int, old: int) -> int:
    description = _timer(kernel, fd)
    if flags & ~(TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET):
        raise SystemCallError(Errno.EINVAL)
    timer = description.timer
    interval, delay = read_setting(kernel, new)
    if flags & TIMER_ABSTIME and delay:
        delay = max(1, delay - read_clock(kernel, timer.clock))
    if old:
        write_setting(kernel, old, left_of(kernel, timer))
    description.set_again()
    arm(kernel, timer, delay, interval)
    return 0


def timerfd_gettime(kernel: Kernel, fd: int, value: int) -> int:
    write_setting(kernel, value, left_of(kernel, _timer(kernel, fd).timer))
    return 0


CALLS: dict[int, Handler] = {
    283: timerfd_create,
    284: eventfd,
    286: timerfd_settime,
    287: timerfd_gettime,
    290: eventfd2,
}
