"""What is known about every byte of code, and where guest memory lies in the host.

Nothing is known at first: the hook asks Python about an instruction it meets for the first time,
and the answer is written down here. So no module is decoded or looked up as a whole, and what is
written down is what the reference code found. Code that the guest may write has no places; all
its instructions are Python's.
"""

from __future__ import annotations

import ctypes
from bisect import bisect_right

import numpy as np

from emu.check.fast.layout import PLACE, Place, Range
from emu.machine import AddressSpace
from emu.machine.mapping import Mapping, Protection

LARGEST = 1 << 28
"""Bytes of code with places, all mappings together; there are some 20 bytes for each."""

Extent = tuple[Mapping, int, int]
Places = np.ndarray[tuple[int], np.dtype[np.void]]


class CodeMap:
    """Places by address. `refresh` follows the address space."""

    def __init__(self, memory: AddressSpace) -> None:
        self._memory = memory
        self._places: dict[Extent, Places] = {}
        self._starts: list[int] = []
        self._extents: list[Extent] = []
        self._changed: list[tuple[int, int]] = []
        self.ranges = (Range * 0)()
        """Of code, with the addresses of their places."""
        self.readable = (Range * 0)()
        """Of all readable memory."""

    def changed(self, start: int, end: int) -> None:
        """Whatever is known about these addresses will be wrong after the next `refresh`."""
        self._changed.append((start, end))

    def refresh(self, *, everything: bool) -> None:
        """Mappings have changed. Places stay while their mapping does, unless `everything` goes."""
        known, self._places = self._places, {}
        self._extents = []
        total = 0
        for mapping in self._memory:
            protection = mapping.protection
            if not protection & Protection.EXECUTE or protection & Protection.WRITE:
                continue
            extent = (mapping, mapping.start, mapping.end)
            total += mapping.size
            if total > LARGEST:
                break
            places = None if everything or self._is_changed(extent) else known.get(extent)
            self._places[extent] = np.zeros(mapping.size, PLACE) if places is None else places
            self._extents.append(extent)
        self._changed.clear()
        self._starts = [start for _, start, _ in self._extents]
        self.ranges = _ranges(
            [
                (start, end, self._places[mapping, start, end].ctypes.data)
                for mapping, start, end in self._extents
            ]
        )
        self.readable = _ranges(
            [
                (mapping.start, mapping.end, mapping.buffer.address + mapping.offset)
                for mapping in self._memory
                if mapping.protection
            ]
        )

    def covers(self, start: int, end: int) -> bool:
        """Whether all of [start, end) has places."""
        while start < end:
            index = bisect_right(self._starts, start) - 1
            if index < 0 or start >= self._extents[index][2]:
                return False
            start = self._extents[index][2]
        return True

    def place(self, pc: int) -> Place | None:
        """What is known about `pc`; None in code that may change."""
        address = self.address(pc)
        return Place.from_address(address) if address else None

    def view(self, start: int, end: int) -> Places | None:
        """The places of [start, end), a column for each field; None if not all have some."""
        index = bisect_right(self._starts, start) - 1
        if index < 0 or end > self._extents[index][2]:
            return None
        first = self._starts[index]
        return self._places[self._extents[index]][start - first : end - first]

    def address(self, pc: int) -> int:
        """Host address of the place of `pc`; 0 if it has none."""
        index = bisect_right(self._starts, pc) - 1
        if index < 0 or pc >= self._extents[index][2]:
            return 0
        return self.ranges[index].host + (pc - self._starts[index]) * ctypes.sizeof(Place)

    def forget_rows(self, start: int, end: int) -> None:
        """Lookups in [start, end) give something else than before."""
        self._clear(start, end, ("top", "caller", "row"))

    def forget_walks(self, start: int, end: int) -> None:
        """Walks find something else in [start, end) than before."""
        self._clear(start, end, ("row",))

    def _clear(self, start: int, end: int, columns: tuple[str, ...]) -> None:
        for extent, places in self._places.items():
            _, first, last = extent
            low, high = max(start, first), min(end, last)
            if low < high:
                for column in columns:
                    places[column][low - first : high - first] = 0

    def _is_changed(self, extent: Extent) -> bool:
        _, start, end = extent
        return any(start < high and low < end for low, high in self._changed)


def _ranges(extents: list[tuple[int, int, int]]) -> ctypes.Array[Range]:
    return (Range * len(extents))(*(Range(*extent) for extent in extents))
