"""Checks of one snapshot: every live frame whose check is due, and the walk, into a tally."""

from __future__ import annotations

from collections.abc import Sequence

from emu.check.blame import Blamer
from emu.check.cfi import NAME as DWARF
from emu.check.cfi import CfiWalkCheck, CfiWitness
from emu.check.contradiction import contradiction
from emu.check.finding import Finding, Key, Tally, Witness
from emu.check.live import LiveRegisters
from emu.check.modules import ModuleMap
from emu.check.moved import UNSETTLED, leads_back
from emu.check.sighting import Sighting
from emu.check.step import OK, Outcome, check_step
from emu.check.tables import Place, Tables
from emu.check.verdict import Blame, Check, Field, Verdict
from emu.check.walk import KERNEL_LIMIT, Departure, Note, WalkCheck, serial
from emu.truth import Entry, Moved
from emu.unwind import LookupFailure, Memory, Policy, State
from emu.unwind.dwarf import DwarfState

RSP, RBP = 7, 6


class Observer:
    """Makes the step checks and the walk check that are due before an instruction executes.

    The topmost frame is checked every time, an older one when it has become live; what it
    depends on does not change until it is topmost again.
    """

    def __init__(
        self,
        tables: Tables,
        modules: ModuleMap,
        memory: Memory,
        policy: Policy,
        *,
        strict: bool,
    ) -> None:
        self.registers = LiveRegisters()
        self._cfi = CfiWitness(modules, memory, self.registers)
        self._by_cfi = policy.name == DWARF
        self.walks = (
            CfiWalkCheck(tables.real, memory, self.registers, policy, self._cfi)
            if self._by_cfi
            else WalkCheck(tables.real, memory, self.registers, policy)
        )
        self._tables = tables
        self._modules = modules
        self._memory = memory
        self._policy = policy
        self._strict = strict
        self.moved: set[str] = set()
        """Functions that moved to another stack themselves, with rows that lead back."""
        self._blamer = Blamer(tables.intact, memory, self._cfi)

    def check(self, tally: Tally, entries: Sequence[Entry], moved: Moved | None = None) -> None:
        """Check the snapshot given by `registers` and the true stack `entries`, oldest first.

        `moved` is the frame that came from another stack, if there is one.
        """
        values = self.registers.values
        depth = len(entries)
        tally.checked += 1
        state = State(values[16], values[RSP], values[RBP], True)
        origin = moved.caller if moved is not None and moved.height == depth else None
        self._step(tally, state, None, entries[-1] if depth else None, 0, origin)
        for index in range(depth - 1, -1, -1):
            entry = entries[index]
            older = entries[index - 1] if index else None
            if serial(older) in entry.notes:
                break
            entry.notes[serial(older)] = Note()
            origin = moved.caller if moved is not None and moved.height == index else None
            self._step(tally, entry.caller_state(), entry, older, depth - index, origin)
        departure = self.walks.check(entries, state)
        if departure is None:
            tally.walks[Verdict.OK] += 1
        else:
            self._departed(tally, departure, depth)

    def _step(
        self,
        tally: Tally,
        state: State,
        entry: Entry | None,
        caller: Entry | None,
        frame: int,
        origin: Entry | None,
    ) -> None:
        """Check one frame: `entry` is the call it made, `caller` the call that made it.

        `origin` is that call for a frame that has moved here from the stack where it was called.
        """
        place = self._place(state, state.ip if entry is None else entry.caller_pc)
        outcome = self._outcome(place, state, entry, caller)
        if origin is not None and self._leads_back(place, outcome, state, entry, origin):
            outcome = UNSETTLED
            self.moved.add(place.function)
        verdict = outcome.verdict
        tally.steps[verdict] += 1
        if outcome in (OK, UNSETTLED) or verdict is Verdict.OUTERMOST:
            return
        if verdict is Verdict.GAP:
            where = (place.module.path if place.module else None, place.function)
            tally.gaps[where] = tally.gaps.get(where, 0) + 1
            if not self._strict:
                return
        sighting = Sighting(place, outcome, state, entry, caller, frame)
        for field in outcome.fields or (None,):
            key = _key(Check.STEP, verdict, field, place)
            known = tally.findings.get(key)
            if known is None:
                tally.findings[key] = Finding(key, self._witness(sighting, field))
            else:
                known.count += 1

    def _place(self, state: State, inside: int) -> Place:
        if self._by_cfi:
            return self._cfi.place(state, inside)
        return self._tables.place(state, inside)

    def _outcome(
        self, place: Place, state: State, entry: Entry | None, caller: Entry | None
    ) -> Outcome:
        if self._by_cfi:
            return self._cfi.outcome(state, entry, caller)
        return check_step(place, state, caller, self._memory, self.registers, self._policy)

    def _leads_back(
        self, place: Place, outcome: Outcome, state: State, entry: Entry | None, origin: Entry
    ) -> bool:
        if outcome.verdict.right:
            return False
        if self._by_cfi:
            got = self._cfi.step(state, entry)
            return isinstance(got, DwarfState) and origin.is_caller(got.pc, got.sp, got.fp or 0)
        return leads_back(place, state, self._cfi.known(entry), origin, self._memory)

    def _witness(self, sighting: Sighting, field: Field | None) -> Witness:
        place, outcome, state, caller = (
            sighting.place,
            sighting.outcome,
            sighting.state,
            sighting.caller,
        )
        row = None if isinstance(place.found, LookupFailure) else place.found.frame
        reason = outcome.reason
        if field is not None and caller is not None and row is not None:
            reason = contradiction(row, outcome, field, state, caller, self._memory, self.registers)
        elif outcome.verdict is Verdict.GAP:
            reason = str(place.found)
        elif field is not None:
            reason = f"row says {place.row}, but {field} is not the caller's"
        if place.foreign and row is not None:
            reason += "; the call ends its function, so the row is that of the next one"
        expected, got = sighting.values(field)
        return Witness(
            pc=state.ip,
            snapshot_pc=self.registers.ip,
            frame=sighting.frame,
            row=place.row,
            expected=expected,
            got=got,
            blame=self._blame(sighting, field),
            reason=reason,
            source=self._modules.source_at(sighting.inside),
            row_address=place.row_address,
        )

    def _blame(self, sighting: Sighting, field: Field | None) -> Blame:
        if not self._by_cfi:
            return self._blamer.blame(sighting, field)
        return Blame.NO_CFI if sighting.outcome.verdict is Verdict.GAP else Blame.COMPILER

    def _departed(self, tally: Tally, departure: Departure, depth: int) -> None:
        """Count a walk that went wrong; a finding only if no step check or gap explains it."""
        tally.walks[departure.verdict] += 1
        if departure.verdict is Verdict.GAP:
            return
        state = departure.state
        if departure.verdict is Verdict.LIMIT:
            key = Key(Check.WALK, Verdict.LIMIT, None, None, None, None)
            reason = (
                f"the stack is deeper than the {KERNEL_LIMIT} entries of one walk;"
                " older frames are not recorded"
            )
            row = None
            expected = None
        else:
            place = self._place(state, departure.inside)
            if (
                self._by_cfi
                or not self._outcome(place, state, None, departure.caller).verdict.right
            ):
                return
            key = _key(Check.WALK, departure.verdict, None, place)
            reason = "each row is right by itself, but the walk departs here"
            row = place.row
            expected = departure.caller.return_address if departure.caller else None
        known = tally.findings.get(key)
        if known is not None:
            known.count += 1
            return
        tally.findings[key] = Finding(
            key,
            Witness(
                pc=state.ip or self.registers.ip,
                snapshot_pc=self.registers.ip,
                frame=depth - departure.height,
                row=row,
                expected=expected,
                got=None,
                blame=Blame.CONSUMER,
                reason=reason,
                source=None,
                row_address=None,
            ),
        )


def _key(check: Check, verdict: Verdict, field: Field | None, place: Place) -> Key:
    module = place.module.path if place.module else None
    return Key(check, verdict, field, module, place.row_pc, place.function)
