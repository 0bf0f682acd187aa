"""Checks of one snapshot: every live frame whose check is due, and the walk, into a tally."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from emu.check.blame import Blamer
from emu.check.cfi import NAME as DWARF
from emu.check.cfi import CfiWalkCheck, CfiWitness
from emu.check.error import CheckError
from emu.check.finding import Finding, Key, Tally, Witness
from emu.check.judge import Judge
from emu.check.live import LiveRegisters
from emu.check.modules import ModuleMap
from emu.check.moved import UNSETTLED
from emu.check.repeat import Held, Repeat, Repetition, Span, Word, row_of
from emu.check.sighting import Sighting
from emu.check.step import OK, Outcome
from emu.check.tables import Place, Tables
from emu.check.verdict import Blame, Check, Field, Verdict
from emu.check.walk import KERNEL_LIMIT, Departure, Note, WalkCheck, serial
from emu.check.witnesses import Witnesses
from emu.truth import Entry, Moved
from emu.unwind import Memory, Policy, State, evaluate
from emu.unwind.signal_frame import interrupted_state
from emu.unwind.walk import POINTER_FRAMES

RSP, RBP = 7, 6


class Observer:
    """Makes the step checks and the walk check that are due before an instruction executes.

    The topmost frame is checked every time, an older one when it has become live and when the
    tables say something else about it; unless stores are watched, the memory that its check reads
    is taken to stay the same until it is topmost again.
    """

    def __init__(
        self,
        tables: Tables,
        modules: ModuleMap,
        memory: Memory,
        policy: Policy,
        *,
        strict: bool,
        repeat: Repeat = Repeat.TABLES,
    ) -> None:
        self.registers = LiveRegisters()
        self.returns_by_copy: Callable[[int, list[int]], bool] = lambda _slot, _registers: False
        """Whether the topmost function may return by the word at an address."""
        self.repetition = Repetition(memory, repeat)
        if self.repetition.watching:
            memory = self.repetition.memory
        self._cfi = cfi = CfiWitness(modules, memory, self.registers)
        self._by_cfi = policy.name == DWARF
        self.judge = Judge(tables, memory, self.registers, policy, cfi, by_cfi=self._by_cfi)
        self.walks = (
            CfiWalkCheck(tables.real, memory, self.registers, policy, cfi)
            if self._by_cfi
            else WalkCheck(tables.real, memory, self.registers, policy)
        )
        self._tables = tables
        self._policy = policy
        self._strict = strict
        self._seen_tables = -1
        """`Tables.changes` when the frames of this stack were last held against the tables."""
        blamer = None if self._by_cfi else Blamer(tables.intact, memory, cfi)
        self._witnesses = Witnesses(modules, memory, self.registers, blamer)

    @property
    def open(self) -> bool:
        """Whether something may have changed that no check has looked at."""
        return self.repetition.open or self._seen_tables != self._tables.changes

    def modules_changed(self) -> None:
        """A module came or went: .eh_frame says something else at its addresses."""
        self._cfi.forget()

    def stack_changed(self) -> None:
        """Another stack is the current one: nobody looked at its frames while it was not."""
        self._seen_tables = -1
        self.repetition.everything()

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
        self._seen_tables = self._tables.changes
        self._renew(entries, lowest)
        epoch = self.walks.epoch
        departure = self.walks.check(entries, state)
        if self.repetition.always and epoch == self.walks.epoch:
            self._verify_walk(entries, state, departure)
        if departure is None:
            tally.walks[Verdict.OK] += 1
        else:
            self._departed(tally, departure, depth)
        return True

    def _is_near(self, note: Note) -> bool:
        """Whether this frame, or an older one, may have to be checked again."""
        return self._may_have_other_row(note) or self.repetition.near(note.held)

    def _may_have_other_row(self, note: Note) -> bool:
        repetition, tables = self.repetition, self._tables
        if note.tables != tables.changes or repetition.always or repetition.repeating:
            return True
        return repetition.watching and not tables.intact.stable

    def _is_due(self, note: Note, entry: Entry) -> bool:
        """Whether the step check of this older frame is to be made again."""
        repetition = self.repetition
        if repetition.repeated(note):
            return True
        if self._has_other_row(note, entry) or repetition.changed(note.held):
            repetition.repeat(note)
            return True
        return False

    def _has_other_row(self, note: Note, entry: Entry) -> bool:
        assert note.place is not None, "the frame was checked"
        if not self._may_have_other_row(note):
            return False
        note.tables = self._tables.changes
        place = self.judge.place(entry.caller_state(), entry.caller_pc)
        return row_of(place) != row_of(note.place)

    def _is_walk_due(self, note: Note, entry: Entry, caller: Entry | None) -> bool:
        """Whether walks through this older frame may find something else than is remembered."""
        held = note.held
        if held is None or not self.repetition.memory.changed(held.pointers):
            return False
        note.held = replace(held, pointers=self._pointers(entry.caller_state(), caller))
        return True

    def _verify(
        self, note: Note, entry: Entry, caller: Entry | None, frame: int, origin: Entry | None
    ) -> None:
        """Check an older frame anew, if that is wanted. Raises `CheckError`."""
        if not self.repetition.always:
            return
        assert note.held is not None, "stores are watched"
        state = entry.caller_state()
        place = self.judge.place(state, entry.caller_pc)
        outcome = self.judge.of(place, state, entry, caller, origin)
        if not note.held.came_to(outcome):
            raise CheckError(
                f"harness error before {self.registers.ip:#x}: the check of frame {frame} in"
                f" {place.function} gave {note.held.verdict} and gives {outcome.verdict} now, but"
                " nothing has changed that it depends on"
            )

    def _renew(self, entries: Sequence[Entry], lowest: int) -> None:
        """The checks of the frames above entry `lowest` were made: what hangs on them is old."""
        depth = len(entries)
        if lowest == depth:
            return
        self.repetition.renewed = min(self.repetition.renewed, lowest)
        reach = Span()
        if lowest:
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
        What an older frame's check depends on is left in its `note`.
        """
        place = self.judge.place(state, state.ip if entry is None else entry.caller_pc)
        if note is not None:
            note.place, note.tables = place, self._tables.changes
        if note is None or not self.repetition.watching:
            outcome = self.judge.of(place, state, entry, caller, origin)
        else:
            self.repetition.memory.record()
            outcome = self.judge.of(place, state, entry, caller, origin)
            words = self.repetition.memory.recorded()
            note.held = Held(outcome.verdict, outcome.fields, words, self._pointers(state, caller))
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
            place = self.judge.place(state, departure.inside)
            if (
                self._by_cfi
                or not self.judge.outcome(place, state, None, departure.caller).verdict.right
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
        note.epoch, note.second = -1, None


def _ending(departure: Departure | None) -> str:
    if departure is None:
        return "right"
    return f"{departure.verdict} with {departure.height} frames left"


def _key(check: Check, verdict: Verdict, field: Field | None, place: Place) -> Key:
    module = place.module.path if place.module else None
    return Key(check, verdict, field, module, place.row_pc, place.function)
