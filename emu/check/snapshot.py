"""One thread just before one instruction executes: registers, memory, true stack."""

from __future__ import annotations

from dataclasses import dataclass

from emu.check.cfi import known_registers
from emu.check.live import LiveRegisters
from emu.check.modules import ModuleMap
from emu.check.moved import UNSETTLED, leads_back
from emu.check.step import Outcome, check_step
from emu.check.tables import Place, Tables
from emu.truth import Entry, Moved
from emu.unwind import Memory, Policy, SectionStore, State


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Registers, memory and truth. `emu.unwind` walks on it.

    `unwind_user(snapshot.store, snapshot.memory, snapshot.registers, 510)` is the kernel's walk.
    Frames are numbered from 0, the topmost.
    """

    pc: int
    """Run-time address of the instruction about to execute."""
    instruction: int
    """How many instructions were executed before it."""
    registers: LiveRegisters
    memory: Memory
    """The live memory of the process."""
    entries: tuple[Entry, ...]
    """The true call stack, oldest entry first."""
    functions: tuple[str, ...]
    """Names of the functions on the stack, innermost first."""
    tables: Tables
    modules: ModuleMap
    policy: Policy
    moved: Moved | None = None
    """The frame of a function that came from another stack itself and runs on here."""

    @property
    def store(self) -> SectionStore:
        """The sections registered for the process. Lookups of a walk may drop one."""
        return self.tables.real

    @property
    def frames(self) -> tuple[State, ...]:
        """The true state (ip, sp, fp) of every frame, innermost first.

        Below the top `ip` is the return address.
        """
        return tuple(self.state(frame) for frame in range(len(self.entries) + 1))

    def state(self, frame: int) -> State:
        """The true state of one frame."""
        if frame == 0:
            return State(self.pc, self.registers[7], self.registers[6], True)
        return self.entries[-frame].caller_state()

    def place(self, frame: int) -> Place:
        """The row in force for a frame, or why there is none."""
        inside = self.entries[-frame].caller_pc if frame else self.pc
        return self.tables.place(self.state(frame), inside)

    def outcome(self, frame: int) -> Outcome:
        """The step check of a frame."""
        place, state = self.place(frame), self.state(frame)
        caller = self.entries[-frame - 1] if frame < len(self.entries) else None
        outcome = check_step(place, state, caller, self.memory, self.registers, self.policy)
        moved = self.moved
        if (
            moved is not None
            and moved.height == len(self.entries) - frame
            and not outcome.verdict.right
        ):
            entry = self.entries[-frame] if frame else None
            known = known_registers(entry, self.registers)
            if leads_back(place, state, known, moved.caller, self.memory):
                return UNSETTLED
        return outcome
