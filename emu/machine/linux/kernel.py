"""The state of the emulated kernel for one process, and the way into it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Protocol

from emu.machine.image import Image
from emu.machine.linux.clock import Clock
from emu.machine.linux.descriptors import DescriptorTable
from emu.machine.linux.errno import Errno, SystemCallError, WouldWait
from emu.machine.linux.numbers import name_of
from emu.machine.linux.signal_frame import Action, AlternateStack, SignalInfo
from emu.machine.linux.tree import Tree
from emu.machine.mapping import OutOfMemory
from emu.machine.memory import AddressSpace
from emu.machine.outcome import Outcome, OutcomeKind
from emu.machine.registers import RegisterFile
from emu.machine.state import UserState
from emu.unwind import MemoryFault

IO_CHUNK = 1 << 20
"""Bytes one read or write moves at most; a shorter count is a lawful answer."""


class Machine(Protocol):
    """What system calls need from the process around them."""

    memory: AddressSpace
    registers: RegisterFile
    stack_limit: int

    def finish(self, outcome: Outcome) -> None:
        """End the run."""

    def file_mapped(self, path: str, read: Callable[[], Image]) -> None:
        """A file was mapped; it may make a module complete."""

    def unmapped(self, start: int, end: int) -> None:
        """A range was unmapped; modules in it are gone."""

    def set_fs_base(self, address: int) -> None: ...

    def fs_base(self) -> int: ...


@dataclass(slots=True)
class CallCount:
    """How often a system call was made, and whether the kernel model knows it."""

    count: int = 0
    unsupported: bool = False


Handler = Callable[..., int]


class Kernel:
    """One process' kernel side. `call` is the only entry."""

    def __init__(
        self,
        machine: Machine,
        tree: Tree,
        descriptors: DescriptorTable,
        clock: Clock,
        handlers: Mapping[int, Handler],
        random: Random,
    ) -> None:
        self.machine = machine
        self.memory = machine.memory
        self.tree = tree
        self.descriptors = descriptors
        self.clock = clock
        self.random = random
        self.executable = ""
        """Canonical path of the program."""
        self.directory = "/"
        self.umask = 0o022
        self.break_start = 0
        self.break_end = 0
        self.actions: dict[int, Action] = {}
        """By signal number; the default action if missing."""
        self.pending: dict[int, SignalInfo] = {}
        """Signals that were sent and not delivered yet."""
        self.suspended_mask: int | None = None
        """The mask to go back to after sigsuspend."""
        self.resumed: UserState | None = None
        """Set by rt_sigreturn: the state to go on with, instead of a result."""
        self.blocked = 0
        """Bit n-1 set: signal n is blocked."""
        self.alternate_stack = AlternateStack()
        self.thread_name = b""
        self._pipes = 2
        self.counts: dict[str, CallCount] = {}
        self._calls = {
            number: (name_of(number), handler, handler.__code__.co_argcount - 1)
            for number, handler in handlers.items()
        }

    def call(self, number: int, arguments: tuple[int, ...]) -> int:
        """Carry out a system call; the result goes to rax (negative: an error number)."""
        self.clock.tick()
        known = self._calls.get(number)
        name = known[0] if known else name_of(number)
        count = self.counts.setdefault(name, CallCount())
        count.count += 1
        if known is None:
            count.unsupported = True
            return -Errno.ENOSYS
        _, handler, arity = known
        try:
            return handler(self, *arguments[:arity])
        except SystemCallError as error:
            if error.errno is Errno.ENOSYS:
                count.unsupported = True
            return -error.errno
        except WouldWait as wait:
            message = f"deadlock in {name}: the only thread waits for {wait}"
            self.machine.finish(Outcome(OutcomeKind.UNSUPPORTED, message=message))
            return -Errno.EINTR
        except MemoryFault:
            return -Errno.EFAULT
        except (OutOfMemory, MemoryError):
            return -Errno.ENOMEM

    def next_pipe(self) -> int:
        """The inode number of another pipe; 0 to 2 are the standard streams."""
        self._pipes += 1
        return self._pipes

    def path(self, address: int) -> str:
        """A path argument; ENAMETOOLONG without an end, EFAULT if unreadable."""
        try:
            return self.memory.string(address).decode(errors="surrogateescape")
        except ValueError:
            raise SystemCallError(Errno.ENAMETOOLONG) from None


def signed(value: int) -> int:
    """A 64-bit argument as the signed number it stands for."""
    return value - (1 << 64) if value >> 63 else value


def signed_int(value: int) -> int:
    """An `int` argument: the low 32 bits, signed."""
    value &= 0xFFFF_FFFF
    return value - (1 << 32) if value >> 31 else value
