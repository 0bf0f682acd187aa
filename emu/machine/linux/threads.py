"""Threads and scheduling for a process that has one thread, and its end."""

from __future__ import annotations

from struct import pack, unpack

from emu.machine.linux.errno import Errno, SystemCallError, WouldWait
from emu.machine.linux.identity import PID
from emu.machine.linux.kernel import Handler, Kernel, signed_int
from emu.machine.linux.time_calls import read_timespec
from emu.machine.outcome import Outcome, OutcomeKind

FUTEX_COMMAND = 0x7F
FUTEX_WAIT, FUTEX_WAKE, FUTEX_REQUEUE, FUTEX_CMP_REQUEUE = 0, 1, 3, 4
FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET = 9, 10


def exit_group(kernel: Kernel, code: int) -> int:
    kernel.machine.finish(Outcome(OutcomeKind.EXIT, exit_code=code & 0xFF))
    return 0


def set_tid_address(_kernel: Kernel, _address: int) -> int:
    return PID


def set_robust_list(_kernel: Kernel, _head: int, size: int) -> int:
    if size != 24:
        raise SystemCallError(Errno.EINVAL)
    return 0


def futex(kernel: Kernel, address: int, operation: int, value: int, timeout: int) -> int:
    command = operation & FUTEX_COMMAND
    if command in (FUTEX_WAKE, FUTEX_WAKE_BITSET, FUTEX_REQUEUE, FUTEX_CMP_REQUEUE):
        return 0
    if command not in (FUTEX_WAIT, FUTEX_WAIT_BITSET):
        raise SystemCallError(Errno.ENOSYS)
    if address % 4:
        raise SystemCallError(Errno.EINVAL)
    if unpack("<I", kernel.memory.read(address, 4))[0] != value & 0xFFFF_FFFF:
        raise SystemCallError(Errno.EAGAIN)
    if timeout:
        wanted = read_timespec(kernel, timeout)
        now = kernel.clock.now() if operation & 0x100 else kernel.clock.uptime()
        kernel.clock.sleep(max(0, wanted - now) if command == FUTEX_WAIT_BITSET else wanted)
        raise SystemCallError(Errno.ETIMEDOUT)
    raise WouldWait(f"the futex at {address:#x}")


def sched_yield(_kernel: Kernel) -> int:
    return 0


def sched_getaffinity(kernel: Kernel, pid: int, size: int, buffer: int) -> int:
    if signed_int(pid) not in (0, PID):
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


CALLS: dict[int, Handler] = {
    24: sched_yield,
    60: exit_group,
    142: sched_getparam,
    143: sched_getparam,
    145: sched_yield,
    146: sched_get_priority_limit,
    147: sched_get_priority_limit,
    202: futex,
    204: sched_getaffinity,
    218: set_tid_address,
    231: exit_group,
    273: set_robust_list,
}
