"""What stack memory held at every recorded step: its first contents and every change since.

Stack words change by instructions, system calls and signal delivery alike, so they are found by
comparing memory, not by watching stores.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from emu.machine import Mapping
from emu.unwind import Memory, MemoryFault

RED_ZONE = 128
"""Bytes below rsp that a function may use without moving it."""
ABOVE = 160
"""Bytes above the place where a stack began: argc, argv and environment pointers."""
GROWTH = 1024
"""Bytes by which a recorded extent grows downward at least."""
REACH = 256 << 10
"""Bytes above rsp recorded at most when a stack is first seen."""
LIMIT = 2 << 20
"""Bytes of all recorded extents together."""


class MappedMemory(Memory, Protocol):
    """Memory that knows its mappings."""

    def find(self, address: int) -> Mapping | None:
        """The mapping that contains `address`."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Recorded addresses [low, high), multiples of 8, from one step on."""

    low: int
    high: int
    step: int


@dataclass(slots=True)
class _Region:
    low: int
    high: int
    contents: bytes


@dataclass(slots=True)
class StackRecorder:
    """Follows all stacks that rsp has been in."""

    memory: MappedMemory
    extents: list[Extent] = field(default_factory=list)
    steps: array[int] = field(default_factory=lambda: array("I"))
    addresses: array[int] = field(default_factory=lambda: array("Q"))
    values: array[int] = field(default_factory=lambda: array("Q"))
    _regions: list[_Region] = field(default_factory=list)
    _current: _Region | None = None
    _size: int = 0

    def note(self, step: int, rsp: int, begin: int) -> list[int]:
        """Record what changed before `step`; returns the addresses of the changed words.

        `begin` is where the stack that rsp is in began.
        """
        changed: list[int] = []
        current = self._current
        if current is None or not current.low + RED_ZONE <= rsp <= current.high:
            self._reach(step, rsp, begin, changed)
        for region in self._regions:
            try:
                contents = self.memory.read(region.low, region.high - region.low)
            except MemoryFault:
                continue  # unmapped since; what was there is still shown for earlier steps
            if contents != region.contents:
                self._changes(step, region.low, region.contents, contents, changed)
                region.contents = contents
        return changed

    def covers(self, address: int) -> bool:
        """Whether changes of the word at `address` are found."""
        return any(region.low <= address < region.high for region in self._regions)

    def _changes(
        self, step: int, low: int, before: bytes, after: bytes, changed: list[int]
    ) -> None:
        words = np.frombuffer(after, np.uint64)
        for index in np.flatnonzero(words != np.frombuffer(before, np.uint64)).tolist():
            self.steps.append(step)
            self.addresses.append(low + 8 * index)
            self.values.append(int(words[index]))
            changed.append(low + 8 * index)

    def _reach(self, step: int, rsp: int, begin: int, changed: list[int]) -> None:
        """Make sure that the stack at rsp is recorded."""
        mapping = self.memory.find(rsp)
        if mapping is None:
            return
        wanted = max((rsp - RED_ZONE) & -8, mapping.start)
        region = self._region_for(rsp, mapping)
        if region is not None:
            self._current = region
            if wanted < region.low:
                low = max(min(wanted, region.low - GROWTH), mapping.start)
                self._extend(step, region, low, changed)
            return
        top = begin + ABOVE if rsp <= begin < rsp + REACH else rsp + min(REACH, 4096)
        high = min((top + 7) & -8, mapping.end)
        above = [other.low for other in self._regions if other.low > wanted]
        region = _Region(min([high, *above]), min([high, *above]), b"")
        self._extend(step, region, wanted, changed)
        self._regions.append(region)
        self._current = region

    def _region_for(self, rsp: int, mapping: Mapping) -> _Region | None:
        """The region that contains rsp or would, if it grew downward within its mapping."""
        for region in self._regions:
            if region.low <= rsp <= region.high:
                return region
        below = [region for region in self._regions if rsp < region.low < mapping.end]
        nearest = min(below, key=lambda region: region.low, default=None)
        if nearest is not None and nearest.low - rsp < REACH:
            between = any(rsp < region.high <= nearest.low for region in self._regions)
            return None if between else nearest
        return None

    def _extend(self, step: int, region: _Region, low: int, changed: list[int]) -> None:
        inside = [
            other.high
            for other in self._regions
            if other is not region and other.high <= region.low
        ]
        low = max([low, *inside])
        size = region.low - low
        if size <= 0 or self._size + size > LIMIT:
            return
        try:
            added = self.memory.read(low, size)
        except MemoryFault:
            return
        self._size += size
        self.extents.append(Extent(low, region.low, step))
        self._changes(step, low, bytes(size), added, changed)
        region.contents = added + region.contents
        region.low = low

    def finish(self) -> StackHistory:
        """Everything that was recorded, by address."""
        steps = np.array(self.steps, np.uint32)
        addresses = np.array(self.addresses, np.uint64)
        values = np.array(self.values, np.uint64)
        order = np.lexsort((steps, addresses))
        return StackHistory(
            tuple(self.extents),
            addresses[order].tolist(),
            steps[order].tolist(),
            values[order].tolist(),
        )


@dataclass(frozen=True, slots=True)
class StackHistory:
    """Changes of 8-byte words, sorted by address and then by step, in three columns.

    A word inside an extent without a change so far is zero.
    """

    extents: tuple[Extent, ...]
    addresses: list[int]
    steps: list[int]
    values: list[int]

    def known(self, address: int, step: int) -> bool:
        """Whether the aligned word at `address` was recorded at `step`."""
        return any(
            extent.low <= address < extent.high and extent.step <= step for extent in self.extents
        )

    def word(self, address: int, step: int) -> int:
        """The aligned word at `address` just before `step`; MemoryFault if it is not recorded."""
        first = bisect_right(self.addresses, address - 1)
        last = bisect_right(self.addresses, address, first)
        index = bisect_right(self.steps, step, first, last) - 1
        if index >= first:
            return self.values[index]
        if not self.known(address, step):
            raise MemoryFault(address)
        return 0


@dataclass(frozen=True, slots=True)
class RecordedMemory:
    """The recorded stacks just before one step, for unwinders; everything else is unreadable."""

    history: StackHistory
    step: int

    def read(self, address: int, size: int, /) -> bytes:
        """Exactly `size` bytes; MemoryFault."""
        if size <= 0:
            return b""
        low, high = address & -8, (address + size + 7) & -8
        data = b"".join(
            self.history.word(at, self.step).to_bytes(8, "little") for at in range(low, high, 8)
        )
        return data[address - low : address - low + size]

    def word(self, address: int, /) -> int:
        """The 8 bytes at `address`, little endian, unsigned, any alignment; MemoryFault."""
        if address % 8 == 0:
            return self.history.word(address, self.step)
        return int.from_bytes(self.read(address, 8), "little")
