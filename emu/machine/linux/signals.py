"""Signals: actions, masks, waiting for them and sending them."""

from __future__ import annotations

from struct import pack, unpack

from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.fixed_facts import UID
from emu.machine.linux.kernel import Handler, Kernel, signed_int
from emu.machine.linux.signal_delivery import (
    SI_TKILL,
    SI_USER,
    UNBLOCKABLE,
    ignored,
    pending_in,
    send,
    suspend_mask,
    take_any,
)
from emu.machine.linux.signal_frame import (
    SS_AUTODISARM,
    SS_DISABLE,
    SS_ONSTACK,
    Action,
    AlternateStack,
    SignalInfo,
    pop_frame,
)
from emu.machine.linux.signal_numbers import SIGNALS, Signal
from emu.machine.linux.time_calls import read_timespec
from emu.machine.linux.wait import Wait, WouldWait
from emu.machine.outcome import Outcome, OutcomeKind
from emu.machine.registers import RSP
from emu.unwind import MemoryFault

_ACTION_SIZE = 32
_SET_SIZE = 8
_MINSIGSTKSZ = 2048


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


def rt_sigpending(kernel: Kernel, buffer: int) -> int:
    waiting = sum(1 << number - 1 for number in pending_in(kernel.current))
    kernel.memory.write(buffer, pack("<Q", waiting & kernel.current.blocked))
    return 0


def rt_sigsuspend(kernel: Kernel, mask: int, size: int) -> int:
    if size != _SET_SIZE:
        raise SystemCallError(Errno.EINVAL)
    suspend_mask(kernel.current, kernel.memory.word(mask))
    raise WouldWait(Wait("a signal"))


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
