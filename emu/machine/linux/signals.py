"""Signals: actions, masks, pending signals and their delivery."""

from __future__ import annotations

from enum import IntEnum
from struct import pack

from emu.machine.linux.errno import Errno, SystemCallError, WouldWait
from emu.machine.linux.identity import PID, UID
from emu.machine.linux.kernel import Handler, Kernel, signed_int
from emu.machine.linux.signal_frame import (
    SA_NODEFER,
    SA_RESETHAND,
    SS_AUTODISARM,
    SS_DISABLE,
    SS_ONSTACK,
    Action,
    AlternateStack,
    SignalInfo,
    pop_frame,
    push_frame,
)
from emu.machine.outcome import Outcome, OutcomeKind
from emu.machine.registers import RSP
from emu.machine.state import UserState
from emu.unwind import MemoryFault

SIGNALS = 64
_ACTION_SIZE = 32
_SET_SIZE = 8
SIG_DFL, SIG_IGN = 0, 1
SI_USER, SI_TKILL, SI_KERNEL = 0, -6, 0x80
_MINSIGSTKSZ = 2048


class Signal(IntEnum):
    """The standard signals of Linux on x86-64."""

    SIGHUP = 1
    SIGINT = 2
    SIGQUIT = 3
    SIGILL = 4
    SIGTRAP = 5
    SIGABRT = 6
    SIGBUS = 7
    SIGFPE = 8
    SIGKILL = 9
    SIGUSR1 = 10
    SIGSEGV = 11
    SIGUSR2 = 12
    SIGPIPE = 13
    SIGALRM = 14
    SIGTERM = 15
    SIGSTKFLT = 16
    SIGCHLD = 17
    SIGCONT = 18
    SIGSTOP = 19
    SIGTSTP = 20
    SIGTTIN = 21
    SIGTTOU = 22
    SIGURG = 23
    SIGXCPU = 24
    SIGXFSZ = 25
    SIGVTALRM = 26
    SIGPROF = 27
    SIGWINCH = 28
    SIGIO = 29
    SIGPWR = 30
    SIGSYS = 31


_IGNORED = {Signal.SIGCHLD, Signal.SIGCONT, Signal.SIGURG, Signal.SIGWINCH}
_STOPPING = {Signal.SIGSTOP, Signal.SIGTSTP, Signal.SIGTTIN, Signal.SIGTTOU}
_UNBLOCKABLE = 1 << Signal.SIGKILL - 1 | 1 << Signal.SIGSTOP - 1


def signal_name(number: int) -> str:
    """SIGSEGV, or SIGRTMIN+3 for a real-time signal."""
    return Signal(number).name if number <= Signal.SIGSYS else f"SIGRTMIN+{number - 32}"


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
        if _ignored(kernel, number):
            kernel.pending.pop(number, None)
    return 0


def rt_sigprocmask(kernel: Kernel, how: int, new: int, old: int, size: int) -> int:
    if size != _SET_SIZE:
        raise SystemCallError(Errno.EINVAL)
    before = kernel.blocked
    if new:
        mask = kernel.memory.word(new)
        match signed_int(how):
            case 0:
                kernel.blocked |= mask
            case 1:
                kernel.blocked &= ~mask
            case 2:
                kernel.blocked = mask
            case _:
                raise SystemCallError(Errno.EINVAL)
        kernel.blocked &= ~_UNBLOCKABLE
    if old:
        kernel.memory.write(old, pack("<Q", before))
    return 0


def rt_sigpending(kernel: Kernel, buffer: int) -> int:
    waiting = sum(1 << number - 1 for number in kernel.pending)
    kernel.memory.write(buffer, pack("<Q", waiting & kernel.blocked))
    return 0


def rt_sigsuspend(kernel: Kernel, mask: int, size: int) -> int:
    if size != _SET_SIZE:
        raise SystemCallError(Errno.EINVAL)
    wanted = kernel.memory.word(mask) & ~_UNBLOCKABLE
    if not any(not wanted >> number - 1 & 1 for number in kernel.pending):
        raise WouldWait("a signal")
    kernel.suspended_mask, kernel.blocked = kernel.blocked, wanted
    return -Errno.EINTR


def pause(kernel: Kernel) -> int:
    if not any(not kernel.blocked >> number - 1 & 1 for number in kernel.pending):
        raise WouldWait("a signal")
    return -Errno.EINTR


def sigaltstack(kernel: Kernel, new: int, old: int) -> int:
    stack = AlternateStack.unpack(kernel.memory.read(new, 24)) if new else None
    current, rsp = kernel.alternate_stack, kernel.machine.registers[RSP]
    if old:
        kernel.memory.write(old, current.pack(SS_ONSTACK if current.holds(rsp) else None))
    if stack is not None:
        if current.holds(rsp):
            raise SystemCallError(Errno.EPERM)
        if stack.flags & ~(SS_AUTODISARM | SS_ONSTACK | SS_DISABLE):
            raise SystemCallError(Errno.EINVAL)
        if stack.usable and stack.size < _MINSIGSTKSZ:
            raise SystemCallError(Errno.ENOMEM)
        kernel.alternate_stack = stack if stack.usable else AlternateStack()
    return 0


def rt_sigreturn(kernel: Kernel) -> int:
    try:
        state, blocked, stack = pop_frame(kernel.memory, kernel.machine.registers[RSP])
    except MemoryFault as fault:
        message = f"SIGSEGV: rt_sigreturn with a bad frame at {fault.address:#x}"
        kernel.machine.finish(Outcome(OutcomeKind.SIGNAL, signal="SIGSEGV", message=message))
        return -Errno.EFAULT
    kernel.blocked = blocked & ~_UNBLOCKABLE
    kernel.alternate_stack = stack if stack.usable else AlternateStack()
    kernel.resumed = state
    return 0


def _ignored(kernel: Kernel, number: int) -> bool:
    handler = kernel.actions.get(number, Action()).handler
    # A stopped process could be continued by nobody, so those signals do nothing.
    harmless = number in _IGNORED or number in _STOPPING
    return handler == SIG_IGN or (handler == SIG_DFL and harmless)


def send(kernel: Kernel, info: SignalInfo) -> int:
    """Make a signal pending for the process itself."""
    number = info.number
    blocked = kernel.blocked >> number - 1 & 1 if number else 0
    if number and (blocked or not _ignored(kernel, number)):
        kernel.pending.setdefault(number, info)
    return 0


def take_pending(kernel: Kernel) -> SignalInfo | None:
    """The next signal that is not blocked, no longer pending; the lowest number comes first."""
    for number in sorted(kernel.pending):
        if not kernel.blocked >> number - 1 & 1:
            return kernel.pending.pop(number)
    return None


def deliver(kernel: Kernel, state: UserState, info: SignalInfo) -> UserState | None:
    """The state the handler of a signal starts with, or None if there is no handler.

    Raises MemoryFault if the frame finds no room on the stack.
    """
    number = info.number
    action = kernel.actions.get(number, Action())
    if action.handler in (SIG_DFL, SIG_IGN) or number in (Signal.SIGKILL, Signal.SIGSTOP):
        return None
    saved = kernel.blocked if kernel.suspended_mask is None else kernel.suspended_mask
    kernel.suspended_mask = None
    entered = push_frame(kernel.memory, state, action, kernel.alternate_stack, saved, info)
    kernel.blocked |= action.mask
    if not action.flags & SA_NODEFER:
        kernel.blocked |= 1 << number - 1
    kernel.blocked &= ~_UNBLOCKABLE
    if action.flags & SA_RESETHAND:
        kernel.actions[number] = Action()
    if kernel.alternate_stack.flags & SS_AUTODISARM:
        kernel.alternate_stack = AlternateStack()
    return entered


def has_handler(kernel: Kernel, number: int) -> bool:
    """Whether a fault with this signal goes to a handler: one is set and it is not blocked."""
    handler = kernel.actions.get(number, Action()).handler
    return handler not in (SIG_DFL, SIG_IGN) and not kernel.blocked >> number - 1 & 1


def _from_self(number: int, code: int) -> SignalInfo:
    return SignalInfo(number, code, PID, UID)


def kill(kernel: Kernel, pid: int, signal: int) -> int:
    if signed_int(pid) not in (PID, 0, -1, -PID):
        raise SystemCallError(Errno.ESRCH)
    return send(kernel, _from_self(_number(signal) if signal else 0, SI_USER))


def tkill(kernel: Kernel, thread: int, signal: int) -> int:
    if signed_int(thread) != PID:
        raise SystemCallError(Errno.ESRCH)
    return send(kernel, _from_self(_number(signal) if signal else 0, SI_TKILL))


def tgkill(kernel: Kernel, group: int, thread: int, signal: int) -> int:
    if signed_int(group) != PID:
        raise SystemCallError(Errno.ESRCH)
    return tkill(kernel, thread, signal)


CALLS: dict[int, Handler] = {
    13: rt_sigaction,
    14: rt_sigprocmask,
    15: rt_sigreturn,
    34: pause,
    62: kill,
    127: rt_sigpending,
    130: rt_sigsuspend,
    131: sigaltstack,
    200: tkill,
    234: tgkill,
}
