"""Clocks and sleeping."""

from __future__ import annotations

from struct import pack, unpack

from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.kernel import Handler, Kernel, signed_int

_SECOND = 1_000_000_000
_REALTIME = {0, 5, 8, 11}
_BOOT = {1, 4, 6, 7, 9}
_CPU = {2, 3}
TIMER_ABSTIME = 1


def _now(kernel: Kernel, clock: int) -> int:
    if clock in _REALTIME:
        return kernel.clock.now()
    if clock in _BOOT:
        return kernel.clock.uptime()
    if clock in _CPU or signed_int(clock) < 0:
        return kernel.clock.elapsed
    raise SystemCallError(Errno.EINVAL)


def read_timespec(kernel: Kernel, address: int) -> int:
    """A `struct timespec` in nanoseconds; EINVAL for one that is none."""
    seconds, nanoseconds = unpack("<qq", kernel.memory.read(address, 16))
    if seconds < 0 or not 0 <= nanoseconds < _SECOND:
        raise SystemCallError(Errno.EINVAL)
    return int(seconds * _SECOND + nanoseconds)


def clock_gettime(kernel: Kernel, clock: int, buffer: int) -> int:
    kernel.memory.write(buffer, pack("<qq", *divmod(_now(kernel, clock), _SECOND)))
    return 0


def clock_getres(kernel: Kernel, clock: int, buffer: int) -> int:
    _now(kernel, clock)
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
    ticks = kernel.clock.elapsed // 10_000_000
    if buffer:
        kernel.memory.write(buffer, pack("<4q", ticks, 0, 0, 0))
    return kernel.clock.uptime() // 10_000_000


def nanosleep(kernel: Kernel, request: int) -> int:
    kernel.clock.sleep(min(read_timespec(kernel, request), 1 << 62))
    return 0


def clock_nanosleep(kernel: Kernel, clock: int, flags: int, request: int) -> int:
    now = _now(kernel, clock)
    wanted = read_timespec(kernel, request)
    kernel.clock.sleep(max(0, wanted - now) if flags & TIMER_ABSTIME else wanted)
    return 0


CALLS: dict[int, Handler] = {
    35: nanosleep,
    96: gettimeofday,
    100: times,
    201: time,
    228: clock_gettime,
    229: clock_getres,
    230: clock_nanosleep,
}
