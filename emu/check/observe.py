"""Checks of one snapshot: every live frame whose check is due, and the walk, into a tally."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from emu.check.blame import Blamer
from emu.check.cfi import NAME as DWARF
from emu.check.cfi import CfiWalkCheck, CfiWitness
from emu.check.error import CheckError
from emu.check.finding import Finding, Key, Tally, Witness
from emu.check.live import LiveRegisters
from emu.check.modules import ModuleMap
from emu.check.moved import UNSETTLED, leads_back
from emu.check.repeat import Held, Repeat, Repetition, Span, Word, row_of
from emu.check.sighting import Sighting
from emu.check.step import OK, Outcome, check_step
from emu.check.tables import Place, Tables
from emu.check.verdict import Blame, Check, Field, Verdict
from emu.check.walk import KERNEL_LIMIT, Departure, Note, WalkCheck, serial
from emu.check.witnesses import Witnesses
from emu.truth import Entry, Moved
from emu.unwind import Memory, Policy, State, evaluate
from emu.unwind.dwarf import DwarfState
from emu.unwind.signal_frame import interrupted_state
from emu.unwind.walk import POINTER_FRAMES

RSP, RBP = 7, 6


class Observer:
    """Makes the step checks and the walk check that are due before an instruction executes.

    The topmost frame is checked every time, an older one when it has become live; unless stores
    are watched, what it depends on is taken to stay the same until it is topmost again.
    """

    def __init__(
        self,
        tables: Tables,
        modules: ModuleMap,
        memory: Memory,
        policy: Policy,
        *,
        strict: bool,
        repeat: Repeat = Repeat.NEVER,
    ) -> None:
        self.registers = LiveRegisters()
        self.returns_by_copy: Callable[[int, list[int]], bool] = lambda _slot, _registers: False
        """Whether the topmost function may return by the word at an address."""
        self.repetition: Repetition | None = None
        if repeat is not Repeat.NEVER:
            self.repetition = Repetition(memory, always=repeat is Repeat.ALWAYS)
            memory = self.repetition.memory
        self._cfi = CfiWitness(modules, memory, self.registers)
        self._by_cfi = policy.name == DWARF
        self.walks = (
            CfiWalkCheck(tables.real, memory, self.registers, policy, self._cfi)
            if self._by_cfi
            else WalkCheck(tables.real, memory, self.registers, policy)
        )
        self._tables = tables
        self._memory = memory
        self._policy = policy
        self._strict = strict
        self.moved: set[str] = set()
        """Functions that moved to another stack themselves, with rows that lead back."""
        blamer = None if self._by_cfi else Blamer(tables.intact, memory, self._cfi)
        self._witnesses = Witnesses(modules, memory, self.registers, blamer)

    def check(self, tally: Tally, entries: Sequence[Entry], moved: Moved | None = None) -> bool:
        """Check the snapshot given by `registers` and the true stack `entries`, oldest first.

        `moved` is the frame that came from another stack, if there is one. Returns false, and
        nothing is counted, if the true stack is in doubt from now on (`returns_by_copy`).
        """
        values = self.registers.values
        depth = len(entries)
        state = State(values[16], values[RSP], values[RBP], True)
        origin = moved.caller if moved is not None and moved.height == depth else None
        if not self._step(tally, state, None, entries[-1] if depth else None, 0, origin):
            return False
        tally.checked += 1
        lowest = depth
        for index in range(depth - 1, -1, -1):
            entry = entries[index]
            older = entries[index - 1] if index else None
            origin = moved.caller if moved is not None and moved.height == index else None
            note = entry.notes.get(serial(older))
            if note is None:
                note = entry.notes[serial(older)] = Note()
            elif not self._is_near(note):
                break
            elif not self._is_due(note, entry):
                if self._is_walk_due(note, entry, older):
                    lowest = index
                self._verify(note, entry, older, depth - index, origin)
                continue
            self._step(tally, entry.caller_state(), entry, older, depth - index, origin, note)
            lowest = index
        self._renew(entries, lowest)
        epoch = self.walks.epoch
        departure = self.walks.check(entries, state)
        if self.repetition is not None and self.repetition.always and epoch == self.walks.epoch:
            self._verify_walk(entries, state, departure)
        if departure is None:
            tally.walks[Verdict.OK] += 1
        else:
            self._departed(tally, departure, depth)
        return True

    def _is_near(self, note: Note) -> bool:
        """Whether this frame, or an older one, may have to be checked again."""
        repetition = self.repetition
        return repetition is not None and note.held is not None and repetition.near(note.held.reach)

    def _is_due(self, note: Note, entry: Entry) -> bool:
        """Whether the step check of this older frame is to be made again."""
        assert self.repetition is not None, "a frame is near to a store"
        assert note.held is not None, "a frame is near to a store"
        state, inside = entry.caller_state(), entry.caller_pc
        return self.repetition.due(note, note.held, lambda: row_of(self._place(state, inside)))

    def _is_walk_due(self, note: Note, entry: Entry, caller: Entry | None) -> bool:
        """Whether walks through this older frame may find something else than is remembered."""
        repetition, held = self.repetition, note.held
        assert repetition is not None, "a frame is near to a store"
        assert held is not None, "a frame is near to a store"
        if not held.pointers or not repetition.memory.changed(held.pointers):
            return False
        note.held = replace(held, pointers=self._pointers(entry.caller_state(), caller))
        return True

    def _verify(
        self, note: Note, entry: Entry, caller: Entry | None, frame: int, origin: Entry | None
    ) -> None:
        """Check an older frame anew, if that is wanted. Raises `CheckError`."""
        assert self.repetition is not None, "a frame is near to a store"
        assert note.held is not None, "a frame is near to a store"
        if not self.repetition.always:
            return
        state = entry.caller_state()
        place = self._place(state, entry.caller_pc)
        outcome = self._judge(place, state, entry, caller, origin)
        if not note.held.came_to(outcome):
            raise CheckError(
                f"harness error before {self.registers.ip:#x}: the check of frame {frame} in"
                f" {place.function} gave {note.held.verdict} and gives {outcome.verdict} now, but"
                " nothing has changed that it depends on"
            )

    def _renew(self, entries: Sequence[Entry], lowest: int) -> None:
        """The checks of the frames above entry `lowest` were made: what hangs on them is old."""
        if self.repetition is None:
            return
        depth = len(entries)
        if lowest < depth:
            self.repetition.renewed = min(self.repetition.renewed, lowest)
        reach = Span()
        if 0 < lowest < depth:
            below = entries[lowest - 1].notes.get(
                serial(entries[lowest - 2] if lowest > 1 else None)
            )
            if below is not None and below.held is not None:
                reach = below.held.reach
        for index in range(lowest, depth):
            entry = entries[index]
            held = entry.notes[serial(entries[index - 1] if index else None)].held
            _forget_walks(entry)
            if held is not None:
                held.reach = reach = held.span.with_(reach)

    def _verify_walk(
        self, entries: Sequence[Entry], state: State, departure: Departure | None
    ) -> None:
        """Walk through every frame. Raises `CheckError` if that comes to something else."""
        anew = self.walks.check(entries, state, anew=True)
        one, other = (each and (each.verdict, each.height) for each in (departure, anew))
        if one != other:
            raise CheckError(
                f"harness error before {self.registers.ip:#x}: a walk is remembered to end"
                f" {_ending(departure)}, and ends {_ending(anew)} now"
            )

    def _pointers(self, state: State, caller: Entry | None) -> tuple[Word, ...]:
        """What a walk reads that has no row for an older frame, if it can go right at all."""
        repetition = self.repetition
        assert repetition is not None, "words are recorded for repetitions"
        repetition.memory.record()
        if caller is not None and state.fp + 16 == caller.slot + 8 and self._policy.frame_pointers:
            evaluate(POINTER_FRAMES[8], state, repetition.memory, self.registers, self._policy)
        if self._policy.signal_frames:
            interrupted_state(state, repetition.memory)
        return repetition.memory.recorded()

    def _step(
        self,
        tally: Tally,
        state: State,
        entry: Entry | None,
        caller: Entry | None,
        frame: int,
        origin: Entry | None,
        note: Note | None = None,
    ) -> bool:
        """Check one frame: `entry` is the call it made, `caller` the call that made it.

        Returns false, and nothing is counted, if that leaves the true stack in doubt.

        `origin` is that call for a frame that has moved here from the stack where it was called.
        What an older frame's check depends on is left in its `note`, if stores are watched.
        """
        place = self._place(state, state.ip if entry is None else entry.caller_pc)
        if note is None or self.repetition is None:
            outcome = self._judge(place, state, entry, caller, origin)
        else:
            self.repetition.memory.record()
            outcome = self._judge(place, state, entry, caller, origin)
            words = self.repetition.memory.recorded()
            note.held = Held(
                row_of(place), outcome.verdict, outcome.fields, words, self._pointers(state, caller)
            )
        verdict = outcome.verdict
        if entry is None and self._by_copy(outcome):
            return False
        tally.steps[verdict] += 1
        if outcome in (OK, UNSETTLED) or verdict is Verdict.OUTERMOST:
            return True
        if verdict is Verdict.GAP:
            where = (place.module.path if place.module else None, place.function)
            tally.gaps[where] = tally.gaps.get(where, 0) + 1
            if not self._strict:
                return True
        sighting = Sighting(place, outcome, state, entry, caller, frame)
        for field in outcome.fields or (None,):
            key = _key(Check.STEP, verdict, field, place)
            known = tally.findings.get(key)
            if known is None:
                tally.findings[key] = Finding(key, self._witnesses.of(sighting, field))
            else:
                known.count += 1
        return True

    def _by_copy(self, outcome: Outcome) -> bool:
        """Whether a row leads to the return address in another word, and that may be right."""
        if outcome.fields != (Field.SP,) or outcome.got is None:
            return False
        return self.returns_by_copy(outcome.got.sp - 8, self.registers.values)

    def _judge(
        self,
        place: Place,
        state: State,
        entry: Entry | None,
        caller: Entry | None,
        origin: Entry | None,
    ) -> Outcome:
        outcome = self._outcome(place, state, entry, caller)
        if origin is None or not self._leads_back(place, outcome, state, entry, origin):
            return outcome
        self.moved.add(place.function)
        return UNSETTLED

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


def _forget_walks(entry: Entry) -> None:
    """Walks through the caller of `entry` may end elsewhere than remembered."""
    for note in entry.notes.values():
        note.epoch = -1


def _ending(departure: Departure | None) -> str:
    if departure is None:
        return "right"
    return f"{departure.verdict} with {departure.height} frames left"


def _key(check: Check, verdict: Verdict, field: Field | None, place: Place) -> Key:
    module = place.module.path if place.module else None
    return Key(check, verdict, field, module, place.row_pc, place.function)
