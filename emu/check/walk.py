"""The walk check: a consumer walks from the snapshot alone, and is compared with truth.

A walk is right only if every pc, sp and fp is and it ends where the stack began. The part of a
walk below a frame depends on that frame's true state and on the store alone, so it is remembered
with the frame's entry until the store changes: the cost of a check does not grow with depth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emu.check.guest_store import GuestStore
from emu.check.repeat import Held
from emu.check.tables import Place
from emu.check.verdict import Verdict
from emu.truth import Entry, Without
from emu.unwind import Ending, Memory, Method, Policy, Registers, State, Walk

KERNEL_LIMIT = 510
"""Entries of the kernel's cache for one deferred walk (kernel behaviour: 12.1)."""


@dataclass(frozen=True, slots=True)
class Departure:
    """The first frame at which a walk and the truth part."""

    verdict: Verdict
    height: int
    """Entries below the frame: the frame's number is the depth of the stack less this."""
    state: State
    """The true state of the frame."""
    inside: int
    """An address in the frame's function."""
    caller: Entry | None


@dataclass(slots=True)
class Remembered:
    """How walks through a frame end."""

    departure: Departure | None = None
    epoch: int = -1
    """State of the store for which `departure` holds."""


@dataclass(slots=True)
class Note(Remembered):
    """What is remembered with an entry about the frame that made the call."""

    second: Remembered | None = None
    """How they end where an older entry is in doubt, and left out of the stack."""
    place: Place | None = None
    """What the tables said about the frame when its step check was made."""
    tables: int = -1
    """`Tables.changes` when they last said so."""
    held: Held | None = None
    """The words on which the step check depends, if stores are watched."""


_ENDED = {
    Ending.OUTERMOST: Verdict.TRUNCATED,
    Ending.ZERO_FP: Verdict.TRUNCATED,
    Ending.REFUSED: Verdict.REFUSED,
    Ending.LOST: Verdict.GAP,
}


def serial(entry: Entry | None) -> int:
    """Key of an entry's notes: which entry is the next older one."""
    return 0 if entry is None else entry.serial


class WalkCheck:
    """Walks one address space with its real store: what a lookup drops stays dropped."""

    def __init__(
        self, store: GuestStore, memory: Memory, registers: Registers, policy: Policy
    ) -> None:
        self._store = store
        self._policy = policy
        self._walk = Walk(store, memory, registers)
        self._changes = -1
        self._epoch = 0

    @property
    def epoch(self) -> int:
        """The state of the store that new notes are made for; -1 if the next walk finds another."""
        return self._epoch if self._store.changes == self._changes else -1

    def check(
        self, entries: Sequence[Entry], state: State, *, anew: bool = False
    ) -> Departure | None:
        """Walk from `state`, the topmost frame of a stack with these entries, oldest first.

        A walk made `anew` goes through every frame, whatever is remembered, and leaves it so.
        """
        self._notice_changes()
        height = len(entries)
        caller = entries[-1] if height else None
        departure = self._step(state, state.ip, height, caller)
        if departure is None:
            departure = self._anew(entries) if anew else self._below(entries)
        return self._seen(departure, height)

    def _anew(self, entries: Sequence[Entry]) -> Departure | None:
        """What `_below` comes to if nothing is remembered."""
        for index in range(len(entries) - 1, -1, -1):
            entry = entries[index]
            older = entries[index - 1] if index else None
            departure = self._step(entry.caller_state(), entry.caller_pc, index, older)
            if departure is not None:
                return departure
        return None

    def _below(self, entries: Sequence[Entry]) -> Departure | None:
        """The departure of the walk that goes on from the newest entry's caller."""
        epoch = self._epoch
        omitted = entries.omitted if isinstance(entries, Without) else len(entries)
        departure: Departure | None = None
        visited: list[Remembered] = []
        for index in range(len(entries) - 1, -1, -1):
            entry = entries[index]
            older = entries[index - 1] if index else None
            note = entry.notes.get(serial(older))
            if note is None:
                note = entry.notes[serial(older)] = Note()
            known: Remembered = note
            if index > omitted:
                known = note.second = note.second or Remembered()
            if known.epoch == epoch:
                departure = known.departure
                break
            visited.append(known)
            departure = self._step(entry.caller_state(), entry.caller_pc, index, older)
            if departure is not None:
                break
        for known in visited:
            known.departure, known.epoch = departure, epoch
        self._notice_changes()
        return departure

    def _step(
        self, state: State, inside: int, height: int, caller: Entry | None
    ) -> Departure | None:
        """One step from a true state; None if it leads to the caller or rightly ends."""
        walk = self._walk
        walk.resume(state)
        walk.step()
        if walk.end is not None:
            if caller is None:
                return None
            return Departure(_ENDED[walk.end.ending], height, state, inside, caller)
        got = walk.state
        if caller is not None and caller.is_caller(got.ip, got.sp, got.fp):
            return None
        by_row = walk.current_type is Method.SFRAME
        astray = Verdict.OVERRUN if caller is None else Verdict.WRONG
        departure = Departure(astray if by_row else Verdict.GAP, height, state, inside, caller)
        self._go_astray()
        return departure

    def _go_astray(self) -> None:
        """Finish a walk that has left the truth: its lookups can still drop a section."""
        walk = self._walk
        for _ in range(KERNEL_LIMIT):
            if walk.done or not len(self._store):
                return
            walk.step()

    def _seen(self, departure: Departure | None, depth: int) -> Departure | None:
        """What of a departure shows in the entries that the consumer records."""
        last = KERNEL_LIMIT - 1
        if departure is not None and depth - departure.height < last:
            return departure
        if depth <= last:
            return None
        return Departure(Verdict.LIMIT, depth - last, State(0, 0, 0), 0, None)

    def _notice_changes(self) -> None:
        if self._store.changes != self._changes:
            self._changes = self._store.changes
            self._epoch += 1
            # What a walk may use is decided when it starts.
            methods = Method.SFRAME if len(self._store) else Method.NONE
            if self._policy.frame_pointers:
                methods |= Method.FRAME_POINTER
            self._walk.available = methods
