"""The fast engine: the reference engine, called only for what the compiled hook leaves to it."""

from __future__ import annotations

import ctypes
from collections.abc import Collection

from unicorn import UC_HOOK_MEM_WRITE
from unicorn.unicorn_py3.unicorn import uclib

from emu.check.error import CheckError
from emu.check.fast.knowledge import Knowledge
from emu.check.fast.layout import Code, Disturbance, Event, Fact, State, Word
from emu.check.fast.mirror import MirroredTracker
from emu.check.fast.register_file import ORDER, PLACES, RBP, RSP, find_registers
from emu.check.fast.sites import LIMIT_KEY, VERDICTS
from emu.check.fast.switches import set_switches, supports
from emu.check.reference import STORE, ReferenceEngine
from emu.check.repeat import NOWHERE, Repeat
from emu.check.selection import Selection
from emu.check.verdict import Verdict
from emu.check.walk import serial
from emu.machine import InstructionHook, MappingEvent, Module, Process
from emu.machine.engine import Hooks, NativeHook
from emu.truth import EntryKind
from emu.unwind import Policy

_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, Word, Word, Word)
_EVERYWHERE = (0, 1 << 64)
_PROGRESS = 1 << 20
"""Instructions from one time that progress is told to the next."""
_NEVER = (1 << 64) - 1


class FastEngine(ReferenceEngine):
    """Runs a process and checks every selected instruction, mostly in compiled code.

    Its results are the reference engine's. `supports` says for which policies.
    """

    name = "fast"

    @staticmethod
    def supports(policy: Policy) -> bool:
        """Whether the hook knows everything the consumer does on its way."""
        return supports(policy)

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
        super().__init__(
            process, policy, selection=selection, strict=strict, convert=convert, repeat=repeat
        )
        self._state = state = State()
        self._mirror = MirroredTracker(process.memory, self.modules, state)
        self._mirror.on_settled = self._settled
        self.tracker = self._mirror
        self.observer.returns_by_copy = self._mirror.returns_by_copy
        self._knowledge = Knowledge(
            state,
            process.memory,
            self.modules,
            self.tables,
            self._mirror.decoder,
            selection=selection,
            strict=strict,
        )
        self._mirror.place_of = self._knowledge.sites.place_of
        self._chosen = 0
        state.watching = self._repetition.watching
        state.exhaustive = self._repetition.always
        state.always_thorough = state.exhaustive
        self._connected = self._connect()
        state.forced = 1
        set_switches(state, policy)

    def hook(self) -> InstructionHook:
        from emu.check.fast.compile import hook_address

        self._state.pause = _PROGRESS if self.progress is not None else _NEVER
        return NativeHook(hook_address(), ctypes.addressof(self._state))

    def end(self) -> None:
        self._collect()
        super().end()

    def _connect(self) -> tuple[object, ...]:
        """Give the hook the addresses it needs; returns what must stay alive."""
        state = self._state
        callback = _CALLBACK(self._event)
        state.event = _address(callback)
        state.order[:] = PLACES
        found = find_registers(self.process.uc)
        if found is not None:
            state.registers = found
            self._file = (Word * 16).from_address(found)
            return (callback,)
        self._file = state.file
        first = state.registers = ctypes.addressof(state) + State.file.offset
        numbers = (ctypes.c_int * 16)(*ORDER)
        pointers = (ctypes.c_void_p * 16)(*(first + 8 * index for index in range(16)))
        state.fetch = _address(uclib.uc_reg_read_batch)
        state.numbers = ctypes.addressof(numbers)
        state.always_thorough = 1
        state.pointers = ctypes.addressof(pointers)
        return callback, numbers, pointers

    def _listen(self) -> None:
        # Before whoever changes the true stack for a signal or a thread, or copies it.
        self.process.on_signal.insert(0, lambda *_: self._hold())
        self.process.on_thread.insert(0, lambda *_: self._hold())
        self.process.on_fork.insert(0, lambda *_: self._hold())
        super()._listen()

    def inherit(self, parent: ReferenceEngine) -> None:
        super().inherit(parent)
        if self.selection is not None:
            self._chosen = len(self.selection.addresses)

    def _watch_stores(self) -> None:
        from emu.check.fast.compile import store_hook_address

        if self._repetition.watching:
            self._hooks = Hooks(self.process.uc)
            data = ctypes.addressof(self._state)
            self._hooks.add(UC_HOOK_MEM_WRITE, STORE, store_hook_address(), data=data)

    def _hold(self) -> None:
        """Something outside of the instructions is about to change the true stack."""
        self._mirror.take()
        self._mirror.keep()
        self._state.forced, self._state.below = 1, 0

    def _mapping_changed(self, event: MappingEvent, module: Module) -> None:
        super()._mapping_changed(event, module)
        code = self._knowledge.code
        code.changed(module.start, module.end)
        if self.selection is not None and len(self.selection.addresses) != self._chosen:
            self._chosen = len(self.selection.addresses)
            code.changed(*_EVERYWHERE)

    def _event(self, kind: int, pc: int, size: int) -> int:
        """The hook cannot go on by itself before the instruction at `pc`."""
        if kind == Event.PROGRESS:
            self._state.pause += _PROGRESS
            if self.progress is not None:
                self.progress(self._state.instructions, len(self.tally.findings))
            return 0
        state, mirror, knowledge = self._state, self._mirror, self._knowledge
        if (
            not state.fetch
            and self.process.registers.stack_and_frame() != self._file[RSP : RBP + 1]
        ):
            raise CheckError("the processor's registers are no longer where they were found")
        self.instructions = state.instructions
        state.below = 0
        mirror.take()
        if state.disturbed:
            self._anything_changed()
        if kind == Event.STEP:
            previous_pc = self._previous = mirror.previous_pc
            if self.process.memory.generation == self._generation:
                knowledge.look_up(pc)
            self._check(None, pc, size, None)
            mirror.remember(pc)
            knowledge.refresh()
            self._learn_call(previous_pc)
            knowledge.learn_instruction(pc)
        else:
            self._check_frames(self.process.registers.read())
            knowledge.refresh()
        state.instructions = self.instructions
        mirror.renewed(self._repetition.renewed)
        self._repetition.renewed = NOWHERE
        if mirror.quiet:
            self._learn_rows(pc)
            mirror.give(self.tables.changes)
            place = knowledge.code.place(pc)
            state.forced = place is not None and bool(place.facts & Fact.SYSTEM_CALL)
        else:
            mirror.keep()
            state.forced = 1
        state.disturbed = Disturbance.NOTHING
        if self.observer.open:
            state.disturbed = Disturbance.ANYTHING
        epoch = self.observer.walks.epoch
        state.stale = epoch < 0
        if epoch >= 0:
            state.epoch = epoch
        if not self.tables.intact.stable:
            # A table that the guest may rewrite is read anew at every instruction.
            state.forced = 1
        return 0

    def _learn_call(self, call_site: int) -> None:
        entries = self._mirror.entries
        if entries and entries[-1].kind is EntryKind.CALL and entries[-1].call_site == call_site:
            self._knowledge.learn_call(call_site)

    def _learn_rows(self, pc: int) -> None:
        """The frames just checked, and what the hook could not do for want of knowing."""
        knowledge, tally, entries = self._knowledge, self.tally, self._mirror.entries
        knowledge.learn_top(pc, tally)
        if entries:
            newest = entries[-1]
            older = entries[-2] if len(entries) > 1 else None
            note = newest.notes.get(serial(older))
            if note is not None and note.tables == self.tables.changes:
                knowledge.learn_caller(newest.return_address, newest.caller_pc, tally)
        knowledge.answer(tally)

    def _collect(self) -> None:
        """Add the hook's counts to those of the reference code."""
        state, tally, figures = self._state, self.tally, self.tracker.figures
        self.instructions = state.instructions
        plain = sum(state.plain)
        tally.checked += state.checked + plain
        tally.steps[Verdict.OK] += plain
        for code, verdict in VERDICTS.items():
            tally.steps[verdict] += state.steps[code]
            tally.walks[verdict] += state.walks[code] + state.plain[code]
        if state.walks[Code.LIMIT]:
            tally.findings[LIMIT_KEY].count += state.walks[Code.LIMIT]
        self._knowledge.sites.count(tally)
        self.tables.hit_also(self._knowledge.sites.exercised())
        figures.returns += state.returns
        figures.returns_verified += state.returns


def _address(function: object) -> int:
    address = ctypes.cast(function, ctypes.c_void_p).value  # type: ignore[arg-type]  # any C function
    assert address is not None, "functions have addresses"
    return address
