"""Signals: actions, masks, pending signals and their delivery."""

from __future__ import annotations

from struct import pack, unpack

from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.fixed_facts import UID
from emu.machine.linux.kernel import Handler, Kernel, signed_int
from emu.machine.linux.signal_frame import (
    SA_NODEFER,
    SA_RESETHAND,
    SA_RESTART,
    SIG_DFL,
    SIG_IGN,
    SS_AUTODISARM,
    SS_DISABLE,
    SS_ONSTACK,
    Action,
    AlternateStack,
    SignalInfo,
    pop_frame,
    push_frame,
)
from emu.machine.linux.signal_numbers import SIGNALS, Signal
from emu.machine.linux.thread import Thread
from emu.machine.linux.time_calls import read_timespec
from emu.machine.linux.wait import Wait, WouldWait
from emu.machine.outcome import Outcome, OutcomeKind
from emu.machine.registers import RSP
from emu.machine.state import UserState
from emu.unwind import MemoryFault

_ACTION_SIZE = 32
_SET_SIZE = 8
SI_USER, SI_TKILL, SI_KERNEL = 0, -6, 0x80
_MINSIGSTKSZ = 2048


_IGNORED = {Signal.SIGCHLD, Signal.SIGCONT, Signal.SIGURG, Signal.SIGWINCH}
_STOPPING = {Signal.SIGSTOP, Signal.SIGTSTP, Signal.SIGTTIN, Signal.SIGTTOU}
UNBLOCKABLE = 1 << Signal.SIGKILL - 1 | 1 << Signal.SIGSTOP - 1


def _number(value: int) -> int:
    number = signed_int(value)
    if not 1 <= number <= SIGNALS:
        raise SystemCallError(Errno.EINVAL)
    return number


def rt_sigaction(kernel: Kernel, signal: int, new: int, old: int, size: int) -> int:
    number = _number(signal)
    if size != _SET_SIZE:
        raise SystemCallError(Errno.EINVAL)
    if new and number in (Signal.SIGKILL, Signal.SIGSTOP):
        raise SystemCallError(Errno.EINVAL)
    action = Action.unpack(kernel.memory.read(new, _ACTION_SIZE)) if new else None
    if old:
        kernel.memory.write(old, kernel.actions.get(number, Action()).pack())
    if action is not None:
        kernel.actions[number] = action
        if ignored(kernel, number):
            kernel.pending.discard(number)
            for thread in kernel.threads:
                thread.pending.discard(number)
    return 0


def rt_sigprocmask(kernel: Kernel, how: int, new: int, old: int, size: int) -> int:
    if size != _SET_SIZE:
        raise SystemCallError(Errno.EINVAL)
    thread = kernel.current
    before = thread.blocked
    if new:
        mask = kernel.memory.word(new)
        match signed_int(how):
            case 0:
                thread.blocked |= mask
            case 1:
                thread.blocked &= ~mask
            case 2:
                thread.blocked = mask
            case _:
                raise SystemCallError(Errno.EINVAL)
        thread.blocked &= ~UNBLOCKABLE
    if old:
        kernel.memory.write(old, pack("<Q", before))
    return 0


def pending_in(thread: Thread) -> set[int]:
    """Numbers of the signals sent to a thread or its process and not delivered yet."""
    return {*thread.pending, *thread.kernel.pending}


def rt_sigpending(kernel: Kernel, buffer: int) -> int:
    waiting = sum(1 << number - 1 for number in pending_in(kernel.current))
    kernel.memory.write(buffer, pack("<Q", waiting & kernel.current.blocked))
    return 0


def rt_sigsuspend(kernel: Kernel, mask: int, size: int) -> int:
    if size != _SET_SIZE:
        raise SystemCallError(Errno.EINVAL)
    suspend_mask(kernel.current, kernel.memory.word(mask))
    raise WouldWait(Wait("a signal"))


def suspend_mask(thread: Thread, mask: int) -> None:
    """Block other signals until the call returns or a handler has started."""
    thread.suspended_mask, thread.blocked = thread.blocked, mask & ~UNBLOCKABLE


def pause(_kernel: Kernel) -> int:
    raise WouldWait(Wait("a signal"))


def rt_sigtimedwait(kernel: Kernel, wanted: int, info: int, timeout: int, size: int) -> int:
    if size != _SET_SIZE:
        raise SystemCallError(Errno.EINVAL)
    thread = kernel.current
    mask = kernel.memory.word(wanted) & ~UNBLOCKABLE
    found = take_any(thread, mask)
    if found is not None:
        if info:
            kernel.memory.write(info, found.pack())
        return found.number
    deadline = None
    if timeout:
        deadline = kernel.clock.elapsed + read_timespec(kernel, timeout)
    raise WouldWait(
        Wait(
            "a signal",
            ready=lambda: any(mask >> number - 1 & 1 for number in pending_in(thread)),
            deadline=deadline,
            expired=lambda: -Errno.EAGAIN,
        )
    )


def sigaltstack(kernel: Kernel, new: int, old: int) -> int:
    stack = AlternateStack.unpack(kernel.memory.read(new, 24)) if new else None
    current, rsp = kernel.current.alternate_stack, kernel.machine.registers[RSP]
    if old:
        kernel.memory.write(old, current.pack(SS_ONSTACK if current.holds(rsp) else None))
    if stack is not None:
        if current.holds(rsp):
            raise SystemCallError(Errno.EPERM)
        if stack.flags & ~(SS_AUTODISARM | SS_ONSTACK | SS_DISABLE):
            raise SystemCallError(Errno.EINVAL)
        if stack.usable and stack.size < _MINSIGSTKSZ:
            raise SystemCallError(Errno.ENOMEM)
        kernel.current.alternate_stack = stack if stack.usable else AlternateStack()
    return 0


def rt_sigreturn(kernel: Kernel) -> int:
    try:
        state, blocked, stack = pop_frame(kernel.memory, kernel.machine.registers[RSP])
    except MemoryFault as fault:
        message = f"SIGSEGV: rt_sigreturn with a bad frame at {fault.address:#x}"
        kernel.machine.end(Outcome(OutcomeKind.SIGNAL, signal="SIGSEGV", message=message))
        return -Errno.EFAULT
    thread = kernel.current
    thread.blocked = blocked & ~UNBLOCKABLE
    thread.alternate_stack = stack if stack.usable else AlternateStack()
    thread.resumed = state
    kernel.attention = True
    return 0


def ignored(kernel: Kernel, number: int) -> bool:
    """Whether a signal has no effect."""
    handler = kernel.actions.get(number, Action()).handler
    # A stopped process could be continued by nobody, so those signals do nothing.
    harmless = number in _IGNORED or number in _STOPPING
    return handler == SIG_IGN or (handler == SIG_DFL and harmless)


def send(kernel: Kernel, info: SignalInfo, thread: Thread | None = None) -> int:
    """Make a signal pending for a thread, or for whichever thread of the process takes it."""
    number = info.number
    if not number or kernel.status is not None:
        return 0
    bit = 1 << number - 1
    takers = [thread] if thread is not None else kernel.threads
    open_ = [taker for taker in takers if not taker.blocked & bit]
    if open_ and ignored(kernel, number):
        return 0
    pending = kernel.pending if thread is None else thread.pending
    if not pending.add(info):
        # Linux forgets who sent one with kill, and tells the others.
        return 0 if info.code in (SI_USER, SI_KERNEL) else -Errno.EAGAIN
    if thread is None:
        if open_:
            kernel.chosen[number] = open_[0]
        else:
            kernel.chosen.pop(number, None)
    kernel.attention = True
    return 0


def _take(thread: Thread, shut: int, *, whoever: bool = False) -> SignalInfo | None:
    """The next signal outside the set `shut`, no longer pending; the lowest number comes first.

    With `whoever`, it may have been sent to the process and another thread been woken for it.
    """
    kernel = thread.kernel
    for number in sorted(pending_in(thread)):
        if shut >> number - 1 & 1:
            continue
        if number in thread.pending:
            return thread.pending.take(number)
        if whoever or thread.takes(number):
            kernel.chosen.pop(number, None)
            return kernel.pending.take(number)
    return None


def take_any(thread: Thread, wanted: int) -> SignalInfo | None:
    """The next signal of a set, blocked or not, no longer pending."""
    return _take(thread, ~wanted, whoever=True)


def take_pending(thread: Thread) -> SignalInfo | None:
    """The next signal to be delivered to a thread, no longer pending."""
    if not thread.pending and not thread.kernel.pending:
        return None
    return _take(thread, thread.blocked)


def deliver(kernel: Kernel, state: UserState, info: SignalInfo) -> UserState | None:
    """The state the handler of a signal starts with, or None if there is no handler.

    Raises MemoryFault if the frame finds no room on the stack.
    """
    number = info.number
    thread = kernel.current
    action = kernel.actions.get(number, Action())
    if action.handler in (SIG_DFL, SIG_IGN) or number in (Signal.SIGKILL, Signal.SIGSTOP):
        return None
    saved = thread.blocked if thread.suspended_mask is None else thread.suspended_mask
    thread.suspended_mask = None
    entered = push_frame(kernel.memory, state, action, thread.alternate_stack, saved, info)
    thread.blocked |= action.mask
    if not action.flags & SA_NODEFER:
        thread.blocked |= 1 << number - 1
    thread.blocked &= ~UNBLOCKABLE
    if action.flags & SA_RESETHAND:
        kernel.actions[number] = Action()
    if thread.alternate_stack.flags & SS_AUTODISARM:
        thread.alternate_stack = AlternateStack()
    return entered


def restarts(kernel: Kernel, number: int) -> bool:
    """Whether an interrupted call is made again after the handler of a signal."""
    return bool(kernel.actions.get(number, Action()).flags & SA_RESTART)


def has_handler(thread: Thread, number: int) -> bool:
    """Whether a signal goes to a handler: one is set and it is not blocked."""
    handler = thread.kernel.actions.get(number, Action()).handler
    return handler not in (SIG_DFL, SIG_IGN) and not thread.blocked >> number - 1 & 1


def _from(kernel: Kernel, number: int, code: int) -> SignalInfo:
    return SignalInfo(number, code, kernel.pid, UID)


def kill(kernel: Kernel, pid: int, signal: int) -> int:
    number = _number(signal) if signal else 0
    wanted, processes = signed_int(pid), kernel.system.processes
    if wanted > 0:
        targets = [processes[wanted]] if wanted in processes else []
    elif wanted == -1:
        targets = [one for one in processes.values() if one is not kernel]
    else:
        group = -wanted or kernel.group
        targets = [one for one in processes.values() if one.group == group]
    if not targets:
        raise SystemCallError(Errno.ESRCH)
    for target in targets:
        send(target, _from(kernel, number, SI_USER))
    return 0


def tkill(kernel: Kernel, thread: int, signal: int) -> int:
    return tgkill(kernel, 0, thread, signal)


def tgkill(kernel: Kernel, group: int, thread: int, signal: int) -> int:
    number = _number(signal) if signal else 0
    for target in kernel.system.schedule.threads:
        if target.tid == signed_int(thread) and group in (0, target.kernel.pid):
            return send(target.kernel, _from(kernel, number, SI_TKILL), target)
    raise SystemCallError(Errno.ESRCH)


def _queued(kernel: Kernel, signal: int, address: int) -> SignalInfo:
    """What sigqueue says; only the kernel may send what it sends itself."""
    (code,) = unpack("<i", kernel.memory.read(address + 8, 4))
    sender, user, value = unpack("<IIQ", kernel.memory.read(address + 16, 16))
    if code >= 0 or code == SI_TKILL:
        raise SystemCallError(Errno.EPERM)
    return SignalInfo(_number(signal), code, sender, user, value=value)


def rt_sigqueueinfo(kernel: Kernel, pid: int, signal: int, info: int) -> int:
    told = _queued(kernel, signal, info)
    target = kernel.system.processes.get(signed_int(pid))
    if target is None:
        raise SystemCallError(Errno.ESRCH)
    return send(target, told)


def rt_tgsigqueueinfo(kernel: Kernel, group: int, thread: int, signal: int, info: int) -> int:
    told = _queued(kernel, signal, info)
    for target in kernel.system.schedule.threads:
        if target.tid == signed_int(thread) and group == target.kernel.pid:
            return send(target.kernel, told, target)
    raise SystemCallError(Errno.ESRCH)


CALLS: dict[int, Handler] = {
    13: rt_sigaction,
    14: rt_sigprocmask,
    15: rt_sigreturn,
    34: pause,
    62: kill,
    127: rt_sigpending,
    128: rt_sigtimedwait,
    129: rt_sigqueueinfo,
    130: rt_sigsuspend,
    131: sigaltstack,
    200: tkill,
    234: tgkill,
    297: rt_tgsigqueueinfo,
}
