"""Situations that only the following instructions explain.

While one lasts, checks are made under both readings and the right ones are kept once it is
settled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import overload

from emu.truth.entry import Entry, Stack


class Settlement(Enum):
    """What became of checks that could not be counted when they were made."""

    RETURNED = "control came back to every pending entry"
    DROPPED = "a pending entry went away"
    FIRST = "the reading in force was right"
    SECOND = "the other reading was right"
    NEVER = "the program ended before one of the readings was"


class Without(Sequence[Entry]):
    """A list of entries as if one of them were not there."""

    def __init__(self, entries: Sequence[Entry], omitted: int) -> None:
        self._entries = entries
        self.omitted = omitted

    def __len__(self) -> int:
        return len(self._entries) - 1

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Entry]: ...
    def __getitem__(self, index: int | slice) -> Entry | Sequence[Entry]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self._entries[index if index < self.omitted else index + 1]


class Instead(Sequence[Entry]):
    """A list of entries as if another one stood for one of them."""

    def __init__(self, entries: Sequence[Entry], index: int, other: Entry) -> None:
        self._entries = entries
        self._index = index
        self._other = other

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Entry]: ...
    def __getitem__(self, index: int | slice) -> Entry | Sequence[Entry]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if index in (self._index, self._index - len(self)):
            return self._other
        return self._entries[index]


@dataclass(frozen=True, slots=True)
class Provisional:
    """A code address was pushed: a call's return address, or a word that belongs to the frame."""

    entry: Entry

    def second(self, stack: Stack) -> Sequence[Entry]:
        """The entries without the one in doubt."""
        return Without(stack.entries, stack.index(self.entry))


@dataclass(frozen=True, slots=True)
class LocalCall(Provisional):
    """A call into the middle of its own function.

    gcc's inline retpoline calls over two instructions and overwrites the slot; its CFI counts
    the pushed word as part of the frame.
    """


@dataclass(frozen=True, slots=True)
class PushedCall(Provisional):
    """A push of a code address and a jump to another function's start.

    Either is done by hand: a call that returns to where it likes, or an entry stub that hands the
    address of the code that matters to a part that all stubs share.
    """


@dataclass(frozen=True, slots=True)
class SwitchDoubt:
    """rsp was moved into an older frame, but not to where that frame had it at its call.

    A longjmp to a setjmp made at another depth of that frame, or a switch to a stack that is an
    array in it. The first control transfer out of the switching function tells: into the frame's
    own function, or elsewhere.
    """

    fresh: Stack
    """The new stack, if it is a switch."""
    dropped: list[Entry]
    """What the jump out of frames dropped, oldest first; live if it is a switch."""
    switch_pc: int
    switch_rsp: int
    frame_pc: int
    """An instruction of the older frame's function."""

    def second(self, stack: Stack) -> Sequence[Entry]:
        """The entries of the new stack."""
        del stack
        return self.fresh.entries


@dataclass(frozen=True, slots=True)
class CopyDoubt:
    """The function has copied its return address, and its row says that it returns by the copy.

    libffi does, from memory of its caller's; the copy that gcc makes where it realigns the stack
    is only for debuggers. rsp tells: when it rises above the first one, the other is the slot.
    """

    entry: Entry
    elsewhere: Entry
    """The same call if it returns by the copy."""
    interruptions: int
    """Of the stack: in a handler the doubt stands still."""

    def second(self, stack: Stack) -> Sequence[Entry]:
        """The entries with the copy for the slot."""
        return Instead(stack.entries, stack.index(self.entry), self.elsewhere)


Doubt = LocalCall | PushedCall | SwitchDoubt | CopyDoubt
