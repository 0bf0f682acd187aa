"""New threads and processes, and the end of both."""

from __future__ import annotations

from dataclasses import dataclass
from struct import pack, unpack

from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.fixed_facts import UID
from emu.machine.linux.futex import let_go
from emu.machine.linux.kernel import Handler, Kernel
from emu.machine.linux.signal_delivery import send
from emu.machine.linux.signal_frame import SA_NOCLDWAIT, SIG_IGN, Action, SignalInfo
from emu.machine.linux.signal_numbers import SIGNALS, Signal, signal_number
from emu.machine.linux.system import MAX_PROCESSES, MAX_THREADS
from emu.machine.linux.thread import Thread
from emu.machine.linux.wait import Wait
from emu.machine.mapping import OutOfMemory
from emu.machine.outcome import Outcome, OutcomeKind
from emu.unwind import MemoryFault

CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_SIGHAND = 0x100, 0x200, 0x400, 0x800
CLONE_VFORK, CLONE_THREAD, CLONE_SETTLS = 0x4000, 0x10000, 0x80000
CLONE_PARENT_SETTID, CLONE_CHILD_CLEARTID, CLONE_CHILD_SETTID = 0x100000, 0x200000, 0x1000000
CLONE_CLEAR_SIGHAND = 1 << 32
_HARMLESS = 0x8000_0000 | 0x40000 | 0x400000 | 0x800000  # IO, SYSVSEM, DETACHED, UNTRACED
_WITH_A_THREAD = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD
_KNOWN = (
    _WITH_A_THREAD
    | _HARMLESS
    | CLONE_VFORK
    | CLONE_SETTLS
    | CLONE_PARENT_SETTID
    | CLONE_CHILD_CLEARTID
    | CLONE_CHILD_SETTID
    | CLONE_CLEAR_SIGHAND
)
CLD_EXITED, CLD_KILLED = 1, 2


@dataclass(frozen=True, slots=True)
class Request:
    """What clone and clone3 have in common; `stack` is the new rsp, or 0 to keep the old."""

    flags: int
    exit_signal: int
    stack: int
    parent_tid: int = 0
    child_tid: int = 0
    tls: int = 0


def clone(kernel: Kernel, flags: int, stack: int, parent: int, child: int, tls: int) -> int:
    return _clone(kernel, Request(flags & 0xFFFF_FF00, flags & 0xFF, stack, parent, child, tls))


def clone3(kernel: Kernel, arguments: int, size: int) -> int:
    if size < 64:
        raise SystemCallError(Errno.EINVAL)
    if size > 4096:
        raise SystemCallError(Errno.E2BIG)
    data = kernel.memory.read(arguments, size)
    if any(data[88:]):
        raise SystemCallError(Errno.E2BIG)
    words = unpack("<11Q", data[:88].ljust(88, b"\0"))
    flags, _, child, parent, exit_signal, stack, stack_size, tls, *ids = words
    if flags & 0xFF or any(ids) or exit_signal > SIGNALS or bool(stack) != bool(stack_size):
        raise SystemCallError(Errno.EINVAL)
    return _clone(kernel, Request(flags, exit_signal, stack + stack_size, parent, child, tls))


def fork(kernel: Kernel) -> int:
    return _clone(kernel, Request(0, Signal.SIGCHLD, 0))


def vfork(kernel: Kernel) -> int:
    return _clone(kernel, Request(CLONE_VM | CLONE_VFORK, Signal.SIGCHLD, 0))


def _clone(kernel: Kernel, request: Request) -> int:
    flags = request.flags
    if flags & CLONE_SIGHAND and not flags & CLONE_VM:
        raise SystemCallError(Errno.EINVAL)
    if flags & CLONE_THREAD and not flags & CLONE_SIGHAND:
        raise SystemCallError(Errno.EINVAL)
    if flags & ~_KNOWN:
        # Namespaces and pidfds are not there.
        raise SystemCallError(Errno.EINVAL)
    if len(kernel.system.schedule.threads) >= MAX_THREADS:
        raise SystemCallError(Errno.EAGAIN)
    if flags & CLONE_THREAD:
        if flags & _WITH_A_THREAD != _WITH_A_THREAD:
            raise SystemCallError(Errno.ENOSYS)
        return _new_thread(kernel, request)
    if flags & (CLONE_FS | CLONE_FILES | CLONE_SIGHAND):
        raise SystemCallError(Errno.ENOSYS)
    if flags & CLONE_VM and not flags & CLONE_VFORK:
        raise SystemCallError(Errno.ENOSYS)
    if len(kernel.system.processes) >= MAX_PROCESSES:
        raise SystemCallError(Errno.EAGAIN)
    kernel.later.append(lambda: _new_process(kernel, request))
    return 0


def _new_thread(kernel: Kernel, request: Request) -> int:
    thread = Thread(kernel.system.new_id(), kernel)
    thread.name = kernel.current.name
    thread.blocked = kernel.current.blocked
    _tell_id(kernel, request, thread.tid)
    if request.flags & CLONE_CHILD_SETTID:
        kernel.memory.write(request.child_tid, pack("<I", thread.tid))
    if request.flags & CLONE_CHILD_CLEARTID:
        thread.clear_child_tid = request.child_tid
    tls = request.tls if request.flags & CLONE_SETTLS else None
    kernel.later.append(lambda: kernel.machine.start_thread(thread, request.stack, tls))
    return thread.tid


def _tell_id(kernel: Kernel, request: Request, number: int) -> None:
    if request.flags & CLONE_PARENT_SETTID:
        kernel.memory.write(request.parent_tid, pack("<I", number))


def _new_process(kernel: Kernel, request: Request) -> None:
    """After the instruction: the child gets all that the parent has then."""
    parent, flags = kernel.current, request.flags
    try:
        child = kernel.machine.fork(share=bool(flags & CLONE_VM))
    except SystemCallError as error:
        kernel.machine.set_result(-error.errno)
        return
    except (OutOfMemory, MemoryError):
        kernel.machine.set_result(-Errno.ENOMEM)
        return
    child.exit_signal = request.exit_signal
    if flags & CLONE_CLEAR_SIGHAND:
        child.actions = {
            number: action for number, action in child.actions.items() if action.handler == SIG_IGN
        }
    if request.stack:
        child.machine.registers[7] = request.stack
    if flags & CLONE_SETTLS:
        child.machine.set_fs_base(request.tls)
    try:
        _tell_id(kernel, request, child.pid)
        if flags & CLONE_CHILD_SETTID:
            child.memory.write(request.child_tid, pack("<I", child.pid))
    except MemoryFault:
        # Linux ignores this error too.
        pass
    if flags & CLONE_CHILD_CLEARTID:
        child.current.clear_child_tid = request.child_tid
    kernel.machine.set_result(child.pid)
    kernel.system.schedule.add(child.current, soon=True)
    if flags & CLONE_VFORK:
        parent.wait = Wait(
            f"its vfork child {child.pid}",
            ready=lambda: child.released,
            woken=lambda: child.pid,
            interruptible=False,
        )
    kernel.machine.forked(child)


# The end


def exit_(kernel: Kernel, code: int) -> int:
    if len(kernel.threads) == 1:
        return exit_group(kernel, code)
    thread = kernel.current
    kernel.later.append(lambda: kernel.machine.end_thread(thread))
    return 0


def exit_group(kernel: Kernel, code: int) -> int:
    kernel.machine.end(Outcome(OutcomeKind.EXIT, exit_code=code & 0xFF))
    return 0


def remove_thread(thread: Thread) -> None:
    """A thread is no more."""
    let_go(thread)
    thread.kernel.threads.remove(thread)
    thread.kernel.system.schedule.remove(thread)


def remove_process(kernel: Kernel, outcome: Outcome) -> None:
    """A process is no more, its threads are gone; its parent is told."""
    system = kernel.system
    if outcome.exit_code is not None:
        kernel.status, how, value = outcome.exit_code << 8, CLD_EXITED, outcome.exit_code
    else:
        number = signal_number(outcome.signal or "SIGKILL")
        kernel.status, how, value = number, CLD_KILLED, number
    kernel.released = True
    system.timers = [timer for timer in system.timers if timer.kernel is not kernel]
    kernel.descriptors.close_all()
    for child in kernel.children:
        child.parent = None
        if child.status is not None:
            del system.processes[child.pid]
    kernel.children.clear()
    parent = kernel.parent
    if parent is None:
        del system.processes[kernel.pid]
        return
    action = parent.actions.get(Signal.SIGCHLD, Action())
    if kernel.exit_signal == Signal.SIGCHLD and (
        action.handler == SIG_IGN or action.flags & SA_NOCLDWAIT
    ):
        # Nobody will wait for it.
        parent.children.remove(kernel)
        del system.processes[kernel.pid]
    if kernel.exit_signal:
        info = SignalInfo(kernel.exit_signal, how, kernel.pid, UID, status=value)
        send(parent, info)


CALLS: dict[int, Handler] = {
    56: clone,
    57: fork,
    58: vfork,
    60: exit_,
    231: exit_group,
    435: clone3,
}
