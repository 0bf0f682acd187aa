"""The shadow stack: its entries, and what hangs on each of them until it leaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from emu.truth.doubt import CopyDoubt, Doubt, Provisional, Settlement, SwitchDoubt
from emu.truth.entry import Entry, Moved, Stack
from emu.truth.figures import Figures
from emu.truth.functions import Functions
from emu.unwind.protocols import Memory, MemoryFault

FAR = 1 << 64


class GuestMemory(Memory, Protocol):
    """Memory with its protections."""

    def executable(self, address: int) -> bool:
        """Whether the guest may execute the byte at `address`."""

    def writable(self, address: int) -> bool:
        """Whether the guest may change the byte at `address`."""


def ignore(settlement: Settlement) -> None:
    """The listener of a tracker that nobody checks against."""


class ShadowStack:
    """The running thread's stack, with the entries that are pending and the open doubt."""

    def __init__(self, memory: GuestMemory, functions: Functions) -> None:
        self.stack = Stack(begin=FAR)
        self.figures = Figures()
        self.doubt: Doubt | None = None
        self.on_settled: Callable[[Settlement], None] = ignore
        self._memory = memory
        self._functions = functions
        self._pending: list[Entry] = []
        self._pending_failed = False

    @property
    def entries(self) -> list[Entry]:
        """The entries of the current stack, oldest first."""
        return self.stack.entries

    @property
    def pending(self) -> bool:
        """Whether a return address is out of its slot and held by a register."""
        return bool(self._pending)

    @property
    def moved(self) -> Moved | None:
        """The frame of a function that has moved to this stack by itself and runs on here."""
        return self.stack.moved

    def second_reading(self) -> Sequence[Entry] | None:
        """The entries if the open doubt is settled the other way; None without a doubt."""
        return None if self.doubt is None else self.doubt.second(self.stack)

    @property
    def second_moved(self) -> Moved | None:
        """`moved` if the open doubt is settled the other way."""
        stack = self.doubt.fresh if isinstance(self.doubt, SwitchDoubt) else self.stack
        return stack.moved

    def _remove(self, entry: Entry) -> None:
        for newer in self.stack.take_out(entry):
            newer.notes.clear()
        self.figures.dropped += 1
        self._let_go(entry, dropped=True)

    def _drop_from(self, index: int) -> list[Entry]:
        """Drop the entries at `index` and above; returns them, oldest first."""
        dropped = self.stack.cut(index)
        self.figures.dropped += len(dropped)
        for entry in reversed(dropped):
            self._let_go(entry, dropped=True)
        return dropped

    def _drop_below(self, rsp: int) -> None:
        self._drop_from(self.stack.below(rsp, self.stack.floor))

    def _let_go(self, entry: Entry, *, dropped: bool) -> None:
        """Settle whatever hung on an entry that has left the stack."""
        if entry.pending:
            self._resolve_pending(entry, dropped=dropped)
        doubt = self.doubt
        if isinstance(doubt, Provisional) and doubt.entry is entry:
            self._settle(Settlement.SECOND if dropped else Settlement.FIRST)
        elif isinstance(doubt, CopyDoubt) and doubt.entry is entry:
            self._settle(Settlement.FIRST)

    def _resolve_pending(self, entry: Entry, *, dropped: bool) -> None:
        entry.pending = False
        self._pending.remove(entry)
        self._pending_failed |= dropped
        if not self._pending:
            failed, self._pending_failed = self._pending_failed, False
            self.on_settled(Settlement.DROPPED if failed else Settlement.RETURNED)

    def _settle(self, settlement: Settlement) -> None:
        if self.doubt is not None:
            self.doubt = None
            self.on_settled(settlement)

    def _word(self, address: int) -> int | None:
        try:
            return self._memory.word(address)
        except MemoryFault:
            return None
