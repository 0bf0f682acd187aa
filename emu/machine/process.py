"""A guest process: the program in memory, the processor, the kernel, and a run to its end."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from os import PathLike, fspath
from pathlib import Path
from random import Random
from typing import Any, BinaryIO

from unicorn import UC_HOOK_CODE, UC_HOOK_INSN
from unicorn import x86_const as x86
from unicorn.unicorn_py3.unicorn import UcError

from emu.machine import engine, processor
from emu.machine.counter import InstructionCounter
from emu.machine.errors import MachineError
from emu.machine.faults import Explainer, Fault
from emu.machine.image import Image, Module
from emu.machine.interrupt import InterruptWatch
from emu.machine.linux import (
    HANDLERS,
    CallCount,
    Clock,
    DescriptorTable,
    Kernel,
    Output,
    standard_input,
)
from emu.machine.linux.signals import deliver, has_handler, signal_name, take_pending
from emu.machine.linux.tree import Tree
from emu.machine.mapped_files import MappedFiles
from emu.machine.mapping import OutOfMemory, page_up
from emu.machine.memory import AddressSpace
from emu.machine.outcome import Outcome, OutcomeKind
from emu.machine.registers import RIP, RSP, RegisterBatch, RegisterFile
from emu.machine.start import start_program
from emu.machine.state import StateAccess, UserState
from emu.machine.traps import BREAKPOINT, Traps
from emu.unwind import MemoryFault

DEFAULT_MEMORY = 1 << 30
DEFAULT_STACK = 8 << 20
_RAX, _RDX, _RCX, _RSI, _RDI, _R8, _R9, _R10 = 0, 1, 2, 4, 5, 8, 9, 10

INTERRUPTED = Outcome(OutcomeKind.INTERRUPTED, message="interrupted")

SYSCALL_SIZE = 2

InstructionHook = Callable[[Any, int, int, Any], None]
"""Called before an instruction as (engine handle, address, size, nothing)."""


class MappingEvent(Enum):
    """What happened to a module."""

    LOADED = "loaded"
    UNLOADED = "unloaded"


class SignalEvent(Enum):
    """A handler is about to start, or has returned."""

    DELIVERED = "delivered"
    RETURNED = "returned"


class Process:
    """One guest, from its loaded image to its end.

    `stdin` is what the guest reads (nothing by default); `stdout` and `stderr` take bytes as they
    are written: binary files or functions; by default the command's own. `root` is the directory
    the guest sees as /, of which nothing is ever changed. Runs with equal arguments and files are
    equal, instruction by instruction. Raises MachineError if the program cannot be loaded.
    """

    def __init__(
        self,
        image: Image,
        args: Sequence[str] | None = None,
        env: Mapping[str, str] | None = None,
        *,
        stdin: bytes | BinaryIO | None = None,
        stdout: BinaryIO | Callable[[bytes], object] | None = None,
        stderr: BinaryIO | Callable[[bytes], object] | None = None,
        root: str | PathLike[str] = "/",
        directory: str = "/",
        seed: int = 0,
        memory_limit: int = DEFAULT_MEMORY,
        stack_limit: int = DEFAULT_STACK,
    ) -> None:
        self.image = image
        self.uc = processor.make_processor()
        self.memory = AddressSpace(self.uc, memory_limit)
        self.registers = RegisterFile(self.uc)
        self.stack_limit = page_up(stack_limit)
        self.on_mapping: list[Callable[[MappingEvent, Module], None]] = []
        """Called when a module is complete in memory and when it begins to go."""
        self.on_signal: list[Callable[[SignalEvent, int | None, UserState], None]] = []
        """Called with the number and the interrupted state when a handler is about to start, and
        with None and the state that is gone back to when it returns."""
        self._state = StateAccess(self.uc)
        self._pristine = self.uc.context_save()
        self._files = MappedFiles(self.memory)
        self._random = Random(seed)  # noqa: S311 -- equal runs are the purpose
        self._outcome: Outcome | None = None
        self._failure: BaseException | None = None
        self._in_kernel = False
        clock = Clock()
        descriptors = DescriptorTable()
        source = io.BytesIO(stdin or b"") if isinstance(stdin, bytes | None) else stdin
        descriptors.put(0, standard_input(source))
        descriptors.put(1, Output(1, _sink(stdout, "stdout")))
        descriptors.put(2, Output(2, _sink(stderr, "stderr")))
        tree = Tree(Path(fspath(root)), clock.now)
        self.kernel = Kernel(self, tree, descriptors, clock, HANDLERS, self._random)
        self.kernel.directory = tree.existing(directory, "/")[0]
        try:
            self.registers[RIP], self.registers[RSP] = start_program(
                image, args or [image.path], env or {}, self.kernel, self._files,
                self.stack_limit, self._random,
            )  # fmt: skip
        except OutOfMemory as error:
            raise MachineError(f"{image.path}: cannot be mapped: {error}") from error
        self._explainer = Explainer(self.memory)
        self._hooks = engine.Hooks(self.uc)
        self._traps = Traps(self.uc, self._hooks, self.memory, self._explainer, self._wake)
        self._hooks.add(
            UC_HOOK_INSN, processor.SYSTEM_CALL, self._system_call, x86.UC_X86_INS_SYSCALL
        )
        self._result = RegisterBatch(
            self.uc, (x86.UC_X86_REG_RAX, x86.UC_X86_REG_RCX, x86.UC_X86_REG_R11)
        )
        self._flags = RegisterBatch(self.uc, (x86.UC_X86_REG_EFLAGS,))

    @property
    def modules(self) -> list[Module]:
        """The images in memory, by address."""
        return self._files.modules

    @property
    def system_calls(self) -> dict[str, CallCount]:
        """Name -> how often it was made, and whether it is unsupported."""
        return self.kernel.counts

    def module_at(self, pc: int) -> Module | None:
        """The module that contains `pc`."""
        return next((module for module in self.modules if module.contains(pc)), None)

    # Running

    def run(
        self, on_instruction: InstructionHook | None = None, max_instructions: int | None = None
    ) -> Outcome:
        """Run to the end, or until `max_instructions` have been executed.

        `on_instruction` is called by Unicorn itself before each instruction; what it raises ends
        the run and is raised here. Ctrl-C ends the run as INTERRUPTED. A run that was stopped can
        be continued by another call.
        """
        self._outcome = None
        self._failure = None
        if max_instructions is not None and max_instructions <= 0:
            return Outcome(OutcomeKind.LIMIT, message="no instruction was allowed")
        hook = None
        if on_instruction is not None:
            hook = self._hooks.add(UC_HOOK_CODE, processor.CODE, on_instruction)
            self.uc.ctl_flush_tb()
        watch = InterruptWatch(self._interrupted, self._wake, lambda: self._in_kernel)
        try:
            with self._carried_exceptions(), watch:
                self._emulate(max_instructions)
        except KeyboardInterrupt:
            self._interrupted()
        finally:
            if hook is not None:
                self._hooks.remove(hook)
                self.uc.ctl_flush_tb()
        failure, outcome = self._ended()
        if isinstance(failure, KeyboardInterrupt):
            outcome = INTERRUPTED
        elif failure is not None:
            raise failure
        assert outcome is not None, "a run has an end"
        if outcome.kind in (OutcomeKind.EXIT, OutcomeKind.SIGNAL):
            self.kernel.descriptors.close_all()
        return outcome

    def _ended(self) -> tuple[BaseException | None, Outcome | None]:
        """What callbacks left behind."""
        return self._failure, self._outcome

    def stop(self, kind: OutcomeKind = OutcomeKind.LIMIT, message: str = "") -> None:
        """End the run from within a callback, before the instruction it was called for."""
        self.finish(Outcome(kind, message=message))

    def finish(self, outcome: Outcome) -> None:
        """End the run with an outcome; the first one counts."""
        if self._outcome is None:
            self._outcome = outcome
        self._wake()

    def _emulate(self, limit: int | None) -> None:
        if limit is None:
            while self._goes_on(0):
                pass
            return
        counter = InstructionCounter(self._hooks)
        try:
            while counter.count < limit and self._goes_on(limit - counter.count):
                pass
        finally:
            counter.remove()
        failure, outcome = self._ended()
        if outcome is None and failure is None:
            self._outcome = Outcome(
                OutcomeKind.LIMIT, message=f"stopped after {limit} instructions"
            )

    def _goes_on(self, limit: int) -> bool:
        """Emulate at most `limit` instructions (0: no limit); true after a fault with a handler."""
        stopped: Fault | None = None
        self._traps.take_fault()
        try:
            self.uc.emu_start(self.registers[RIP], processor.NEVER, 0, limit)
        except UcError as error:
            stopped = self._traps.fault_of(error)
        failure, outcome = self._ended()
        if outcome is not None or failure is not None:
            return False
        fault = self._traps.take_fault() or stopped
        if fault is not None:
            if self._handled(fault):
                return True
            self._outcome = self._explainer.outcome(fault, self.modules)
        elif not limit:
            place = self._explainer.place(self.registers[RIP], self.modules)
            self._outcome = Outcome(
                OutcomeKind.UNSUPPORTED, message=f"the processor stopped {place}"
            )
        return False

    @contextmanager
    def _carried_exceptions(self) -> Iterator[None]:
        """What a callback raises would only be printed by ctypes; keep it and stop instead."""
        previous = sys.unraisablehook

        def carry(unraisable: Any) -> None:
            if unraisable.exc_value is None or "ctypes callback" not in str(unraisable.err_msg):
                previous(unraisable)
                return
            if self._failure is None:
                self._failure = unraisable.exc_value
            self._wake()

        sys.unraisablehook = carry
        try:
            yield
        finally:
            sys.unraisablehook = previous

    def _wake(self) -> None:
        engine.stop(self.uc)

    def _interrupted(self) -> None:
        self.finish(INTERRUPTED)

    # What the processor asks for

    def _system_call(self, _engine: int, _data: object) -> None:
        values = self.registers.read()
        arguments = (
            values[_RDI], values[_RSI], values[_RDX], values[_R10], values[_R8], values[_R9]
        )  # fmt: skip
        self._in_kernel = True
        try:
            result = self.kernel.call(values[_RAX], arguments)
        finally:
            self._in_kernel = False
        resumed = self.kernel.resumed
        if resumed is not None:
            self.kernel.resumed = None
        else:
            # The syscall instruction itself leaves the return address and the flags behind.
            self._result.write([result, values[RIP] + SYSCALL_SIZE, self._flags.read()[0]])
        if resumed is None and not self.kernel.pending:
            return
        state = resumed or self._state.read()
        if resumed is None:
            state.general[RIP] += SYSCALL_SIZE
        else:
            self._tell(SignalEvent.RETURNED, None, state)
        state = self._deliver_pending(state)
        # When the hook returns, the processor steps over what it takes for the instruction.
        state.general[RIP] -= SYSCALL_SIZE
        self._state.write(state)

    # Signals

    def _deliver_pending(self, state: UserState) -> UserState:
        """The state to go on with after all pending signals that are not blocked."""
        while (info := take_pending(self.kernel)) is not None:
            name = signal_name(info.number)
            try:
                entered = deliver(self.kernel, state, info)
            except MemoryFault:
                self.finish(_killed("SIGSEGV", f"no room on the stack for a frame of {name}"))
                break
            if entered is None:
                self.finish(_killed(name, f"ended by {name}, which it sent"))
                break
            self._tell(SignalEvent.DELIVERED, info.number, state)
            state = entered
        return state

    def _handled(self, fault: Fault) -> bool:
        """Whether the guest has a handler for the fault; it then goes on there."""
        info = self._explainer.info(fault)
        if info is None or not has_handler(self.kernel, info.number):
            return False
        state = self._state.read()
        state.general[RIP] = fault.pc + (fault.vector == BREAKPOINT)
        try:
            entered = deliver(self.kernel, state, info)
        except MemoryFault:
            return False
        if entered is None:
            return False
        # The emulated processor remembers an exception and would make the next one a double fault.
        base = self.fs_base()
        self.uc.context_restore(self._pristine)
        self.set_fs_base(base)
        self._state.write(entered)
        self._tell(SignalEvent.DELIVERED, info.number, state)
        return True

    def _tell(self, event: SignalEvent, number: int | None, state: UserState) -> None:
        for callback in self.on_signal:
            callback(event, number, state)

    # What system calls ask for

    def set_fs_base(self, address: int) -> None:
        self.uc.reg_write(x86.UC_X86_REG_FS_BASE, address)

    def fs_base(self) -> int:
        return int(self.uc.reg_read(x86.UC_X86_REG_FS_BASE))

    def file_mapped(self, path: str, read: Callable[[], Image]) -> None:
        for module in self._files.mapped(path, read):
            for callback in self.on_mapping:
                callback(MappingEvent.LOADED, module)

    def unmapped(self, start: int, end: int) -> None:
        for module in self._files.unmapped(start, end):
            for callback in self.on_mapping:
                callback(MappingEvent.UNLOADED, module)


def _killed(signal: str, message: str) -> Outcome:
    return Outcome(OutcomeKind.SIGNAL, signal=signal, message=message)


def _sink(
    target: BinaryIO | Callable[[bytes], object] | None, name: str
) -> Callable[[bytes], object]:
    if callable(target):
        return target
    file: BinaryIO = getattr(sys, name).buffer if target is None else target

    def write(data: bytes) -> None:
        file.write(data)
        file.flush()

    return write
