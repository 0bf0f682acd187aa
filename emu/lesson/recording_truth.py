"""The true call stacks of a recording, each shared part kept once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from emu.truth import Entry, EntryKind
from emu.unwind import State


@dataclass(frozen=True, slots=True)
class TrueCall:
    """An entry of the true stack and, as `older`, the number of the entry below it; -1: none."""

    older: int
    slot: int
    return_address: int
    rbp: int
    rbp_known: bool
    kind: EntryKind
    caller_pc: int
    """An address inside the function that goes on after the return."""
    depth: int
    """Entries from here to where the stack began, this one included."""

    def state(self) -> State:
        """The true state of the frame that goes on after the return."""
        return State(
            self.return_address,
            self.slot + 8,
            self.rbp,
            interrupted=self.kind is EntryKind.SIGNAL,
        )


@dataclass(slots=True)
class TruthRecorder:
    """Numbers every distinct chain of entries; `calls[number]` is its newest entry."""

    calls: list[TrueCall] = field(default_factory=list)
    _numbers: dict[TrueCall, int] = field(default_factory=dict)
    _entries: list[Entry] = field(default_factory=list)
    _chain: list[int] = field(default_factory=list)

    def note(self, entries: Sequence[Entry]) -> int:
        """The number of a stack with these entries, oldest first; -1 if there are none."""
        known, chain = self._entries, self._chain
        depth = len(entries)
        common = min(depth, len(known))
        # Nearly always the older entries are the same objects: look where the stack ends only.
        # An entry that leaves the middle shortens the list, so what is above it shifts.
        while common and entries[common - 1] is not known[common - 1]:
            common -= 1
        if common and not self._same(entries[common - 1], chain[common - 1]):
            common -= 1
        del known[common:], chain[common:]
        for entry in entries[common:]:
            chain.append(self._number(entry, chain[-1] if chain else -1))
            known.append(entry)
        return chain[-1] if chain else -1

    def aside(self, entries: Sequence[Entry]) -> int:
        """Like `note`, for another reading of the same stack."""
        number = -1
        for entry in entries:
            number = self._number(entry, number)
        return number

    def _same(self, entry: Entry, number: int) -> bool:
        call = self.calls[number]
        return (entry.slot, entry.rbp, entry.rbp_known) == (call.slot, call.rbp, call.rbp_known)

    def _number(self, entry: Entry, older: int) -> int:
        call = TrueCall(
            older,
            entry.slot,
            entry.return_address,
            entry.rbp,
            entry.rbp_known,
            entry.kind,
            entry.caller_pc,
            self.calls[older].depth + 1 if older >= 0 else 1,
        )
        number = self._numbers.get(call)
        if number is None:
            number = self._numbers[call] = len(self.calls)
            self.calls.append(call)
        return number
