"""One entry of the true call stack."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from itertools import count
from typing import Any

CALLEE_SAVED = (3, 12, 13, 14, 15)
"""DWARF numbers of rbx and r12 to r15; rbp stands apart because SFrame recovers it."""

_serials = count(1)


class EntryKind(Enum):
    """What put the return address on the stack."""

    CALL = "call"
    SIGNAL = "signal"
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


@dataclass(slots=True, eq=False)
class Stack:
    """The entries of one stack, oldest first, and where it began.

    `begin` is rsp when the stack was first seen: at process start, or just after a switch to it.
    """

    begin: int
    entries: list[Entry] = field(default_factory=list)
    parked_rsp: int = 0
    """rsp when control last left the stack; the lower end of its live extent while parked."""
    exit_pc: int = 0
    """The instruction that switched away, for messages."""

    def encloses(self, address: int) -> bool:
        """Whether `address` lies in the live extent of this stack while it is parked."""
        return self.parked_rsp <= address <= self.begin

    def newest_slot(self) -> int:
        """Slot of the newest entry, or where the stack began if it has none."""
        return self.entries[-1].slot if self.entries else self.begin
