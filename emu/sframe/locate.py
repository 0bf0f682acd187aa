"""Where the .sframe section of an ELF file is, and its bytes as they will be at run time."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from emu.sframe.constants import PT_GNU_SFRAME, SHT_GNU_SFRAME, Version
from emu.sframe.elf import BytesLike, Elf, ElfSection
from emu.sframe.error import SFrameError

SECTION_NAME: Final = ".sframe"


@dataclass(frozen=True, slots=True)
class LocatedSection:
    """Bytes that begin with a .sframe section, its address and its offset in the file.

    In a relocatable file the bytes are a copy with the relocations applied.
    """

    data: memoryview
    address: int
    file_offset: int


def find_section(elf: Elf, name: str = SECTION_NAME) -> ElfSection | None:
    """The section of this name; for .sframe also one of type SHT_GNU_SFRAME."""
    for section in elf.sections:
        if section.name == name or (name == SECTION_NAME and section.type == SHT_GNU_SFRAME):
            return section
    return None


def locate(file: str | Path | BytesLike | Elf) -> LocatedSection:
    """Find .sframe: a section of its type or name, else the segment. Raises `SFrameError`."""
    elf = file if isinstance(file, Elf) else Elf(file)
    section = find_section(elf)
    if section is not None:
        data = elf.contents(section)
        if not data:
            # What `ld --discard-sframe` leaves behind.
            raise SFrameError(f"the {SECTION_NAME} section is empty")
        if elf.relocatable:
            data = _relocated(elf, section, data)
        return LocatedSection(data, section.address, section.offset)
    for segment in elf.segments:
        if segment.type == PT_GNU_SFRAME:
            if segment.offset >= len(elf.data):
                raise SFrameError("truncated file: PT_GNU_SFRAME lies beyond it", segment.offset)
            # The segment may be larger than the section; the SFrame header knows the length.
            return LocatedSection(elf.data[segment.offset :], segment.address, segment.offset)
    raise SFrameError(f"the file has no {SECTION_NAME} section")


_PC_RELATIVE: Final = {62: {24: 8, 2: 4}, 183: {260: 8, 261: 4}, 22: {23: 8, 5: 4}}
_ABSOLUTE: Final = {62: {1: 8, 10: 4, 11: 4}, 183: {257: 8, 258: 4}, 22: {22: 8, 4: 4}}
"""Relocation types by machine, and the bytes they fill in."""


def _relocated(elf: Elf, section: ElfSection, data: memoryview) -> memoryview:
    if data[2:3] == bytes((Version.V1,)):
        # readelf 2.40, the only one that dumps V1, shows its functions unrelocated.
        return data
    image = bytearray(data)
    for relocation in elf.relocations(section):
        place = section.offset + relocation.offset
        value = relocation.symbol.address + relocation.addend
        width = _ABSOLUTE[elf.machine].get(relocation.type)
        if width is None:
            width = _PC_RELATIVE[elf.machine].get(relocation.type)
            value -= section.address + relocation.offset
        if width is None:
            raise SFrameError(f"relocation type {relocation.type} in {section.name}", place)
        end = relocation.offset + width
        if end > len(image):
            raise SFrameError(f"relocation outside {section.name}", place)
        image[relocation.offset : end] = (value % (1 << 8 * width)).to_bytes(width, elf.byte_order)
    return memoryview(image).toreadonly()
