"""What a thread may ask about scheduling: one processor, one policy."""

from __future__ import annotations

from struct import pack

from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.kernel import Handler, Kernel, signed_int


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


def getpriority(_kernel: Kernel, which: int) -> int:
    if which not in (0, 1, 2):
        raise SystemCallError(Errno.EINVAL)
    return 20  # nice 0


def setpriority(_kernel: Kernel, which: int, _who: int, nice: int) -> int:
    if which not in (0, 1, 2):
        raise SystemCallError(Errno.EINVAL)
    if signed_int(nice) < 0:
        raise SystemCallError(Errno.EACCES)
    return 0


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
    324: membarrier,
}
