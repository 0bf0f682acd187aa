"""A thread as the kernel keeps it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from emu.machine.linux.pending_signals import PendingSignals
from emu.machine.linux.signal_frame import AlternateStack
from emu.machine.linux.wait import Wait
from emu.machine.state import UserState

if TYPE_CHECKING:
    from emu.machine.linux.kernel import Kernel


@dataclass(slots=True, eq=False)
class Thread:
    """One thread of a process. Compared by identity."""

    tid: int
    kernel: Kernel = field(repr=False)
    """The kernel's side of its process."""
    name: str = ""
    """What prctl(PR_SET_NAME) gave it, at most 15 bytes."""
    registers: list[int] = field(default_factory=list)
    """DWARF registers 0..15 and rip as they were when it last stopped executing, or will be when
    it starts. Those of the current thread are in the processor."""
    ended: bool = False
    blocked: int = 0
    """Bit n-1 set: signal n is blocked."""
    pending: PendingSignals = field(default_factory=PendingSignals)
    """Signals sent to this thread and not delivered yet."""
    alternate_stack: AlternateStack = field(default_factory=AlternateStack)
    suspended_mask: int | None = None
    """The mask to go back to after sigsuspend, ppoll and pselect."""
    resumed: UserState | None = None
    """Set by rt_sigreturn: the state to go on with, instead of a result."""
    clear_child_tid: int = 0
    """Where to store 0, and whom to wake, at the end."""
    robust_list: int = 0
    wait: Wait | None = None
    call: tuple[int, tuple[int, ...]] = (0, ())
    """Number and arguments of the system call it waits in."""
    written: int = 0
    """Bytes that the write it waits in has got rid of."""
    interrupted_call: int | None = None
    """A call that is made again after a handler with SA_RESTART."""
    context: Any = field(default=None, repr=False)
    """The whole processor, while another thread has it."""

    def deliverable(self, *, beside: int = 0) -> bool:
        """Whether a signal waits that is neither blocked nor in the set `beside`."""
        shut = self.blocked | beside
        if any(not shut >> number - 1 & 1 for number in self.pending):
            return True
        return any(
            not shut >> number - 1 & 1 and self.takes(number) for number in self.kernel.pending
        )

    def takes(self, number: int) -> bool:
        """Whether a signal sent to the process is for this thread to handle.

        The kernel wakes one thread that does not block it; another may take it only if that one
        has come to block it, or is gone.
        """
        chosen = self.kernel.chosen.get(number)
        return (
            chosen is None
            or chosen is self
            or chosen.ended
            or bool(chosen.blocked >> number - 1 & 1)
        )

    def can_run(self, now: int) -> bool:
        """Whether it has something to do at `now`, nanoseconds of the clock's `elapsed`."""
        wait = self.wait
        return (
            wait is None
            or wait.ready()
            or (wait.deadline is not None and wait.deadline <= now)
            or (wait.interruptible and self.deliverable())
        )
