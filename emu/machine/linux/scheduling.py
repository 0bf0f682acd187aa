"""What a thread may ask about scheduling: one processor, one policy."""

from __future__ import annotations

from struct import pack, unpack

from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.fixed_facts import UID
from emu.machine.linux.kernel import Handler, Kernel, signed_int

_ATTRIBUTES = 48
"""Bytes of the first `struct sched_attr`."""


def sched_yield(kernel: Kernel) -> int:
    kernel.system.schedule.give_way()
    kernel.attention = True
    return 0


def sched_getscheduler(_kernel: Kernel) -> int:
    return 0


def sched_getaffinity(kernel: Kernel, pid: int, size: int, buffer: int) -> int:
    wanted = signed_int(pid)
    if wanted and all(thread.tid != wanted for thread in kernel.system.schedule.threads):
        raise SystemCallError(Errno.ESRCH)
    if size < 8 or size % 8:
        raise SystemCallError(Errno.EINVAL)
    kernel.memory.write(buffer, pack("<Q", 1))
    return 8


def sched_getparam(kernel: Kernel, _pid: int, buffer: int) -> int:
    kernel.memory.write(buffer, bytes(4))
    return 0


def sched_get_priority_limit(_kernel: Kernel, policy: int) -> int:
    if policy not in (0, 3, 5):
        raise SystemCallError(Errno.EINVAL)
    return 0


def sched_setscheduler(_kernel: Kernel, _pid: int, policy: int) -> int:
    if policy & 0x3FFF_FFFF not in (0, 3, 5):
        raise SystemCallError(Errno.EPERM)
    return 0


def sched_setaffinity(kernel: Kernel, _pid: int, size: int, mask: int) -> int:
    if not size or not kernel.memory.read(mask, 1)[0] & 1:
        raise SystemCallError(Errno.EINVAL)
    return 0


def _of_priority(kernel: Kernel, which: int, who: int) -> list[Kernel]:
    """The processes of a PRIO_PROCESS, PRIO_PGRP or PRIO_USER; EINVAL, ESRCH."""
    number = signed_int(who)
    every = list(kernel.system.processes.values())
    match which:
        case 0:
            threads = kernel.system.schedule.threads
            found = [one.kernel for one in threads if one.tid == (number or kernel.current.tid)]
        case 1:
            found = [one for one in every if one.group == (number or kernel.group)]
        case 2:
            found = every if number in (0, UID) else []
        case _:
            raise SystemCallError(Errno.EINVAL)
    if not found:
        raise SystemCallError(Errno.ESRCH)
    return found


def getpriority(kernel: Kernel, which: int, who: int) -> int:
    return 20 - min(one.nice for one in _of_priority(kernel, which, who))


def setpriority(kernel: Kernel, which: int, who: int, nice: int) -> int:
    """Remembered, and of no effect on turns."""
    wanted = min(max(signed_int(nice), -20), 19)
    processes = _of_priority(kernel, which, who)
    if any(wanted < one.nice for one in processes):
        raise SystemCallError(Errno.EACCES)
    for one in processes:
        one.nice = wanted
    return 0


def sched_getattr(kernel: Kernel, pid: int, buffer: int, size: int, flags: int) -> int:
    if flags or size < _ATTRIBUTES:
        raise SystemCallError(Errno.EINVAL)
    (process, *_) = _of_priority(kernel, 0, pid)
    kernel.memory.write(buffer, pack("<IIQiIQQQ", _ATTRIBUTES, 0, 0, process.nice, 0, 0, 0, 0))
    return 0


def sched_setattr(kernel: Kernel, pid: int, buffer: int, flags: int) -> int:
    size, policy, _, nice = unpack("<IIQi", kernel.memory.read(buffer, 20))
    if flags or size < _ATTRIBUTES:
        raise SystemCallError(Errno.EINVAL)
    return sched_setscheduler(kernel, pid, policy) or setpriority(kernel, 0, pid, nice)


def ioprio(_kernel: Kernel) -> int:
    return 0


def membarrier(_kernel: Kernel, command: int) -> int:
    """One processor: there is nothing to wait for, and no command is offered."""
    if command:
        raise SystemCallError(Errno.EINVAL)
    return 0


CALLS: dict[int, Handler] = {
    24: sched_yield,
    140: getpriority,
    141: setpriority,
    142: sched_getparam,
    143: sched_getparam,
    144: sched_setscheduler,
    145: sched_getscheduler,
    146: sched_get_priority_limit,
    147: sched_get_priority_limit,
    203: sched_setaffinity,
    204: sched_getaffinity,
    251: ioprio,
    252: ioprio,
    314: sched_setattr,
    315: sched_getattr,
    324: membarrier,
}
