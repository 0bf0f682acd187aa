"""The tracker, and the true stack as the hook holds it.

In ordinary code the hook's entries are the truth and Python's a memory of them. For an event the
tracker takes over what has changed, does what it has to, and gives back what it changed. While a
pending entry or a doubt is open the tracker keeps the stack and sees every instruction.
"""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Callable
from typing import Any

from emu.check.fast.layout import HISTORY, NEVER, UNCHECKED, WATCHED, Code, Entry, State
from emu.check.fast.sites import VERDICTS, code_of, fields_of
from emu.check.repeat import Held, Span, Word
from emu.check.tables import Place
from emu.check.verdict import Verdict
from emu.check.walk import Departure, Note, serial
from emu.truth import Entry as TrueEntry
from emu.truth import EntryKind, Functions, GuestMemory, Stack, Suspended, Tracker

_CODES = {verdict: int(code) for code, verdict in VERDICTS.items()}
_CODES[Verdict.WRONG] = int(Code.WRONG_PC)
_MASK = (1 << 64) - 1
SMALLEST = 64
"""Entries that the table of a stack has room for at first. Each stack has its own."""


class MirroredTracker(Tracker):
    """A tracker that hands its stack to the hook and takes it back."""

    def __init__(self, memory: GuestMemory, functions: Functions, state: State) -> None:
        super().__init__(memory, functions)
        self._state = state
        self._table: Any = (Entry * SMALLEST)()
        self.place_of: Callable[[int], Place | None] = lambda _site: None
        """What a site of the hook stands for."""
        self._tables = -1
        """`Tables.changes` when the stack was given to the hook."""
        self._given: Stack | None = None
        """The stack that the hook has; None while the tracker keeps it."""
        state.entries = ctypes.addressof(self._table)
        state.capacity = len(self._table)

    @property
    def quiet(self) -> bool:
        """Whether the situation is an ordinary one, which the hook can carry on with."""
        return (
            self.doubt is None
            and not self._pending
            and not self.stack.straight
            and self.stack.promise is None
            and not self._delivering
            and not self._topmost_moved
        )

    @property
    def _topmost_moved(self) -> bool:
        """Whether the topmost frame is that of the function that switched to this stack."""
        stack = self.stack
        return stack.moved_from is not None and len(stack.entries) == stack.base

    @property
    def kept(self) -> bool:
        """Whether the hook does not have the stack."""
        return self._given is None

    @property
    def previous_pc(self) -> int:
        """The instruction that `step` saw last."""
        return self._pc

    def take(self) -> None:
        """Take over what the hook has done since `give`."""
        if self._given is None:
            return
        state = self._state
        self._pc, self._rsp = state.previous_pc, state.previous_rsp
        self._following = state.following
        stack = self.stack
        stack.cut(state.low)
        for index in range(min(state.noted, state.low), state.depth):
            if index >= state.low:
                stack.push(_called(self._table[index]))
            self._read_note(index)
        stack.same = len(stack.entries)

    def give(self, tables: int) -> None:
        """Let the hook have the stack again; `tables` is the state of the tables."""
        state = self._state
        self._tables = tables
        stack = self.stack
        entries = stack.entries
        depth = len(entries)
        if stack.memo is None or depth >= len(stack.memo):
            stack.memo = (Entry * max(2 * depth, SMALLEST))()
            stack.same = 0
        if self._table is not stack.memo:
            self._table = stack.memo
            state.entries = ctypes.addressof(self._table)
            state.capacity = len(self._table)
        same = stack.same
        for index in range(depth - 1, -1, -1):
            if index >= same or index == depth - 1:
                self._write(index)
            # Checks make notes from the newest entry on downwards, without a hole.
            if not self._write_note(index) and index < same:
                break
        if state.watching:
            self._write_held(same)
        stack.same = depth
        self._given = stack
        state.depth = state.low = state.noted = depth
        state.floor = self.stack.floor
        state.previous_pc, state.previous_rsp = self._pc, self._rsp
        state.following = self._following

    def keep(self) -> None:
        """The tracker keeps the stack until the situation is an ordinary one again."""
        self._given = None

    def remember(self, pc: int) -> None:
        """Put an instruction that Python saw into the history."""
        state = self._state
        state.history[state.position % HISTORY] = pc
        state.position += 1

    def suspend(self) -> Suspended:
        """Another thread goes on; this one's history is the one that the hook kept."""
        self._history = deque(self._remembered(), maxlen=HISTORY)
        return super().suspend()

    def resume(self, thread: Suspended) -> None:
        """This thread goes on, with its own history."""
        super().resume(thread)
        self._state.position = 0
        for pc in self._history:
            self.remember(pc)

    def _executed(self) -> list[int]:
        executed = self._remembered()
        return executed[:-1] if executed[-1:] == [self._pc] else executed

    def _derived(self, switch_pc: int, frame_pointer: bool) -> bool:
        self._history = deque([*self._remembered(), self._pc], maxlen=HISTORY)
        return super()._derived(switch_pc, frame_pointer)

    def _remembered(self) -> list[int]:
        """The instructions before, oldest first."""
        state = self._state
        count = min(state.position, HISTORY)
        return [state.history[(state.position - count + n) % HISTORY] for n in range(count)]

    def _write(self, index: int) -> None:
        stack, mine = self.stack, self._table[index]
        entry = stack.entries[index]
        mine.slot = entry.slot
        mine.return_address = entry.return_address
        mine.rbp = entry.rbp
        mine.call_site = entry.caller_pc
        # A return to a function that has switched stacks is the tracker's, too.
        mine.special = (
            entry.kind is not EntryKind.CALL
            or entry.local
            or (stack.moved_from is not None and index == stack.base)
        )
        if not mine.special:
            mine.saved[:] = entry.callee_saved
        mine.rbp_known = entry.rbp_known

    def _write_note(self, index: int) -> bool:
        """Returns whether there was another note before."""
        entries, mine = self.stack.entries, self._table[index]
        before = (mine.epoch, mine.departure, mine.height)
        note = entries[index].notes.get(serial(entries[index - 1] if index else None))
        if note is None:
            after = (UNCHECKED, int(Code.OK), 0)
        elif note.departure is None:
            after = (note.epoch & _MASK, int(Code.OK), 0)
        else:
            departure = note.departure
            after = (note.epoch & _MASK, _CODES[departure.verdict], departure.height)
        mine.epoch, mine.departure, mine.height = after
        return after != before

    def _read_note(self, index: int) -> None:
        entries, mine = self.stack.entries, self._table[index]
        if mine.epoch == UNCHECKED:
            return
        departure = None
        if mine.epoch != NEVER and mine.departure != Code.OK:
            height = mine.height
            entry = entries[height]
            departure = Departure(
                VERDICTS[mine.departure],
                height,
                entry.caller_state(),
                entry.caller_pc,
                entries[height - 1] if height else None,
            )
        epoch = -1 if mine.epoch == NEVER else mine.epoch
        notes, key = entries[index].notes, serial(entries[index - 1] if index else None)
        note = notes.get(key)
        if note is None:
            # The hook has made the check, with the tables as they were given.
            note = notes[key] = Note(place=self.place_of(mine.held_site), tables=self._tables)
            if self._state.watching:
                note.held = self._read_held(mine)
        note.departure, note.epoch = departure, epoch

    def _read_held(self, mine: Entry) -> Held:
        """What the hook has left about the check of the caller's frame."""
        words = tuple(
            Word(mine.at[number], 8, mine.values[number].to_bytes(8, "little"))
            for number in range(mine.words)
        )
        code = mine.held_code
        return Held(
            VERDICTS[code],
            fields_of(code),
            words[: mine.step_words],
            words[mine.step_words :],
            Span(mine.low, mine.high),
        )

    def renewed(self, lowest: int) -> None:
        """Checks of frames above entry `lowest` were made by Python."""
        self.stack.same = min(self.stack.same, lowest)

    def _write_held(self, same: int) -> None:
        """Tell the hook what the frames' checks depend on, from entry `same` on."""
        entries = self.stack.entries
        for index in range(same, len(entries)):
            note = entries[index].notes.get(serial(entries[index - 1] if index else None))
            self._write_words(index, None if note is None else note.held)

    def _write_words(self, index: int, held: Held | None) -> None:
        mine = self._table[index]
        mine.words = mine.step_words = mine.high = 0
        mine.low, mine.tidy = _MASK, 1
        if index:
            older = self._table[index - 1]
            mine.low, mine.high, mine.tidy = older.low, older.high, older.tidy
        mine.own_high = mine.low
        if held is None:
            return
        mine.held_code = code_of(held.verdict, held.fields)
        number = 0
        for word in (*held.words, *held.pointers):
            if word.value is None:
                continue
            assert word.size == 8, "rows are evaluated on words"
            assert number < WATCHED, "there are no rules that read more"
            mine.at[number] = word.address
            mine.values[number] = int.from_bytes(word.value, "little")
            number += 1
        mine.words = number
        mine.step_words = len(held.words)
        if number:
            addresses = mine.at[:number]
            mine.own_high = max(addresses) + 8
            mine.tidy = mine.tidy and mine.own_high <= mine.low
            mine.low, mine.high = min(mine.low, *addresses), max(mine.high, mine.own_high)


def _called(mine: Entry) -> TrueEntry:
    """An entry that the hook has made: an ordinary call."""
    return TrueEntry(
        slot=mine.slot,
        return_address=mine.return_address,
        rbp=mine.rbp,
        callee_saved=tuple(mine.saved),
        call_site=mine.call_site,
    )
