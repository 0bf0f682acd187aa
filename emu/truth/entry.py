"""One entry of the true call stack."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from enum import Enum
from itertools import count
from operator import attrgetter
from typing import Any

from emu.unwind import State

CALLEE_SAVED = (3, 12, 13, 14, 15)
"""DWARF numbers of rbx and r12 to r15; rbp stands apart because SFrame recovers it."""

PRESERVED = (6, *CALLEE_SAVED)

_serials = count(1)
_serial = attrgetter("serial")


class EntryKind(Enum):
    """What put the return address on the stack."""

    CALL = "call"
    SIGNAL = "signal"
    """An interrupted frame: its pc is an instruction, its slot only stands for its rsp."""
    HANDLER = "handler"
    """The restorer's address at a signal handler's entry."""
    SWITCH = "switch"
    """The word at the top of a stack that control was switched to."""


@dataclass(slots=True, eq=False)
class Entry:
    """A return address in its slot, and what the caller must find again after the return.

    `slot` is the address of the word that holds `return_address`; once the call has returned the
    caller's rsp is `slot + 8`, its rbp `rbp`, its rbx and r12 to r15 `callee_saved`.
    """

    slot: int
    return_address: int
    rbp: int
    callee_saved: tuple[int, ...]
    """For a SIGNAL entry all of the interrupted frame's general registers, by DWARF number."""
    call_site: int
    kind: EntryKind = EntryKind.CALL
    local: bool = False
    """A call into the middle of the caller's own function: provisional while it is live."""
    rbp_known: bool = True
    """False on a stack that was just switched to: its first frame has not begun."""
    pending: bool = False
    """rsp is above the slot and no return was seen: alive while a register holds the address."""
    serial: int = field(default_factory=_serials.__next__)
    """Unique in the run: tells entries apart that reuse a slot."""
    notes: dict[int, Any] = field(default_factory=dict)
    """What an observer remembers of the caller's frame, by serial of the next older entry."""

    @property
    def kept(self) -> tuple[tuple[int, int], ...]:
        """What the caller must find again: DWARF register numbers and values."""
        if self.kind is EntryKind.SIGNAL:
            registers = self.callee_saved
            return ((7, registers[7]), *((number, registers[number]) for number in PRESERVED))
        return tuple(zip(PRESERVED, (self.rbp, *self.callee_saved), strict=True))

    def returning_by(self, slot: int) -> Entry:
        """The same call, if it returns by another slot."""
        return Entry(
            slot,
            self.return_address,
            self.rbp,
            self.callee_saved,
            self.call_site,
            self.kind,
            self.local,
            self.rbp_known,
        )

    def caller_state(self) -> State:
        """The state to which this returns, as an unwinder should find it."""
        return State(
            self.return_address,
            self.slot + 8,
            self.rbp,
            interrupted=self.kind is EntryKind.SIGNAL,
        )

    @property
    def caller_pc(self) -> int:
        """An address inside the function that goes on after the return."""
        return self.call_site if self.kind is EntryKind.CALL else self.return_address

    def is_caller(self, pc: int, sp: int, fp: int) -> bool:
        """Whether this is the state to which the call returns."""
        return (
            pc == self.return_address
            and sp == self.slot + 8
            and (fp == self.rbp or not self.rbp_known)
        )


@dataclass(frozen=True, slots=True)
class Moved:
    """The frame of a function that has moved to another stack itself and has not left it.

    A row for it may say that the stack begins here, or lead back to where the function came from.
    """

    height: int
    """Entries below the frame on the new stack."""
    caller: Entry
    """On the stack it came from: the call through which the function will return, if it does."""


@dataclass(slots=True)
class Promise:
    """The function that has just moved rsp out of its frame is about to return to `target`.

    It may have to put the address into its slot first.
    """

    target: int
    slot: int
    rbp: int | None
    """What rbp will be then, if that is known."""
    interruptions: int
    """Of the stack when the promise was made: in a handler it stands still."""
    left: Entry | None
    """The call that was dropped by the move and is to be returned from after all."""
    kept: Entry | None = None
    """The entry, once the address is in its slot."""


@dataclass(slots=True, eq=False)
class Stack:
    """The entries of one stack, oldest first, and where it began.

    `begin` is rsp when the stack was first seen: at process start, or just after a switch to it.
    """

    begin: int
    entries: list[Entry] = field(default_factory=list)
    interruptions: list[int] = field(default_factory=list)
    """Indices of the SIGNAL entries, oldest first."""
    parked_rsp: int = 0
    """rsp when control last left the stack; the lower end of its live extent while parked."""
    exit_pc: int = 0
    """The instruction that switched away, for messages."""
    memo: Any = None
    """What an observer remembers of the stack,"""
    same: int = 0
    """and for how many of the oldest entries that still holds."""
    straight: bool = False
    """It is fresh: control was not transferred yet since the switch to it."""
    foreseen: bool = False
    """The code behind the switch here shows through which word it will return."""
    moved_from: Entry | None = None
    """The newest call on the stack left behind, while the function that switched runs on here."""
    moved_at: int = 0
    """The instruction that switched here."""
    promise: Promise | None = None
    """Until control is transferred: the return that the code behind a move of rsp leads to."""

    @property
    def moved(self) -> Moved | None:
        """The frame of the function that switched to this stack, while it has not left it."""
        return None if self.moved_from is None else Moved(self.base, self.moved_from)

    @property
    def base(self) -> int:
        """How many entries the stack began with."""
        return int(bool(self.entries) and self.entries[0].kind is EntryKind.SWITCH)

    def push(self, entry: Entry) -> None:
        """A new newest entry."""
        if entry.kind is EntryKind.SIGNAL:
            self.interruptions.append(len(self.entries))
        self.entries.append(entry)

    def cut(self, index: int) -> list[Entry]:
        """Remove the entries from `index` on and return them, oldest first."""
        removed = self.entries[index:]
        del self.entries[index:]
        self.same = min(self.same, len(self.entries))
        while self.interruptions and self.interruptions[-1] >= index:
            self.interruptions.pop()
        return removed

    def take_out(self, entry: Entry) -> list[Entry]:
        """Remove one entry and return the newer ones, oldest first."""
        index = self.index(entry)
        del self.entries[index]
        self.same = min(self.same, index)
        return self.entries[index:]

    def index(self, entry: Entry) -> int:
        """Where an entry is. Newer entries have greater numbers."""
        return bisect_left(self.entries, entry.serial, key=_serial)

    def below(self, rsp: int, oldest: int = 0) -> int:
        """Index of the first entry, from `oldest` on, whose slot is below `rsp`."""
        index = len(self.entries)
        while index > oldest and self.entries[index - 1].slot < rsp:
            index -= 1
        return index

    def encloses(self, address: int) -> bool:
        """Whether `address` lies in the live extent of this stack while it is parked."""
        return self.parked_rsp <= address <= self.begin

    @property
    def floor(self) -> int:
        """Index of the oldest entry made since the newest interruption.

        Older slots say nothing about rsp: a handler may run on a stack of its own.
        """
        return self.interruptions[-1] + 1 if self.interruptions else 0

    def newest_slot(self) -> int:
        """Slot of the newest entry, or where the stack began if it has none."""
        return self.entries[-1].slot if self.entries else self.begin
