"""The section store that a guest's own calls change, beside the one that is kept whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from emu.unwind import Frame, LookupFailure, Memory, Policy, Row, SectionStore, Vma


class Mappings(Protocol):
    """The mappings of a guest, with their protections."""

    def vma_at(self, address: int, /) -> Vma | None:
        """The mapping that contains `address`."""

    def writable(self, address: int) -> bool:
        """Whether the guest may change the byte at `address`."""


class GuestStore(SectionStore):
    """The real store of a process. What is registered or removed on purpose is in `intact` too.

    A section that a failing lookup drops is gone from this store only.
    """

    def __init__(
        self, memory: Memory, mappings: Mappings, policy: Policy, intact: SectionStore
    ) -> None:
        super().__init__(memory, mappings, policy=policy, stable=True)
        self.intact = intact
        self.on_change: Callable[[], object] = int
        """Called when a section was registered or removed on purpose."""
        self.changes = 0
        """Counts all changes of the records, also by a lookup that drops a section."""
        self._protections = mappings
        self._finding = False

    def add(self, sframe_start: int, sframe_end: int, text_start: int, text_end: int) -> int:
        """Register in both."""
        result = super().add(sframe_start, sframe_end, text_start, text_end)
        if result == 0:
            self.changes += 1
            self.intact.add(sframe_start, sframe_end, text_start, text_end)
            if self._protections.writable(sframe_start):
                # The guest may rewrite its table: nothing is remembered any more.
                self.stable = self.intact.stable = False
            self.on_change()
        return result

    def remove(self, sframe_start: int) -> int:
        """Remove from both, unless a lookup does it."""
        if not self._finding:
            self.intact.remove(sframe_start)
            self.on_change()
        self.changes += 1
        return super().remove(sframe_start)

    def inherit(self, parent: GuestStore) -> None:
        """Have the records of a forking process' store (kernel behaviour: 3.5)."""
        self.stable, self.intact.stable = parent.stable, parent.intact.stable
        if not self.policy.duplicate_on_fork:
            return
        for source, copy in ((parent.intact, self.intact), (parent, self)):
            for record in source.records:
                SectionStore._insert(copy, replace(record))
        self.changes += 1
        self.on_change()

    def lookup(self, ip: int) -> Row | LookupFailure:
        """As the intact store, which remembers it, where both have the same section."""
        record = self.record_for(ip)
        if record is not None and self.intact.record_for(ip) == record:
            return self.intact.lookup(ip)
        return super().lookup(ip)

    def find(self, ip: int) -> Frame | LookupFailure:
        """`sframe_find`, with its effects on this store alone."""
        self._finding = True
        try:
            return super().find(ip)
        finally:
            self._finding = False
