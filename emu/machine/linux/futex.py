"""Futexes: waiting for a word of memory to change, and waking who waits."""

from __future__ import annotations

from contextlib import suppress
from struct import pack, unpack

from emu.machine.linux.clock import LONGEST
from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.futex_lock import OWNER_DIED, TID, WAITERS, hand_over, lock, try_lock, unlock
from emu.machine.linux.futex_queue import EVERY_BIT, Key, enqueue, key_of, requeue, wake, word_at
from emu.machine.linux.kernel import Handler, Kernel, signed_int
from emu.machine.linux.thread import Thread
from emu.machine.linux.time_calls import read_timespec
from emu.unwind import MemoryFault

FUTEX_WAIT, FUTEX_WAKE, FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP = 0, 1, 3, 4, 5
FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET, FUTEX_LOCK_PI = 9, 10, 6
_COMMAND = 0x7F
_CLOCK_REALTIME = 0x100
_MAX_ROBUST = 2048


def futex(
    kernel: Kernel, address: int, operation: int, value: int, timeout: int, second: int, last: int
) -> int:
    key = key_of(kernel, address)
    bits = last & EVERY_BIT
    command = operation & _COMMAND
    if command in (FUTEX_WAIT, FUTEX_WAKE):
        bits = EVERY_BIT
    match command:
        case 0 | 9:
            return _wait(kernel, address, operation, value, timeout, bits)
        case 1 | 10:
            if not bits:
                raise SystemCallError(Errno.EINVAL)
            return wake(kernel, key, value, bits)
        case 3:
            return requeue(kernel, key, key_of(kernel, second), value, timeout)
        case 4:
            if word_at(kernel, address) != bits:
                raise SystemCallError(Errno.EAGAIN)
            woken, moved = _count(value), _count(timeout)
            return requeue(kernel, key, key_of(kernel, second), woken, moved)
        case 5:
            return _wake_op(kernel, key, second, value, timeout, last)
        case 6 | 13:
            real = command == FUTEX_LOCK_PI or bool(operation & _CLOCK_REALTIME)
            return lock(kernel, address, timeout, real=real)
        case 7:
            return unlock(kernel, address)
        case 8:
            return 0 if try_lock(kernel, address) else -Errno.EAGAIN
        case _:
            # Requeueing to a lock with priority inheritance: no libc does it any more.
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
    if word_at(kernel, address) != value & 0xFFFF_FFFF:
        raise SystemCallError(Errno.EAGAIN)
    return enqueue(kernel, address, deadline, bits)


def _wake_op(
    kernel: Kernel, key: Key, second: int, count: int, second_count: int, code: int
) -> int:
    target = key_of(kernel, second)
    argument, operand = code & 0xFFF, code >> 12 & 0xFFF
    operation, comparison = code >> 28 & 7, code >> 24 & 15
    if code >> 28 & 8:
        operand = 1 << (operand & 31)
    old = word_at(kernel, second)
    results = {0: operand, 1: old + operand, 2: old | operand, 3: old & ~operand, 4: old ^ operand}
    signed_old = signed_int(old)
    answers = {
        0: signed_old == argument, 1: signed_old != argument, 2: signed_old < argument,
        3: signed_old <= argument, 4: signed_old > argument, 5: signed_old >= argument,
    }  # fmt: skip
    if operation not in results or comparison not in answers:
        raise SystemCallError(Errno.ENOSYS)
    kernel.memory.write(second, pack("<I", results[operation] & 0xFFFF_FFFF))
    woken = wake(kernel, key, count, EVERY_BIT)
    if answers[comparison]:
        woken += wake(kernel, target, second_count, EVERY_BIT)
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
            wake(thread.kernel, key_of(thread.kernel, address), 1, EVERY_BIT)


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
            _owner_died(thread, (entry & ~1) + offset, inheriting=bool(entry & 1))
        entry = following
    if pending:
        _owner_died(thread, (pending & ~1) + offset, inheriting=bool(pending & 1))


def _owner_died(thread: Thread, address: int, *, inheriting: bool) -> None:
    kernel = thread.kernel
    value = word_at(kernel, address)
    if value & TID != thread.tid:
        return
    if inheriting:
        hand_over(kernel, address, OWNER_DIED)
        return
    kernel.memory.write(address, pack("<I", value & WAITERS | OWNER_DIED))
    if value & WAITERS:
        wake(kernel, key_of(kernel, address), 1, EVERY_BIT)


CALLS: dict[int, Handler] = {
    202: futex,
    218: set_tid_address,
    273: set_robust_list,
    274: get_robust_list,
}
