"""The step check of one frame, by whichever tables the policy uses."""

from __future__ import annotations

from emu.check.cfi import CfiWitness
from emu.check.live import LiveRegisters
from emu.check.moved import UNSETTLED, leads_back
from emu.check.step import Outcome, check_step
from emu.check.tables import Place, Tables
from emu.truth import Entry
from emu.unwind import Memory, Policy, State
from emu.unwind.dwarf import DwarfState


class Judge:
    """Looks a frame up and holds what the tables make of it against the truth.

    `by_cfi`: the tables are those of .eh_frame.
    """

    def __init__(
        self,
        tables: Tables,
        memory: Memory,
        registers: LiveRegisters,
        policy: Policy,
        cfi: CfiWitness,
        *,
        by_cfi: bool,
    ) -> None:
        self.moved: set[str] = set()
        """Functions that moved to another stack themselves, with rows that lead back."""
        self._tables = tables
        self._memory = memory
        self._registers = registers
        self._policy = policy
        self._cfi = cfi
        self._by_cfi = by_cfi

    def place(self, state: State, inside: int) -> Place:
        """What the tables say of a frame; `inside` is an address in its function."""
        if self._by_cfi:
            return self._cfi.place(state, inside)
        return self._tables.place(state, inside)

    def outcome(
        self, place: Place, state: State, entry: Entry | None, caller: Entry | None
    ) -> Outcome:
        """The check by the rules of truth alone: `entry` is the frame's call, `caller` the one
        that made it.
        """
        if self._by_cfi:
            return self._cfi.outcome(state, entry, caller)
        return check_step(place, state, caller, self._memory, self._registers, self._policy)

    def of(
        self,
        place: Place,
        state: State,
        entry: Entry | None,
        caller: Entry | None,
        origin: Entry | None,
    ) -> Outcome:
        """The check; `origin` is the call of a frame that moved here from another stack."""
        outcome = self.outcome(place, state, entry, caller)
        if origin is None or not self._leads_back(place, outcome, state, entry, origin):
            return outcome
        self.moved.add(place.function)
        return UNSETTLED

    def _leads_back(
        self, place: Place, outcome: Outcome, state: State, entry: Entry | None, origin: Entry
    ) -> bool:
        if outcome.verdict.right:
            return False
        if self._by_cfi:
            got = self._cfi.step(state, entry)
            return isinstance(got, DwarfState) and origin.is_caller(got.pc, got.sp, got.fp or 0)
        return leads_back(place, state, self._cfi.known(entry), origin, self._memory)
