"""The reference engine: plain Python, one snapshot at a time."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Collection, Iterator
from time import perf_counter
from typing import Any, NamedTuple

from unicorn import UC_HOOK_MEM_WRITE

from emu.check.conversion import convert_module, wanted
from emu.check.family import Family, add_figures
from emu.check.finding import Tally
from emu.check.live import LiveRegisters
from emu.check.lockstep import Lockstep
from emu.check.modules import ModuleMap
from emu.check.observe import Observer
from emu.check.open_checks import OpenChecks, at_end
from emu.check.repeat import Repeat
from emu.check.section_memory import SectionMemory
from emu.check.selection import Selection
from emu.check.snapshot import Snapshot
from emu.check.tables import Tables
from emu.machine import (
    InstructionHook,
    MappingEvent,
    Module,
    Outcome,
    Process,
    SignalEvent,
    Thread,
    ThreadEvent,
    UserState,
)
from emu.machine.engine import Hooks
from emu.truth import Settlement, Stack, Suspended, Tracker, inherit
from emu.unwind import MemoryFault, Policy


class Waiting(NamedTuple):
    """A thread that is not running: its stack, and the checks in it that nothing settled yet."""

    stack: Suspended
    checks: OpenChecks


STORE = ctypes.CFUNCTYPE(
    None,
    ctypes.c_uint64,
    ctypes.c_int,
    ctypes.c_uint64,
    ctypes.c_int,
    ctypes.c_int64,
    ctypes.c_void_p,
)
"""A callback before a store: engine, kind, address, size, value, user data."""
SYSTEM_CALL = b"\x0f\x05"

PROGRESS_MASK = 0x3FFF
"""Progress is told every 16,384 instructions."""


class ReferenceEngine:
    """Runs a process, follows its true stack and checks every selected instruction.

    A child that the process forks is checked by another engine, whose counts are added.
    """

    name = "reference"

    def __init__(
        self,
        process: Process,
        policy: Policy,
        *,
        selection: Selection | None = None,
        strict: bool = False,
        convert: Collection[str] = (),
        repeat: Repeat = Repeat.TABLES,
    ) -> None:
        self.process = process
        self.policy = policy
        self.selection = selection
        self._convert = convert
        self._strict = strict
        self._repeat = repeat
        self.modules = ModuleMap()
        self.tables = Tables(self.modules, process.memory, process.memory, policy)
        self.tracker = Tracker(process.memory, self.modules)
        self.observer = Observer(
            self.tables, self.modules, process.memory, policy, strict=strict, repeat=repeat
        )
        self._repetition = self.observer.repetition
        self._section_memory = SectionMemory(process.memory)
        self._last_stack: Stack | None = None
        """The stack before the last instruction."""
        self._hooks: Hooks | None = None
        self._previous = 0
        self.instructions = 0
        self.seconds = 0.0
        self.dropped_at: int | None = None
        """Instructions executed when a lookup first dropped a section."""
        self.tally = Tally()
        self.progress: Callable[[int, int], None] | None = None
        """Told of instructions and findings so far, now and then."""
        self._open = OpenChecks()
        self.family = Family()
        """The processes that the guest has forked, which are checked too."""
        self._first_process = True
        self._running = process.current
        self._others: dict[Thread, Waiting] = {}
        self._at = None if selection is None else selection.addresses
        self._generation = -1
        self.tracker.on_settled = self._settled
        self.observer.returns_by_copy = self.tracker.returns_by_copy

    def run(self, max_instructions: int | None = None) -> Outcome:
        """Run the program to its end or its limit, checking."""
        self._begin()
        self.process.on_fork.append(self._forked)
        self._watch_stores()
        started = perf_counter()
        try:
            return self.process.run(self.hook(), max_instructions)
        finally:
            self.seconds = perf_counter() - started
            self._add_children()

    @property
    def moved(self) -> set[str]:
        """Functions that moved to another stack themselves, with rows that lead back."""
        return self.observer.judge.moved

    def end(self) -> None:
        """The process has ended, or the run: count what is still open."""
        self._finish()
        for waiting in self._others.values():
            self._never_again(waiting)
        self._others.clear()

    def hook(self) -> InstructionHook:
        """What the processor calls before each instruction."""
        return self._check

    def _add_children(self) -> None:
        """The run is over: one report for all processes."""
        self.family.all_ended()
        self.end()
        self.instructions += self.family.instructions
        self.tally.add(self.family.tally)
        add_figures(self.tracker.figures, self.family.figures)

    def snapshots(self, max_instructions: int | None = None) -> Iterator[Snapshot]:
        """Run the program and stop before every selected instruction; nothing is checked."""
        self._begin()

        def produce(show: Callable[[Snapshot], None]) -> None:
            def before_instruction(_uc: Any, pc: int, size: int, _data: Any) -> None:
                registers = self._follow(pc, size)
                if self._at is None or pc in self._at:
                    show(self._snapshot(registers))

            self.process.run(before_instruction, max_instructions)

        return iter(Lockstep(produce))

    def _listen(self) -> None:
        self.process.on_mapping.append(self._mapping_changed)
        self.process.on_signal.append(self._signalled)
        self.process.on_thread.append(self._thread_changed)

    def _begin(self) -> None:
        self._listen()
        self.process.section_store = self.tables.real
        for module in self.process.modules:
            self._mapping_changed(MappingEvent.LOADED, module)
        self.tracker.begin(self.process.registers.read()[7])

    def _watch_stores(self) -> None:
        if self._repetition.watching:
            self._hooks = Hooks(self.process.uc)
            self._hooks.add(UC_HOOK_MEM_WRITE, STORE, self._stored)

    def _stored(
        self, _uc: int, _kind: int, address: int, size: int, _value: int, _data: object
    ) -> None:
        self._repetition.stored(address, size)

    def _anything_changed(self) -> None:
        """Not the guest's instructions alone have been at work."""
        self._repetition.everything()

    def _mapping_changed(self, event: MappingEvent, module: Module) -> None:
        self.observer.modules_changed()
        if event is MappingEvent.UNLOADED:
            loaded = self.modules.remove(module)
            self.tables.unregister(loaded)
            return
        if self.process.section_store is not self.tables.real:
            # Another program is executed: it begins with an empty store.
            self.tables.empty()
            self.process.section_store = self.tables.real
        loaded = self.modules.add(module)
        if wanted(loaded, self._convert):
            convert_module(loaded, self.process.memory)
        loaded.sframe = self.tables.register(loaded)
        if self.selection is not None:
            self.selection.resolve(module)

    def _signalled(self, event: SignalEvent, _number: int | None, state: UserState) -> None:
        self._anything_changed()
        if event is SignalEvent.DELIVERED:
            self.tracker.signal_delivered(state.general)
        else:
            self.tracker.signal_returned(state.general)

    def _thread_changed(self, event: ThreadEvent, thread: Thread) -> None:
        self._anything_changed()
        match event:
            case ThreadEvent.STARTED:
                rsp = thread.registers[7]
                stack = Suspended(Stack(begin=rsp), rsp=rsp)
                self._others[thread] = Waiting(stack, OpenChecks())
                if self._running.ended:
                    # Another program is executed: its thread is the only one.
                    self._run_thread(thread)
            case ThreadEvent.SWITCHED:
                if not self._running.ended:
                    self._others[self._running] = Waiting(self.tracker.suspend(), self._open)
                self._run_thread(thread)
            case ThreadEvent.ENDED if thread is self._running:
                self._finish()
            case ThreadEvent.ENDED:
                self._never_again(self._others.pop(thread))
        if self.process.outcome is not None and not self.process.threads:
            self._process_ended()

    def _process_ended(self) -> None:
        """The last thread is gone, and no other program goes on."""
        if not self._first_process:
            self.family.ended(self)

    def _run_thread(self, thread: Thread) -> None:
        waiting = self._others.pop(thread, None)
        if waiting is not None:
            self._running = thread
            self._open = waiting.checks
            self.tracker.resume(waiting.stack)

    def _never_again(self, waiting: Waiting) -> None:
        """A thread that is not running will not run any more."""
        stack, checks = waiting
        pending = bool(stack.pending)
        for settlement in at_end(stack.doubt, pending=pending):
            checks.settle(settlement, self.tally, pending=pending)

    def _forked(self, child: Process) -> None:
        selection = None if self.selection is None else Selection(self.selection.places)
        engine = type(self)(
            child,
            self.policy,
            selection=selection,
            strict=self._strict,
            convert=self._convert,
            repeat=self._repeat,
        )
        engine.inherit(self)
        child.instruction_hook = engine.hook()
        self.family.begun(engine)

    def inherit(self, parent: ReferenceEngine) -> None:
        """Check a child that `parent`'s process has just forked."""
        self._first_process = False
        self.family = parent.family
        self._listen()
        self.process.on_fork.append(self._forked)
        self.modules.inherit(parent.modules)
        self.tables.inherit(parent.tables)
        if self.selection is not None:
            for loaded in self.modules.modules:
                self.selection.resolve(loaded.module)
        if self.process.section_store is not parent.process.section_store:
            # A vfork child's calls change its parent's.
            self.process.section_store = self.tables.real
        rsp = self.process.registers.read()[7]
        if rsp == parent.process.registers.read()[7]:
            inherit(self.tracker, parent.tracker)
        else:
            # posix_spawn: the child begins on a stack of its own.
            self.tracker.begin(rsp)
        self._watch_stores()

    def _follow(self, pc: int, size: int) -> list[int]:
        """Let the tracker see the instruction about to execute; returns the registers."""
        registers = self.process.registers.read()
        self.instructions += 1
        if self.process.memory.generation != self._generation:
            self._generation = self.process.memory.generation
            self.tracker.code_changed()
            self.tracker.mappings_changed()
            if self._section_memory.changed(self.tables.intact.records):
                self.tables.forget()
            self._anything_changed()
        self.tracker.step(pc, size, registers)
        if self.tracker.stack is not self._last_stack:
            self._last_stack = self.tracker.stack
            self.observer.stack_changed()
        return registers

    def _check(self, _uc: Any, pc: int, size: int, _data: Any) -> None:
        if self._repetition.watching:
            self._notice_kernel()
            self._previous = pc
        registers = self._follow(pc, size)
        if self.progress is not None and not self.instructions & PROGRESS_MASK:
            self.progress(self.instructions, len(self.tally.findings))
        if self._at is not None and pc not in self._at:
            return
        self._check_frames(registers)

    def _check_frames(self, registers: list[int]) -> None:
        """Make the checks that are due, by each reading of the stack."""
        tracker, observer = self.tracker, self.observer
        observer.registers.values = registers
        if tracker.doubt is None:
            tally = self._open.held if tracker.pending else self.tally
            observer.check(tally, tracker.entries, tracker.moved)
        if tracker.doubt is not None:
            observer.check(self._open.first, tracker.entries, tracker.moved)
            second = tracker.second_reading()
            assert second is not None, "a doubt has two readings"
            observer.check(self._open.second, second, tracker.second_moved)
        self._checked()

    def _checked(self) -> None:
        """All checks before an instruction were made."""
        self._repetition.done()
        if self.dropped_at is None and self.tables.dropped:
            self.dropped_at = self.instructions

    def _notice_kernel(self) -> None:
        """A system call may have written memory, and a table that is written is another one."""
        try:
            code = self.process.memory.read(self._previous, len(SYSTEM_CALL))
        except MemoryFault:
            code = SYSTEM_CALL
        if code == SYSTEM_CALL or not self.tables.intact.stable:
            self._anything_changed()

    def _snapshot(self, values: list[int]) -> Snapshot:
        registers = LiveRegisters(values)
        entries = tuple(self.tracker.entries)
        pcs = [registers.ip, *(entry.caller_pc for entry in reversed(entries))]
        return Snapshot(
            pc=registers.ip,
            instruction=self.instructions - 1,
            registers=registers,
            memory=self.process.memory,
            entries=entries,
            functions=tuple(self.modules.name_at(pc) for pc in pcs),
            tables=self.tables,
            modules=self.modules,
            policy=self.policy,
            moved=self.tracker.moved,
        )

    def _settled(self, settlement: Settlement) -> None:
        self._open.settle(settlement, self.tally, pending=bool(self.tracker.pending))

    def _finish(self) -> None:
        """No instruction of the running thread follows."""
        tracker = self.tracker
        for settlement in at_end(tracker.doubt, pending=bool(tracker.pending)):
            self._settled(settlement)
