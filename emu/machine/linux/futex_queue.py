"""Queues of threads that wait for a futex, one for each word of memory."""

from __future__ import annotations

from struct import unpack

from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.kernel import Kernel, signed_int
from emu.machine.linux.system import Waiter
from emu.machine.linux.wait import Wait, WouldWait
from emu.unwind import MemoryFault

EVERY_BIT = 0xFFFF_FFFF

Key = tuple[int, int]


def key_of(kernel: Kernel, address: int) -> Key:
    """Which futex an address is: the same for all who share the memory behind it."""
    if address % 4:
        raise SystemCallError(Errno.EINVAL)
    mapping = kernel.memory.find(address)
    if mapping is None or not mapping.protection:
        raise MemoryFault(address)
    return mapping.buffer.address, mapping.offset + address - mapping.start


def word_at(kernel: Kernel, address: int) -> int:
    return int(unpack("<I", kernel.memory.read(address, 4))[0])


def enqueue(kernel: Kernel, address: int, deadline: int | None, bits: int) -> int:
    """Wait in the queue of a futex."""
    waiter = Waiter(kernel.current, bits)
    futexes = kernel.system.futexes
    futexes.setdefault(key_of(kernel, address), []).append(waiter)

    def leave() -> None:
        for key, waiters in list(futexes.items()):
            if waiter in waiters:
                waiters.remove(waiter)
                if not waiters:
                    del futexes[key]

    raise WouldWait(
        Wait(
            f"the futex at {address:#x}",
            ready=lambda: waiter.woken,
            deadline=deadline,
            woken=lambda: 0,
            expired=lambda: -Errno.ETIMEDOUT,
            leave=leave,
            restarts=deadline is None,
        )
    )


def wake(kernel: Kernel, key: Key, count: int, bits: int) -> int:
    futexes = kernel.system.futexes
    waiters = futexes.get(key, [])
    # Linux wakes one where none is asked for.
    chosen = [waiter for waiter in waiters if waiter.bits & bits][: max(1, signed_int(count))]
    for waiter in chosen:
        waiter.woken = True
        waiters.remove(waiter)
    if key in futexes and not waiters:
        del futexes[key]
    return len(chosen)


def requeue(kernel: Kernel, source: Key, target: Key, count: int, moved: int) -> int:
    woken = wake(kernel, source, count, EVERY_BIT) if signed_int(count) > 0 else 0
    futexes = kernel.system.futexes
    waiters = futexes.pop(source, [])
    limit = max(0, signed_int(moved))
    if waiters[limit:]:
        futexes[source] = waiters[limit:]
    if waiters[:limit]:
        futexes.setdefault(target, []).extend(waiters[:limit])
    return woken + len(waiters[:limit])
