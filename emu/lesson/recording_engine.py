"""Runs a program and records a window of consecutive instructions."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from emu.cfi import FrameTable
from emu.check.verdict import Verdict
from emu.check.walk import KERNEL_LIMIT
from emu.lesson.entries import Lookup
from emu.lesson.explanation import Unwinder
from emu.lesson.locations import Location, Names, readable
from emu.lesson.processes import Fork, Member
from emu.lesson.recording_forks import ForkRecorder, ended
from emu.lesson.recording_hops import DwarfStepper, KernelStepper, LoggedMemory, Stepper
from emu.lesson.recording_judge import Judge
from emu.lesson.recording_model import RecordedFunction, Recording, Walks
from emu.lesson.recording_stack import StackRecorder
from emu.lesson.recording_truth import TrueCall, TruthRecorder
from emu.lesson.recording_walks import Link, WalkRecorder
from emu.lesson.search import Consultation, SearchTrace
from emu.machine import InstructionHook, Outcome, OutcomeKind, Process
from emu.truth import Settlement
from emu.unwind import LookupFailure, Policy, Row, SectionStore

LONGEST_FUNCTION = 1 << 16
"""Bytes of code kept of one function."""
LONGEST_INSTRUCTION = 15


class RecordingEngine(Member):
    """Records instructions `first` to below `last` of one process."""

    def __init__(
        self,
        process: Process,
        policy: Policy,
        *,
        first: int = 0,
        last: int,
        opening: int | None = None,
        convert: Collection[str] = (),
    ) -> None:
        """`opening` is the instruction to look at first, None for what is interesting."""
        super().__init__(process, policy, convert=convert)
        self._begins = first
        self._last = last
        self._cut = False
        """There were more instructions than are recorded."""
        self._opening = opening
        memory = process.memory
        self._stack = StackRecorder(memory)
        self._truth = TruthRecorder()
        self._names = Names(self.modules, memory)
        self._locations: dict[int, Location] = {}
        self._rows: dict[int, Row | LookupFailure] = {}
        self._search = SearchTrace(memory, policy, self._names)
        self._lookups: dict[tuple[int, int], Lookup] = {}
        self._functions: dict[int, RecordedFunction] = {}
        log = LoggedMemory(memory)
        self._kernel = KernelStepper(self.tables.real, log)
        steppers: dict[Unwinder, Stepper] = {
            Unwinder.SFRAME: self._kernel,
            Unwinder.FRAME_POINTERS: KernelStepper(SectionStore(memory, memory), log),
            Unwinder.DWARF: DwarfStepper(self._cfi_table, log),
        }
        self._walkers = {
            unwinder: WalkRecorder(stepper, log, memory, self._stack.covers)
            for unwinder, stepper in steppers.items()
        }
        self._links: dict[Unwinder, array[int]] = {unwinder: array("i") for unwinder in steppers}
        self._registers: array[int] = array("Q")
        self._threads: array[int] = array("i")
        self._calls: array[int] = array("i")
        self._unsettled: set[int] = set()
        self._unsure: dict[int, list[int]] = {}
        self._otherwise: dict[int, dict[int, int]] = {}
        self._forks: list[ForkRecorder] = []
        self._main: int | None = None
        """The step that enters main, if it was seen."""
        self._state = (-1, -1)

    def hook(self) -> InstructionHook:
        return self._note

    def forked(self, fork: Fork) -> None:
        self._forks.append(ForkRecorder(fork, self.instructions - 1))

    def _process_ended(self) -> None:
        super()._process_ended()
        if self.number:
            # What the others do is not recorded.
            self.process.stop()

    def _note(self, _uc: Any, pc: int, size: int, _data: Any) -> None:
        if self.instructions >= self._last:
            self._cut = True
            self.process.stop()
            return
        values = self._follow(pc, size)
        self.tell()
        if self.instructions <= self._begins:
            return
        tracker = self.tracker
        entries = tracker.entries
        step = len(self._calls)
        registers = self.observer.registers
        registers.values = values
        changed = self._stack.note(step, values[7], tracker.stack.begin)
        self._notice_tables()
        thread = self.process.current.tid
        self._registers.extend(values)
        self._threads.append(thread)
        self._calls.append(self._truth.note(entries))
        if tracker.doubt is not None:
            second = tracker.second_reading()
            assert second is not None, "a doubt has two readings"
            self._otherwise.setdefault(thread, {})[step] = self._truth.aside(second)
        if tracker.pending:
            self._unsure.setdefault(thread, []).append(step)
        for unwinder, walker in self._walkers.items():
            if changed:
                walker.changed(changed)
            self._links[unwinder].append(walker.walk(registers))
        if pc not in self._locations:
            self._learn(pc, pc)
            if str(self._locations[pc]) == "main":
                self._main = step
        if entries and entries[-1].return_address not in self._locations:
            for entry in entries:
                self._learn(entry.return_address, entry.caller_pc)

    def _notice_tables(self) -> None:
        """Walks that are remembered hold while tables and mappings stay as they are."""
        state = (len(self.tables.real), self.process.memory.generation)
        if state != self._state:
            self._state = state
            self._kernel.forget()
            for walker in self._walkers.values():
                walker.forget()

    def _settled(self, settlement: Settlement) -> None:
        thread = self.process.current.tid
        match settlement:
            case Settlement.RETURNED:
                self._unsure.pop(thread, None)
            case Settlement.DROPPED:
                self._unsettled.update(self._unsure.pop(thread, ()))
            case Settlement.FIRST:
                self._otherwise.pop(thread, None)
            case Settlement.SECOND:
                for step, call in self._otherwise.pop(thread, {}).items():
                    self._calls[step] = call

    def _cfi_table(self, pc: int) -> tuple[FrameTable, int] | None:
        module = self.modules.module_at(pc)
        if module is None or module.frame_table is None:
            return None
        return module.frame_table, module.bias

    def _learn(self, pc: int, inside: int) -> None:
        """Remember what is known about the code at an address: its module may go."""
        for address in {pc, inside}:
            if address not in self._locations:
                self._locations[address] = self._names.location(address)
        for address in {pc, pc - 1} if self.policy.minus_one else {pc}:
            if address not in self._rows:
                self._look_up(address)
        self._keep_code(inside)

    def _look_up(self, address: int) -> None:
        """Remember the row in force, and once for each row how a search finds it."""
        store = self.tables.intact
        found = self._rows[address] = store.lookup(address)
        if isinstance(found, LookupFailure):
            return
        key = (found.function.start, found.index)
        if key not in self._lookups:
            consultation = Consultation(address, store.record_for(address), found, False)
            self._lookups[key] = self._search.lookup(consultation)

    def _keep_code(self, pc: int) -> None:
        module = self.modules.module_at(pc)
        function = module.function_at(pc) if module is not None else None
        start = pc if function is None else function.start
        if start in self._functions:
            return
        size = LONGEST_INSTRUCTION if function is None else function.end - function.start
        code = readable(self.process.memory, start, min(size, LONGEST_FUNCTION))
        name = "" if function is None else function.name
        self._functions[start] = RecordedFunction(start, code, name, module)

    def recording(self, outcome: Outcome) -> Recording:
        """What was recorded, after a run that ended so. What came before the first was run."""
        if self._cut:
            outcome = Outcome(OutcomeKind.LIMIT)
        elif self.process.outcome is not None:
            outcome = self.process.outcome
        self._finish()
        walks = {}
        calls = tuple(self._truth.calls)
        for unwinder, walker in self._walkers.items():
            walks[unwinder] = self._judged(unwinder, walker.links, calls)
            for link in walker.links:
                state = link.hop.state
                if state is not None and state.ip not in self._locations:
                    self._locations[state.ip] = self._names.location(state.ip)
                    self._look_up(state.ip)
        registers = np.array(self._registers, np.uint64).reshape(-1, 17)
        opening = self._opening - self._begins if self._opening is not None else None
        if opening is None:
            opening = interesting(walks)
        if opening is None:
            opening = self._main or 0
        return Recording(
            program=self.process.image.path,
            process=self.number,
            pid=self.process.pid,
            forks=tuple(fork.recorded(self._begins) for fork in self._forks),
            policy=str(self.policy),
            first=self._begins,
            opening=opening,
            ended=ended(outcome),
            complete=self._begins == 0 and outcome.kind is not OutcomeKind.LIMIT,
            registers=registers,
            threads=np.array(self._threads, np.int32),
            stack=self._stack.finish(),
            calls=calls,
            call_at=np.array(self._calls, np.int32),
            walks=walks,
            locations=self._locations,
            rows=self._rows,
            lookups=self._lookups,
            functions=tuple(sorted(self._functions.values(), key=lambda one: one.start)),
            modules=(*self.modules.modules, *self.modules.unloaded),
        )

    def _judged(self, unwinder: Unwinder, links: list[Link], calls: tuple[TrueCall, ...]) -> Walks:
        judge = Judge(links, self._truth.calls, unwinder)
        departs = []
        verdicts = []
        last = KERNEL_LIMIT - 1
        for step, (link, call) in enumerate(zip(self._links[unwinder], self._calls, strict=True)):
            frame, verdict = judge.judge(link, call)
            depth = calls[call].depth if call >= 0 else 0
            if depth > last and not 0 <= frame < last:
                frame, verdict = last, Verdict.LIMIT
            if step in self._unsettled and frame >= 0:
                verdict = Verdict.UNSETTLED
            departs.append(frame)
            verdicts.append(verdict)
        return Walks(
            tuple(links),
            np.array(self._links[unwinder], np.int32),
            np.array(departs, np.int32),
            tuple(verdicts),
        )


DEFECTS = frozenset(verdict for verdict in Verdict if verdict.defect)


def defects(walks: Mapping[Unwinder, Walks]) -> bool:
    """Whether SFrame is wrong anywhere, gaps aside."""
    return any(verdict in DEFECTS for verdict in walks[Unwinder.SFRAME].verdicts)


def interesting(walks: Mapping[Unwinder, Walks]) -> int | None:
    """The first step at which SFrame is wrong, else at which it ends too early or refuses."""
    verdicts = walks[Unwinder.SFRAME].verdicts
    for wanted in ({Verdict.WRONG}, DEFECTS):
        for step, verdict in enumerate(verdicts):
            if verdict in wanted:
                return step
    return None
