"""Whether the memory of registered sections may hold something else than before."""

from __future__ import annotations

from collections.abc import Iterable

from emu.machine import AddressSpace
from emu.machine.mapping import Mapping, Protection
from emu.unwind import SectionRecord

Extent = tuple[Mapping, int, int]


class SectionMemory:
    """The mappings in which sections lie, compared from one change of mappings to the next."""

    def __init__(self, memory: AddressSpace) -> None:
        self._memory = memory
        self._extents: tuple[Extent, ...] = ()
        self._writable = False

    def changed(self, records: Iterable[SectionRecord]) -> bool:
        """Whether a section that was there at the last call may read differently now.

        So it may where its pages are others, and where the guest can write them or could.
        """
        before, could_write = self._extents, self._writable
        self._extents = tuple(
            {extent for record in records for extent in self._of(record)},
        )
        self._writable = any(
            mapping.protection & Protection.WRITE for mapping, _, _ in self._extents
        )
        now = {*self._extents}
        return could_write or self._writable or any(extent not in now for extent in before)

    def _of(self, record: SectionRecord) -> Iterable[Extent]:
        address = record.sframe_start
        while address < record.sframe_end:
            mapping = self._memory.find(address)
            if mapping is None:
                return
            yield mapping, mapping.start, mapping.end
            address = mapping.end
