"""Signals: what is stored of them, and those that end the process."""

from __future__ import annotations

from enum import IntEnum
from struct import pack, unpack

from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.identity import PID
from emu.machine.linux.kernel import Handler, Kernel, signed_int
from emu.machine.outcome import Outcome, OutcomeKind

SIGNALS = 64
_ACTION_SIZE = 32
_SET_SIZE = 8
SIG_DFL, SIG_IGN = 0, 1


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
    action = kernel.memory.read(new, _ACTION_SIZE) if new else None
    if old:
        kernel.memory.write(old, kernel.actions.get(number, bytes(_ACTION_SIZE)))
    if action is not None:
        kernel.actions[number] = action
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
    kernel.memory.write(buffer, bytes(8))
    return 0


def sigaltstack(kernel: Kernel, new: int, old: int) -> int:
    stack = kernel.memory.read(new, 24) if new else None
    if old:
        kernel.memory.write(old, kernel.alternate_stack)
    if stack is not None:
        _, flags, size = unpack("<QIxxxxQ", stack)
        if flags & ~(1 << 31 | 3):
            raise SystemCallError(Errno.EINVAL)
        if not flags & 2 and size < 2048:
            raise SystemCallError(Errno.ENOMEM)
        kernel.alternate_stack = stack
    return 0


def send(kernel: Kernel, number: int) -> int:
    """Send a signal to the process itself."""
    if number == 0:
        return 0
    handler = int.from_bytes(kernel.actions.get(number, bytes(8))[:8], "little")
    if handler == SIG_IGN or (handler == SIG_DFL and number in _IGNORED):
        return 0
    if handler == SIG_DFL or number in (Signal.SIGKILL, Signal.SIGSTOP):
        if number in _STOPPING:
            # Nobody could continue it.
            return 0
        name = signal_name(number)
        kernel.machine.finish(
            Outcome(OutcomeKind.SIGNAL, signal=name, message=f"ended by {name}, which it sent")
        )
        return 0
    raise SystemCallError(Errno.ENOSYS)


def kill(kernel: Kernel, pid: int, signal: int) -> int:
    if signed_int(pid) not in (PID, 0, -1, -PID):
        raise SystemCallError(Errno.ESRCH)
    return send(kernel, _number(signal) if signal else 0)


def tkill(kernel: Kernel, thread: int, signal: int) -> int:
    if signed_int(thread) != PID:
        raise SystemCallError(Errno.ESRCH)
    return send(kernel, _number(signal) if signal else 0)


def tgkill(kernel: Kernel, group: int, thread: int, signal: int) -> int:
    if signed_int(group) != PID:
        raise SystemCallError(Errno.ESRCH)
    return tkill(kernel, thread, signal)


CALLS: dict[int, Handler] = {
    13: rt_sigaction,
    14: rt_sigprocmask,
    62: kill,
    127: rt_sigpending,
    131: sigaltstack,
    200: tkill,
    234: tgkill,
}
