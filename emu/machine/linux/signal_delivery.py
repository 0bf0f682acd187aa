"""Signals on their way: from the sender to a handler of the thread that takes them."""

from __future__ import annotations

from emu.machine.linux.errno import Errno
from emu.machine.linux.kernel import Kernel
from emu.machine.linux.signal_frame import (
    SA_NODEFER,
    SA_RESETHAND,
    SA_RESTART,
    SIG_DFL,
    SIG_IGN,
    SS_AUTODISARM,
    Action,
    AlternateStack,
    SignalInfo,
    push_frame,
)
from emu.machine.linux.signal_numbers import Signal
from emu.machine.linux.thread import Thread
from emu.machine.state import UserState

SI_USER, SI_TKILL, SI_KERNEL = 0, -6, 0x80
_IGNORED = {Signal.SIGCHLD, Signal.SIGCONT, Signal.SIGURG, Signal.SIGWINCH}
_STOPPING = {Signal.SIGSTOP, Signal.SIGTSTP, Signal.SIGTTIN, Signal.SIGTTOU}
UNBLOCKABLE = 1 << Signal.SIGKILL - 1 | 1 << Signal.SIGSTOP - 1


def pending_in(thread: Thread) -> set[int]:
    """Numbers of the signals sent to a thread or its process and not delivered yet."""
    return {*thread.pending, *thread.kernel.pending}


def suspend_mask(thread: Thread, mask: int) -> None:
    """Block other signals until the call returns or a handler has started."""
    thread.suspended_mask, thread.blocked = thread.blocked, mask & ~UNBLOCKABLE


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
