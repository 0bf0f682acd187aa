"""Where a section that is attached to a linked file goes.

A segment behind all others holds the program headers, which need room for two more, and the
section. Old kernels tell a program where its headers are by their file offset counted from the
first segment (AT_PHDR), so that distance between file and memory is kept where it can be.
"""

from dataclasses import dataclass
from struct import Struct
from typing import Final

from emu.cfi.errors import CfiError
from emu.sframe import Elf

PAGE: Final = 0x1000
PROGRAM_HEADER: Final = Struct("<IIQQQQQQ")
"""type, flags, offset, virtual and physical address, size in file and memory, alignment."""
ALIGNMENT: Final = 8
_PT_LOAD: Final = 1
_NEW_HEADERS: Final = 2
_LARGEST_HOLE: Final = 64 << 20
"""A program with more .bss than this does not get a file that is larger by so much."""


@dataclass(frozen=True, slots=True)
class Placement:
    """A page boundary in the file and in memory, and the section behind the headers there."""

    offset: int
    address: int
    headers: int
    """Bytes of the program headers, with the two new ones."""

    @property
    def section_offset(self) -> int:
        return self.offset + -(-self.headers // ALIGNMENT) * ALIGNMENT

    @property
    def section_address(self) -> int:
        return self.address + self.section_offset - self.offset


def place_section(elf: Elf) -> Placement:
    """The place in a linked file. Raises `CfiError` if it has no segment to load."""
    loads = [segment for segment in elf.segments if segment.type == _PT_LOAD]
    if not loads:
        raise CfiError("the file has no segment to load")
    first = min(loads, key=lambda segment: segment.address)
    end = _page_up(max(segment.address + segment.memory_size for segment in loads))
    length = _page_up(len(elf.data))
    distance = first.address - first.offset
    offset = max(end - distance, length)
    address = distance + offset
    if distance % PAGE or offset - length > _LARGEST_HOLE:
        offset, address = length, end
    headers = (len(elf.segments) + _NEW_HEADERS) * PROGRAM_HEADER.size
    return Placement(offset, address, headers)


def sframe_address(elf: Elf) -> int:
    """The link-time address that an attached section has; 0 in a file with nothing to load."""
    try:
        return place_section(elf).section_address
    except CfiError:
        return 0


def _page_up(value: int) -> int:
    return -(-value // PAGE) * PAGE
