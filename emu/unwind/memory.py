"""Memory and registers that are just given: for recorded stacks, vectors and tests."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from struct import Struct

from emu.unwind.protocols import MemoryFault, Vma

_word_at: Callable[[bytes, int], tuple[int]] = Struct("<Q").unpack_from


class RegionMemory:
    """Byte regions at addresses; everything else is unreadable. Regions must not overlap."""

    def __init__(self, regions: Iterable[tuple[int, bytes]]) -> None:
        self._starts: list[int] = []
        self._blocks: list[bytes] = []
        for start, block in sorted(regions):
            if not block:
                continue
            end = self._starts[-1] + len(self._blocks[-1]) if self._starts else 0
            if self._starts and start < end:
                raise ValueError(f"regions overlap at {start:#x}")
            if self._starts and start == end:
                self._blocks[-1] += block
            else:
                self._starts.append(start)
                self._blocks.append(bytes(block))

    def read(self, address: int, size: int, /) -> bytes:
        """Exactly `size` bytes at `address`, or MemoryFault."""
        index = bisect_right(self._starts, address) - 1
        if index >= 0:
            offset = address - self._starts[index]
            block = self._blocks[index]
            if offset + size <= len(block):
                return block[offset : offset + size]
        raise MemoryFault(address)

    def word(self, address: int, /) -> int:
        """The 8 bytes at `address`, little endian, or MemoryFault."""
        index = bisect_right(self._starts, address) - 1
        if index >= 0:
            offset = address - self._starts[index]
            block = self._blocks[index]
            if offset + 8 <= len(block):
                return _word_at(block, offset)[0]
        raise MemoryFault(address)


@dataclass(frozen=True, slots=True)
class RegisterFile:
    """Saved registers given as numbers: `values[n]` is DWARF register n, 16 of them."""

    ip: int
    values: Sequence[int]

    def __getitem__(self, number: int, /) -> int:
        return self.values[number]


@dataclass(frozen=True, slots=True)
class VmaList:
    """Mappings given as a list, in any order."""

    vmas: Sequence[Vma] = field(default=())

    def vma_at(self, address: int, /) -> Vma | None:
        """The mapping that contains `address`."""
        return next((vma for vma in self.vmas if vma.start <= address < vma.end), None)
