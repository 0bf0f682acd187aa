"""Clocks and sleeping."""

from __future__ import annotations

from struct import pack, unpack

from emu.machine.linux.clock import LONGEST
from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.kernel import Handler, Kernel, signed_int
from emu.machine.linux.wait import Wait, WouldWait
from emu.unwind import MemoryFault

_SECOND = 1_000_000_000
_REALTIME = {0, 5, 8, 11}
_BOOT = {1, 4, 6, 7, 9}
_CPU = {2, 3}
TIMER_ABSTIME = 1


def read_clock(kernel: Kernel, clock: int) -> int:
    """Nanoseconds a clock shows; EINVAL for one that is none."""
    if clock in _REALTIME:
        return kernel.clock.now()
    if clock in _BOOT:
        return kernel.clock.uptime()
    if clock in _CPU or signed_int(clock) < 0:
        return kernel.cpu_time
    raise SystemCallError(Errno.EINVAL)


def read_timespec(kernel: Kernel, address: int) -> int:
    """A `struct timespec` in nanoseconds; EINVAL for one that is none."""
    seconds, nanoseconds = unpack("<qq", kernel.memory.read(address, 16))
    if seconds < 0 or not 0 <= nanoseconds < _SECOND:
        raise SystemCallError(Errno.EINVAL)
    return int(seconds * _SECOND + nanoseconds)


def clock_gettime(kernel: Kernel, clock: int, buffer: int) -> int:
    kernel.memory.write(buffer, pack("<qq", *divmod(read_clock(kernel, clock), _SECOND)))
    return 0


def clock_getres(kernel: Kernel, clock: int, buffer: int) -> int:
    read_clock(kernel, clock)
    if buffer:
        kernel.memory.write(buffer, pack("<qq", 0, 1))
    return 0


def gettimeofday(kernel: Kernel, buffer: int, zone: int) -> int:
    if buffer:
        seconds, rest = divmod(kernel.clock.now(), _SECOND)
        kernel.memory.write(buffer, pack("<qq", seconds, rest // 1000))
    if zone:
        kernel.memory.write(zone, bytes(8))
    return 0


def time(kernel: Kernel, buffer: int) -> int:
    seconds = kernel.clock.now() // _SECOND
    if buffer:
        kernel.memory.write(buffer, pack("<q", seconds))
    return seconds


def times(kernel: Kernel, buffer: int) -> int:
    ticks = kernel.cpu_time // 10_000_000
    if buffer:
        kernel.memory.write(buffer, pack("<4q", ticks, 0, 0, 0))
    return kernel.clock.uptime() // 10_000_000


def nanosleep(kernel: Kernel, request: int, left: int) -> int:
    return _sleep(kernel, read_timespec(kernel, request), left)


def clock_nanosleep(kernel: Kernel, clock: int, flags: int, request: int, left: int) -> int:
    now = read_clock(kernel, clock)
    wanted = read_timespec(kernel, request)
    if flags & TIMER_ABSTIME:
        return _sleep(kernel, max(0, wanted - now), 0)
    return _sleep(kernel, wanted, left)


def _sleep(kernel: Kernel, duration: int, left: int) -> int:
    deadline = min(kernel.clock.elapsed + duration, LONGEST)

    def interrupted() -> int:
        if left:
            rest = max(0, deadline - kernel.clock.elapsed)
            try:
                kernel.memory.write(left, pack("<qq", *divmod(rest, _SECOND)))
            except MemoryFault:
                return -Errno.EFAULT
        return -Errno.EINTR

    raise WouldWait(Wait("the end of its sleep", deadline=deadline, interrupted=interrupted))


CALLS: dict[int, Handler] = {
    35: nanosleep,
    96: gettimeofday,
    100: times,
    201: time,
    228: clock_gettime,
    229: clock_getres,
    230: clock_nanosleep,
}
