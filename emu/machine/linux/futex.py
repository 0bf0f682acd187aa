"""Futexes: waiting for a word of memory to change, and waking who waits."""

from __future__ import annotations

from contextlib import suppress
from struct import pack, unpack

from emu.machine.linux.clock import LONGEST
from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.kernel import Handler, Kernel, signed_int
from emu.machine.linux.system import Waiter
from emu.machine.linux.thread import Thread
from emu.machine.linux.time_calls import read_timespec
from emu.machine.linux.wait import Wait, WouldWait
from emu.unwind import MemoryFault

FUTEX_WAIT, FUTEX_WAKE, FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP = 0, 1, 3, 4, 5
FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET = 9, 10
_COMMAND = 0x7F
_CLOCK_REALTIME = 0x100
_EVERY_BIT = 0xFFFF_FFFF
_OWNER_DIED, _WAITERS, _TID = 0x4000_0000, 0x8000_0000, 0x3FFF_FFFF
_MAX_ROBUST = 2048

Key = tuple[int, int]


def _key(kernel: Kernel, address: int) -> Key:
    """Which futex an address is: the same for all who share the memory behind it."""
    if address % 4:
        raise SystemCallError(Errno.EINVAL)
    mapping = kernel.memory.find(address)
    if mapping is None or not mapping.protection:
        raise MemoryFault(address)
    return mapping.buffer.address, mapping.offset + address - mapping.start


def _word(kernel: Kernel, address: int) -> int:
    return int(unpack("<I", kernel.memory.read(address, 4))[0])


def futex(
    kernel: Kernel, address: int, operation: int, value: int, timeout: int, second: int, last: int
) -> int:
    key = _key(kernel, address)
    bits = last & _EVERY_BIT
    match operation & _COMMAND:
        case 0:
            return _wait(kernel, address, operation, value, timeout, _EVERY_BIT)
        case 9:
            return _wait(kernel, address, operation, value, timeout, bits)
        case 1:
            return _wake(kernel, key, value, _EVERY_BIT)
        case 10:
            if not bits:
                raise SystemCallError(Errno.EINVAL)
            return _wake(kernel, key, value, bits)
        case 3:
            return _requeue(kernel, key, _key(kernel, second), value, timeout)
        case 4:
            if _word(kernel, address) != bits:
                raise SystemCallError(Errno.EAGAIN)
            woken, moved = _count(value), _count(timeout)
            return _requeue(kernel, key, _key(kernel, second), woken, moved)
        case 5:
            return _wake_op(kernel, key, second, value, timeout, last)
        case _:
            # Priority inheritance is optional for a kernel.
            raise SystemCallError(Errno.ENOSYS)


def _count(value: int) -> int:
    number = signed_int(value)
    if number < 0:
        raise SystemCallError(Errno.EINVAL)
    return number


def _wait(kernel: Kernel, address: int, operation: int, value: int, timeout: int, bits: int) -> int:
    if not bits:
        raise SystemCallError(Errno.EINVAL)
    deadline = None
    if timeout:
        wanted = read_timespec(kernel, timeout)
        if operation & _COMMAND == FUTEX_WAIT_BITSET:
            real = operation & _CLOCK_REALTIME
            wanted = max(0, wanted - (kernel.clock.now() if real else kernel.clock.uptime()))
        deadline = min(kernel.clock.elapsed + wanted, LONGEST)
    if _word(kernel, address) != value & 0xFFFF_FFFF:
        raise SystemCallError(Errno.EAGAIN)
    waiter = Waiter(kernel.current, bits)
    futexes = kernel.system.futexes
    futexes.setdefault(_key(kernel, address), []).append(waiter)

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


def _wake(kernel: Kernel, key: Key, count: int, bits: int) -> int:
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


def _requeue(kernel: Kernel, source: Key, target: Key, count: int, moved: int) -> int:
    woken = _wake(kernel, source, count, _EVERY_BIT) if signed_int(count) > 0 else 0
    futexes = kernel.system.futexes
    waiters = futexes.pop(source, [])
    limit = max(0, signed_int(moved))
    if waiters[limit:]:
        futexes[source] = waiters[limit:]
    if waiters[:limit]:
        futexes.setdefault(target, []).extend(waiters[:limit])
    return woken + len(waiters[:limit])


def _wake_op(
    kernel: Kernel, key: Key, second: int, count: int, second_count: int, code: int
) -> int:
    target = _key(kernel, second)
    argument, operand = code & 0xFFF, code >> 12 & 0xFFF
    operation, comparison = code >> 28 & 7, code >> 24 & 15
    if code >> 28 & 8:
        operand = 1 << (operand & 31)
    old = _word(kernel, second)
    results = {0: operand, 1: old + operand, 2: old | operand, 3: old & ~operand, 4: old ^ operand}
    signed_old = signed_int(old)
    answers = {
        0: signed_old == argument, 1: signed_old != argument, 2: signed_old < argument,
        3: signed_old <= argument, 4: signed_old > argument, 5: signed_old >= argument,
    }  # fmt: skip
    if operation not in results or comparison not in answers:
        raise SystemCallError(Errno.ENOSYS)
    kernel.memory.write(second, pack("<I", results[operation] & 0xFFFF_FFFF))
    woken = _wake(kernel, key, count, _EVERY_BIT)
    if answers[comparison]:
        woken += _wake(kernel, target, second_count, _EVERY_BIT)
    return woken


def set_tid_address(kernel: Kernel, address: int) -> int:
    kernel.current.clear_child_tid = address
    return kernel.current.tid


def set_robust_list(kernel: Kernel, head: int, size: int) -> int:
    if size != 24:
        raise SystemCallError(Errno.EINVAL)
    kernel.current.robust_list = head
    return 0


def get_robust_list(kernel: Kernel, tid: int, head: int, size: int) -> int:
    wanted = signed_int(tid) or kernel.current.tid
    for thread in kernel.threads:
        if thread.tid == wanted:
            kernel.memory.write(size, pack("<Q", 24))
            kernel.memory.write(head, pack("<Q", thread.robust_list))
            return 0
    raise SystemCallError(Errno.ESRCH)


def let_go(thread: Thread) -> None:
    """A thread leaves its memory: held robust futexes are marked, its joiner is woken."""
    if thread.wait is not None:
        thread.wait.leave()
        thread.wait = None
    with suppress(MemoryFault, SystemCallError):
        # The list is the guest's to keep in order.
        _release_robust(thread)
    address, thread.clear_child_tid = thread.clear_child_tid, 0
    if address:
        with suppress(MemoryFault, SystemCallError):
            thread.kernel.memory.write(address, bytes(4))
            _wake(thread.kernel, _key(thread.kernel, address), 1, _EVERY_BIT)


def _release_robust(thread: Thread) -> None:
    head, thread.robust_list = thread.robust_list, 0
    if not head:
        return
    kernel = thread.kernel
    entry, offset, pending = unpack("<QqQ", kernel.memory.read(head, 24))
    for _ in range(_MAX_ROBUST):
        if entry == head:
            break
        following = kernel.memory.word(entry & ~1)
        if entry != pending:
            _owner_died(thread, (entry & ~1) + offset)
        entry = following
    if pending:
        _owner_died(thread, (pending & ~1) + offset)


def _owner_died(thread: Thread, address: int) -> None:
    kernel = thread.kernel
    value = _word(kernel, address)
    if value & _TID != thread.tid:
        return
    kernel.memory.write(address, pack("<I", value & _WAITERS | _OWNER_DIED))
    if value & _WAITERS:
        _wake(kernel, _key(kernel, address), 1, _EVERY_BIT)


CALLS: dict[int, Handler] = {
    202: futex,
    218: set_tid_address,
    273: set_robust_list,
    274: get_robust_list,
}
