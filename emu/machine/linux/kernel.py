"""The state of the emulated kernel for one process, and the way into it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from emu.machine.linux.clock import TICK
from emu.machine.linux.descriptors import DescriptorTable
from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.fixed_facts import PARENT_ID
from emu.machine.linux.limits import Limits
from emu.machine.linux.machine import Machine
from emu.machine.linux.numbers import name_of
from emu.machine.linux.pending_signals import PendingSignals
from emu.machine.linux.signal_frame import SIG_IGN, Action
from emu.machine.linux.system import System, Timer
from emu.machine.linux.thread import Thread
from emu.machine.linux.tree import Tree
from emu.machine.linux.wait import WouldWait
from emu.machine.mapping import OutOfMemory
from emu.unwind import MemoryFault, PrctlNumbers
from emu.unwind import stacktrace_setup as setup_in_store

IO_CHUNK = 1 << 20
"""Bytes that are moved at once."""


@dataclass(slots=True)
class CallCount:
    """How often a system call was made, and whether the kernel model knows it."""

    count: int = 0
    unsupported: bool = False


@dataclass(frozen=True, slots=True)
class Program:
    """What a process executes. Arguments and `NAME=value` have a zero byte behind each."""

    path: str = ""
    """Canonical."""
    command_line: bytes = b""
    environment: bytes = b""


@dataclass(frozen=True, slots=True)
class SectionCalls:
    """Numbers of the calls by which a process registers a section; none is settled."""

    prctl: PrctlNumbers = field(default_factory=PrctlNumbers)
    stacktrace_setup: int = 1000
    """Linux uses no such number."""


Handler = Callable[..., int]
CallLog = Callable[[str, tuple[int, ...], int], None]
"""Called with name, arguments and result of a system call when it returns."""


_Call = tuple[str, Handler, int]
"""Name, handler and number of arguments."""


class Kernel:
    """One process' kernel side. `call` is the way in from the program."""

    def __init__(
        self,
        machine: Machine,
        system: System,
        tree: Tree,
        descriptors: DescriptorTable,
        handlers: Mapping[int, Handler],
    ) -> None:
        self.machine = machine
        self.memory = machine.memory
        self.system = system
        self.clock = system.clock
        self.random = system.random
        self.tree = tree
        self.descriptors = descriptors
        self.pid = system.new_id()
        system.processes[self.pid] = self
        self.memory.taken_elsewhere = self._taken_elsewhere
        self.parent: Kernel | None = None
        self.children: list[Kernel] = []
        self.status: int | None = None
        """Once it has ended, what wait4 tells the parent."""
        self.exit_signal = 0
        """What the parent is sent then."""
        self.released = False
        """A vfork child has its own memory, or is gone."""
        self.current = Thread(self.pid, self)
        """The thread whose state the processor has."""
        self.threads: list[Thread] = [self.current]
        """Those that live, in the order they began."""
        self.program = Program()
        self.directory = "/"
        self.umask = 0o022
        self.limits = Limits(machine.stack_limit)
        self.nice = 0
        self.break_start = self.break_end = 0
        self.cpu_time = 0
        """Nanoseconds it executed."""
        self.group = self.pid
        self.session = PARENT_ID
        self.executed = False
        """Whether it executes another program than it was forked with."""
        self.actions: dict[int, Action] = {}
        """By signal number; the default action if missing."""
        self.pending = PendingSignals()
        """Signals sent to the process and not delivered yet."""
        self.chosen: dict[int, Thread] = {}
        """By number of a pending signal: the thread that was woken for it."""
        self.later: list[Callable[[], None]] = []
        """What remains to be done when the processor has left the system call instruction."""
        self.attention = False
        """Whether the processor must stop after the instruction for another reason."""
        self.timers: dict[int, Timer] = {}
        """POSIX timers by number; the interval timers as -1, -2, -3."""
        self.section_calls = SectionCalls()
        self.on_call: CallLog | None = None
        self.handlers = handlers
        self._calls = {
            number: (name_of(number), handler, handler.__code__.co_argcount - 1)
            for number, handler in handlers.items()
        }

    @property
    def thread_name(self) -> bytes:
        """The name of the current thread."""
        return os.fsencode(self.current.name)

    @property
    def counts(self) -> dict[str, CallCount]:
        """Name -> how often it was made, by all processes."""
        return self.system.counts

    def call(self, number: int, arguments: tuple[int, ...]) -> int | None:
        """Carry out a system call; the result goes to rax (negative: an error number).

        None if the current thread waits now: see `resume`.
        """
        self.clock.tick()
        self.cpu_time += TICK
        known = self._known(number)
        count = self.counts.setdefault(known[0], CallCount())
        count.count += 1
        thread = self.current
        thread.call = (number, arguments)
        thread.wait = None
        thread.written = 0
        return self._perform(known, arguments, count)

    def _known(self, number: int) -> _Call:
        if number == self.section_calls.stacktrace_setup and self.machine.section_store is not None:
            return "stacktrace_setup", setup_sections, 5
        return self._calls.get(number) or (name_of(number), unsupported, 0)

    def name_of_call(self, number: int) -> str:
        """For people."""
        return self._known(number)[0]

    def _perform(self, known: _Call, arguments: tuple[int, ...], count: CallCount) -> int | None:
        name, handler, arity = known
        try:
            result = handler(self, *arguments[:arity])
        except SystemCallError as error:
            if error.errno is Errno.ENOSYS:
                count.unsupported = True
            result = -error.errno
        except WouldWait as wait:
            self.current.wait = wait.wait
            return None
        except MemoryFault:
            result = -Errno.EFAULT
        except (OutOfMemory, MemoryError):
            result = -Errno.ENOMEM
        return self._returns(name, arguments[:arity], result)

    def _returns(self, name: str, arguments: tuple[int, ...], result: int) -> int:
        thread = self.current
        if thread.suspended_mask is not None and not thread.deliverable():
            thread.blocked, thread.suspended_mask = thread.suspended_mask, None
        if self.on_call is not None:
            self.on_call(name, arguments, result)
        return result

    def resume(self) -> int | None:
        """The result of the call the current thread waits in; None if it waits on."""
        thread = self.current
        wait, (number, arguments) = thread.wait, thread.call
        assert wait is not None, "the thread waits"
        known = self._known(number)
        if wait.ready():
            thread.wait = None
            if wait.woken is None:
                result = self._perform(known, arguments, self.counts[known[0]])
                if (again := self.current.wait) is not None:
                    # The time it may take is that of the first wait.
                    again.deadline = wait.deadline
                return result
            return self._returns(known[0], arguments[: known[2]], wait.woken())
        if wait.deadline is not None and wait.deadline <= self.clock.elapsed:
            result = wait.expired()
        elif wait.interruptible and thread.deliverable():
            result = wait.interrupted()
            thread.interrupted_call = number if wait.restarts else None
        else:
            return None
        wait.leave()
        thread.wait = None
        return self._returns(known[0], arguments[: known[2]], result)

    def _taken_elsewhere(self) -> int:
        processes = self.system.processes.values()
        return sum(other.memory.accessible for other in processes if other is not self)

    def path(self, address: int) -> str:
        """A path argument; ENAMETOOLONG without an end, EFAULT if unreadable."""
        try:
            return os.fsdecode(self.memory.string(address))
        except ValueError:
            raise SystemCallError(Errno.ENAMETOOLONG) from None

    def copy_to(self, child: Kernel) -> None:
        """What a forked child has of its parent."""
        child.parent = self
        self.children.append(child)
        child.group, child.session = self.group, self.session
        child.program = self.program
        child.limits, child.nice = self.limits.fork(), self.nice
        child.descriptors.limit = self.descriptors.limit
        child.directory = self.directory
        child.umask = self.umask
        child.break_start, child.break_end = self.break_start, self.break_end
        child.actions = dict(self.actions)
        child.section_calls = self.section_calls
        child.on_call = self.on_call
        child.current.name = self.current.name
        child.current.blocked = self.current.blocked
        child.current.alternate_stack = self.current.alternate_stack

    def forget_program(self) -> None:
        """What does not survive execve, after its threads but one have ended."""
        self.released = self.executed = True
        old = self.current
        self.current = Thread(self.pid, self)
        self.current.blocked, self.current.pending = old.blocked, old.pending
        self.threads[:] = [self.current]
        self.system.schedule.replace(old, self.current)
        self.actions = {
            number: Action(SIG_IGN)
            for number, action in self.actions.items()
            if action.handler == SIG_IGN
        }
        for number in [number for number in self.timers if number >= 0]:
            timer = self.timers.pop(number)
            if timer in self.system.timers:
                self.system.timers.remove(timer)
        self.descriptors.close_for_exec()


def signed(value: int) -> int:
    """A 64-bit argument as the signed number it stands for."""
    return value - (1 << 64) if value >> 63 else value


def signed_int(value: int) -> int:
    """An `int` argument: the low 32 bits, signed."""
    value &= 0xFFFF_FFFF
    return value - (1 << 32) if value >> 31 else value


def setup_sections(
    kernel: Kernel, operation: int, start: int, length: int, text: int, text_length: int
) -> int:
    """The `stacktrace_setup` system call, whose number may be any."""
    store = kernel.machine.section_store
    if store is None:
        raise SystemCallError(Errno.ENOSYS)
    return setup_in_store(store, operation, (start, length), (text, text_length))


def unsupported(_kernel: Kernel) -> int:
    """Any system call that is not there."""
    raise SystemCallError(Errno.ENOSYS)
