"""Futexes that are locks with priority inheritance: the kernel knows who owns them.

The word holds the owner's number. There are no priorities, so the lock goes to whoever has waited
longest.
"""

from __future__ import annotations

from struct import pack

from emu.machine.linux.clock import LONGEST
from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.futex_queue import EVERY_BIT, enqueue, key_of, wake, word_at
from emu.machine.linux.kernel import Kernel
from emu.machine.linux.time_calls import read_timespec

OWNER_DIED, WAITERS, TID = 0x4000_0000, 0x8000_0000, 0x3FFF_FFFF


def try_lock(kernel: Kernel, address: int) -> bool:
    """Whether the current thread owns the lock now."""
    value = word_at(kernel, address)
    tid = kernel.current.tid
    owner = value & TID
    if owner == tid:
        raise SystemCallError(Errno.EDEADLK)
    if owner == 0 and not kernel.system.futexes.get(key_of(kernel, address)):
        kernel.memory.write(address, pack("<I", tid | value & OWNER_DIED))
        return True
    if owner and all(thread.tid != owner for thread in kernel.system.schedule.threads):
        raise SystemCallError(Errno.ESRCH)
    return False


def lock(kernel: Kernel, address: int, timeout: int, *, real: bool) -> int:
    deadline = None
    if timeout:
        wanted = read_timespec(kernel, timeout)
        now = kernel.clock.now() if real else kernel.clock.uptime()
        deadline = min(kernel.clock.elapsed + max(0, wanted - now), LONGEST)
    if try_lock(kernel, address):
        return 0
    kernel.memory.write(address, pack("<I", word_at(kernel, address) | WAITERS))
    return enqueue(kernel, address, deadline, EVERY_BIT)


def unlock(kernel: Kernel, address: int) -> int:
    if word_at(kernel, address) & TID != kernel.current.tid:
        raise SystemCallError(Errno.EPERM)
    hand_over(kernel, address, 0)
    return 0


def hand_over(kernel: Kernel, address: int, mark: int) -> None:
    """The lock goes to whoever has waited longest."""
    key = key_of(kernel, address)
    waiters = kernel.system.futexes.get(key, [])
    value = mark
    if waiters:
        value |= waiters[0].thread.tid | (WAITERS if len(waiters) > 1 else 0)
    kernel.memory.write(address, pack("<I", value))
    wake(kernel, key, 1, EVERY_BIT)
