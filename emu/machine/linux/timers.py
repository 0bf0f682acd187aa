"""Timers that send signals: alarm, setitimer and POSIX timers."""

from __future__ import annotations

from dataclasses import replace
from struct import pack, unpack

from emu.machine.linux.clock import LONGEST
from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.kernel import Handler, Kernel, signed_int
from emu.machine.linux.signal_delivery import SI_KERNEL, send
from emu.machine.linux.signal_frame import SignalInfo
from emu.machine.linux.signal_numbers import SIGNALS, Signal
from emu.machine.linux.system import Timer
from emu.machine.linux.time_calls import read_clock

ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF = 0, 1, 2
SI_TIMER = -2
SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD_ID = 0, 1, 4
TIMER_ABSTIME = 1
SHORTEST = 100_000
"""Nanoseconds from one expiry to the next at least: expiries of ignored signals cost time too."""
MAX_TIMERS = 256
_SECOND, _MICROSECOND = 1_000_000_000, 1000
_INTERVAL_SIGNALS = (Signal.SIGALRM, Signal.SIGVTALRM, Signal.SIGPROF)
_CPU_CLOCKS = (2, 3)


def arm(kernel: Kernel, timer: Timer, delay: int, interval: int) -> None:
    """Start a timer anew, or stop it if the delay is 0."""
    timers = kernel.system.timers
    if timer in timers:
        timers.remove(timer)
    if delay:
        timer.deadline = min(timer.now + delay, LONGEST)
        timer.interval = max(interval, SHORTEST) if interval else 0
        timers.append(timer)
        # From now on instructions take time.
        kernel.attention = True


def left_of(kernel: Kernel, timer: Timer | None) -> tuple[int, int]:
    """Interval and nanoseconds to the next expiry, zero if stopped."""
    if timer is None or timer not in kernel.system.timers:
        return 0, 0
    return timer.interval, max(1000, timer.left)


def _interval_timer(kernel: Kernel, which: int) -> Timer:
    key = -1 - which
    if key not in kernel.timers:
        signal = _INTERVAL_SIGNALS[which]

        def fire() -> None:
            send(kernel, SignalInfo(signal, SI_KERNEL))

        kernel.timers[key] = Timer(kernel, fire, cpu=which != ITIMER_REAL)
    return kernel.timers[key]


def _which(value: int) -> int:
    if value not in (ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF):
        raise SystemCallError(Errno.EINVAL)
    return value


def alarm(kernel: Kernel, seconds: int) -> int:
    timer = _interval_timer(kernel, ITIMER_REAL)
    _, left = left_of(kernel, timer)
    arm(kernel, timer, (seconds & 0xFFFF_FFFF) * _SECOND, 0)
    return -(-left // _SECOND)


def _tell_interval(kernel: Kernel, which: int, address: int) -> None:
    interval, left = left_of(kernel, kernel.timers.get(-1 - which))
    fields = [part // (_MICROSECOND if index else 1)
              for moment in (interval, left)
              for index, part in enumerate(divmod(moment, _SECOND))]  # fmt: skip
    kernel.memory.write(address, pack("<4q", *fields))


def getitimer(kernel: Kernel, which: int, value: int) -> int:
    _tell_interval(kernel, _which(which), value)
    return 0


def setitimer(kernel: Kernel, which: int, new: int, old: int) -> int:
    which = _which(which)
    interval = delay = 0
    if new:
        fields = unpack("<4q", kernel.memory.read(new, 32))
        if any(part < 0 for part in fields) or any(part >= 1_000_000 for part in fields[1::2]):
            raise SystemCallError(Errno.EINVAL)
        interval, delay = (
            fields[at] * _SECOND + fields[at + 1] * _MICROSECOND for at in (0, 2)
        )  # fmt: skip
    if old:
        _tell_interval(kernel, which, old)
    arm(kernel, _interval_timer(kernel, which), delay, interval)
    return 0


# POSIX timers


def read_setting(kernel: Kernel, address: int) -> tuple[int, int]:
    """Interval and delay in nanoseconds from a `struct itimerspec`; EINVAL if it is none."""
    fields = unpack("<4q", kernel.memory.read(address, 32))
    if any(part < 0 for part in fields) or any(part >= _SECOND for part in fields[1::2]):
        raise SystemCallError(Errno.EINVAL)
    return fields[0] * _SECOND + fields[1], fields[2] * _SECOND + fields[3]


def write_setting(kernel: Kernel, address: int, setting: tuple[int, int]) -> None:
    """Interval and time left, in nanoseconds, as a `struct itimerspec`."""
    interval, left = setting
    kernel.memory.write(address, pack("<4q", *divmod(interval, _SECOND), *divmod(left, _SECOND)))


def timer_create(kernel: Kernel, clock: int, event: int, result: int) -> int:
    read_clock(kernel, clock)
    number = next(n for n in range(MAX_TIMERS + 1) if n not in kernel.timers)
    if number == MAX_TIMERS:
        raise SystemCallError(Errno.EAGAIN)
    value, signal, how, tid = number, int(Signal.SIGALRM), SIGEV_SIGNAL, 0
    if event:
        value, signal, how, tid = unpack("<QiiI", kernel.memory.read(event, 20))
    target = None
    if how == SIGEV_THREAD_ID:
        target = next((thread for thread in kernel.threads if thread.tid == tid), None)
    if how not in (SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD_ID) or (
        how != SIGEV_NONE and not 1 <= signal <= SIGNALS
    ):
        raise SystemCallError(Errno.EINVAL)
    if how == SIGEV_THREAD_ID and target is None:
        raise SystemCallError(Errno.EINVAL)

    def fire() -> None:
        if how == SIGEV_NONE or (target is not None and target.ended):
            return
        pending = kernel.pending if target is None else target.pending
        waiting = pending.of_timer(signal, SI_TIMER, number)
        if waiting is not None:
            timer.overruns = waiting.user + timer.expiries
            pending.replace(waiting, replace(waiting, user=timer.overruns))
            return
        timer.overruns = timer.expiries - 1
        send(kernel, SignalInfo(signal, SI_TIMER, number, timer.overruns, value=value), target)

    timer = Timer(kernel, fire, cpu=clock in _CPU_CLOCKS, clock=clock)
    kernel.memory.write(result, pack("<i", number))
    kernel.timers[number] = timer
    return 0


def _posix(kernel: Kernel, number: int) -> Timer:
    timer = kernel.timers.get(signed_int(number)) if signed_int(number) >= 0 else None
    if timer is None:
        raise SystemCallError(Errno.EINVAL)
    return timer


def timer_settime(kernel: Kernel, number: int, flags: int, new: int, old: int) -> int:
    timer = _posix(kernel, number)
    interval, delay = read_setting(kernel, new)
    if flags & TIMER_ABSTIME and delay:
        delay = max(1, delay - read_clock(kernel, timer.clock))
    if old:
        timer_gettime(kernel, number, old)
    arm(kernel, timer, delay, interval)
    return 0


def timer_gettime(kernel: Kernel, number: int, value: int) -> int:
    write_setting(kernel, value, left_of(kernel, _posix(kernel, number)))
    return 0


def timer_getoverrun(kernel: Kernel, number: int) -> int:
    return _posix(kernel, number).overruns


def timer_delete(kernel: Kernel, number: int) -> int:
    arm(kernel, _posix(kernel, number), 0, 0)
    del kernel.timers[signed_int(number)]
    return 0


CALLS: dict[int, Handler] = {
    36: getitimer,
    37: alarm,
    38: setitimer,
    222: timer_create,
    223: timer_settime,
    224: timer_gettime,
    225: timer_getoverrun,
    226: timer_delete,
}
